import type { Direction, Flow, ReassemblyLimits } from "./flow.ts";
import { StreamHalf } from "./stream-half.ts";
import type { TcpFrame } from "./tcp-frame.ts";

/** How far a connection is: `opening` until the handshake or data were seen, `closed` while late segments may come. */
export type ConnectionState = "opening" | "open" | "closed";

/** A connection in the table of a reassembler; state only, judged by `TcpReassembler`. */
export interface Connection {
  readonly flow: Flow;
  readonly halves: { readonly [direction in Direction]: StreamHalf };
  state: ConnectionState;
  lastSeenMs: number;
  /** initial sequence number of the client, if its SYN was seen */
  clientIsn: number | undefined;
  /** initial sequence number of a SYN within an open connection; becomes a new connection if the server answers it */
  newIsn: number | undefined;
}

export function newConnection(flow: Flow, limits: ReassemblyLimits, timeMs: number): Connection {
  return {
    flow,
    halves: { "client-to-server": new StreamHalf(limits), "server-to-client": new StreamHalf(limits) },
    state: "opening",
    lastSeenMs: timeMs,
    clientIsn: undefined,
    newIsn: undefined,
  };
}

/** Key of the connection a frame belongs to, the same in both directions. */
export function connectionKey(frame: TcpFrame): string {
  const src = `${frame.srcIp}:${frame.srcPort}`;
  const dst = `${frame.dstIp}:${frame.dstPort}`;
  return src < dst ? `${src} ${dst}` : `${dst} ${src}`;
}

export function directionOf(flow: Flow, frame: TcpFrame): Direction {
  const fromClient = frame.srcPort === flow.client.port && frame.srcIp === flow.client.ip;
  return fromClient ? "client-to-server" : "server-to-client";
}

export const opposite = (direction: Direction): Direction =>
  direction === "client-to-server" ? "server-to-client" : "client-to-server";
