import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { toolPath } from "../../support/tools.ts";

const PATIENCE_MS = 10_000;
/** Real ms without a further byte after which tcpdump has written all. */
const STILL_MS = 250;

/** Each frame takes a place of the largest size in the kernel's buffer; so many KiB are a thousand places. */
const ROOM = ["-s", "65535", "-B", "65536"];

/** tcpdump on the loopback interface, into a file. */
export class LiveCapture {
  readonly file: string;
  readonly #child: ChildProcess;
  #said = "";

  private constructor(file: string, child: ChildProcess) {
    this.file = file;
    this.#child = child;
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
    });
  }

  /** @param filter a filter expression, `host 127.0.0.1 and port 502` */
  static async start(file: string, filter: string, args: readonly string[] = []): Promise<LiveCapture> {
    const child = spawn(
      toolPath("tcpdump"),
      ["-i", "lo", "-U", "--immediate-mode", "-Z", "root", ...ROOM, ...args, "-w", file, filter],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    await new Promise<void>((resolve, reject) => {
      let said = "";
      const late = setTimeout(() => reject(new Error(`tcpdump does not listen: ${said}`)), PATIENCE_MS);
      child.stderr?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (!said.includes("listening on")) return;
        clearTimeout(late);
        resolve();
      });
      child.once("exit", (code) => reject(new Error(`tcpdump ended with ${code}: ${said}`)));
    });
    return new LiveCapture(file, child);
  }

  /** Ends the capture once all that is waited for has come and nothing more does; its bytes. */
  async stop(hasCome: (capture: Buffer) => boolean): Promise<Buffer> {
    const until = performance.now() + PATIENCE_MS;
    for (let size = -1; performance.now() < until && (size !== this.#size() || !hasCome(readFileSync(this.file))); ) {
      size = this.#size();
      await new Promise((resolve) => setTimeout(resolve, STILL_MS));
    }
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGINT");
      await gone;
    }
    const dropped = /(\d+) packets? dropped by kernel/.exec(this.#said)?.[1] ?? "?";
    if (dropped !== "0") throw new Error(`the kernel dropped ${dropped} frames: this capture proves nothing`);
    return readFileSync(this.file);
  }

  #size(): number {
    return statSync(this.file).size;
  }
}
