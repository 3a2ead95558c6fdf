import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { KEEP_ALIVE_MS, type RelayOptions } from "./relay-options.ts";
import { nameOf, RelayPair } from "./relay-pair.ts";
import { identify, type LinkTls, serverOptions } from "./tls.ts";

/** Connections of one source address, and in all, on one listener. */
export const MAX_CONNECTIONS_PER_SOURCE = 32;
export const MAX_CONNECTIONS = 512;
const EXPIRY_CHECK_MS = 1000;

/** A listener before one server. Sockets, back-pressure and limits; what passes is for the session to say. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #pairs = new Set<RelayPair>();
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
    const fromSame = places.filter(
      (at) => (at instanceof RelayPair ? at.address : at.remoteAddress) === address,
    ).length;
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
    const pair: RelayPair = new RelayPair(client, role, this.#options, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    pair.start();
  }
}
