import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/**
 * Bytes read at once. The buffer is used again for the next. More at once is slower: what is made of the frames of one piece would live
 * long enough to be moved by the collector.
 */
const CHUNK_BYTES = 1 << 16;
const STDIN = "-";

/** A capture cannot be opened or read on: one sentence. */
export class Unreadable extends Error {}

/**
 * The bytes of a capture file, or of standard input for `-`. Each piece is good until the next is asked for.
 * @param report how many bytes are read, and of how many; 0: nobody knows
 * @throws Unreadable
 */
export async function* chunksOf(capture: string, report: (done: number, of: number) => void): AsyncGenerator<Buffer> {
  let done = 0;
  if (capture === STDIN) {
    for await (const chunk of readingOrSay(capture, process.stdin)) {
      yield chunk;
      done += chunk.length;
      report(done, 0);
    }
    return;
  }
  const file = orSay(capture, "opened", () => openSync(capture, "r"));
  try {
    const { size } = orSay(capture, "read", () => fstatSync(file));
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (;;) {
      const n = orSay(capture, "read", () => readSync(file, chunk));
      if (n === 0) return;
      yield chunk.subarray(0, n);
      done += n;
      report(done, size);
    }
  } finally {
    closeSync(file);
  }
}

/** What sentences call it. */
export function nameOf(capture: string): string {
  return capture === STDIN ? "standard input" : capture;
}

async function* readingOrSay(capture: string, stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* stream;
  } catch (error) {
    throw unreadable(capture, "read", error);
  }
}

function orSay<T>(capture: string, done: "opened" | "read", work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw unreadable(capture, done, error);
  }
}

function unreadable(capture: string, done: string, error: unknown): Unreadable {
  const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
  const what = why === "EISDIR" ? "it is a folder" : why;
  return new Unreadable(`${nameOf(capture)} cannot be ${done} (${what}); give a pcap or pcapng file`);
}
