import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { CaptureReader } from "#wire/pcap/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import {
  CAPTURE_DELAY_MS,
  type CaptureOf,
  type CaptureTool,
  captureCommand,
  captureFault,
  droppedIn,
  isListening,
} from "./capture-command.ts";
import type { FrameSink, FrameSource } from "./frame-source.ts";

export interface InterfaceOptions extends CaptureOf {
  /** Default: tcpdump where there is one, else dumpcap. */
  readonly tool?: CaptureTool;
}

/** Real ms before a capture that ended is started again: from the first to the longest, doubled each time. */
export const RETRY_MS = { FIRST: 500, LONGEST: 30_000 } as const;
/** A capture that has gone on for so long begins anew with the first of them. */
const STEADY_MS = 10_000;
/** Real ms between two looks at the interface, and at what was dropped. */
const POLL_MS = 1000;
/** Real ms without a frame after which the layer is blind: an HMI polls, so a mirror on which nobody asks anything is unplugged or set up wrongly. */
export const SILENT_MS = 10_000;
/** Lines of the capturing program that are kept for the reason of its end. */
const MAX_LINES = 20;

/**
 * Frames of a network interface, captured by a program of its own with the fewest rights that allow it; here only what it writes is read.
 * When it ends, for whatever reason, the layer is blind, says why, and it is started again.
 */
export class InterfaceSource implements FrameSource {
  readonly #options: InterfaceOptions;
  readonly #sink: FrameSink;
  readonly #watch: NodeJS.Timeout;
  #child: ChildProcess | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs: number = RETRY_MS.FIRST;
  #startedMs = 0;
  #heardMs = performance.now();
  #isListening = false;
  #dropped = 0;
  /** When the program was last asked for its counts, and answered: what was captured before that has been written. */
  #asked: { readonly atMs: number; answered: boolean } | undefined;
  #stopped = false;

  constructor(options: InterfaceOptions, sink: FrameSink) {
    this.#options = options;
    this.#sink = sink;
    this.#watch = setInterval(() => this.#look(), POLL_MS);
    this.#start();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => child.kill("SIGKILL"), POLL_MS);
      child.once("close", () => {
        clearTimeout(force);
        resolve();
      });
      child.kill("SIGTERM");
    });
  }

  #start(): void {
    const { tool = toolHere() } = this.#options;
    const reader = new CaptureReader();
    const lines: string[] = [];
    const child = spawn(tool, captureCommand(tool, this.#options), { stdio: ["ignore", "pipe", "pipe"], env: SYSTEM });
    this.#child = child;
    this.#isListening = false;
    this.#dropped = 0;
    this.#asked = undefined;
    this.#startedMs = performance.now();
    child.stdout.on("data", (chunk: Buffer) => this.#read(reader, chunk, child));
    createInterface({ input: child.stderr }).on("line", (line) => this.#line(line, lines));
    let isMissing = false;
    child.on("error", (error: NodeJS.ErrnoException) => {
      isMissing = error.code === "ENOENT";
      lines.push(error.message);
    });
    child.on("close", (code) => {
      const why = isMissing
        ? `interface ${this.#options.interface} cannot be captured from: ${tool} is not installed; install tcpdump, or dumpcap of Wireshark`
        : captureFault(tool, this.#options.interface, lines, code);
      this.#ended(why);
    });
  }

  #read(reader: CaptureReader, chunk: Buffer, child: ChildProcess): void {
    this.#heardMs = performance.now();
    try {
      this.#sink.frames(reader.push(chunk));
    } catch (error) {
      // A mistake of ours must not end the layer unseen: it says that it is blind, and starts again with a new stream.
      this.#sink.blind(`a captured frame cannot be judged (${error instanceof Error ? error.message : String(error)})`);
      child.kill("SIGTERM");
      return;
    }
    if (reader.state.kind === "failed") {
      this.#sink.blind(`what is captured cannot be read (${describeWireError(reader.state.error)})`);
      child.kill("SIGTERM");
      return;
    }
    this.#sink.sees();
  }

  #line(line: string, lines: string[]): void {
    lines.push(line);
    if (lines.length > MAX_LINES) lines.shift();
    if (isListening(line)) {
      this.#isListening = true;
      this.#heardMs = performance.now();
    }
    const dropped = droppedIn(line);
    if (dropped === undefined) return;
    if (this.#asked !== undefined) this.#asked.answered = true;
    if (dropped <= this.#dropped) return;
    const more = dropped - this.#dropped;
    this.#dropped = dropped;
    const name = this.#options.interface;
    this.#sink.dropped(more, `the kernel dropped ${more} frames of interface ${name} before they could be read`);
  }

  /** Once a second: is the interface up, what was dropped, and is anything coming at all. */
  #look(): void {
    const { interface: name } = this.#options;
    if (this.#child === undefined || !this.#isListening) return;
    if (isDown(name)) {
      this.#sink.blind(`interface ${name} is down; it is captured from again when it is up`);
      this.#heardMs = performance.now();
      return;
    }
    if (performance.now() - this.#heardMs > SILENT_MS) {
      const ports = this.#options.ports.join(", ");
      this.#sink.blind(
        `interface ${name} has shown nothing of ports ${ports} for ${SILENT_MS / 1000} s; look at the mirror port and its cable`,
      );
    }
    // What was captured up to the delay before it was asked has been written when it answers, and a look later read.
    if (this.#asked?.answered === true) this.#sink.quietUpTo(this.#asked.atMs - CAPTURE_DELAY_MS);
    if (this.#asked === undefined || this.#asked.answered) this.#asked = { atMs: Date.now(), answered: false };
    if ((this.#options.tool ?? toolHere()) === "tcpdump") this.#child.kill("SIGUSR1");
  }

  #ended(why: string): void {
    this.#child = undefined;
    this.#isListening = false;
    if (this.#stopped) return;
    this.#sink.interrupted();
    this.#sink.blind(why);
    if (performance.now() - this.#startedMs > STEADY_MS) this.#retryMs = RETRY_MS.FIRST;
    this.#retry = setTimeout(() => this.#start(), this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS.LONGEST);
  }
}

/**
 * All of our environment that the capturing program gets: it has no business with our passwords. Debian keeps tcpdump where an ordinary
 * user's PATH may not look; its words are to be in English.
 */
const SYSTEM = { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/bin`, LC_ALL: "C" };

let found: CaptureTool | undefined;

function toolHere(): CaptureTool {
  found ??= has("tcpdump") || !has("dumpcap") ? "tcpdump" : "dumpcap";
  return found;
}

function has(tool: CaptureTool): boolean {
  return spawnSync(tool, ["--version"], { stdio: "ignore", timeout: 5000, env: SYSTEM }).error === undefined;
}

/** Linux says so; elsewhere the capturing program ends by itself. */
function isDown(name: string): boolean {
  try {
    return readFileSync(`/sys/class/net/${name}/operstate`, "utf8").trim() === "down";
  } catch {
    return false;
  }
}

/** Who the capturing program may become once it has the interface: the user that the package made for it, else nobody; only root can change. */
export function captureUser(passwd: string, isRoot: boolean): string | undefined {
  if (!isRoot) return undefined;
  const users = new Set(passwd.split("\n").map((line) => line.split(":")[0]));
  return ["tcpdump", "nobody"].find((user) => users.has(user));
}
