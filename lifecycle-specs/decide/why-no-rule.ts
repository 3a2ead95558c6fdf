import { hasBit } from "./bits.ts";
import { groupOf } from "./candidates.ts";
import { MASKED, type PositionTable } from "./compile-phases.ts";
import type { Ends } from "./ends.ts";
import type { Observation } from "./observation.ts";
import type { Standing } from "./permit.ts";
import { rowOf } from "./rows.ts";
import type { Tables } from "./tables.ts";
import { codeOf, denyId, itemIn, NONE, type VerdictId } from "./verdict-id.ts";
import { passageOf } from "./weigh-position.ts";

const NO_RULE = codeOf("NO_RULE");
const PHASE_FORBIDS = codeOf("PHASE_FORBIDS");
const STEP_FORBIDS = codeOf("STEP_FORBIDS");
const SOURCE_FORBIDS = codeOf("SOURCE_FORBIDS");
const CONTAINED = codeOf("CONTAINED");

/** No rule matched who and what here. */
export function whyNoRule(
  tables: Tables,
  standing: Standing,
  ends: Ends,
  observation: Observation,
  deny: VerdictId,
): VerdictId {
  const item = itemIn(tables.rules.length, deny);
  return denyId(tables.rules.length, whyCode(tables, standing, ends, observation, item), NONE, item);
}

/** Does the containment withhold one, or is there one in another step, in another phase, for another device? */
function whyCode(
  tables: Tables,
  { phase, positions }: Standing,
  ends: Ends,
  observation: Observation,
  item: number,
): number {
  const { candidates } = tables;
  const row = rowOf(tables, ends, observation, item);
  if (row === NONE || phase === undefined) return NO_RULE;
  const group = groupOf(candidates, row, ends.asking);
  if (group === NONE) return candidates.firstGroup[row] === candidates.firstGroup[row + 1] ? NO_RULE : SOURCE_FORBIDS;
  let code = PHASE_FORBIDS;
  const end = candidates.firstCandidate[group + 1] ?? 0;
  for (let n = candidates.firstCandidate[group] ?? 0; n < end; n += 1) {
    const rule = candidates.rule[n] ?? NONE;
    const masked = passageOf(phase.base, tables.flags[rule] ?? 0, tables, n) === MASKED;
    if (masked && holdsIn(positions, rule)) return CONTAINED;
    if (!masked && hasBit(phase.inSteps, rule)) code = STEP_FORBIDS;
  }
  return code;
}

function holdsIn(positions: readonly PositionTable[], rule: number): boolean {
  for (let n = 0; n < positions.length; n += 1) {
    const position = positions[n];
    if (position !== undefined && hasBit(position.rules, rule)) return true;
  }
  return false;
}
