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

type Range = readonly [low: number, high: number];

/** How a plant is run: by which crew, for which town. Every number of a run is drawn from these by its seed. */
export interface Habits {
  readonly shiftMs: number;
  /** Ticks of 100 ms between two looks, drawn for each shift. */
  readonly lookTicks: readonly number[];
  readonly bias: Range;
  readonly doseOffset: Range;
  readonly returnAfterMs: Range;
  /** Plant minutes that normal running lasts before somebody wants another phase, and how often that is a stop. */
  readonly normalMinutes: Range;
  readonly stopShare: number;
  /** How often a standstill is used for maintenance, and how often a start is held. */
  readonly maintainShare: number;
  readonly holdShare: number;
  /** How the demand departs from its mean, m³/h. `day` is drawn anew for each day, `turn` is 0..1 within it. */
  readonly demand: (day: Random, turn: number, weekday: number) => number;
}

/** Three shifts a day, in a town that uses water in the morning and in the evening. */
export const DAY_CREW: Habits = {
  shiftMs: 8 * 3_600_000,
  lookTicks: [5, 10, 15],
  ...{ bias: [-1, 1], doseOffset: [-0.04, 0.04], returnAfterMs: [15_000, 60_000] },
  ...{ normalMinutes: [10, 150], stopShare: 0.3, maintainShare: 0.6, holdShare: 0.4 },
  demand: (day, turn) => {
    const [height, shift] = [between(day, 0.5, 2), between(day, -0.1, 0.1)];
    return height * Math.sin(4 * Math.PI * (turn + shift) - Math.PI / 2);
  },
};

/** Two shifts a day that work at another pace, for an industry: flat from six to ten at night, little on the weekend. */
export const OTHER_CREW: Habits = {
  shiftMs: 12 * 3_600_000,
  lookTicks: [6, 8, 11, 13, 18],
  ...{ bias: [-1.5, 0.5], doseOffset: [-0.02, 0.06], returnAfterMs: [10_000, 90_000] },
  ...{ normalMinutes: [5, 200], stopShare: 0.4, maintainShare: 0.5, holdShare: 0.5 },
  demand: (day, turn, weekday) => {
    const [height, rise] = [between(day, 0.8, 1.6), between(day, 0.2, 0.3)];
    const plateau = Math.tanh(20 * (turn - rise)) * Math.tanh(20 * (0.92 - turn));
    return weekday >= 5 ? -height : height * plateau;
  },
};

const DAY_MS = 24 * 3_600_000;

/** The shift at a plant time; the same for the same seed. */
export function shiftAt({ shiftMs, lookTicks, ...habits }: Habits, seed: number, atMs: number): Shift {
  const rng = random(seed, `shift ${Math.floor(atMs / shiftMs)}`);
  return {
    lookTicks: lookTicks[Math.floor(lookTicks.length * rng())] ?? 5,
    bias: between(rng, ...habits.bias),
    doseOffset: Math.round(100 * between(rng, ...habits.doseOffset)) / 100,
    returnAfterMs: between(rng, ...habits.returnAfterMs),
  };
}

/** How the demand at a plant time departs from its mean, m³/h. */
export function demandAt({ demand }: Habits, seed: number, atMs: number): number {
  const day = Math.floor(atMs / DAY_MS);
  return demand(random(seed, `day ${day}`), (atMs % DAY_MS) / DAY_MS, day % 7);
}
