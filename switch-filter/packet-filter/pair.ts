import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { decodeHeartbeat, encodeHeartbeat, Freshness, type Heartbeat } from "./heartbeat.ts";
import type { PairPath, PairSettings } from "./pair-file.ts";
import { type HeldPhase, PairState, type Role } from "./pair-state.ts";

export interface PairOptions extends PairSettings {
  /** The phase that the filter holds now; null: none. */
  readonly held: () => HeldPhase | null;
  /** What somebody should know: taken over, gave up, cannot take over. */
  readonly say: (says: string) => void;
}

const HOLDER = fileURLToPath(new URL("./holder.ts", import.meta.url));
const RUN_BYTES = 8;

/** One of two filters before the same links: tells the other that it is there, and holds the links while it is its turn. */
export class Pair {
  readonly #options: PairOptions;
  readonly #state: PairState;
  readonly #freshness = new Freshness(randomBytes(RUN_BYTES).toString("hex"));
  readonly #sockets: { readonly socket: Socket; readonly path: PairPath }[] = [];
  #holder: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #holds = false;
  #said: string | undefined;
  #closing = false;

  constructor(options: PairOptions) {
    this.#options = options;
    this.#state = new PairState(options, options.times, performance.now());
  }

  get role(): Role {
    return this.#state.view.role;
  }

  /** Links are down until it is this one's turn. @throws Error in one sentence: an address of the heartbeat cannot be used */
  async start(): Promise<void> {
    this.#startHolder();
    for (const path of this.#options.paths) this.#sockets.push({ path, socket: await this.#listen(path) });
    this.#timer = setInterval(() => this.#beat(), this.#options.times.beatMs);
  }

  /** Gives the links up and says so: the other takes over at once. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    const gone = this.#letGo();
    await gone;
    this.#tell("resigned");
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const { socket } of this.#sockets.splice(0)) socket.close();
  }

  #beat(): void {
    const before = this.role;
    const { role, waitsFor } = this.#state.look(this.#options.held(), performance.now());
    if (waitsFor !== undefined && waitsFor !== this.#said)
      this.#options.say(`the other filter is silent, but this one does not take over: ${waitsFor}`);
    this.#said = waitsFor;
    if (role === "active") {
      if (before === "standby") this.#options.say("the other filter is silent; this one takes over");
      this.#hold("+");
    } else if (this.#holds) {
      this.#holds = false;
      this.#hold("-");
    }
    this.#tell(role);
  }

  #tell(role: Heartbeat["role"]): void {
    const { name, priority, key, held } = this.#options;
    const now = held();
    const datagram = encodeHeartbeat(
      { name, priority, role, phase: now?.phase ?? null, epoch: now?.epoch ?? null, ...this.#freshness.next() },
      key,
    );
    for (const { socket, path } of this.#sockets)
      socket.send(datagram, path.peer.port, path.peer.host, () => undefined);
  }

  #listen({ own, peer }: PairPath): Promise<Socket> {
    const socket = createSocket(peer.host.includes(":") ? "udp6" : "udp4");
    return new Promise((resolve, reject) => {
      socket.once("error", (error) =>
        reject(new Error(`the heartbeat cannot use ${own.host}:${own.port} (${error.message})`)),
      );
      socket.bind(own.port, own.host, () => {
        socket.removeAllListeners("error");
        // A cable that is pulled is what a pair is for.
        socket.on("error", () => undefined);
        socket.on("message", (datagram, from) => {
          if (from.address === peer.host) this.#heard(datagram);
        });
        resolve(socket);
      });
    });
  }

  #heard(datagram: Buffer): void {
    const heartbeat = decodeHeartbeat(datagram, this.#options.key);
    if (heartbeat === undefined || heartbeat.name === this.#options.name || !this.#freshness.hear(heartbeat)) return;
    const before = this.role;
    this.#state.heard(heartbeat, performance.now());
    if (before === "active" && this.role === "standby")
      this.#options.say("the other filter is active too; this one yields");
  }

  #hold(what: "+" | "-"): void {
    this.#holder?.stdin?.write(what);
  }

  #startHolder(): void {
    const { times, links } = this.#options;
    const holder = spawn(process.execPath, [HOLDER, String(times.holdMs), ...links], {
      // A process group of its own: what ends ours must leave it alive for as long as it takes to let the links down.
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#holder = holder;
    holder.stdin.on("error", () => undefined);
    createInterface({ input: holder.stdout }).on("line", (line) => this.#told(line));
    holder.once("error", () => this.#holderGone());
    holder.once("exit", () => this.#holderGone());
  }

  #told(line: string): void {
    if (line === "up") this.#holds = true;
    else if (line === "down") {
      if (this.#holds && this.role === "active") this.#gaveUp("this filter was too slow to say that it is there");
      this.#holds = false;
    } else this.#gaveUp(line);
  }

  #gaveUp(why: string): void {
    this.#state.lost(performance.now());
    this.#options.say(`the links are given up: ${why}`);
  }

  #holderGone(): void {
    this.#holder = undefined;
    this.#holds = false;
    if (this.#closing) return;
    this.#gaveUp("the process that holds them has ended");
    setTimeout(() => {
      if (!this.#closing) this.#startHolder();
    }, this.#options.times.beatMs);
  }

  async #letGo(): Promise<void> {
    const holder = this.#holder;
    if (holder === undefined) return;
    const gone = new Promise((resolve) => holder.once("exit", resolve));
    holder.stdin?.end();
    await gone;
  }
}
