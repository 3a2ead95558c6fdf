import type { Layer } from "#specs/decide/observation.ts";
import type { Condition, Lifecycle } from "#specs/lifecycle.ts";
import { allRules } from "#specs/positions.ts";
import { chance, type Draw, pick } from "./random-plant-draw.ts";

/** Lengths of everything in the lifecycle that ends with time, as the layer may count it, plant ms. */
export type Windows = readonly number[];

const RATE_LIMIT_MS = 10_000;
const ONE_SECOND_OF_RAMP_MS = 1000;

export function windowsOf(lifecycle: Lifecycle, layer: Layer): Windows {
  const slack = { hmi: 0, switch: 1, plc: 2 }[layer] * lifecycle.skewMs;
  const ofCondition = (condition: Condition | undefined) => [condition?.forMs, condition?.freshMs];
  const declared = allRules(lifecycle).flatMap(({ cadence, causality, value }) => [
    cadence?.rate?.perMs,
    cadence?.period === undefined ? undefined : cadence.period.everyMs - cadence.period.jitterMs,
    cadence?.period === undefined ? undefined : cadence.period.everyMs + cadence.period.jitterMs,
    ...ofCondition(causality?.after),
    ...ofCondition(causality?.notWhile),
    causality?.follows?.withinMs,
    causality?.apart?.withinMs,
    value?.staleMs,
  ]);
  const masked = lifecycle.phases.some(({ mask }) => mask?.level === "rate-limit") ? [RATE_LIMIT_MS] : [];
  const lengths = declared.filter((length) => length !== undefined);
  const all = [...lengths, ...masked, ONE_SECOND_OF_RAMP_MS].flatMap((ms) => [ms, ms - slack, ms + slack]);
  return [...new Set(all.filter((ms) => ms >= 0))];
}

/** A third of the time none, else to within one millisecond of where some window ends, or a plain while. */
export function randomPause(
  draw: Draw,
  windows: Windows,
  { nowMs, events }: { readonly nowMs: number; readonly events: readonly number[] },
): number {
  const dice = draw.below(20);
  if (dice < 7 || events.length === 0) return 0;
  if (dice < 14) {
    const edge = pick(draw, events) + pick(draw, windows) + pick(draw, [0, -1, 1]);
    return Math.max(0, edge - nowMs);
  }
  return chance(draw, 10) ? 20_000 : pick(draw, [1, 100, 500, 1000, 3000]);
}
