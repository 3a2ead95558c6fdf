import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttributeIds,
  type ClientSession,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
} from "node-opcua";
import { dialFrom, type Source } from "../access-switch/dial-from.ts";
import type { Endpoint } from "../address-plan.ts";
import { says } from "./attack-log.ts";

const CONNECT_TIMEOUT_MS = 3000;

/** A foreign OPC UA client without security. It connects anew for a write whenever it has been thrown out. */
export class OpcUaIntruder {
  readonly #pump: SourcePump;
  readonly #pkiFolder: string;
  #client: OPCUAClient | undefined;
  #session: ClientSession | undefined;

  private constructor(pump: SourcePump, pkiFolder: string) {
    this.#pump = pump;
    this.#pkiFolder = pkiFolder;
  }

  static async create(target: Endpoint, source: Source): Promise<OpcUaIntruder> {
    const pump = new SourcePump(target, source);
    await pump.listen();
    return new OpcUaIntruder(pump, await mkdtemp(join(tmpdir(), "opcua-client-")));
  }

  /** Writes a Double; the status in the protocol's words, or why it did not come to that. */
  async write(nodeId: string, value: number): Promise<string> {
    try {
      this.#session ??= await within(CONNECT_TIMEOUT_MS, this.#connect());
      const status = await within(
        CONNECT_TIMEOUT_MS,
        this.#session.write({
          nodeId,
          attributeId: AttributeIds.Value,
          value: { value: { dataType: DataType.Double, value } },
        }),
      );
      return status.isGood() ? "ok" : status.name;
    } catch (error) {
      await this.#drop();
      return says(error);
    }
  }

  /** The present value; undefined: it was not to be had. */
  async read(nodeId: string): Promise<number | undefined> {
    try {
      this.#session ??= await within(CONNECT_TIMEOUT_MS, this.#connect());
      const data = await within(CONNECT_TIMEOUT_MS, this.#session.read({ nodeId, attributeId: AttributeIds.Value }));
      const value: unknown = data.value.value;
      return typeof value === "number" ? value : undefined;
    } catch {
      await this.#drop();
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#drop();
    await this.#pump.close();
    await rm(this.#pkiFolder, { recursive: true, force: true });
  }

  async #connect(): Promise<ClientSession> {
    this.#client = OPCUAClient.create({
      applicationName: "intruder",
      clientName: "intruder",
      securityMode: MessageSecurityMode.None,
      securityPolicy: SecurityPolicy.None,
      // The endpoint it is told of is not the address it came in by.
      endpointMustExist: false,
      keepSessionAlive: false,
      connectionStrategy: { initialDelay: 100, maxDelay: 200, maxRetry: 0 },
      clientCertificateManager: new OPCUACertificateManager({
        rootFolder: this.#pkiFolder,
        automaticallyAcceptUnknownCertificate: true,
      }),
    });
    await this.#client.connect(`opc.tcp://${this.#pump.at.host}:${this.#pump.at.port}`);
    return this.#client.createSession();
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#session = undefined;
    this.#pump.cut();
    if (client !== undefined) await within(CONNECT_TIMEOUT_MS, client.disconnect()).catch(() => undefined);
  }
}

/**
 * node-opcua cannot choose its source address, so its connections go through this pump in the same process, which dials on with
 * the address the client should have.
 */
class SourcePump {
  readonly #target: Endpoint;
  readonly #source: Source;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(target: Endpoint, source: Source) {
    this.#target = target;
    this.#source = source;
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (near) => void this.#open(near));
  }

  get at(): Endpoint {
    const address = this.#server.address();
    return { host: this.#source.address, port: typeof address === "object" && address !== null ? address.port : 0 };
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, this.#source.address, resolve);
    });
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #open(near: Socket): Promise<void> {
    this.#track(near);
    try {
      const far = await dialFrom(this.#target, this.#source);
      this.#track(far);
      near.pipe(far).pipe(near);
      far.on("close", () => near.destroy());
      near.on("close", () => far.destroy());
    } catch {
      near.destroy();
    }
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  // A late failure of work that nobody waits for any more must not end the process.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
