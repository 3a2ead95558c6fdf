import { describe, expect, test } from "vitest";
import { ATTACKS } from "#sim/attacks/catalogue.ts";
import type { ExerciseResult } from "#sim/exercises/result.ts";
import { sekisho } from "../support/cli.ts";

/** The first exercise by command, with real processes, addresses and traffic. One seed per mode; the limit is the product's own. */
const LIMIT_MS = 90_000;

async function run(mode: string, seed: number, exercise = "first-run"): Promise<ExerciseResult> {
  const began = performance.now();
  const { code, stdout, stderr } = await sekisho(
    ["exercise", "run", exercise, "--mode", mode, "--seed", String(seed), "--json"],
    LIMIT_MS,
  );
  expect(stdout, stderr).not.toBe("");
  const result: ExerciseResult = JSON.parse(stdout);
  expect(result.failures, stderr).toEqual([]);
  expect(code).toBe(0);
  expect(performance.now() - began).toBeLessThan(LIMIT_MS);
  return result;
}

describe("first-run", () => {
  test("off: the plant is harmed, and the result says how", { timeout: LIMIT_MS + 5000 }, async () => {
    const { plant } = await run("off", 11);
    expect(plant.harm.length).toBeGreaterThan(0);
    for (const harm of plant.harm) expect(harm.value).toBeGreaterThan(harm.limit);
  });

  test("monitor: everything is detected and located, nothing is blocked", { timeout: LIMIT_MS + 5000 }, async () => {
    const { attacks } = await run("monitor", 12);
    expect(attacks.map((a) => [a.id, a.detected, a.locus])).toEqual(attacks.map((a) => [a.id, true, a.expectedLocus]));
    expect(attacks.length).toBe(ATTACKS.length);
    expect(attacks.some((a) => !a.prevented)).toBe(true);
  });

  test("enforce: everything is prevented, located, contained and recovered from, with water all the while", {
    timeout: LIMIT_MS + 5000,
  }, async () => {
    const { attacks, falseBlocks, plant } = await run("enforce", 13);
    for (const attack of attacks) {
      expect(attack).toMatchObject({ prevented: true, detected: true, locus: attack.expectedLocus });
      expect(attack.containment).toMatch(/^degraded\./);
    }
    expect(falseBlocks).toBe(0);
    expect(plant.harm).toEqual([]);
    expect(plant.productionKept).toBeGreaterThanOrEqual(0.5);
  });
});

describe("attacked-start", () => {
  test("a start under attack is broken off by switching off, no tank runs over, and the next start succeeds", {
    timeout: LIMIT_MS + 5000,
  }, async () => {
    const { attacks, falseBlocks, plant, timeToRecoverMs } = await run("enforce", 21, "attacked-start");
    expect(attacks).toMatchObject([{ prevented: true, detected: true, containment: "degraded.start-held" }]);
    expect(falseBlocks).toBe(0);
    expect(plant.harm).toEqual([]);
    expect(timeToRecoverMs).not.toBeNull();
  });
});
