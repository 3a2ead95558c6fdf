import type { TagId } from "#specs/ids.ts";
import type { Comparison, Lifecycle, Rule, StepTransition } from "#specs/lifecycle.ts";
import type { Tag } from "#specs/plant.ts";
import { allRules } from "#specs/positions.ts";
import { between, chance, type Draw, pick } from "./random-plant-draw.ts";

/** By tag: every value at which some verdict changes. */
export type Values = ReadonlyMap<TagId, readonly number[]>;

/** Distance from a bound as a part of the tag's range: on it, within what is rounding, outside of it, and one unit. */
const NEAR = [0, -1e-10, 1e-10, -1e-8, 1e-8, -0.01, 0.01] as const;
const HOSTILE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e300, -1e12] as const;

export function valuesOf(lifecycle: Lifecycle): Values {
  const found = new Map<TagId, number[]>();
  const put = (tag: TagId, values: readonly (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    found.set(tag, [...new Set([...(found.get(tag) ?? []), ...known])]);
  };
  const rules = allRules(lifecycle);
  for (const { tags, value } of rules) {
    for (const tag of tags) put(tag, [value?.min, value?.max, ...(value?.oneOf ?? [])]);
  }
  for (const { tag, value, release } of comparisonsOf(lifecycle, rules)) put(tag, [value, release]);
  return found;
}

function comparisonsOf(lifecycle: Lifecycle, rules: readonly Rule[]): readonly Comparison[] {
  const ofStep = (next: StepTransition) => (next.event === "condition" ? next.when.all : []);
  return [
    ...rules.flatMap(({ causality }) => [...(causality?.after?.all ?? []), ...(causality?.notWhile?.all ?? [])]),
    ...lifecycle.phases.flatMap(({ steps }) => steps.flatMap(({ next }) => next.flatMap(ofStep))),
  ];
}

/** Mostly what the rule allows, else a value near one of the tag's bounds, a step or a ramp away from the last, or anything. */
export function randomValue(
  draw: Draw,
  tag: Tag,
  rule: Rule | undefined,
  { nowMs, last }: { readonly nowMs: number; readonly last: ReadonlyMap<TagId, { value: number; sinceMs: number }> },
  values: Values,
): number {
  const [low, high] = tag.range;
  const span = high - low;
  const before = last.get(tag.id);
  // What stands still is stale only while it is told without any change.
  if (before !== undefined && rule?.value?.staleMs !== undefined && chance(draw, 40)) return before.value;
  const dice = draw.below(20);
  if (dice < 6) return allowedBy(draw, tag, rule);
  if (dice < 10 && before !== undefined && Number.isFinite(before.value)) {
    const seconds = Math.min(1, Math.max(0, nowMs - before.sinceMs) / 1000);
    const steps = [0, rule?.value?.maxStep ?? 0, (rule?.value?.rampPerS ?? 0) * seconds, span / 100];
    const sign = chance(draw, 50) ? 1 : -1;
    return before.value + sign * (pick(draw, steps) + pick(draw, NEAR) * span);
  }
  if (dice < 18) return pick(draw, [low, high, ...(values.get(tag.id) ?? [])]) + pick(draw, NEAR) * span;
  return draw.below(30) === 29 ? pick(draw, HOSTILE) : low + (span * between(draw, 0, 1000)) / 1000;
}

/** A value within what the rule lists and bounds, whatever was before. */
export function allowedBy(draw: Draw, tag: Tag, rule: Rule | undefined): number {
  const { min = tag.range[0], max = tag.range[1], oneOf } = rule?.value ?? {};
  if (oneOf !== undefined) return pick(draw, oneOf);
  return min + ((max - min) * between(draw, 0, 10)) / 10;
}
