import type { Socket } from "node:net";
import { DirectSocket } from "./direct-socket.ts";
import { KEEP_ALIVE_MS, type RelayOptions } from "./relay-options.ts";
import type { Session, SessionOutput } from "./session.ts";
import { dialTls } from "./tls.ts";
import { type TakesTurns, Turns } from "./turns.ts";

const CONNECT_TIMEOUT_MS = 3000;
/** Real ms that a client has to take what is still queued for it after the end. */
export const LINGER_MS = 2000;
/** Real ms that a client that has ended its own side is still given the answers to what it had sent before. */
export const HALF_CLOSED_MS = 10_000;
/** Bytes of one client that are worked off at once, unless the options say otherwise. */
const TURN_BYTES = 4096;
/** One circle for all listeners of the process: they share its one thread. */
const turns = new Turns();

/**
 * One client socket, one server socket, and the session between them. The server is dialled when there is something for it, so
 * that a client that may do nothing takes none of a PLC's few places.
 *
 * Of each read a small piece is worked off at once and the rest in turns with the other connections; until it is, the client is not read.
 *
 * INVARIANT (fail closed): whatever throws in here closes both sockets; no byte passes that the session did not pass.
 */
export class RelayPair implements SessionOutput, TakesTurns {
  readonly address: string;
  readonly #options: RelayOptions;
  readonly #client: Socket;
  readonly #role: string | undefined;
  readonly #name: string;
  readonly #gone: () => void;
  #session: Session | undefined;
  #server: Socket | undefined;
  #linger: NodeJS.Timeout | undefined;
  /** What the client has sent and the session has not seen yet: of one read. */
  #rest: Buffer | undefined;
  #clientEnded = false;
  /** A socket is full from the write that it did not take whole until it has drained. */
  #clientFull = false;
  #serverFull = false;
  #clientPaused = true;
  #serverPaused = false;
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
    takeBytes(client, (chunk) => this.#fromClient(chunk));
    client.on("drain", () => {
      this.#clientFull = false;
      this.#readOn();
    });
    client.on("end", () => this.#clientEnds());
    this.#guarded(() => {
      const from = { address: this.address, port: client.remotePort ?? 0 };
      const who = this.#role === undefined ? from : { ...from, role: this.#role };
      this.#session = this.#options.session?.(who, this);
    });
    if (this.#closed) return;
    // Without a session there is nobody to say when the server is needed: some protocols let it speak first.
    if (this.#session === undefined) this.#dial();
    else this.#readOn();
  }

  toServer(bytes: Buffer): void {
    if (this.#ending) return;
    const server = this.#server ?? this.#dial();
    if (server.write(bytes)) return;
    this.#serverFull = true;
    this.#pauseClient(true);
  }

  toClient(bytes: Buffer): void {
    if (this.#ending) return;
    if (this.#client.write(bytes)) return;
    this.#clientFull = true;
    this.#pauseServer(true);
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
    this.#rest = undefined;
    this.#server?.destroy();
    this.#client.end();
    // The client closes when it has read the end. One that does not would keep its place, and what is queued, for good.
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.destroy(), LINGER_MS);
    this.#client.resume();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ending = true;
    this.#rest = undefined;
    turns.leave(this);
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
    const server = tls?.server === undefined ? new DirectSocket().connect(to) : dialTls(tls.server, to);
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
    takeBytes(server, (chunk) => this.#fromServer(chunk));
    server.on("drain", () => {
      this.#serverFull = false;
      this.#readOn();
    });
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
    this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.turn();
  }

  turn(): void {
    const rest = this.#rest;
    if (rest === undefined || this.#ending) return;
    const most = this.#session === undefined ? rest.length : (this.#options.turnBytes ?? TURN_BYTES);
    const piece = rest.length > most ? rest.subarray(0, most) : rest;
    this.#rest = rest.length > most ? rest.subarray(most) : undefined;
    try {
      if (this.#session === undefined) this.toServer(piece);
      else this.#session.fromClient(piece, performance.now());
    } catch (error) {
      this.#failed(error);
    }
    this.#readOn();
  }

  /**
   * The client sends nothing more and may still read. What it had sent is worked off and answered first. Where nobody can say when that is
   * done, the server is told, and its end is the end.
   */
  #clientEnds(): void {
    if (this.#ending) return;
    this.#clientEnded = true;
    this.#linger = setTimeout(() => this.close(), HALF_CLOSED_MS);
    this.#readOn();
  }

  #fromServer(chunk: Buffer): void {
    if (this.#ending) return;
    try {
      if (this.#session === undefined) this.toClient(chunk);
      else this.#session.fromServer(chunk, performance.now());
    } catch (error) {
      this.#failed(error);
    }
    this.#readOn();
  }

  /** Reads each side as far as the other takes it. A client that does not take its answers is not read either: some are our own. */
  #readOn(): void {
    if (this.#ending) return;
    this.#pauseServer(this.#clientFull);
    const wait =
      this.#serverFull || (this.#session === undefined ? this.#server?.connecting === true : this.#clientFull);
    const mustWait = wait || this.#session?.wantsMore === false;
    this.#pauseClient(mustWait || this.#rest !== undefined);
    if (this.#rest === undefined) this.#endIfDone();
    else if (!mustWait) turns.ask(this);
  }

  #endIfDone(): void {
    if (!this.#clientEnded) return;
    const isIdle = this.#session?.isIdle;
    if (isIdle === false) return;
    if (isIdle === true || this.#server === undefined) this.close();
    else this.#server.end();
  }

  #pauseClient(wanted: boolean): void {
    if (this.#clientPaused === wanted) return;
    this.#clientPaused = wanted;
    if (wanted) this.#client.pause();
    else this.#client.resume();
  }

  #pauseServer(wanted: boolean): void {
    const server = this.#server;
    if (server === undefined || this.#serverPaused === wanted) return;
    this.#serverPaused = wanted;
    if (wanted) server.pause();
    else server.resume();
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const says = error instanceof Error ? error.message : String(error);
    this.#options.onFault(this.#name, `the connection was closed after an error in the filter itself: ${says}`);
    this.destroy();
  }
}

function takeBytes(socket: Socket, take: (chunk: Buffer) => void): void {
  if (socket instanceof DirectSocket) socket.onBytes = take;
  else socket.on("data", take);
}

/** `address:port` of a client, for people. */
export function nameOf(client: Socket): string {
  return `${client.remoteAddress ?? ""}:${client.remotePort ?? 0}`;
}
