import type { Layer } from "../decide/observation.ts";
import type { RuleId } from "../ids.ts";
import type { Rule } from "../lifecycle.ts";
import type { Mode } from "../plant.ts";
import { type LayerTiming, timingAt } from "./timing.ts";

/** What one layer makes of one rule. Where the rule stands (phases, steps) is the lifecycle's to say. */
export interface RuleEntry extends LayerTiming {
  readonly rule: RuleId;
  readonly mode: Mode;
  /** Holds in every position, and also where no phase is held. */
  readonly safety: boolean;
}

export function entryOf(layer: Layer, skewMs: number, rule: Rule): RuleEntry {
  const { id, mode, safety } = rule;
  return { rule: id, mode, safety, ...timingAt(layer, skewMs, rule) };
}
