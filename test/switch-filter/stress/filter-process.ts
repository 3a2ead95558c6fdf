import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** `sekisho switch-filter` and its servers and attackers, each as a process of its own: none of them waits for another's work. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Declared in the plant `water-treatment`: may read everything, and write nothing. */
export const READER = "127.0.0.1";
/** Declared: reads, and writes where the rules let it. */
export const OPERATOR = "127.10.1.11";
/** Input register 0 of PLC 1, and a set-point that the reader may not write. */
export const READ = "04 0000 0001";
export const WRITE = "06 0001 1234";
export const HOLDING = "03 0001 0001";
/** Real seconds of a measurement, a few in `npm test`; more by SEKISHO_SOAK_SECONDS. */
export const SECONDS = Number(process.env["SEKISHO_SOAK_SECONDS"] ?? 1);
export const SOAKS = process.env["SEKISHO_SOAK_SECONDS"] !== undefined;
/** For a whole test: its measurements, and processes that start on a busy machine. */
export const TIME_OUT_MS = 60_000 + 4 * SECONDS * 1000;

const MAIN = fileURLToPath(new URL("../../../cli/main.ts", import.meta.url));
const PAGE_KIB = /VmRSS:\s+(\d+) kB/;

export interface LinkPlaces {
  readonly link: string;
  readonly listen: Place;
  readonly upstream: Place;
}

export class Program {
  readonly #child: ChildProcess;
  #messages: unknown[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on("message", (message) => void this.#messages.push(message));
  }

  /** @throws Error: it ended before it said that it is ready */
  static async start(script: string, args: readonly string[]): Promise<Program> {
    const child = fork(script, [...args], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const program = new Program(child);
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`${script} ended with ${code} before it was ready`)));
    });
    program.#messages = [];
    return program;
  }

  static filter(links: readonly LinkPlaces[], more: readonly string[] = []): Promise<Program> {
    const at = ({ host, port }: Place) => `${host}:${port}`;
    return Program.start(MAIN, [
      ...["switch-filter", "--bundle", "water-treatment", "--phase", "normal", "--standalone"],
      ...["--link", ...links.map(({ link }) => link)],
      ...["--listen", ...links.map(({ listen }) => at(listen))],
      ...["--upstream", ...links.map(({ upstream }) => at(upstream))],
      ...more,
    ]);
  }

  /** Resident memory, in KiB. */
  get rssKib(): number {
    const found = PAGE_KIB.exec(readFileSync(`/proc/${this.#child.pid}/status`, "utf8"))?.[1];
    if (found === undefined) throw new Error("the process has ended");
    return Number(found);
  }

  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** What it says next. */
  async next(): Promise<unknown> {
    if (this.#messages.length === 0) await once(this.#child, "message");
    return this.#messages.shift();
  }

  async stop(): Promise<void> {
    if (!this.runs) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}
