import type { PhaseId } from "#specs/ids.ts";
import type { Lifecycle, Phase, Rule } from "#specs/lifecycle.ts";
import { findPhase } from "#specs/positions.ts";

/**
 * Whether a change may go on without absent or refusing points: it allows nothing new, or it leads towards safety, that is to
 * a containment, the isolated phase, the initial phase, or one that runs into the initial phase by itself (a shutdown).
 */
export function mayGoWithoutAbsent(lifecycle: Lifecycle, from: PhaseId, to: PhaseId): boolean {
  const [old, next] = [findPhase(lifecycle, from), findPhase(lifecycle, to)];
  if (next === undefined) return false;
  if (next.containment || next.id === lifecycle.isolated || next.id === lifecycle.initial) return true;
  if (next.transitions.some((t) => t.event !== "operator" && t.to === lifecycle.initial)) return true;
  return old !== undefined && narrows(old, next);
}

/** True when every rule of the new phase is covered by one rule of the old phase that holds in all its steps. */
export function narrows(old: Phase, next: Phase): boolean {
  const nextRules = [...next.rules, ...next.steps.flatMap((step) => step.rules)];
  return nextRules.every((rule) => old.rules.some((wider) => covers(wider, rule)));
}

function covers(wider: Rule, rule: Rule): boolean {
  return (
    wider.operation === rule.operation &&
    within(rule.from, wider.from) &&
    within(rule.targets, wider.targets) &&
    (rule.tags.length === 0 ? wider.tags.length === 0 : within(rule.tags, wider.tags)) &&
    valueWithin(rule, wider) &&
    cadenceWithin(rule, wider) &&
    (wider.causality === undefined || JSON.stringify(wider.causality) === JSON.stringify(rule.causality)) &&
    (wider.mode !== "enforce" || rule.mode === "enforce")
  );
}

function within<T>(part: readonly T[], whole: readonly T[]): boolean {
  return part.every((item) => whole.includes(item));
}

function valueWithin(rule: Rule, wider: Rule): boolean {
  const [a, b] = [rule.value, wider.value];
  if (b === undefined) return true;
  if (a === undefined) return false;
  if (b.maxStep !== undefined && (a.maxStep === undefined || a.maxStep > b.maxStep)) return false;
  if (a.oneOf !== undefined) {
    return a.oneOf.every(
      (v) => v >= (b.min ?? -Infinity) && v <= (b.max ?? Infinity) && (b.oneOf?.includes(v) ?? true),
    );
  }
  if (b.oneOf !== undefined) return false;
  return (a.min ?? -Infinity) >= (b.min ?? -Infinity) && (a.max ?? Infinity) <= (b.max ?? Infinity);
}

/** Two rates compare only where one is no higher in count over no shorter a time. */
function cadenceWithin(rule: Rule, wider: Rule): boolean {
  if (wider.cadence === undefined) return true;
  return (
    rule.cadence !== undefined && rule.cadence.most <= wider.cadence.most && rule.cadence.perMs >= wider.cadence.perMs
  );
}
