import type { TagId } from "../ids.ts";
import type { Comparison, Condition, Lifecycle, Rule } from "../lifecycle.ts";
import type { Plant, Tag } from "../plant.ts";
import { slackOf } from "../slack.ts";
import type { Layer } from "./observation.ts";
import { NONE } from "./verdict-id.ts";

/** Part of the range below which a difference is taken for rounding of raw × scale. */
const ROUNDING = 1e-9;

export interface CompiledTag {
  /** Index into the history's values. */
  readonly index: number;
  readonly tag: Tag;
  /** Index of the device that holds it, see `Directory`. */
  readonly holder: number;
  readonly isArgument: boolean;
  /** Comparisons on this tag. */
  readonly comparisons: readonly CompiledComparison[];
}

/** A tag's own range and what is rounding within it, side by side: by tag index × `TAG_STRIDE` + one of `TAG_BOUND`. */
export type TagBounds = Float64Array;
export const TAG_BOUND = { LOW: 0, HIGH: 1, TOLERANCE: 2 } as const;
export const TAG_STRIDE = 4;

export interface CompiledComparison {
  /** Index into the history's truths. */
  readonly index: number;
  readonly comparison: Comparison;
  /** Plant ms; a reading that comes later than this after the one before begins anew. Infinity: readings do not age. */
  readonly freshMs: number;
  /** Index of its tag. */
  readonly tag: number;
}

export interface CompiledCondition {
  readonly condition: Condition;
  readonly parts: readonly CompiledComparison[];
  /** As judged at this layer. */
  readonly forMs: number;
}

export type Comparisons = ReadonlyMap<string, CompiledComparison>;

/** Difference that is rounding and no difference, in engineering units: a billionth of the range. */
export function compileTagBounds(tags: readonly Tag[]): TagBounds {
  const bounds = new Float64Array(tags.length * TAG_STRIDE);
  for (const [index, { range }] of tags.entries()) {
    const [low, high] = range;
    bounds.set([low, high, (high - low) * ROUNDING], index * TAG_STRIDE);
  }
  return bounds;
}

/** Every tag of the plant, and every comparison of the lifecycle (causes, steps, transitions) once, under its key. */
export function compileTags(
  plant: Plant,
  lifecycle: Lifecycle,
  rules: readonly Rule[],
  parties: ReadonlyMap<string, number>,
  layer: Layer,
): { tags: ReadonlyMap<TagId, CompiledTag>; comparisons: Comparisons } {
  const tags = new Map<TagId, CompiledTag & { comparisons: CompiledComparison[] }>();
  for (const tag of plant.tags) {
    const holder = parties.get(tag.device) ?? NONE;
    tags.set(tag.id, { index: tags.size, tag, holder, isArgument: tag.kind === "argument", comparisons: [] });
  }
  const comparisons = new Map<string, CompiledComparison>();
  for (const { condition, slackMs } of allConditions(lifecycle, rules, layer)) {
    const freshMs = freshFor(condition, slackMs);
    for (const comparison of condition.all) {
      const key = comparisonKey(comparison, freshMs);
      const tag = tags.get(comparison.tag);
      if (tag === undefined || comparisons.has(key)) continue;
      const compiled = { index: comparisons.size, comparison, freshMs, tag: tag.index };
      comparisons.set(key, compiled);
      tag.comparisons.push(compiled);
    }
  }
  return { tags, comparisons };
}

/**
 * Compiles a condition of this lifecycle; undefined where it has a part that the lifecycle does not have.
 *
 * @param forMs how long it must have held, at this layer
 * @param slackMs by how much older its readings may be, at this layer
 */
export function compileCondition(
  condition: Condition,
  comparisons: Comparisons,
  forMs: number,
  slackMs: number,
): CompiledCondition | undefined {
  const parts: CompiledComparison[] = [];
  for (const comparison of condition.all) {
    const part = comparisons.get(comparisonKey(comparison, freshFor(condition, slackMs)));
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return { condition, parts, forMs };
}

function freshFor({ freshMs }: Condition, slackMs: number): number {
  return freshMs === undefined ? Number.POSITIVE_INFINITY : freshMs + slackMs;
}

/** Truths are kept apart by age: what is a pause for one condition is none for another. */
function comparisonKey({ tag, test, value, release }: Comparison, freshMs: number): string {
  return `${tag} ${test} ${value} ${release ?? ""} ${freshMs}`;
}

/** Those of rules are judged with the layer's slack, those that lead on are not. */
function* allConditions(
  lifecycle: Lifecycle,
  rules: readonly Rule[],
  layer: Layer,
): Generator<{ readonly condition: Condition; readonly slackMs: number }> {
  for (const { operation, causality } of rules) {
    const slackMs = slackOf(layer, lifecycle.skewMs, operation).answerMs;
    if (causality?.after !== undefined) yield { condition: causality.after, slackMs };
    if (causality?.notWhile !== undefined) yield { condition: causality.notWhile, slackMs };
  }
  for (const phase of lifecycle.phases) {
    // The steps of a generated containment are those of its origin.
    for (const step of phase.mask === undefined ? phase.steps : []) {
      for (const next of step.next) if (next.event === "condition") yield { condition: next.when, slackMs: 0 };
    }
    for (const { when } of phase.transitions) if (when !== undefined) yield { condition: when, slackMs: 0 };
  }
}
