import { between, type Random, random } from "../random.ts";

/** How one operator works: no two do it alike. */
export interface Shift {
  /** Ticks between two looks at the readings; he acts at most once per look. */
  readonly lookTicks: number;
  /** By how much he runs the plant above the foreseen demand, m³/h. */
  readonly bias: number;
  /** By how much he sets the dose above what the script would, mg/L. */
  readonly doseOffset: number;
  /** Plant ms after which he leads the plant back from a degraded phase. */
  readonly returnAfterMs: number;
}

const SHIFT_MS = 8 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** The shift at a plant time; the same for the same seed. */
export function shiftAt(seed: number, atMs: number): Shift {
  const rng = random(seed, `shift ${Math.floor(atMs / SHIFT_MS)}`);
  return {
    lookTicks: 5 * (1 + Math.floor(3 * rng())),
    bias: between(rng, -1, 1),
    doseOffset: Math.round(between(rng, -4, 4)) / 100,
    returnAfterMs: between(rng, 15_000, 60_000),
  };
}

/** How the demand of the day departs from its mean: two humps, drawn for each day, m³/h. */
export function dayProfile(seed: number, atMs: number): number {
  const day: Random = random(seed, `day ${Math.floor(atMs / DAY_MS)}`);
  const [height, shift] = [between(day, 0.5, 2), between(day, -0.1, 0.1)];
  const turn = 2 * Math.PI * ((atMs % DAY_MS) / DAY_MS + shift);
  return height * Math.sin(2 * turn - Math.PI / 2);
}
