import type { PhaseId, ZoneId } from "./ids.ts";
import type { Lifecycle, Phase, Rule } from "./lifecycle.ts";
import { findPhase, regionOf } from "./positions.ts";
import { type Usable, type Way, waysToSafety } from "./safe-distance.ts";

/**
 * Whether a change may go on without absent or refusing points: it leads to a containment or to the isolated phase, it leads
 * towards the safe phase, or it allows nothing new.
 *
 * Both the coordinator and the checker (G1) ask this, so that what is proven is what is done.
 */
export function mayGoWithoutAbsent(lifecycle: Lifecycle, from: PhaseId, to: PhaseId): boolean {
  const [old, next] = [findPhase(lifecycle, from), findPhase(lifecycle, to)];
  if (next === undefined) return false;
  if (next.containment || next.id === regionOf(lifecycle, next.zone).isolated) return true;
  if (leadsTowardsSafety(lifecycle, next.zone, from, to)) return true;
  // What a mask has taken away comes back on the way out of it.
  return old !== undefined && old.mask === undefined && narrows(old, next);
}

/**
 * Whether the new phase is nearer to the safe one, in the time of the ways that nobody's readings can close: by requests and times
 * without a condition. A phase that runs into the safe one by itself is not nearer for that, or every start would be. Where neither
 * phase has such a way, all ways count.
 */
export function leadsTowardsSafety(lifecycle: Lifecycle, zone: ZoneId, from: PhaseId, to: PhaseId): boolean {
  const { sure, all } = distancesOf(lifecycle, zone);
  const isNearer = (ways: ReadonlyMap<PhaseId, Way>) =>
    (ways.get(to)?.ms ?? Number.POSITIVE_INFINITY) < (ways.get(from)?.ms ?? Number.POSITIVE_INFINITY);
  return sure.has(from) || sure.has(to) ? isNearer(sure) : isNearer(all);
}

interface Distances {
  readonly sure: ReadonlyMap<PhaseId, Way>;
  readonly all: ReadonlyMap<PhaseId, Way>;
}

/** Worked out once for each zone of a lifecycle, and forgotten with it. */
const known = new WeakMap<Lifecycle, Map<ZoneId, Distances>>();

function distancesOf(lifecycle: Lifecycle, zone: ZoneId): Distances {
  const zones = known.get(lifecycle) ?? new Map<ZoneId, Distances>();
  known.set(lifecycle, zones);
  const found = zones.get(zone) ?? measure(lifecycle, zone);
  zones.set(zone, found);
  return found;
}

const isSure: Usable = (_, { when }) => when === undefined;

function measure(lifecycle: Lifecycle, zone: ZoneId): Distances {
  const region = regionOf(lifecycle, zone);
  return { sure: waysToSafety(lifecycle, region, isSure), all: waysToSafety(lifecycle, region) };
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
