import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { type Claimant, ConnectionPlaces } from "./connection-places.ts";
import { direct } from "./direct-socket.ts";
import { KEEP_ALIVE_MS, type RelayOptions } from "./relay-options.ts";
import { nameOf, RelayPair } from "./relay-pair.ts";
import type { SessionOutput } from "./session.ts";
import { identify, type LinkTls, serverOptions } from "./tls.ts";

const EXPIRY_CHECK_MS = 1000;
/** Connections that the kernel holds until they are taken; a flood must fill more than this before others have to try again. */
const BACKLOG = 1024;

/** A listener before one server. Sockets, back-pressure and limits; what passes is for the session to say. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #pairs = new Set<RelayPair>();
  readonly #places: ConnectionPlaces;
  /** Clients whose TLS handshake is under way, by address and port. They hold a place as well. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#places = new ConnectionPlaces(options.places);
    const clients = options.tls?.clients;
    const sockets = {
      noDelay: true,
      pauseOnConnect: true,
      // A client that has said everything still reads its answers. Over TLS, that is so once the handshake is done.
      allowHalfOpen: clients === undefined,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    };
    const overTls = clients === undefined ? undefined : this.#overTls(clients);
    this.#server = createServer(sockets, (accepted) => {
      const who = this.#takePlace(accepted);
      if (who === undefined) return;
      const client = overTls === undefined ? direct(accepted) : accepted;
      client.once("close", () => this.#places.leave(who));
      if (overTls === undefined) this.#begin(client, undefined);
      else overTls(client);
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
      this.#server.listen({ host, port, backlog: BACKLOG }, resolve);
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

  /** The connections there are, as their sessions know them. */
  get outputs(): Iterable<SessionOutput> {
    return this.#pairs;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Connections that hold a place: those, and TLS handshakes under way. */
  get placesTaken(): number {
    return this.#places.taken;
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    for (const pair of this.#pairs) pair.destroy();
    for (const raw of this.#handshakes.values()) raw.destroy();
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
      this.#handshakes.delete(nameOf(socket));
      socket.allowHalfOpen = true;
      const role = identify(socket, clients);
      if (role.ok) return this.#begin(socket, role.value);
      this.#options.onUntrusted?.(nameOf(socket), role.error);
      socket.on("error", () => undefined);
      socket.destroy();
    });
    return (raw) => {
      const name = nameOf(raw);
      this.#handshakes.set(name, raw);
      raw.once("close", () => {
        if (this.#handshakes.get(name) === raw) this.#handshakes.delete(name);
      });
      handshake.emit("connection", raw);
    };
  }

  /** @returns who holds the place, until the socket is closed; undefined: there was none, and the connection is reset */
  #takePlace(client: Socket): Claimant | undefined {
    const { remoteAddress: address = "", remotePort: port = 0 } = client;
    const who: Claimant = { device: this.#options.deviceOf?.(address, port), address };
    const place = this.#places.take(who);
    if (place.ok) return who;
    client.on("error", () => undefined);
    client.resetAndDestroy();
    this.#options.onRefused(nameOf(client), `${place.error}; a further one of ${address} was refused`);
    return undefined;
  }

  #begin(client: Socket, role: string | undefined): void {
    const pair: RelayPair = new RelayPair(client, role, this.#options, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    pair.start();
  }
}
