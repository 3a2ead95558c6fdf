/** Gaps kept exactly, for the median; later ones only count towards least, most and number. */
const SAMPLE = 512;
/** Fewer gaps than this tell nothing of a rhythm. */
const LEAST_GAPS = 20;
/** A rhythm whose earliest message comes before half its period is none. */
const WIDEST_JITTER = 0.5;
/** What is allowed earlier than the earliest gap that was seen, as a share of it. */
const MARGIN = 0.1;

/** A message that comes once in each period. */
export interface Rhythm {
  readonly periodMs: number;
  readonly jitterMs: number;
}

/** The time between one message and the next like it, in constant memory. */
export class Gaps {
  readonly #sample: number[] = [];
  #count = 0;
  #lastMs: number | undefined;
  #leastMs = Number.POSITIVE_INFINITY;
  #mostMs = 0;

  /** @param atMs time of a message; the gap to the one before it is counted */
  add(atMs: number): void {
    if (this.#lastMs !== undefined) this.#gap(Math.max(0, atMs - this.#lastMs));
    this.#lastMs = atMs;
  }

  #gap(ms: number): void {
    if (this.#sample.length < SAMPLE) this.#sample.push(ms);
    this.#count += 1;
    if (ms < this.#leastMs) this.#leastMs = ms;
    if (ms > this.#mostMs) this.#mostMs = ms;
  }

  get count(): number {
    return this.#count;
  }

  /** Shortest gap, ms; infinite where there is none yet. */
  get leastMs(): number {
    return this.#leastMs;
  }

  get mostMs(): number {
    return this.#mostMs;
  }

  /**
   * The rhythm, where there is one: half of the gaps lie on each side of the period, and the jitter reaches a little below the
   * shortest that was seen. A pause (a lost connection) is no part of it.
   */
  get rhythm(): Rhythm | undefined {
    if (this.#count < LEAST_GAPS) return undefined;
    const sorted = [...this.#sample].sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const usual = sorted[Math.floor(sorted.length * 0.9)] ?? 0;
    const periodMs = rounded(median);
    const jitterMs = Math.ceil(periodMs - this.#leastMs * (1 - MARGIN));
    if (periodMs <= 0 || jitterMs > periodMs * WIDEST_JITTER || usual > median * (1 + WIDEST_JITTER)) return undefined;
    return { periodMs, jitterMs: Math.max(1, jitterMs) };
  }
}

/** To two places, as a person would write a period. */
function rounded(ms: number): number {
  if (ms < 1) return 0;
  const unit = Math.max(1, 10 ** (Math.floor(Math.log10(ms)) - 1));
  return Math.round(ms / unit) * unit;
}
