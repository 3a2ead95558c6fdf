import { describe, expect, test } from "vitest";
import { MACHINE_CHECK_LIST } from "#specs/check/list-machine.ts";
import type { Checked } from "#specs/check/report.ts";
import { checkSpec } from "#specs/check.ts";
import { plantOfScale, TARGET } from "./scale.ts";

function msOf(what: () => unknown): number {
  const begin = performance.now();
  what();
  return performance.now() - begin;
}

describe("a plant of 12 phases, 60 steps, 4 zones, 1,000 tags and 1,000 rules", () => {
  test("has these numbers, and nothing is wrong with it", () => {
    const { plant, lifecycle } = plantOfScale(TARGET);
    const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
    const steps = written.flatMap((phase) => phase.steps);
    const rules = new Set(steps.flatMap((step) => step.rules));
    expect([written.length, steps.length, lifecycle.regions.length]).toEqual([12, 60, 4]);
    expect([plant.tags.length, rules.size]).toEqual([1000, 1000]);
    expect(lifecycle.phases.length - written.length, "generated containments").toBe(72);
    expect(checkSpec({ plant, lifecycle }).findings).toEqual([]);
  });

  test("is checked in less than ten seconds, its machine in less than two", { timeout: 60_000 }, () => {
    const spec: Checked = plantOfScale(TARGET);
    const machine = msOf(() => MACHINE_CHECK_LIST.map(({ run }) => run(spec)));
    const all = msOf(() => checkSpec(plantOfScale(TARGET)));
    console.info(`the machine alone ${machine.toFixed(0)} ms, everything ${all.toFixed(0)} ms`);
    expect(machine).toBeLessThan(2000);
    expect(all).toBeLessThan(10_000);
  });
});
