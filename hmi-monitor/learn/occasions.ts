/** A long phase is several occasions: one for each hour of it. */
const OCCASION_MS = 3_600_000;

/** Which visit of which phase something was seen in. */
export interface Visit {
  readonly phase: string;
  /** Counts the visits of all phases, from 1. */
  readonly number: number;
  readonly sinceMs: number;
  /** Its beginning was seen; else it was under way when the capture began, or when its phase became known. */
  readonly isWhole: boolean;
}

/**
 * How often, when first and when last something was seen, and on how many occasions: visits of its phase, and in a long visit the hours
 * of it. A hundred messages of one minute are one occasion.
 */
export class Sightings {
  #count = 0;
  #occasions = 0;
  #firstMs = 0;
  #lastMs = 0;
  #visit = 0;
  #hour = 0;

  add(visit: Visit, atMs: number): void {
    const hour = Math.floor((atMs - visit.sinceMs) / OCCASION_MS);
    if (this.#count === 0) this.#firstMs = atMs;
    if (this.#visit !== visit.number || this.#hour !== hour) this.#occasions += 1;
    this.#visit = visit.number;
    this.#hour = hour;
    this.#count += 1;
    this.#lastMs = atMs;
  }

  get count(): number {
    return this.#count;
  }

  get occasions(): number {
    return this.#occasions;
  }

  get firstMs(): number {
    return this.#firstMs;
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  /** Number of the visit it was seen in last; 0: never. */
  get lastVisit(): number {
    return this.#visit;
  }
}
