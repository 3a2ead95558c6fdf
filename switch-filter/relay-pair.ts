import { connect, type Socket } from "node:net";
import { KEEP_ALIVE_MS, type RelayOptions } from "./relay-options.ts";
import type { Session, SessionOutput } from "./session.ts";
import { dialTls } from "./tls.ts";

const CONNECT_TIMEOUT_MS = 3000;
/** Real ms that a client has to take what is still queued for it after the end. */
export const LINGER_MS = 2000;

/**
 * One client socket, one server socket, and the session between them. The server is dialled when there is something for it, so
 * that a client that may do nothing takes none of a PLC's few places.
 *
 * INVARIANT (fail closed): whatever throws in here closes both sockets; no byte passes that the session did not pass.
 */
export class RelayPair implements SessionOutput {
  readonly address: string;
  readonly #options: RelayOptions;
  readonly #client: Socket;
  readonly #role: string | undefined;
  readonly #name: string;
  readonly #gone: () => void;
  #session: Session | undefined;
  #server: Socket | undefined;
  #linger: NodeJS.Timeout | undefined;
  #ending = false;
  #closed = false;

  constructor(client: Socket, role: string | undefined, options: RelayOptions, gone: () => void) {
    this.#client = client;
    this.#role = role;
    this.#options = options;
    this.#gone = gone;
    this.address = client.remoteAddress ?? "";
    this.#name = nameOf(client);
  }

  get session(): Session | undefined {
    return this.#session;
  }

  start(): void {
    const client = this.#client;
    client.on("error", () => undefined);
    client.on("close", () => this.destroy());
    client.on("data", (chunk) => this.#guarded(() => this.#fromClient(chunk)));
    client.on("drain", () => this.#readOn());
    client.on("end", () => this.#server?.end());
    this.#guarded(() => {
      const from = { address: this.address, port: client.remotePort ?? 0 };
      const who = this.#role === undefined ? from : { ...from, role: this.#role };
      this.#session = this.#options.session?.(who, this);
    });
    if (this.#closed) return;
    // Without a session there is nobody to say when the server is needed: some protocols let it speak first.
    if (this.#session === undefined) this.#dial();
    else client.resume();
  }

  toServer(bytes: Buffer): void {
    if (this.#ending) return;
    const server = this.#server ?? this.#dial();
    if (!server.write(bytes)) this.#client.pause();
  }

  toClient(bytes: Buffer): void {
    if (this.#ending) return;
    if (!this.#client.write(bytes)) this.#server?.pause();
  }

  expire(realMs: number): void {
    this.#guarded(() => this.#session?.expire(realMs));
    // Another connection's answer may have let this one go on, which no event of its own sockets says.
    this.#readOn();
  }

  /** Nothing more passes; what is queued for the client still goes out. */
  close(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#server?.destroy();
    this.#client.end();
    // The client closes when it has read the end. One that does not would keep its place, and what is queued, for good.
    this.#linger = setTimeout(() => this.destroy(), LINGER_MS);
    this.#client.resume();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ending = true;
    clearTimeout(this.#linger);
    this.#client.destroy();
    this.#server?.destroy();
    this.#gone();
    this.#guarded(() => this.#session?.closed());
  }

  #dial(): Socket {
    const { upstream, onUpstream, tls, from } = this.#options;
    const localAddress = from?.get(this.address) ?? this.#options.localAddress;
    const to = {
      ...upstream,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      ...(localAddress === undefined ? {} : { localAddress }),
    };
    const server = tls?.server === undefined ? connect(to) : dialTls(tls.server, to);
    this.#server = server;
    let connected = false;
    server.setTimeout(CONNECT_TIMEOUT_MS, () => server.destroy(new Error("it did not answer in time")));
    server.once(tls?.server === undefined ? "connect" : "secureConnect", () => {
      connected = true;
      server.setTimeout(0);
      onUpstream(true, "");
      this.#readOn();
    });
    server.on("error", (error) => {
      if (!connected && !this.#closed) onUpstream(false, error.message);
    });
    server.on("data", (chunk) => this.#guarded(() => this.#fromServer(chunk)));
    server.on("drain", () => this.#readOn());
    server.on("close", () => this.#serverClosed());
    return server;
  }

  #serverClosed(): void {
    if (this.#closed) return;
    this.#guarded(() => this.#session?.closed());
    this.close();
  }

  #fromClient(chunk: Buffer): void {
    // After the end, what still comes is read and dropped: unread bytes would turn our last answer into a reset.
    if (this.#ending) return;
    if (this.#session === undefined) this.toServer(chunk);
    else this.#session.fromClient(chunk, performance.now());
    this.#readOn();
  }

  #fromServer(chunk: Buffer): void {
    if (this.#ending) return;
    if (this.#session === undefined) this.toClient(chunk);
    else this.#session.fromServer(chunk, performance.now());
    this.#readOn();
  }

  /** Reads each side as far as the other takes it. A client that does not take its answers is not read either: some are our own. */
  #readOn(): void {
    if (this.#ending) return;
    const clientFull = this.#client.writableNeedDrain;
    const serverFull = this.#server?.writableNeedDrain === true;
    if (!clientFull && this.#server?.isPaused() === true) this.#server.resume();
    const wait = serverFull || (this.#session === undefined ? this.#server?.connecting === true : clientFull);
    if (wait || this.#session?.wantsMore === false) this.#client.pause();
    else if (this.#client.isPaused()) this.#client.resume();
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error);
      this.#options.onFault(this.#name, `the connection was closed after an error in the filter itself: ${says}`);
      this.destroy();
    }
  }
}

/** `address:port` of a client, for people. */
export function nameOf(client: Socket): string {
  return `${client.remoteAddress ?? ""}:${client.remotePort ?? 0}`;
}
