import { expect, test } from "vitest";
import { buildBundle } from "#specs/bundle.ts";
import { stepsOf } from "#specs/check/phase-lists.ts";
import { type Permission, permissionsOf } from "#specs/check/whitelist.ts";
import { judge } from "#specs/decide/decide.ts";
import { compile } from "#specs/decide/tables.ts";
import { type Change, diffSpecs, type Spec } from "#specs/diff.ts";
import type { Lifecycle, Phase, Rule } from "#specs/lifecycle.ts";
import { allRules } from "#specs/positions.ts";
import { between, chance, type Draw, pick, seededDraw } from "../../support/random-plant-draw.ts";
import { askFor, sightedHistory, valueFor } from "../check/asks.ts";
import { randomWorld } from "../decide/twin-world.ts";

const SEEDS = Array.from({ length: 150 }, (_, n) => n + 1);

/** The lifecycle with another rule in the place of one of its own, wherever that stands; undefined: without it. */
function withRule(lifecycle: Lifecycle, old: Rule, rule: Rule | undefined): Lifecycle {
  const change = (rules: readonly Rule[]): readonly Rule[] =>
    rules.flatMap((one) => (one === old ? (rule === undefined ? [] : [rule]) : [one]));
  const phases = lifecycle.phases.map(
    (phase): Phase => ({
      ...phase,
      rules: change(phase.rules),
      steps: phase.steps.map((step) => ({ ...step, rules: change(step.rules) })),
    }),
  );
  return { ...lifecycle, rules: change(lifecycle.rules), phases };
}

/** A rule with one thing about it that is different, often in the value or a cause. */
function otherRule(draw: Draw, rule: Rule, others: readonly Rule[]): Rule | undefined {
  const { value, causality } = rule;
  const { min, max } = value ?? {};
  const from = pick(draw, others);
  const kinds = value === undefined ? [0, 3, 4, 5] : [0, 1, 2, 3, 4, 5, 6];
  switch (pick(draw, kinds)) {
    case 0:
      return undefined;
    case 1:
      return { ...rule, value: { ...value, ...(max === undefined ? {} : { max: max + between(draw, -20, 20) }) } };
    case 2:
      return { ...rule, value: { ...value, ...(min === undefined ? {} : { min: min + between(draw, -20, 20) }) } };
    case 3:
      return from.causality?.after === undefined
        ? { ...rule, ...(causality === undefined ? {} : { causality: {} }) }
        : { ...rule, causality: { ...causality, after: from.causality.after } };
    case 4:
      return { ...rule, tags: rule.tags.slice(0, Math.max(1, rule.tags.length - 1)) };
    case 5:
      return { ...rule, safety: !rule.safety };
    default:
      return {
        ...rule,
        value: { ...value, ...(from.value?.maxStep === undefined ? {} : { maxStep: from.value.maxStep }) },
      };
  }
}

/** Whether one of the changes tells of this permission in this place. */
function tells(changes: readonly Change[], place: string, { tag, raw, target }: Permission): boolean {
  const subject = tag ?? raw;
  return changes.some(
    ({ topic, where, about, says }) =>
      topic === "permission" &&
      where.includes(place) &&
      (subject === undefined ? says.includes(target) : about.includes(subject)),
  );
}

test("what one decision core allows and the other denies, the difference tells", () => {
  const told = { widened: 0, narrowed: 0 };
  for (const seed of SEEDS) {
    const draw = seededDraw(seed);
    const { plant, lifecycle } = randomWorld(draw);
    const rules = allRules(lifecycle);
    const old = pick(draw, rules);
    const before: Spec = { plant, lifecycle };
    const after: Spec = { plant, lifecycle: withRule(lifecycle, old, otherRule(draw, old, rules)) };
    const { changes, same } = diffSpecs(before, after);
    const more = changes.filter(({ widens }) => widens);
    const less = changes.filter(({ effect }) => effect !== "widened");
    const tables = [before, after].map((spec) => compile(buildBundle(spec.plant, spec.lifecycle), "hmi"));
    for (const phase of after.lifecycle.phases) {
      for (const step of stepsOf(phase)) {
        const place = step === undefined ? phase.id : `${phase.id}/${step.id}`;
        const standing = {
          kind: "phase",
          position: { phase: phase.id, steps: step === undefined ? [] : [step.id] },
        } as const;
        const asked = [before, after].flatMap((spec) => [
          ...permissionsOf(spec.plant, spec.lifecycle, phase.id, step?.id, "hmi").values(),
        ]);
        for (const permission of asked) {
          const observation = askFor(plant, permission, valueFor(draw, permission));
          if (observation === undefined) continue;
          const seesAll = chance(draw, 80);
          const verdicts = tables.map((table) => {
            const view = seededDraw(seed);
            const history = sightedHistory(view, table, seesAll ? plant : { ...plant, tags: [] }, [], 1000);
            return judge(table, standing, observation, history, 100_000).verdict;
          });
          const what = `seed ${seed}: ${permission.key} in ${place} (${old.id})`;
          if (verdicts[0] === verdicts[1]) continue;
          expect(same, what).toBe(false);
          const isMore = verdicts[1] === "allow";
          expect(tells(isMore ? more : less, place, permission), what).toBe(true);
          told[isMore ? "widened" : "narrowed"] += 1;
        }
      }
    }
  }
  expect(told.widened).toBeGreaterThan(100);
  expect(told.narrowed).toBeGreaterThan(100);
});

test("a random plant is no different from itself, read again", () => {
  for (const seed of SEEDS) {
    const spec = randomWorld(seededDraw(seed));
    expect(diffSpecs(spec, structuredClone({ plant: spec.plant, lifecycle: spec.lifecycle })), `seed ${seed}`).toEqual({
      same: true,
      changes: [],
    });
  }
});
