import { join } from "node:path";
import type { Tag } from "#specs/plant.ts";
import {
  AttributeIds,
  type ClientSession,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  StatusCodes,
} from "node-opcua";
import type { Endpoint } from "../address-plan.ts";
import type { WriteResult } from "./write-result.ts";

export interface OpcUaStationOptions {
  readonly to: Endpoint;
  /** The client's certificate is made and kept below this folder. */
  readonly pkiDir: string;
  readonly log: (says: string) => void;
}

const RETRY_MS = 2000;

/** One station's OPC UA session, without message security, so that a layer on the way can read what it judges. */
export class OpcUaStation {
  readonly #options: OpcUaStationOptions;
  #client: OPCUAClient | undefined;
  #session: ClientSession | undefined;
  #connecting: Promise<void> | undefined;
  #nextTryMs = 0;

  constructor(options: OpcUaStationOptions) {
    this.#options = options;
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
        value: { value: boolean ? { dataType: DataType.Boolean, value: value !== 0 } : { dataType: DataType.Double, value } },
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

  /** Opens the session ahead of its first use. */
  async open(): Promise<void> {
    await this.#connected();
  }

  async #connected(): Promise<ClientSession | undefined> {
    if (this.#session !== undefined) return this.#session;
    if (this.#connecting === undefined && performance.now() >= this.#nextTryMs) {
      this.#connecting = this.#connect().finally(() => {
        this.#connecting = undefined;
      });
    }
    await this.#connecting;
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
      transportTimeout: 5000,
      keepSessionAlive: true,
      clientCertificateManager: new OPCUACertificateManager({
        rootFolder: join(this.#options.pkiDir, "hmi-1"),
        automaticallyAcceptUnknownCertificate: true,
      }),
    });
    this.#client = client;
    client.on("connection_lost", () => void this.#drop());
    try {
      await client.connect(`opc.tcp://${host}:${port}`);
      this.#session = await client.createSession();
    } catch (error) {
      this.#options.log(`no OPC UA session with ${host}:${port} (${error instanceof Error ? error.message : String(error)})`);
      await this.#drop();
    }
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
