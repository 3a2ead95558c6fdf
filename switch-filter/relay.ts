import { connect, createServer, type Server, type Socket } from "node:net";
import type { Session, SessionOutput } from "./session.ts";

export interface RelayOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstream: { readonly host: string; readonly port: number };
  /** Own address towards the server; the server takes connections from it alone. */
  readonly localAddress?: string;
  /** Absent: bytes pass unseen (mode `off`). */
  readonly session?: (client: { readonly address: string; readonly port: number }, output: SessionOutput) => Session;
  readonly onRefused: (client: string, says: string) => void;
  readonly onUpstream: (reachable: boolean, says: string) => void;
}

/** Connections of one source address, and in all, on one listener. */
export const MAX_CONNECTIONS_PER_SOURCE = 32;
export const MAX_CONNECTIONS = 512;
const EXPIRY_CHECK_MS = 1000;
const CONNECT_TIMEOUT_MS = 3000;

/** A listener before one server. Sockets, back-pressure and limits; what passes is for the session to say. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => this.#accept(client));
    this.#timer = setInterval(() => {
      const now = performance.now();
      for (const pair of this.#pairs) pair.session?.expire(now);
    }, EXPIRY_CHECK_MS);
  }

  /** @throws Error in one sentence when the address cannot be listened on */
  listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        const why =
          error.code === "EADDRINUSE"
            ? "is already taken; stop what listens there or choose another port"
            : `cannot be used (${error.message})`;
        reject(new Error(`address ${host}:${port} ${why}`));
      });
      this.#server.listen({ host, port }, resolve);
    });
  }

  /** Plant time of the oldest state-changing request whose outcome is not known yet. */
  get unsettledSinceMs(): number | undefined {
    let oldest: number | undefined;
    for (const { session } of this.#pairs) {
      const since = session?.unsettledSinceMs;
      if (since !== undefined && (oldest === undefined || since < oldest)) oldest = since;
    }
    return oldest;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    for (const pair of this.#pairs) pair.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    const address = client.remoteAddress ?? "";
    const name = `${address}:${client.remotePort ?? 0}`;
    const fromSame = [...this.#pairs].filter((pair) => pair.address === address).length;
    if (fromSame >= MAX_CONNECTIONS_PER_SOURCE || this.#pairs.size >= MAX_CONNECTIONS) {
      client.resetAndDestroy();
      this.#options.onRefused(
        name,
        `${address} has ${fromSame} connections of ${this.#pairs.size} here; a further one was refused`,
      );
      return;
    }
    const pair = new Pair(client, this.#options, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
  }
}

/** One client socket, one server socket, and the session between them. */
class Pair implements SessionOutput {
  readonly address: string;
  readonly session: Session | undefined;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #gone: () => void;
  #closed = false;

  constructor(client: Socket, options: RelayOptions, gone: () => void) {
    this.#client = client;
    this.#gone = gone;
    this.address = client.remoteAddress ?? "";
    this.session = options.session?.({ address: this.address, port: client.remotePort ?? 0 }, this);
    this.#server = connect({
      ...options.upstream,
      noDelay: true,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    });
    this.#server.setTimeout(CONNECT_TIMEOUT_MS, () => this.#server.destroy(new Error("it did not answer in time")));
    this.#server.once("connect", () => {
      this.#server.setTimeout(0);
      options.onUpstream(true, "");
      client.resume();
    });
    this.#server.on("error", (error) => {
      if (this.#server.connecting || !this.#server.remoteAddress) options.onUpstream(false, error.message);
    });
    client.on("error", () => undefined);
    client.on("data", (chunk) => this.#fromClient(chunk));
    this.#server.on("data", (chunk) => this.#fromServer(chunk));
    client.on("drain", () => this.#server.resume());
    this.#server.on("drain", () => this.#readOn());
    client.on("close", () => this.destroy());
    this.#server.on("close", () => this.#serverClosed());
    client.on("end", () => this.#server.end());
  }

  toServer(bytes: Buffer): void {
    if (!this.#server.write(bytes)) this.#client.pause();
  }

  toClient(bytes: Buffer): void {
    if (!this.#client.write(bytes)) this.#server.pause();
  }

  /** Nothing more is read; what is queued for the client still goes out. */
  close(): void {
    this.#server.destroy();
    this.#client.pause();
    this.#client.end(() => this.#client.destroySoon());
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.session?.closed();
    this.#client.destroy();
    this.#server.destroy();
    this.#gone();
  }

  #serverClosed(): void {
    if (this.#closed) return;
    this.session?.closed();
    this.#client.end(() => this.destroy());
  }

  #fromClient(chunk: Buffer): void {
    if (this.session === undefined) return this.toServer(chunk);
    this.session.fromClient(chunk, performance.now());
    this.#readOn();
  }

  #fromServer(chunk: Buffer): void {
    if (this.session === undefined) return this.toClient(chunk);
    this.session.fromServer(chunk, performance.now());
    this.#readOn();
  }

  #readOn(): void {
    if (this.session?.wantsMore === false || this.#server.writableNeedDrain) this.#client.pause();
    else if (this.#client.isPaused() && !this.#server.connecting) this.#client.resume();
  }
}
