import { describe, expect, test } from "vitest";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { packLifecycle, unpackLifecycle } from "#specs/pack.ts";
import { randomPlant } from "../support/random-plant.ts";
import { seededDraw } from "../support/random-plant-draw.ts";
import { randomLifecycle } from "../support/random-plant-lifecycle.ts";
import { LIFECYCLE, RULES } from "./everything.ts";
import { loaded, small } from "./specs.ts";

describe("packing a lifecycle", () => {
  test("each rule is stored once, in the order in which the file first names it", () => {
    const { rules, everywhere, phases } = packLifecycle(LIFECYCLE);
    expect(everywhere).toEqual(["stop", "reads", "told"]);
    expect(rules.map(({ id }) => id).slice(0, 6)).toEqual(["stop", "reads", "told", "start", "flow", "output"]);
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    expect(rules).toHaveLength(Object.keys(RULES).length);
    expect(phases[1]).toMatchObject({
      rules: ["flow", "output", "clock"],
      steps: [{ rules: ["start", "total"] }, { rules: ["mass", "count"] }],
    });
  });

  test("a generated containment is its mask and its ways out", () => {
    const [origin] = LIFECYCLE.phases.flatMap(({ mask }) => mask ?? []);
    expect(packLifecycle(LIFECYCLE).phases.find((phase) => "mask" in phase)).toEqual({
      id: "works.contained.run.hmi-1.read-only",
      says: "The tank is filled, then kept. The subject is held to read-only.",
      mask: origin,
      transitions: [expect.objectContaining({ request: "lift-containment", to: "works.run" })],
      because: "It is a test plant.",
    });
  });

  test("two different rules of one id are refused", () => {
    const twice = { ...RULES.flow, says: "Another." };
    expect(() => packLifecycle({ ...LIFECYCLE, rules: [...LIFECYCLE.rules, twice] })).toThrow(
      "rule `flow` stands in the lifecycle twice with different content; give one another name",
    );
  });

  test("the same rule made twice is one rule", () => {
    const again = structuredClone(RULES.flow);
    const { rules } = packLifecycle({ ...LIFECYCLE, rules: [...LIFECYCLE.rules, again] });
    expect(rules.filter(({ id }) => id === "flow")).toHaveLength(1);
  });

  test.each([
    { name: "other rules", change: { rules: [] } },
    { name: "other steps", change: { steps: [] } },
    { name: "another zone", change: { zone: "power" } },
    { name: "another beginning", change: { initial: "keep" } },
    { name: "no mark", change: { containment: false } },
  ])("a containment that has $name than its origin is refused", ({ change }) => {
    const changed = LIFECYCLE.phases.map((phase) => (phase.mask === undefined ? phase : { ...phase, ...change }));
    expect(() => packLifecycle({ ...LIFECYCLE, phases: changed } as Lifecycle)).toThrow(
      /is not a mask over `works.run`/,
    );
  });
});

describe("unpacking", () => {
  const again = unpackLifecycle(packLifecycle(LIFECYCLE));

  test("gives the lifecycle back", () => {
    expect(again).toEqual(LIFECYCLE);
  });

  test("a rule is one object wherever it stands, and containments share their origin's lists", () => {
    const phase = (id: string) => again.phases.find((candidate) => candidate.id === id);
    const run = phase("works.run");
    expect(phase("works.off")?.rules[0]).toBe(run?.steps[0]?.rules[0]);
    expect(phase("works.contained.run.hmi-1.read-only")?.rules).toBe(run?.rules);
    expect(phase("works.contained.run.hmi-1.read-only")?.steps).toBe(run?.steps);
  });

  test.each(["water-treatment", "boiler"])("%s", (name) => {
    const { lifecycle } = loaded(name);
    expect(unpackLifecycle(packLifecycle(lifecycle))).toEqual(lifecycle);
  });

  test("the small plant", () => {
    const { lifecycle } = small();
    expect(unpackLifecycle(packLifecycle(lifecycle))).toEqual(lifecycle);
  });

  test("300 random lifecycles", () => {
    let contained = 0;
    for (let seed = 0; seed < 300; seed += 1) {
      const draw = seededDraw(seed);
      const lifecycle = randomLifecycle(draw, randomPlant(draw));
      contained += lifecycle.phases.filter(({ mask }) => mask !== undefined).length;
      expect(unpackLifecycle(packLifecycle(lifecycle))).toEqual(lifecycle);
    }
    expect(contained).toBeGreaterThan(100);
  });
});
