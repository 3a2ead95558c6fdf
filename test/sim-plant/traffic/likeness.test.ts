import { describe, expect, test } from "vitest";
import { Timetable } from "#sim/traffic/likeness.ts";
import { runPlant } from "#sim/traffic/run-plant.ts";
import { DAY_CREW, type Habits, OTHER_CREW, shiftAt } from "#sim/traffic/shift.ts";
import { waterTreatment } from "../../support/plant.ts";

const { plant, lifecycle } = waterTreatment();
const HOUR_MS = 3_600_000;

function timetable(seed: number, habits: Habits): Timetable {
  const sink = new Timetable();
  runPlant({ plant, lifecycle, seed, untilMs: HOUR_MS, habits, sink });
  return sink;
}

/** A run that is only in phases: one letter for each second. */
function phases(letters: string): Timetable {
  const run = new Timetable();
  for (const [n, letter] of [...letters].entries()) run.enterPhase(letter, n * 1000);
  run.enterPhase("", letters.length * 1000);
  return run;
}

describe("two runs", () => {
  test("are alike where seed and crew are the same, and not where they are others", () => {
    const first = timetable(1, DAY_CREW);
    const again = timetable(1, DAY_CREW);
    expect([first.phasesAlike(again), first.writesAlike(again)]).toEqual([expect.closeTo(1), 1]);
    const other = timetable(2, OTHER_CREW);
    expect(first.writesAlike(other)).toBeLessThan(0.05);
  }, 60_000);

  test.each([
    { name: "always the same", one: "aabb", other: "aabb", kappa: 1 },
    { name: "half of the time, as chance would have it", one: "aabb", other: "abab", kappa: 0 },
    { name: "never", one: "aabb", other: "bbaa", kappa: -1 },
    { name: "as far as the shorter one goes", one: "aabbaaaa", other: "aabb", kappa: 1 },
    // 3 of 4 alike; by chance (3 · 2 + 1 · 2) / 16 = ½
    { name: "three of four", one: "aaab", other: "aabb", kappa: 0.5 },
  ])("in their phases: $name", ({ one, other, kappa }) => {
    expect(phases(one).phasesAlike(phases(other))).toBeCloseTo(kappa);
  });
});

test("each crew keeps its habits, whatever the seed", () => {
  for (const habits of [DAY_CREW, OTHER_CREW])
    for (let seed = 0; seed < 100; seed += 1) {
      const shift = shiftAt(habits, seed, seed * HOUR_MS);
      expect(habits.lookTicks).toContain(shift.lookTicks);
      expect(shift.bias).toBeGreaterThanOrEqual(habits.bias[0]);
      expect(shift.bias).toBeLessThanOrEqual(habits.bias[1]);
    }
});
