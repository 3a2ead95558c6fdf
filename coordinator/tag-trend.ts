import type { TagId } from "#specs/ids.ts";

/** Readings kept of each tag: ten minutes. */
export const MAX_READINGS = 600;
/** Plant ms between two kept readings of a tag. */
export const SAMPLE_MS = 1000;

export type TrendReadings = Readonly<Record<string, readonly (readonly [atMs: number, value: number])[]>>;

/** What measurements read in the last minutes, for a page that is opened later. Bounded by its tags and `MAX_READINGS`. */
export class TagTrend {
  readonly #tags: ReadonlyMap<TagId, [number, number][]>;

  constructor(tags: readonly TagId[]) {
    this.#tags = new Map(tags.map((tag) => [tag, []]));
  }

  observe(tag: TagId, value: number, atMs: number): void {
    const readings = this.#tags.get(tag);
    if (readings === undefined) return;
    const last = readings.at(-1);
    if (last !== undefined && atMs - last[0] < SAMPLE_MS) return;
    readings.push([atMs, significant(value)]);
    if (readings.length > MAX_READINGS) readings.shift();
  }

  /** Oldest first. */
  view(): TrendReadings {
    return Object.fromEntries([...this.#tags].map(([tag, readings]) => [tag, [...readings]]));
  }
}

/** A curve needs no more digits, and a snapshot stays small. */
function significant(value: number): number {
  return Number(value.toPrecision(5));
}
