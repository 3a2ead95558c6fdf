import type { CaptureParser, TimedFrame } from "./captured-frame.ts";

const FIRST_BYTES = 4096;
const NOTHING = Buffer.alloc(0);

/**
 * Holds the unit that a chunk did not finish; whole units are parsed where they lie. Memory follows the bytes that came, never a
 * length that a header claims, and is bounded by the largest unit the parser accepts.
 */
export class UnitBuffer {
  #bytes: Buffer = NOTHING;
  #length = 0;

  /** Bytes held of a unit not yet complete. */
  get length(): number {
    return this.#length;
  }

  push(parser: CaptureParser, chunk: Buffer, frames: TimedFrame[]): void {
    let at = 0;
    while (this.#length > 0 && at < chunk.length && parser.error === undefined) {
      const taken = Math.min(parser.need - this.#length, chunk.length - at);
      this.#append(chunk, at, at + taken, parser.need);
      at += taken;
      if (this.#length < parser.need) return;
      // Either the unit was whole, or its header now tells that more is needed.
      const unit = this.#bytes.subarray(0, this.#length);
      if (parser.parse(unit, 0, frames) === unit.length) this.#clear();
    }
    if (parser.error === undefined && at < chunk.length) {
      const rest = parser.parse(chunk, at, frames);
      if (parser.error === undefined && rest < chunk.length) this.#append(chunk, rest, chunk.length, parser.need);
    }
    if (parser.error !== undefined) this.#clear();
  }

  /** Copies, so that a few held bytes do not keep a large chunk alive. */
  #append(chunk: Buffer, from: number, to: number, need: number): void {
    const length = this.#length + to - from;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, Math.min(need, Math.max(FIRST_BYTES, 2 * this.#bytes.length))));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    chunk.copy(this.#bytes, this.#length, from, to);
    this.#length = length;
  }

  /** A new buffer each time: frames are views of the one before. */
  #clear(): void {
    this.#bytes = NOTHING;
    this.#length = 0;
  }
}
