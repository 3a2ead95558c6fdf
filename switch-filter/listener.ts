import type { Endpoint } from "#point/endpoint.ts";
import type { FramingName } from "./modbus-framing.ts";
import type { UaTermination } from "./opcua-identity.ts";
import type { LinkTls } from "./tls.ts";

/** One listener: it stands in front of the server of `link`, for every client of that server over the same protocol. */
export interface FilterListener {
  readonly link: string;
  readonly listen: Endpoint;
  readonly upstream: Endpoint;
  /** Modbus only: how frames lie in the stream, on both sides. Default `mbap`. */
  readonly framing?: FramingName;
  /** OPC UA only: secured channels end here, and go on to the server as others. Default: they go through from end to end. */
  readonly termination?: UaTermination;
  /** Modbus/TCP Security: TLS towards the clients, the server, or both. Default: neither. */
  readonly tls?: LinkTls;
}
