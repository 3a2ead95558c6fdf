import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Session, SessionOutput } from "./session.ts";
import { dialTls, identify, type LinkTls, serverOptions } from "./tls.ts";

export interface RelayOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstream: { readonly host: string; readonly port: number };
  /** Own address towards the server; the server takes connections from it alone. */
  readonly localAddress?: string;
  /** Client address → own address towards the server on that client's behalf; goes before `localAddress`. */
  readonly from?: ReadonlyMap<string, string>;
  /** Absent, or undefined for a client: bytes pass unseen (mode `off`). */
  readonly session?: (
    client: { readonly address: string; readonly port: number; readonly role?: string },
    output: SessionOutput,
  ) => Session | undefined;
  /** Absent: plain TCP on both sides. */
  readonly tls?: LinkTls;
  /** A client over TLS without a certificate that may connect. */
  readonly onUntrusted?: (client: string, says: string) => void;
  readonly onRefused: (client: string, says: string) => void;
  readonly onUpstream: (reachable: boolean, says: string) => void;
  /** Something failed that must not: a session threw, or the listener itself. The connection concerned is closed. */
  readonly onFault: (client: string, says: string) => void;
}

/** Connections of one source address, and in all, on one listener. */
export const MAX_CONNECTIONS_PER_SOURCE = 32;
export const MAX_CONNECTIONS = 512;
const EXPIRY_CHECK_MS = 1000;
const CONNECT_TIMEOUT_MS = 3000;
/** Real ms that a client has to take what is still queued for it after the end. */
export const LINGER_MS = 2000;
/** Real ms of silence after which TCP asks whether the peer is still there: one that lost its power would hold its place for good. */
const KEEP_ALIVE_MS = 30_000;

/** A listener before one server. Sockets, back-pressure and limits; what passes is for the session to say. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  /** Clients whose TLS handshake is under way. They count as connections. */
  readonly #handshakes = new Set<Socket>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: RelayOptions) {
    this.#options = options;
    const sockets = {
      noDelay: true,
      pauseOnConnect: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    };
    const clients = options.tls?.clients;
    const taken = clients === undefined ? (client: Socket) => this.#begin(client, undefined) : this.#overTls(clients);
    this.#server = createServer(sockets, (client) => {
      if (this.#hasPlaceFor(client)) taken(client);
    });
    this.#timer = setInterval(() => {
      const now = performance.now();
      for (const pair of this.#pairs) pair.expire(now);
    }, EXPIRY_CHECK_MS);
  }

  /** @throws Error in one sentence when the address cannot be listened on */
  listen(): Promise<void> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.on("error", (error: NodeJS.ErrnoException) => {
        // Later errors are of single accepts (too many open files): the listener goes on.
        if (this.#server.listening) return this.#options.onFault("", `a connection was not taken (${error.message})`);
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
    for (const raw of this.#handshakes) raw.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** @returns what takes a plain connection that there is a place for, and begins once its client is known */
  #overTls(clients: NonNullable<LinkTls["clients"]>): (raw: Socket) => void {
    // It never listens: connections are given to it when they have been counted.
    const handshake = createTlsServer({ ...serverOptions(clients), pauseOnConnect: true });
    handshake.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      this.#options.onUntrusted?.(nameOf(socket), `the TLS handshake failed (${error.message})`);
      socket.destroy();
    });
    handshake.on("secureConnection", (socket: TLSSocket) => {
      for (const raw of this.#handshakes) if (nameOf(raw) === nameOf(socket)) this.#handshakes.delete(raw);
      const role = identify(socket, clients);
      if (role.ok) return this.#begin(socket, role.value);
      this.#options.onUntrusted?.(nameOf(socket), role.error);
      socket.on("error", () => undefined);
      socket.destroy();
    });
    return (raw) => {
      this.#handshakes.add(raw);
      raw.once("close", () => this.#handshakes.delete(raw));
      handshake.emit("connection", raw);
    };
  }

  /** A connection beyond the limits is reset. */
  #hasPlaceFor(client: Socket): boolean {
    const address = client.remoteAddress ?? "";
    const places = [...this.#pairs, ...this.#handshakes];
    const fromSame = places.filter((at) => (at instanceof Pair ? at.address : at.remoteAddress) === address).length;
    if (fromSame < MAX_CONNECTIONS_PER_SOURCE && places.length < MAX_CONNECTIONS) return true;
    client.on("error", () => undefined);
    client.resetAndDestroy();
    this.#options.onRefused(
      nameOf(client),
      `${address} has ${fromSame} connections of ${places.length} here; a further one was refused`,
    );
    return false;
  }

  #begin(client: Socket, role: string | undefined): void {
    const pair: Pair = new Pair(client, role, this.#options, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    pair.start();
  }
}

/**
 * One client socket, one server socket, and the session between them. The server is dialled when there is something for it, so
 * that a client that may do nothing takes none of a PLC's few places.
 *
 * INVARIANT (fail closed): whatever throws in here closes both sockets; no byte passes that the session did not pass.
 */
class Pair implements SessionOutput {
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

function nameOf(client: Socket): string {
  return `${client.remoteAddress ?? ""}:${client.remotePort ?? 0}`;
}
