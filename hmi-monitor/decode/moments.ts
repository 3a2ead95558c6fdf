import type { TimedFrame } from "#wire/pcap/index.ts";

/** The frame of the capture that completed something. */
export type Moment = Pick<TimedFrame, "number" | "seconds" | "nanoseconds">;

/** Frames whose times are kept; a power of two. */
const KEPT = 1 << 16;
const MS_PER_S = 1000;
const NS_PER_MS = 1_000_000;

/** Times of the last frames, exact: bytes that waited behind a gap are of the frame that they came in. */
export class Moments {
  readonly #numbers = new Float64Array(KEPT);
  readonly #seconds = new Float64Array(KEPT);
  readonly #nanoseconds = new Uint32Array(KEPT);

  keep({ number, seconds, nanoseconds }: Moment): void {
    const at = number & (KEPT - 1);
    this.#numbers[at] = number;
    this.#seconds[at] = seconds;
    this.#nanoseconds[at] = nanoseconds;
  }

  /** The time of a frame; of one that is not kept any more, what a double of milliseconds holds. */
  of(number: number, timeMs: number): Moment {
    const at = number & (KEPT - 1);
    if (this.#numbers[at] === number)
      return { number, seconds: this.#seconds[at] ?? 0, nanoseconds: this.#nanoseconds[at] ?? 0 };
    const seconds = Math.floor(timeMs / MS_PER_S);
    return { number, seconds, nanoseconds: Math.floor((timeMs - seconds * MS_PER_S) * NS_PER_MS) };
  }
}
