import type { PlantClock } from "#point/clock.ts";

/** What time it is between two frames. */
export type Between =
  /** That of the clock below, less the time for which a frame may be under way: until then nobody knows that none will come. */
  | { readonly behindMs: number }
  /** That of the last frame, and real time since: a capture is read as it comes, by another clock than ours. */
  | "runs-on"
  /** That of the last frame: a file is read, and time is in the file. */
  | "stands";

/**
 * Plant time where frames are read from a capture: while a frame is judged it is the time at which it was captured, so that cadence and
 * order are those of the wire, however late and in what heaps the frames are read.
 */
export class CaptureClock implements PlantClock {
  readonly #base: PlantClock;
  readonly #between: Between;
  readonly #realNow: () => number;
  #frameMs: number | undefined;
  #last: { readonly timeMs: number; readonly realMs: number } | undefined;

  constructor(base: PlantClock, between: Between, realNow: () => number = () => performance.now()) {
    this.#base = base;
    this.#between = between;
    this.#realNow = realNow;
  }

  /** From when on the capture tells time, before its first frame is judged. */
  begin(timeMs: number): void {
    this.#last = { timeMs, realMs: this.#realNow() };
  }

  now(): number {
    if (this.#frameMs !== undefined) return this.#frameMs;
    const between = this.#between;
    if (typeof between === "object")
      return Math.max(this.#last?.timeMs ?? Number.NEGATIVE_INFINITY, this.#base.now() - between.behindMs);
    if (this.#last === undefined) return this.#base.now();
    const { timeMs, realMs } = this.#last;
    return between === "stands" ? timeMs : timeMs + (this.#realNow() - realMs);
  }

  captureNow(): number {
    return typeof this.#between === "object" ? this.#base.now() : this.now();
  }

  /** It is this time as long as `work` goes on. */
  during<T>(timeMs: number, work: () => T): T {
    this.#frameMs = timeMs;
    try {
      return work();
    } finally {
      this.#frameMs = undefined;
      if (this.#last === undefined || timeMs >= this.#last.timeMs) this.begin(timeMs);
    }
  }

  on(...args: Parameters<PlantClock["on"]>): void {
    this.#base.on(...args);
  }

  close(): void {
    this.#base.close();
  }
}
