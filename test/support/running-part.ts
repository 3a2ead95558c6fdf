import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Bundle } from "#specs/bundle.ts";
import { signBundle } from "#specs/sign.ts";
import { newKey } from "../lifecycle-specs/keys.ts";

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

/** One part of Sekisho as a process of its own, with a signed bundle file that can be changed under it. */
export class RunningPart {
  readonly runDir = mkdtempSync(join(tmpdir(), "sekisho-bundle-"));
  /** What it has said on standard error, line by line. */
  readonly said: string[] = [];
  readonly #key = newKey();
  readonly #file = join(this.runDir, "bundle.json");
  readonly #part: string;
  #child: ChildProcess | undefined;

  constructor(part: string) {
    this.#part = part;
  }

  /** Resolves when it works. */
  async start(bundle: Bundle, args: readonly string[]): Promise<void> {
    this.put(signBundle(bundle, this.#key.secret));
    const trust = join(this.runDir, "trusted.json");
    writeFileSync(trust, JSON.stringify(this.#key.open));
    const own = [this.#part, "--bundle", this.#file, "--trust", trust, "--run-dir", this.runDir];
    const child = fork(MAIN, [...own, ...args], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child = child;
    if (child.stderr !== null) createInterface({ input: child.stderr }).on("line", (line) => this.said.push(line));
    const [first] = await once(child, "message");
    if (first !== "ready") throw new Error(JSON.stringify(first));
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /** Puts a text where `--bundle` points, whole. */
  put(text: string): void {
    writeFileSync(`${this.#file}.new`, text);
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** Sends SIGHUP. @returns what it says then */
  async hangUp(): Promise<string> {
    const before = this.said.length;
    const until = performance.now() + 5000;
    this.#child?.kill("SIGHUP");
    while (this.said.length === before) {
      if (performance.now() > until || !this.isRunning) throw new Error(`${this.#part} says nothing to SIGHUP`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return this.said.slice(before).join("\n");
  }

  /** Signs a bundle, puts it in place and has it taken. */
  offer(bundle: Bundle): Promise<string> {
    this.put(signBundle(bundle, this.#key.secret));
    return this.hangUp();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined && this.isRunning) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await gone;
    }
    rmSync(this.runDir, { recursive: true, force: true });
  }
}
