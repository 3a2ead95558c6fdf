import { createServer, type Server, type Socket } from "node:net";
import { HEARTBEAT_MS, type PositionMessage } from "#point/bus.ts";
import type { TagId } from "#specs/ids.ts";
import type { Guard } from "./guard.ts";
import { readJsonLines, writeJsonLine } from "./json-lines.ts";
import {
  type FromGuard,
  MAX_TO_GUARD_BYTES,
  readToGuard,
  type ScanReport,
  type ToGuard,
  toTagMap,
} from "./link-messages.ts";

export interface AgentLinkOptions {
  readonly host: string;
  /** 0: the system chooses; `port` of the link tells which. */
  readonly port: number;
  /** Source addresses an agent may come from; absent: any that reaches the host. */
  readonly accept?: readonly string[];
  readonly guard: Guard;
  /** Keeps the phase where a restart does not reach. Called before an order is answered, so that no answer outruns it. */
  readonly persist?: (saved: string) => void;
  readonly log?: (says: string) => void;
}

export interface AgentLink {
  readonly port: number;
  /** Call at the end of each scan. `tags`: what the PLC knows after it. Also ends the lease when its time is up. */
  afterScan(scan: number, atMs: number, tags: ReadonlyMap<TagId, number>): void;
  close(): Promise<void>;
}

/** Plant ms between two reports without news. The grid is that of the plant clock's rounds. */
const REPORT_MS = 500;
/** Bytes that may wait for a slow agent; beyond that reports pause, and receipts wait in the guard's bounded ring. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;

/** Serves the agent of one guard in the PLC's own process: one agent at a time, a newer one replaces the older.
 *  @throws Error when host and port cannot be listened on */
export async function serveAgentLink(options: AgentLinkOptions): Promise<AgentLink> {
  const link = new GuardSide(options);
  await link.listen();
  return link;
}

interface Scan {
  readonly scan: number;
  readonly atMs: number;
  readonly tags: ReadonlyMap<TagId, number>;
}

class GuardSide implements AgentLink {
  readonly #options: AgentLinkOptions;
  readonly #guard: Guard;
  readonly #server: Server;
  readonly #beat: NodeJS.Timeout;
  #agent: Socket | undefined;
  #last: Scan | undefined;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #reportedPosition = "";
  #saved = "";
  #beats = 0;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
    this.#guard = options.guard;
    this.#saved = options.guard.save();
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#beat = setInterval(() => this.#sendBeat(), HEARTBEAT_MS);
    this.#beat.unref();
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : this.#options.port;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error) => {
        clearInterval(this.#beat);
        reject(
          new Error(
            `the guard's agent link cannot listen on ${host}:${port} (${error.message}); choose a free address`,
          ),
        );
      });
      this.#server.listen(port, host, resolve);
    });
  }

  afterScan(scan: number, atMs: number, tags: ReadonlyMap<TagId, number>): void {
    this.#last = { scan, atMs, tags };
    if (this.#guard.checkLease(performance.now()))
      this.#options.log?.("the lease has ended; the isolated phase is in force");
    this.#keep();
    const due = Math.floor(atMs / REPORT_MS) !== Math.floor(this.#reportedAtMs / REPORT_MS);
    if (due || this.#hasNews()) this.#report();
  }

  close(): Promise<void> {
    clearInterval(this.#beat);
    this.#agent?.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const from = socket.remoteAddress ?? "";
    const { accept } = this.#options;
    if (accept !== undefined && !accept.includes(from)) {
      this.#options.log?.(`an agent link from ${from} was refused`);
      socket.destroy();
      return;
    }
    this.#agent?.destroy();
    this.#agent = socket;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.#agent === socket) this.#agent = undefined;
    });
    readJsonLines(socket, {
      maxLineBytes: MAX_TO_GUARD_BYTES,
      onValue: (value) => this.#take(value),
      onBad: (says) => this.#options.log?.(`the agent link was closed: ${says}`),
    });
    this.#report();
  }

  #take(value: unknown): void {
    const message = readToGuard(value);
    if (message === undefined) {
      this.#options.log?.("a message from the agent was refused: it is not one that a guard takes");
      return;
    }
    this.#follow(message);
    this.#keep();
    if (this.#hasNews()) this.#report();
  }

  #follow(message: ToGuard): void {
    if ("order" in message) {
      const { order } = message;
      const answer = this.#guard.order(order, this.#now(order.atMs));
      // Kept before it is answered: an agreed order must not be forgotten by a crash right after.
      this.#keep();
      if (answer === undefined) return;
      this.#send({
        answer: { point: this.#guard.point, layer: "plc", change: order.change, order: order.order, ...answer },
      });
    } else if ("position" in message) {
      this.#adopt(message.position);
    } else if ("leaseMs" in message) {
      this.#guard.renew(message.leaseMs, performance.now());
    } else {
      this.#guard.observeOthers(this.#now(message.atMs), toTagMap(message.tags));
    }
  }

  #adopt(position: PositionMessage): void {
    if (!this.#guard.adopt(position, this.#now(position.atMs))) {
      this.#options.log?.(`position \`${position.phase}\` of epoch ${position.epoch} was refused`);
    }
  }

  /** The guard lives by the time of its own scans. */
  #now(fallbackMs: number): number {
    return this.#last?.atMs ?? fallbackMs;
  }

  #keep(): void {
    const text = this.#guard.save();
    if (text === this.#saved) return;
    this.#saved = text;
    try {
      this.#options.persist?.(text);
    } catch (error) {
      // The phase is in force all the same: a full disk must not stop the scan.
      this.#options.log?.(`the phase cannot be kept (${error instanceof Error ? error.message : String(error)})`);
    }
  }

  #position(): string {
    const { state, phase, steps, epoch } = this.#guard.status();
    return `${state} ${phase ?? ""} ${steps.join(",")} ${epoch ?? ""}`;
  }

  #hasNews(): boolean {
    return this.#guard.status().waiting > 0 || this.#position() !== this.#reportedPosition;
  }

  #report(): void {
    const scan = this.#last;
    if (this.#agent === undefined || scan === undefined || this.#agent.writableLength > MAX_BACKLOG_BYTES) return;
    this.#reportedAtMs = scan.atMs;
    this.#reportedPosition = this.#position();
    const status = this.#guard.status();
    const report: ScanReport = {
      ...status,
      scan: scan.scan,
      atMs: scan.atMs,
      device: this.#guard.device,
      bundle: this.#guard.bundleId,
      says: saysOf(status.state),
      tags: Object.fromEntries([...scan.tags].filter(([, value]) => Number.isFinite(value))),
      receipts: this.#guard.takeReceipts(),
    };
    this.#send(report);
  }

  #sendBeat(): void {
    this.#beats += 1;
    this.#send({ beat: this.#beats });
  }

  #send(message: FromGuard): void {
    if (this.#agent !== undefined) writeJsonLine(this.#agent, message);
  }
}

function saysOf(state: ScanReport["state"]): string {
  switch (state) {
    case "joining":
      return "no phase is held yet; network writes are denied and outputs stay safe";
    case "isolated":
      return "the coordinator has not been heard for the lease's length";
    case "in-force":
      return "";
    default: {
      const never: never = state;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}
