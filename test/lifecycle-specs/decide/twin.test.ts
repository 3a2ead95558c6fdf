import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listedDraw, seededDraw } from "../../support/random-plant-draw.ts";
import { loaded } from "../specs.ts";
import { type Counts, compareMany, compareOnce, compareWorld, inWords, shortest, table, total } from "./twin-run.ts";
import { LAYERS, randomWorld, worldOf } from "./twin-world.ts";

/** To see a failure again: the seed that it printed, and one decision. */
const SEED = Number(process.env["SEKISHO_TWIN_SEED"] ?? 20_261_122);
const DECISIONS = Number(process.env["SEKISHO_TWIN_DECISIONS"] ?? 1_000_000);
/** Fewer decisions than this, in a run to see a failure again or against mutants, need not reach every reason. */
const ENOUGH_FOR_COVERAGE = 500_000;
const LEAST_SHARE_ALLOWED = 0.2;

/** How many of a million decisions must at least end so. Every reason that the decision itself can give is here. */
const LEAST_OF_A_MILLION: Readonly<Record<string, number>> = {
  "allow, beyond its rate": 500,
  FUNCTION_FORBIDDEN: 500,
  SOURCE_UNKNOWN: 500,
  LINK_UNKNOWN: 500,
  PHASE_UNKNOWN: 500,
  TAG_UNKNOWN: 500,
  TYPE_MISMATCH: 500,
  NO_RULE: 500,
  PHASE_FORBIDS: 500,
  STEP_FORBIDS: 500,
  SOURCE_FORBIDS: 500,
  ROLE_MISSING: 500,
  ROLE_NOT_ALLOWED: 500,
  FUNCTION_NOT_ALLOWED: 500,
  QUANTITY_ABOVE: 500,
  FILE_NOT_ALLOWED: 500,
  OBJECT_NOT_ALLOWED: 500,
  VALUE_BELOW: 500,
  VALUE_ABOVE: 500,
  VALUE_NOT_LISTED: 500,
  STEP_TOO_LARGE: 500,
  STEP_REFERENCE_UNKNOWN: 500,
  RAMP_TOO_FAST: 500,
  STALE: 500,
  LENGTH_FORBIDDEN: 500,
  TOO_OFTEN: 500,
  TOO_EARLY: 500,
  RATE_LIMITED: 500,
  CONTAINED: 500,
  CAUSE_MISSING: 500,
  CAUSE_UNKNOWN: 500,
  CAUSE_AGAINST: 500,
  CAUSE_AGAINST_UNKNOWN: 500,
  ORDER_MISSING: 500,
  ORDER_USED: 200,
  TOO_CLOSE: 500,
  WINDOW_FORBIDS: 500,
};

describe("the decision and its slow twin give the same verdicts", () => {
  test(`${DECISIONS} decisions on random plants, seed ${SEED}`, { timeout: 300_000 }, () => {
    const counts: Counts = new Map();
    const { decisions, plants } = compareMany(SEED, DECISIONS, counts);
    console.log(`${decisions} decisions on ${plants} plants, seed ${SEED}:\n${table(counts)}`);
    expect(decisions).toBeGreaterThanOrEqual(DECISIONS);
    expect(counts.get("INTERNAL")).toBeUndefined();
    if (decisions < ENOUGH_FOR_COVERAGE) return;
    expect((counts.get("allow") ?? 0) / decisions).toBeGreaterThanOrEqual(LEAST_SHARE_ALLOWED);
    const scarce = Object.entries(LEAST_OF_A_MILLION).filter(
      ([reason, least]) => (counts.get(reason) ?? 0) < (least * decisions) / 1e6,
    );
    expect(scarce.map(([reason]) => `${reason} ${counts.get(reason) ?? 0}`)).toEqual([]);
  });

  test.each(["water-treatment", "boiler"])(`on the plant %s, seed ${SEED}`, { timeout: 60_000 }, (name) => {
    const { plant, lifecycle } = loaded(name);
    const world = worldOf(plant, lifecycle);
    const draw = seededDraw(SEED);
    const counts: Counts = new Map();
    for (let n = 0; n < DECISIONS / 20_000; n += 1) compareWorld(world, draw, counts, `seed ${SEED}, ${name}`);
    expect((counts.get("allow") ?? 0) / total(counts)).toBeGreaterThanOrEqual(LEAST_SHARE_ALLOWED / 2);
  });

  test("whatever plant and events fast-check thinks of, shrunk where they part", { timeout: 60_000 }, () => {
    const choices = (maxLength: number) => fc.array(fc.nat(9999), { maxLength, size: "max" });
    const run = fc.record({
      plant: choices(300),
      layer: fc.constantFrom(...LAYERS),
      events: fc.array(choices(24), { maxLength: 40, size: "max" }),
    });
    fc.assert(
      fc.property(run, ({ plant, layer, events }) => {
        const draw = listedDraw(plant);
        const each = (n: number) => listedDraw(events[n] ?? []);
        const failed = compareOnce(randomWorld(draw), layer, draw, each, events.length, new Map());
        if (failed !== undefined) throw new Error(inWords(shortest(failed)));
      }),
      {
        numRuns: Math.min(1500, DECISIONS / 40),
        ...(process.env["SEKISHO_TWIN_SEED"] === undefined ? {} : { seed: SEED }),
      },
    );
  });
});
