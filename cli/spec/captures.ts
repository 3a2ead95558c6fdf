import {
  closeSync,
  createReadStream,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CaptureReader, type TimedFrame } from "#wire/pcap/index.ts";
import { CaptureProgress } from "../capture-progress.ts";
import { UsageError } from "../part.ts";
import { whyOf } from "./files.ts";

const CHUNK_BYTES = 1 << 16;
const STDIN = "-";
/** Between two captures so much time may pass in which nothing came, ms; after a longer one nobody knows what happened. */
const LONGEST_GAP_MS = 10_000;

/** What one capture was read as. */
export interface CaptureRead {
  readonly file: string;
  readonly frames: number;
  /** Times of its first and last frame, ms since the epoch; null: it has none. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  /** What is wrong with it, in a sentence; null: nothing. */
  readonly problem: string | null;
}

/** A frame of some capture, or a time that no capture covers. */
export type Piece = { readonly kind: "frame"; readonly frame: TimedFrame } | { readonly kind: "gap" };

/** Captures that are read as one, in the order of time, however they are named and wherever they overlap. */
export interface Captures {
  /** May be read again; each time from the beginning. @throws UsageError */
  read(): Generator<Piece, readonly CaptureRead[]>;
  close(): void;
}

/** @param files `-` is standard input. What can be read only once, as it and a pipe, is kept in a file until `close`. @throws UsageError */
export async function openCaptures(files: readonly string[]): Promise<Captures> {
  const spools: Spool[] = [];
  const close = (): void => {
    for (const spool of spools) spool.remove();
  };
  try {
    for (const file of new Set(files)) if (file === STDIN || isPipe(file)) spools.push(await spooled(file));
  } catch (error) {
    close();
    throw error;
  }
  const kept = new Map(spools.map(({ file, path }) => [file, path]));
  const paths = files.map((file) => ({ file, path: kept.get(file) ?? file }));
  return { read: () => inOrder(paths), close };
}

function isPipe(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFIFO() === true || found?.isSocket() === true;
}

export function nameOf(file: string): string {
  return file === STDIN ? "standard input" : file;
}

interface Named {
  readonly file: string;
  readonly path: string;
}

interface Spool extends Named {
  remove(): void;
}

async function spooled(source: string): Promise<Spool> {
  const stream = source === STDIN ? process.stdin : createReadStream(source);
  if (source === STDIN && process.stdin.isTTY)
    throw new UsageError("standard input is a terminal; pipe a capture into it, or name a file");
  const folder = mkdtempSync(join(tmpdir(), "sekisho-learn-"));
  const path = join(folder, "stdin");
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const file = openSync(path, "wx", 0o600);
    try {
      for await (const chunk of stream) if (Buffer.isBuffer(chunk)) writeSync(file, chunk);
    } finally {
      closeSync(file);
    }
    return { file: source, path, remove };
  } catch (error) {
    remove();
    throw new UsageError(
      `${nameOf(source)} cannot be kept in ${folder}: ${whyOf(error)}; make room there, or set TMPDIR`,
    );
  }
}

function* inOrder(files: readonly Named[]): Generator<Piece, readonly CaptureRead[]> {
  const progress = new CaptureProgress(process.stderr);
  const first = files.map((named) => ({ named, firstMs: firstTimeOf(named) }));
  const all = first.sort((a, b) => a.firstMs - b.firstMs).map(({ named, firstMs }) => new OneCapture(named, firstMs));
  const waiting = [...all];
  const bytes = all.reduce((sum, { size }) => sum + size, 0);
  const open: OneCapture[] = [];
  let lastMs = Number.NaN;
  try {
    for (let count = 0; ; count += 1) {
      let next = earliest(open);
      while (waiting[0] !== undefined && waiting[0].firstMs <= (next?.head?.timeMs ?? Number.POSITIVE_INFINITY)) {
        const opened = waiting.shift();
        if (opened?.open() === true) open.push(opened);
        next = earliest(open);
      }
      if (next?.head === undefined) return all.map(({ read }) => read);
      const frame = next.head;
      if (frame.timeMs - lastMs > LONGEST_GAP_MS && open.every(({ read }) => read.frames === 0)) yield { kind: "gap" };
      lastMs = frame.timeMs;
      if (!next.advance()) open.splice(open.indexOf(next), 1);
      if (count % 1024 === 0)
        progress.report(
          all.reduce((sum, { done }) => sum + done, 0),
          bytes,
        );
      yield { kind: "frame", frame };
    }
  } finally {
    progress.end();
    for (const one of open) one.close();
  }
}

function earliest([first, ...others]: readonly OneCapture[]): OneCapture | undefined {
  if (others.length === 0) return first;
  return others.reduce((best, one) => {
    return (one.head?.timeMs ?? 0) < (best?.head?.timeMs ?? 0) ? one : best;
  }, first);
}

/** Infinite where it has no frame: then it is read last, and says what is wrong. */
function firstTimeOf(named: Named): number {
  const capture = new OneCapture(named, 0);
  try {
    return capture.open() ? (capture.head?.timeMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  } finally {
    capture.close();
  }
}

class OneCapture {
  readonly firstMs: number;
  readonly #named: Named;
  readonly #reader = new CaptureReader();
  #file: number | undefined;
  #frames: readonly TimedFrame[] = [];
  #at = 0;
  #taken = 0;
  #first: number | null = null;
  #last: number | null = null;
  #problem: string | null = null;
  done = 0;

  constructor(named: Named, firstMs: number) {
    this.#named = named;
    this.firstMs = firstMs;
  }

  /** @returns false: it has no frame */
  open(): boolean {
    this.#file = this.#orSay(() => openSync(this.#named.path, "r"));
    return this.#fill();
  }

  get size(): number {
    const file = this.#orSay(() => openSync(this.#named.path, "r"));
    try {
      return fstatSync(file).size;
    } finally {
      closeSync(file);
    }
  }

  get head(): TimedFrame | undefined {
    return this.#frames[this.#at];
  }

  get read(): CaptureRead {
    return {
      file: this.#named.file,
      frames: this.#taken,
      firstMs: this.#first,
      lastMs: this.#last,
      problem: this.#problem,
    };
  }

  /** The head is taken. @returns false: it was the last */
  advance(): boolean {
    const timeMs = this.head?.timeMs ?? 0;
    this.#first = Math.min(this.#first ?? timeMs, timeMs);
    this.#last = Math.max(this.#last ?? timeMs, timeMs);
    this.#taken += 1;
    this.#at += 1;
    return this.#at < this.#frames.length || this.#fill();
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #fill(): boolean {
    const file = this.#file;
    if (file === undefined) return false;
    this.#frames = [];
    this.#at = 0;
    while (this.#frames.length === 0) {
      // Messages that are not whole yet are views of it: each piece has a buffer of its own.
      const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      const n = this.#orSay(() => readSync(file, chunk));
      if (n > 0) this.#frames = this.#reader.push(chunk.subarray(0, n));
      this.done += n;
      const isOver = n === 0 || this.#reader.state.kind === "failed";
      if (!isOver) continue;
      this.#problem = this.#reader.end() ?? null;
      this.close();
      break;
    }
    return this.#frames.length > 0;
  }

  #orSay<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new UsageError(`${nameOf(this.#named.file)} cannot be read: ${whyOf(error)}; give a pcap or pcapng file`);
    }
  }
}

/** Captures that were under way at the same time, in sentences. */
export function overlapsOf(captures: readonly CaptureRead[]): readonly string[] {
  return captures.flatMap((one, n) =>
    captures.slice(n + 1).flatMap((other) => {
      const [from, to] = [Math.max(one.firstMs ?? 0, other.firstMs ?? 0), Math.min(one.lastMs ?? 0, other.lastMs ?? 0)];
      if (from >= to) return [];
      return [
        `${nameOf(one.file)} and ${nameOf(other.file)} overlap from ${timeOf(from)} to ${timeOf(to)}: what both have counts once`,
      ];
    }),
  );
}

/** A capture may carry times that no date holds. */
function timeOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}
