import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { StateView } from "#coordinator/page-messages.ts";
import { type AddressPlan, addressPlan, type Endpoint } from "#sim/address-plan.ts";
import { ConsoleClient } from "#sim/exercises/console-client.ts";
import { takenAddress } from "#sim/site/site.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/sekisho.js", import.meta.url));
const LOOK_EVERY_MS = 30;
const STOP_MS = 8000;

/** Every process that `sekisho up` starts, by the name it prints. */
export const PROCESSES = [
  "plant",
  "coordinator",
  "plc-1",
  "plc-2",
  "switch-filter",
  "access-switch",
  "plc-guard",
  "hmi-monitor",
  "hmi",
] as const;
export type ProcessName = (typeof PROCESSES)[number];

export interface UpOptions {
  /** Second number of the loopback addresses. */
  readonly instance: number;
  readonly args?: readonly string[];
  /** The Node that starts the launcher; default: this one, which runs the product in the launcher's own process. */
  readonly node?: string;
  /** In a process group of its own, as a terminal starts a command; `interrupt` works only then. */
  readonly group?: boolean;
  /** Default: a new folder below the system's temporary one, removed by `discard`. */
  readonly runDir?: string;
}

/** Suites take these, so that they stand beside whatever else runs on the machine; exercises choose for themselves. */
const INSTANCES = [31, 32, 33, 34, 35, 36, 37, 38, 39] as const;

const pageOf = (instance: number): Endpoint => ({ host: "127.0.0.1", port: 8400 + instance });

/** An instance of which no address is taken. */
export async function freeInstanceFrom(preferred: (typeof INSTANCES)[number]): Promise<number> {
  const first = INSTANCES.indexOf(preferred);
  for (const instance of [...INSTANCES.slice(first), ...INSTANCES.slice(0, first)]) {
    if ((await takenAddress({ instance, single: false, page: pageOf(instance) })) === undefined) return instance;
  }
  throw new Error(`instances ${INSTANCES[0]} to ${INSTANCES.at(-1)} are all taken; stop one of the runs that use them`);
}

/** One `sekisho up`, started as a user starts it. */
export class Site {
  readonly instance: number;
  readonly plan: AddressPlan;
  readonly page: Endpoint;
  readonly runDir: string;
  readonly child: ChildProcess;
  readonly #console: ConsoleClient;
  readonly #ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #stdout = "";
  #stderr = "";

  constructor({ instance, args = [], node = process.execPath, runDir, group = false }: UpOptions) {
    this.instance = instance;
    this.plan = addressPlan(instance, false);
    this.page = pageOf(instance);
    this.runDir = runDir ?? mkdtempSync(join(tmpdir(), "sekisho-e2e-"));
    this.#console = new ConsoleClient(this.page);
    this.child = spawn(
      node,
      [
        LAUNCHER,
        "up",
        ...["--instance", String(instance), "--port", String(this.page.port), "--run-dir", this.runDir],
        ...args,
      ],
      { stdio: ["ignore", "pipe", "pipe"], detached: group },
    );
    this.child.stdout?.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString();
    });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.#ended = once(this.child, "close").then(([code, signal]) => ({ code, signal }));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when everything is up and `sekisho up` has said so. @throws Error with its output */
  async ready(withinMs: number): Promise<void> {
    await until(
      () => this.#stdout.includes("Ctrl-C stops everything") || this.child.exitCode !== null,
      withinMs,
      () => this.#says("`sekisho up` is not ready"),
    );
    if (this.child.exitCode !== null) throw new Error(this.#says("`sekisho up` has ended"));
  }

  /** The last process identifier printed for a part. */
  pid(name: ProcessName): number {
    const found = [...this.#stdout.matchAll(new RegExp(`^ *${name} +pid (\\d+)$`, "gm"))].at(-1)?.[1];
    if (found === undefined) throw new Error(this.#says(`no pid of ${name} was printed`));
    return Number(found);
  }

  /** undefined: the coordinator does not answer. */
  state(): Promise<StateView | undefined> {
    return this.#console.state();
  }

  /** Waits for a state that holds; how long that took, in real ms. */
  async until(holds: (state: StateView) => boolean, withinMs: number, what: string): Promise<number> {
    let last: StateView | undefined;
    return until(
      async () => {
        last = (await this.state()) ?? last;
        return last !== undefined && holds(last);
      },
      withinMs,
      () => `${what}; last seen: ${JSON.stringify({ phase: last?.phase, epoch: last?.epoch, points: last?.points })}`,
    );
  }

  health(state: StateView | undefined, point: string): string {
    return state?.points.find((p) => p.point === point)?.health ?? "unknown";
  }

  /** Sends `up` a signal and waits for its end; what it ended with and how long that took, in real ms. */
  stop(signal: NodeJS.Signals = "SIGTERM"): Promise<{ readonly code: number | null; readonly ms: number }> {
    return this.#stop(() => this.child.kill(signal));
  }

  /** Ctrl-C: the terminal interrupts every process of the group at once. */
  interrupt(): Promise<{ readonly code: number | null; readonly ms: number }> {
    const { pid } = this.child;
    if (pid === undefined) throw new Error(this.#says("`sekisho up` was never started"));
    return this.#stop(() => process.kill(-pid, "SIGINT"));
  }

  async #stop(send: () => void): Promise<{ readonly code: number | null; readonly ms: number }> {
    const began = performance.now();
    send();
    const late = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS);
    const { code } = await this.#ended;
    clearTimeout(late);
    return { code, ms: performance.now() - began };
  }

  /** Ends whatever is left, and removes the run folder. */
  async discard(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop();
    for (const pid of this.left()) tryKill(pid);
    await pause(50);
    rmSync(this.runDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** Process identifiers of this run's parts that are still there: those printed, and on Linux whoever writes its logs. */
  left(): readonly number[] {
    const printed = [...this.#stdout.matchAll(/^ *\S+ +pid (\d+)$/gm)].map((match) => Number(match[1]));
    return [...new Set([...printed.filter(isAlive), ...writersInto(this.runDir)])];
  }

  /** The JSON lines of a log of the run, and of the one before a restart; a last line cut short is left out. */
  lines(file: string): readonly Readonly<Record<string, unknown>>[] {
    return [`${file}.1`, file].flatMap((name) => jsonLines(join(this.runDir, name)));
  }

  #says(what: string): string {
    return `${what}\n${this.#stdout}${this.#stderr}`;
  }
}

/** Runs a check until it holds; how long that took, in real ms. @throws Error with the given words */
export async function until(
  holds: () => boolean | Promise<boolean>,
  withinMs: number,
  what: () => string,
): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (await holds()) return performance.now() - began;
    if (performance.now() - began > withinMs) throw new Error(`not within ${withinMs} ms: ${what()}`);
    await pause(LOOK_EVERY_MS);
  }
}

/** Reads JSON lines; a line that is cut short is left out. */
export function jsonLines(file: string): readonly Readonly<Record<string, unknown>>[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
}

/** A process that has ended but is not yet waited for by its parent counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  try {
    return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, "utf8"));
  } catch {
    return false;
  }
}

/** True: nobody listens there. */
export function isFree({ host, port }: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}

/** Linux: processes whose standard output goes into the folder; their command line may be renamed, this is not. */
function writersInto(folder: string): readonly number[] {
  if (!existsSync("/proc/self/fd")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/1`).startsWith(`${folder}/`) && isAlive(pid);
      } catch {
        return false;
      }
    });
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself meanwhile.
  }
}
