import type { PhaseId } from "#specs/ids.ts";
import type { Lifecycle, Phase, Rule } from "#specs/lifecycle.ts";
import { findPhase, regionOf } from "#specs/positions.ts";

/**
 * Whether a change may go on without absent or refusing points: it allows nothing new, or it leads towards safety, that is to
 * a containment, the isolated phase, the initial phase, or one that runs into the initial phase by itself (a shutdown).
 */
export function mayGoWithoutAbsent(lifecycle: Lifecycle, from: PhaseId, to: PhaseId): boolean {
  const [old, next] = [findPhase(lifecycle, from), findPhase(lifecycle, to)];
  if (next === undefined) return false;
  const { initial, isolated, safe } = regionOf(lifecycle, next.zone);
  const safety = [initial, isolated, ...(safe === undefined ? [] : [safe.phase])];
  if (next.containment || safety.includes(next.id)) return true;
  if (next.transitions.some((t) => t.event !== "operator" && t.to === initial)) return true;
  // What a mask has taken away comes back on the way out of it.
  return old !== undefined && old.mask === undefined && narrows(old, next);
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
    within(rule.raw, wider.raw) &&
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
  if (b.rampPerS !== undefined && (a.rampPerS === undefined || a.rampPerS > b.rampPerS)) return false;
  if (b.staleMs !== undefined && (a.staleMs === undefined || a.staleMs > b.staleMs)) return false;
  if (b.maxStep !== undefined && (a.maxStep === undefined || a.maxStep > b.maxStep)) return false;
  if (a.oneOf !== undefined) {
    return a.oneOf.every(
      (v) => v >= (b.min ?? -Infinity) && v <= (b.max ?? Infinity) && (b.oneOf?.includes(v) ?? true),
    );
  }
  if (b.oneOf !== undefined) return false;
  return (a.min ?? -Infinity) >= (b.min ?? -Infinity) && (a.max ?? Infinity) <= (b.max ?? Infinity);
}

/** Two rates compare only where one is no higher in count over no shorter a time; two periods where one is no shorter. */
function cadenceWithin({ cadence: a }: Rule, { cadence: b }: Rule): boolean {
  const [rate, widerRate] = [a?.rate, b?.rate];
  const [period, widerPeriod] = [a?.period, b?.period];
  const inRate =
    widerRate === undefined || (rate !== undefined && rate.most <= widerRate.most && rate.perMs >= widerRate.perMs);
  const inPeriod =
    widerPeriod === undefined ||
    (period !== undefined && period.everyMs - period.jitterMs >= widerPeriod.everyMs - widerPeriod.jitterMs);
  return inRate && inPeriod;
}
