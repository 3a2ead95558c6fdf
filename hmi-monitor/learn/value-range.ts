/** Different values kept; a tag with more of them is a range. */
export const MAX_DISTINCT = 16;
/** A tag that only ever had so few values has these values, and no others. */
const FEW = 3;
/** Each of them must have come so often: two values of a set-point that are seen once are no list. */
const OFTEN = 3;
/** How much wider than what was seen a learned range is, as a share of its width, on each side. */
const MARGIN = 0.2;
const STEP_MARGIN = 1.5;
const STEP_PARTS = 4;
/** On few occasions the ends of the range have hardly been seen: the margin is so much of its width, by the number of occasions. */
const FEW_SAMPLES = 4;
/** On fewer occasions a step from any value of the range to any other may come: from where a phase begins is seen once on each. */
const OWN_STEP_OCCASIONS = 100;
/** What is seen once is no range: a single value may move by so much of itself. */
const OWN_MARGIN = 0.02;

/** The values of one tag in one place, in constant memory. */
export class ValueRange {
  readonly #distinct = new Map<number, number>();
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #mostStep = 0;
  #steps = 0;
  #count = 0;
  #overflowed = false;

  /** @param before the last known values, of which any may be the one before; none: it is not known */
  add(value: number, before: readonly number[] = []): void {
    if (!Number.isFinite(value)) return;
    this.#count += 1;
    if (value < this.#least) this.#least = value;
    if (value > this.#most) this.#most = value;
    if (before.length > 0) this.#steps += 1;
    for (const one of before) this.#mostStep = Math.max(this.#mostStep, Math.abs(value - one));
    const times = this.#distinct.get(value) ?? 0;
    if (times > 0 || this.#distinct.size < MAX_DISTINCT) this.#distinct.set(value, times + 1);
    else this.#overflowed = true;
  }

  get count(): number {
    return this.#count;
  }

  get least(): number {
    return this.#least;
  }

  get most(): number {
    return this.#most;
  }

  /** Every value, in the order in which they were first seen; undefined: they are too many. */
  get distinct(): readonly number[] | undefined {
    return this.#overflowed ? undefined : [...this.#distinct.keys()];
  }

  /** Largest change against the value before, where that was known; undefined: it never was. */
  get mostStep(): number | undefined {
    return this.#steps === 0 ? undefined : this.#mostStep;
  }

  /** The values, where they are so few that they are a list. */
  get few(): readonly number[] | undefined {
    if (this.#overflowed || this.#distinct.size > FEW) return undefined;
    if ([...this.#distinct.values()].some((times) => times < OFTEN)) return undefined;
    return [...this.#distinct.keys()].sort((a, b) => a - b);
  }

  /**
   * Largest change against the value before, with margin, and no less than a part of the range: steps have longer tails than values.
   * undefined where the values before were not always known.
   */
  get step(): number | undefined {
    if (this.#steps !== this.#count || this.#count === 0) return undefined;
    return tidy(Math.max(this.#mostStep * STEP_MARGIN, (this.#most - this.#least) / STEP_PARTS), Math.ceil);
  }

  /** The step that is drafted after so many occasions. */
  stepAfter(occasions: number): number | undefined {
    const { step } = this;
    if (step === undefined || occasions >= OWN_STEP_OCCASIONS) return step;
    return tidy(Math.max(step, this.#most - this.#least), Math.ceil);
  }

  /** What was seen on so many occasions and a margin, inside the tag's own range. */
  within(low: number, high: number, occasions: number): readonly [least: number, most: number] {
    const share = Math.max(MARGIN, FEW_SAMPLES / Math.max(1, occasions));
    const margin = Math.max((this.#most - this.#least) * share, Math.abs(this.#most) * OWN_MARGIN);
    const least = Math.max(low, tidy(this.#least - margin, Math.floor));
    return [Math.min(least, this.#least), Math.max(this.#most, Math.min(high, tidy(this.#most + margin, Math.ceil)))];
  }
}

/** To three places, away from what was seen. */
export function tidy(value: number, round: (n: number) => number): number {
  if (value === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  return Math.round(round(value / unit) * unit * 1e9) / 1e9;
}
