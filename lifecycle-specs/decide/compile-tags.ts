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
  /** Plant ms; a reading that comes later than this after the one before begins anew. Infinity: none does. */
  readonly breakMs: number;
  /** Index of its tag. */
  readonly tag: number;
}

export interface CompiledCondition {
  readonly condition: Condition;
  readonly parts: readonly CompiledComparison[];
  /** How long it must have held, as judged at this layer, plant ms. */
  readonly forMs: number;
  /** Largest age of a reading, as judged at this layer, plant ms. Infinity: readings do not age. */
  readonly freshMs: number;
}

/** Of a condition: by how much older its readings may be at this layer, and whether a time without a fresh one is a break. */
export interface Freshness {
  readonly slackMs: number;
  /** Not for what must not hold: there the unknown counts as holding, and goes on. */
  readonly breaks: boolean;
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
  for (const { condition, ...freshness } of allConditions(lifecycle, rules, layer)) {
    const breakMs = breakFor(condition, freshness);
    for (const comparison of condition.all) {
      const key = comparisonKey(comparison, breakMs);
      const tag = tags.get(comparison.tag);
      if (tag === undefined || comparisons.has(key)) continue;
      const compiled = { index: comparisons.size, comparison, breakMs, tag: tag.index };
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
 */
export function compileCondition(
  condition: Condition,
  comparisons: Comparisons,
  forMs: number,
  freshness: Freshness,
): CompiledCondition | undefined {
  const parts: CompiledComparison[] = [];
  for (const comparison of condition.all) {
    const part = comparisons.get(comparisonKey(comparison, breakFor(condition, freshness)));
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return { condition, parts, forMs, freshMs: freshFor(condition, freshness) };
}

/** Those of steps and transitions: judged as they are written. */
export const AS_WRITTEN: Freshness = { slackMs: 0, breaks: true };

function freshFor({ freshMs }: Condition, { slackMs }: Freshness): number {
  return freshMs === undefined ? Number.POSITIVE_INFINITY : freshMs + slackMs;
}

function breakFor(condition: Condition, freshness: Freshness): number {
  return freshness.breaks ? freshFor(condition, freshness) : Number.POSITIVE_INFINITY;
}

/** Truths are kept apart by what breaks them: what is a pause for one condition is none for another. */
function comparisonKey({ tag, test, value, release }: Comparison, breakMs: number): string {
  return `${tag} ${test} ${value} ${release ?? ""} ${breakMs}`;
}

/** Those of rules are judged with the layer's slack, those that lead on are not. */
function* allConditions(
  lifecycle: Lifecycle,
  rules: readonly Rule[],
  layer: Layer,
): Generator<Freshness & { readonly condition: Condition }> {
  for (const { operation, causality } of rules) {
    const slackMs = slackOf(layer, lifecycle.skewMs, operation).answerMs;
    if (causality?.after !== undefined) yield { condition: causality.after, slackMs, breaks: true };
    if (causality?.notWhile !== undefined) yield { condition: causality.notWhile, slackMs, breaks: false };
  }
  for (const phase of lifecycle.phases) {
    // The steps of a generated containment are those of its origin.
    for (const step of phase.mask === undefined ? phase.steps : []) {
      for (const next of step.next) if (next.event === "condition") yield { condition: next.when, ...AS_WRITTEN };
    }
    for (const { when } of phase.transitions) if (when !== undefined) yield { condition: when, ...AS_WRITTEN };
  }
}
