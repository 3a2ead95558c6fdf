/**
 * Where random plants, lifecycles and questions take their choices from. One generator serves two sources: a seeded stream of
 * numbers, fast enough for millions of decisions, and a list of choices that fast-check makes and shrinks. In both the choice 0
 * is the simplest, so that shrinking the list leads towards small plants and plain questions.
 */
export interface Draw {
  /** A whole number from 0 to `n` − 1. */
  below(n: number): number;
}

/** A stream of choices from one seed (mulberry32): equal seeds give equal streams on every machine. */
export function seededDraw(seed: number): Draw {
  let state = seed >>> 0;
  return {
    below(n) {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
    },
  };
}

/** Choices from a list; where it ends, every further choice is the simplest. */
export function listedDraw(choices: readonly number[]): Draw {
  let next = 0;
  return { below: (n) => (choices[next++] ?? 0) % n };
}

/** One of the list. @throws RangeError: the list is empty */
export function pick<T>(draw: Draw, list: readonly T[]): T {
  const index = draw.below(list.length);
  // `undefined` may be one of the list, so that it cannot tell that there is nothing.
  for (const found of list.slice(index, index + 1)) return found;
  throw new RangeError("nothing to pick from: the list is empty");
}

/** True in `percent` of a hundred cases; the simplest choice is false. */
export function chance(draw: Draw, percent: number): boolean {
  return draw.below(100) >= 100 - percent;
}

/** A whole number, both ends included. */
export function between(draw: Draw, least: number, most: number): number {
  return least + draw.below(most - least + 1);
}

/** Each of the list with a chance of `percent`, in the list's order. */
export function some<T>(draw: Draw, list: readonly T[], percent: number): readonly T[] {
  return list.filter(() => chance(draw, percent));
}

/** Like `some`, but at least one of the list. */
export function someAtLeastOne<T>(draw: Draw, list: readonly T[], percent: number): readonly T[] {
  const found = some(draw, list, percent);
  return found.length > 0 ? found : [pick(draw, list)];
}

export function times<T>(n: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: n }, (_, index) => make(index));
}
