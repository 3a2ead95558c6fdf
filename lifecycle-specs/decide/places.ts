import type { PhaseId, StepId } from "../ids.ts";
import { hasBit } from "./bits.ts";
import { groupOf } from "./candidates.ts";
import type { CompiledRule } from "./compile-rules.ts";
import { type Ends, endsOf } from "./ends.ts";
import type { Observation } from "./observation.ts";
import type { Standing } from "./permit.ts";
import type { ReasonCode } from "./reasons.ts";
import { rowOf } from "./rows.ts";
import type { Tables } from "./tables.ts";
import { NONE } from "./verdict-id.ts";

/** A rule and one place where it stands. */
export interface RulePlace {
  readonly rule: CompiledRule;
  /** undefined: in every phase. */
  readonly phase: PhaseId | undefined;
  /** undefined: in the whole phase. */
  readonly step: StepId | undefined;
}

/** Where the rules stand that a deny for want of a rule speaks of: in other steps, in other phases, for other devices. */
export function placesFor(
  tables: Tables,
  standing: Standing,
  observation: Observation,
  reason: ReasonCode,
  item: number,
): readonly RulePlace[] {
  const ends = endsOf(tables.layer, tables.ends, observation);
  if (ends === undefined || !SPEAKS_OF_PLACES.has(reason)) return [];
  const row = rowOf(tables, ends, observation, item);
  if (row === NONE) return [];
  const { origin, inSteps } = standing.phase ?? {};
  const rules = reason === "SOURCE_FORBIDS" ? rulesOfRow(tables, row) : ownRules(tables, row, ends);
  const places = rules.flatMap((rule) => [...placesOf(tables, rule)]);
  switch (reason) {
    case "STEP_FORBIDS":
      return places.filter(
        ({ phase, step, rule }) =>
          phase === origin && step !== undefined && inSteps !== undefined && hasBit(inSteps, rule.index),
      );
    case "CONTAINED":
      return places.filter(
        ({ phase, rule }) =>
          (phase === undefined || phase === origin) &&
          standing.positions.some((position) => hasBit(position.rules, rule.index)),
      );
    default:
      return places;
  }
}

const SPEAKS_OF_PLACES: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  "STEP_FORBIDS",
  "PHASE_FORBIDS",
  "SOURCE_FORBIDS",
  "CONTAINED",
]);

/** In the order of the file. Generated containments are no places of their own. */
function* placesOf({ phases, everywhere }: Tables, rule: CompiledRule): Generator<RulePlace> {
  if (hasBit(everywhere, rule.index)) {
    yield { rule, phase: undefined, step: undefined };
    return;
  }
  for (const { phase, base, steps, inSteps } of phases.values()) {
    if (phase.mask !== undefined) continue;
    if (hasBit(base.rules, rule.index)) yield { rule, phase: phase.id, step: undefined };
    else if (hasBit(inSteps, rule.index)) {
      for (const [step, { rules }] of steps) if (hasBit(rules, rule.index)) yield { rule, phase: phase.id, step };
    }
  }
}

/** Rules for what is asked, whoever asks. */
function rulesOfRow(tables: Tables, row: number): readonly CompiledRule[] {
  const { firstGroup } = tables.candidates;
  const found = new Set<CompiledRule>();
  for (let group = firstGroup[row] ?? 0; group < (firstGroup[row + 1] ?? 0); group += 1) {
    for (const rule of rulesOfGroup(tables, group)) found.add(rule);
  }
  return [...found];
}

/** Rules for what is asked, and for who asks. */
function ownRules(tables: Tables, row: number, { asking }: Ends): readonly CompiledRule[] {
  const group = groupOf(tables.candidates, row, asking);
  return group === NONE ? [] : rulesOfGroup(tables, group);
}

function rulesOfGroup({ candidates, rules }: Tables, group: number): readonly CompiledRule[] {
  const [from, to] = [candidates.firstCandidate[group], candidates.firstCandidate[group + 1]];
  return Array.from(candidates.rule.subarray(from, to)).flatMap((index) => rules[index] ?? []);
}
