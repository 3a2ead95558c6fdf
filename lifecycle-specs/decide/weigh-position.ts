import { hasBit } from "./bits.ts";
import { groupOf, tagRow } from "./candidates.ts";
import { LIMITED, MASKED, PASSES, type PositionTable } from "./compile-phases.ts";
import type { CompiledTag } from "./compile-tags.ts";
import type { Ends } from "./ends.ts";
import type { History } from "./history.ts";
import { MESSAGE_FLAGS, messageLack } from "./judge-form.ts";
import { cadenceLack, causalityLack, exceedsRate, rankOf, valueLack } from "./judge-rule.ts";
import type { Observation } from "./observation.ts";
import { NAMES_TAGS, operationIndex } from "./operations.ts";
import { wholeRow } from "./rows.ts";
import { FLAG } from "./rule-bounds.ts";
import type { Tables } from "./tables.ts";
import { codeOf, denyId, NONE, type VerdictId } from "./verdict-id.ts";

const TAG_UNKNOWN = codeOf("TAG_UNKNOWN");
const TAG_PARTIAL = codeOf("TAG_PARTIAL");
const NO_RULE = codeOf("NO_RULE");
const FUNCTION_FORBIDDEN = codeOf("FUNCTION_FORBIDDEN");
const LENGTH_FORBIDDEN = codeOf("LENGTH_FORBIDDEN");

/* As in `weigh.ts`, nothing here makes an object: loops go by index, and what several functions need is handed on one by one. */

/** All items must be allowed; the first that is not gives the reason. */
export function byPosition(
  tables: Tables,
  position: PositionTable,
  ends: Ends,
  observation: Observation,
  history: History,
  nowMs: number,
): VerdictId {
  const { items } = observation;
  const operation = operationIndex(observation.operation);
  if (items.length === 0 || NAMES_TAGS[operation] !== 1 || observation.files !== undefined)
    return byWhole(tables, position, ends, observation, operation, history, nowMs);
  const count = tables.rules.length;
  let first: VerdictId = NONE;
  let several = false;
  let excess = false;
  for (let n = 0; n < items.length; n += 1) {
    const item = items[n];
    if (item === undefined) continue;
    const tag = item.tag === undefined ? undefined : tables.tags.get(item.tag);
    if (tag === undefined || tag.holder !== ends.holding)
      return denyId(count, item.partOf === undefined ? TAG_UNKNOWN : TAG_PARTIAL, NONE, n);
    const group = groupOf(tables.candidates, tagRow(tables.candidates, operation, tag.index), ends.asking);
    const id = byGroup(tables, position, group, tag, observation, n, NONE, history, nowMs);
    if (id < 0) return id;
    if (first === NONE) first = id;
    several ||= id !== first;
    excess ||= id >= count;
  }
  return several ? 2 * count + (excess ? 1 : 0) : first;
}

/** A message that names no tag. */
function byWhole(
  tables: Tables,
  position: PositionTable,
  ends: Ends,
  observation: Observation,
  operation: number,
  history: History,
  nowMs: number,
): VerdictId {
  const misfit = observation.operation === "raw" ? rawLack(tables, observation) : NONE;
  if (misfit === FUNCTION_FORBIDDEN) return denyId(tables.rules.length, misfit, NONE, NONE);
  const row = wholeRow(tables, ends, observation, operation);
  const group = row === NONE ? NONE : groupOf(tables.candidates, row, ends.asking);
  return byGroup(tables, position, group, undefined, observation, NONE, misfit, history, nowMs);
}

/** A vendor function that is not declared, or not of the length that is declared. */
function rawLack({ raws }: Tables, { raw: id, bytes }: Observation): number {
  const raw = id === undefined ? undefined : raws.get(id);
  if (raw === undefined) return FUNCTION_FORBIDDEN;
  return bytes !== undefined && bytes >= raw.length[0] && bytes <= raw.length[1] ? NONE : LENGTH_FORBIDDEN;
}

/**
 * Several rules may fit: allowed if any passes wholly, else denied for what the closest lacks.
 *
 * @param misfit what the message as a whole lacks, whatever the rule
 */
function byGroup(
  tables: Tables,
  position: PositionTable,
  group: number,
  tag: CompiledTag | undefined,
  observation: Observation,
  index: number,
  misfit: number,
  history: History,
  nowMs: number,
): VerdictId {
  const { candidates } = tables;
  const count = tables.rules.length;
  if (group === NONE) return denyId(count, NO_RULE, NONE, index);
  let code = NO_RULE;
  let closest = NONE;
  const end = candidates.firstCandidate[group + 1] ?? 0;
  for (let n = candidates.firstCandidate[group] ?? 0; n < end; n += 1) {
    const rule = candidates.rule[n] ?? NONE;
    if (!hasBit(position.rules, rule)) continue;
    const flags = tables.flags[rule] ?? 0;
    const passage = passageOf(position, flags, tables, n);
    if (passage === MASKED) continue;
    const limited = passage === LIMITED;
    const lack = ruleLack(tables, rule, flags, tag, observation, index, misfit, limited, history, nowMs);
    if (lack === NONE) return isExcess(tables, rule, flags, history, nowMs) ? count + rule : rule;
    if (rankOf(lack) > rankOf(code)) {
      code = lack;
      closest = rule;
    }
  }
  return denyId(count, code, closest, index);
}

/** role, form → value → largest step → ramp → standing still → cadence → causality. Safety rules know neither of the last two. */
function ruleLack(
  tables: Tables,
  rule: number,
  flags: number,
  tag: CompiledTag | undefined,
  observation: Observation,
  index: number,
  misfit: number,
  limited: boolean,
  history: History,
  nowMs: number,
): number {
  if ((flags & MESSAGE_FLAGS) !== 0) {
    const lack = messageLack(tables, rule, flags, observation);
    if (lack !== NONE) return lack;
  }
  if (misfit !== NONE) return misfit;
  const item = tag === undefined ? undefined : observation.items[index];
  if (tag !== undefined && item !== undefined) {
    const lack = valueLack(tables, rule, flags, tag, item, history, nowMs);
    if (lack !== NONE) return lack;
  }
  if ((flags & FLAG.SAFETY) !== 0) return NONE;
  const lack = cadenceLack(tables, rule, flags, limited, history, nowMs);
  if (lack !== NONE || (flags & FLAG.CAUSALITY) === 0) return lack;
  return causalityLack(tables, rule, history, nowMs);
}

function isExcess(tables: Tables, rule: number, flags: number, history: History, nowMs: number): boolean {
  const both = FLAG.SAFETY | FLAG.RATE;
  return (flags & both) === both && exceedsRate(tables, rule, history, nowMs);
}

/** How a containment touches a candidate. Safety rules pass every mask. */
export function passageOf({ mask }: PositionTable, flags: number, { candidates }: Tables, candidate: number): number {
  if (mask === undefined || (flags & FLAG.SAFETY) !== 0) return PASSES;
  return mask[candidates.crossing[candidate] ?? NONE] ?? MASKED;
}
