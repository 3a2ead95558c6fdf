import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  AttributeIds,
  type ClientSession,
  DataType,
  MessageSecurityMode,
  makeReverseClientTransportFactory,
  OPCUAClient,
  SecurityPolicy,
  StatusCodes,
} from "node-opcua";
import type { TagId } from "#specs/ids.ts";
import type { Tag } from "#specs/plant.ts";
import type { Endpoint, PortRange } from "../address-plan.ts";
import { opcUaCertificates, quietOpcUa } from "../opcua-certificates.ts";
import type { WriteResult } from "./write-result.ts";

export interface OpcUaStationOptions {
  readonly to: Endpoint;
  /** Tags of the server; those without a node are left out. */
  readonly tags: readonly Tag[];
  /** Source address of the station. */
  readonly from: string;
  /** Where one address serves everybody: the source ports of the station. */
  readonly fromPorts?: PortRange | undefined;
  /** The client's certificate is made and kept below this folder. */
  readonly pkiDir: string;
  readonly log: (says: string) => void;
}

const RETRY_MS = 2000;
/** Real ms that a write waits for a session to come back. A round of plant time must not wait for longer. */
const PATIENCE_MS = 1500;
const CONNECT_MS = 3000;
const ANSWER_MS = 2000;
const IDLE_MS = 120_000;

/** One station's OPC UA session, without message security, so that a layer on the way can read what it judges. */
export class OpcUaStation {
  readonly #options: OpcUaStationOptions;
  #client: OPCUAClient | undefined;
  #session: ClientSession | undefined;
  #connecting: Promise<void> | undefined;
  #nextTryMs = 0;
  #dialled = 0;

  constructor(options: OpcUaStationOptions) {
    this.#options = options;
    quietOpcUa(options.log);
  }

  /** Reads the Value attributes of the tags that have a node; empty without a session. A bad value is left out. */
  async poll(): Promise<ReadonlyMap<TagId, number>> {
    const values = new Map<TagId, number>();
    const session = this.#session;
    if (session === undefined) {
      // Comes back in the background: the readings of this round are there without it.
      void this.#connected();
      return values;
    }
    const bound = this.#options.tags.flatMap(({ id, opcua }) =>
      opcua === undefined ? [] : [{ id, nodeId: opcua.nodeId }],
    );
    try {
      const answers = await session.read(bound.map(({ nodeId }) => ({ nodeId, attributeId: AttributeIds.Value })));
      answers.forEach(({ statusCode, value }, i) => {
        const tag = bound[i];
        if (tag !== undefined && statusCode.equals(StatusCodes.Good)) values.set(tag.id, Number(value.value));
      });
    } catch {
      await this.#drop();
    }
    return values;
  }

  /** Writes the Value attribute of a tag's node. */
  async write(tag: Tag, value: number): Promise<WriteResult> {
    const session = await this.#connected();
    const binding = tag.opcua;
    if (session === undefined || binding === undefined) return { result: "error", says: "not connected" };
    try {
      const boolean = binding.type === "Boolean";
      const status = await session.write({
        nodeId: binding.nodeId,
        attributeId: AttributeIds.Value,
        value: {
          value: boolean ? { dataType: DataType.Boolean, value: value !== 0 } : { dataType: DataType.Double, value },
        },
      });
      return status.equals(StatusCodes.Good) ? { result: "ok" } : { result: "exception", code: status.value };
    } catch (error) {
      await this.#drop();
      return { result: "error", says: error instanceof Error ? error.message : String(error) };
    }
  }

  async close(): Promise<void> {
    this.#nextTryMs = Number.POSITIVE_INFINITY;
    await this.#drop();
  }

  /** Opens the session ahead of its first use, trying for so long; true: it is open. */
  async open(forMs: number): Promise<boolean> {
    const until = performance.now() + forMs;
    while ((await this.#connected()) === undefined && performance.now() < until) await pause(100);
    return this.#session !== undefined;
  }

  async #connected(): Promise<ClientSession | undefined> {
    if (this.#session !== undefined) return this.#session;
    if (this.#connecting === undefined && performance.now() >= this.#nextTryMs) {
      this.#connecting = this.#connect().finally(() => {
        this.#connecting = undefined;
      });
    }
    if (this.#connecting !== undefined) await Promise.race([this.#connecting, pause(PATIENCE_MS)]);
    return this.#session;
  }

  async #connect(): Promise<void> {
    const { host, port } = this.#options.to;
    const client = OPCUAClient.create({
      applicationName: "sekisho operator station",
      securityMode: MessageSecurityMode.None,
      securityPolicy: SecurityPolicy.None,
      // The server tells its own address; the way to it leads through the switch.
      endpointMustExist: false,
      connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 500 },
      // node-opcua ends a connection that is idle for this long.
      transportTimeout: IDLE_MS,
      defaultTransactionTimeout: ANSWER_MS,
      transportFactory: makeReverseClientTransportFactory(() => this.#dial()),
      keepSessionAlive: true,
      clientCertificateManager: opcUaCertificates(join(this.#options.pkiDir, "hmi-1")),
    });
    this.#client = client;
    client.on("connection_lost", () => void this.#drop());
    try {
      await client.connect(`opc.tcp://${host}:${port}`);
      this.#session = await client.createSession();
    } catch (error) {
      this.#options.log(
        `no OPC UA session with ${host}:${port} (${error instanceof Error ? error.message : String(error)})`,
      );
      await this.#drop();
    }
  }

  /**
   * node-opcua's own transport cannot choose its source address; the one it has for reverse connections takes a socket that is already
   * connected, and begins with the same HEL.
   */
  async #dial(): Promise<{
    readonly socket: ConnectedSocket;
    readonly serverUri: string;
    readonly endpointUrl: string;
  }> {
    const { to, from, fromPorts } = this.#options;
    const localPort =
      fromPorts === undefined
        ? {}
        : { localPort: fromPorts.low + (this.#dialled % (fromPorts.high - fromPorts.low + 1)) };
    this.#dialled += 1;
    const socket = connect({ host: to.host, port: to.port, localAddress: from, ...localPort, noDelay: true });
    await once(socket, "connect", { signal: AbortSignal.timeout(CONNECT_MS) });
    if (!isConnected(socket)) throw new Error(`${to.host}:${to.port} hung up at once`);
    return { socket, serverUri: "", endpointUrl: `opc.tcp://${to.host}:${to.port}` };
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#session = undefined;
    if (this.#nextTryMs !== Number.POSITIVE_INFINITY) this.#nextTryMs = performance.now() + RETRY_MS;
    try {
      await client?.disconnect();
    } catch {
      // A connection already lost cannot be ended in good order.
    }
  }
}

type ConnectedSocket = Socket & { readonly remoteAddress: string; readonly remotePort: number };

function isConnected(socket: Socket): socket is ConnectedSocket {
  return socket.remoteAddress !== undefined && socket.remotePort !== undefined;
}
