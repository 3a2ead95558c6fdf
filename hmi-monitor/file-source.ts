import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { CaptureReader } from "#wire/pcap/index.ts";
import type { FrameSink, FrameSource } from "./frame-source.ts";
import type { SeenFrame } from "./monitor.ts";

/** Real ms that are waited for a first frame on standard input before it is taken for a live capture of a silent line. */
const FIRST_FRAME_MS = 2000;

/** Frames of a capture file, or of one that comes on standard input. pcap and pcapng, told apart by their first bytes. */
export class FileSource implements FrameSource {
  readonly #stream: Readable;
  readonly #name: string;
  readonly #reader = new CaptureReader();
  /** Read while the first frame was waited for. */
  readonly #first: SeenFrame[] = [];
  #sink: FrameSink | undefined;
  #ended = false;
  /** Why it cannot be read on. */
  #fault: string | undefined;

  private constructor(stream: Readable, name: string) {
    this.#stream = stream;
    this.#name = name;
  }

  /**
   * @param path `-` for standard input
   * @throws Error in one sentence when the file cannot be read, or is no capture
   */
  static async open(path: string): Promise<FileSource> {
    const isInput = path === "-";
    const stream = isInput ? process.stdin : createReadStream(path, { highWaterMark: 256 * 1024 });
    const source = new FileSource(stream, isInput ? "standard input" : path);
    await source.#begin(isInput ? FIRST_FRAME_MS : Number.POSITIVE_INFINITY);
    return source;
  }

  /** When its first frame was captured, ms since the epoch; undefined: there is none, or none yet. */
  get beginsAtMs(): number | undefined {
    return this.#first[0]?.timeMs;
  }

  /** From now on frames go there. */
  read(sink: FrameSink): void {
    this.#sink = sink;
    this.#give(this.#first.splice(0));
    if (this.#ended) this.#finish();
    else this.#stream.resume();
  }

  close(): void {
    this.#stream.destroy();
  }

  #begin(waitMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = Number.isFinite(waitMs) ? setTimeout(resolve, waitMs) : undefined;
    const begun = (): void => {
      clearTimeout(timer);
      if (this.#sink === undefined) this.#stream.pause();
      resolve();
    };
    this.#stream.on("data", (chunk: Buffer) => {
      const frames = this.#reader.push(chunk);
      if (this.#sink !== undefined) this.#give(frames);
      else this.#first.push(...frames);
      if (this.#reader.state.kind === "failed") this.#stream.destroy();
      if (this.#first.length > 0) begun();
    });
    this.#stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#fault = `capture \`${this.#name}\` cannot be read (${error.code ?? error.message})`;
      reject(new Error(this.#fault));
      begun();
    });
    this.#stream.on("close", () => {
      this.#ended = true;
      const says = this.#reader.end();
      if (this.#first.length === 0 && this.#sink === undefined && says !== undefined)
        reject(new Error(`${this.#name}: ${says}`));
      begun();
      if (this.#sink !== undefined) this.#finish();
    });
    return promise;
  }

  #give(frames: readonly SeenFrame[]): void {
    if (frames.length === 0 || this.#sink === undefined) return;
    this.#sink.frames(frames);
    this.#sink.sees();
  }

  #finish(): void {
    const { byInterface, bySystem } = this.#reader.drops;
    const dropped = byInterface + bySystem;
    if (dropped > 0)
      this.#sink?.dropped(dropped, `${this.#name} says that ${dropped} frames were dropped while it was captured`);
    this.#sink?.ended(this.#fault ?? this.#reader.end());
  }
}
