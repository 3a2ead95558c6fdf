import { hasBit } from "./bits.ts";
import { deviceRow, groupOf, PARTS, partRow, rawRow, tagRow } from "./candidates.ts";
import { LIMITED, MASKED, PASSES, type PositionTable } from "./compile-phases.ts";
import type { CompiledTag } from "./compile-tags.ts";
import { type Ends, endsOf } from "./ends.ts";
import type { History } from "./history.ts";
import { MESSAGE_FLAGS, messageLack } from "./judge-form.ts";
import { cadenceLack, causalityLack, exceedsRate, rankOf, valueLack } from "./judge-rule.ts";
import type { Observation } from "./observation.ts";
import { NAMES_TAGS, operationIndex } from "./operations.ts";
import type { Permit, Standing } from "./permit.ts";
import { FLAG } from "./rule-bounds.ts";
import type { Tables } from "./tables.ts";
import { codeIn, codeOf, denyId, itemIn, NONE, ruleIn, type VerdictId } from "./verdict-id.ts";

const SOURCE_UNKNOWN = codeOf("SOURCE_UNKNOWN");
const LINK_UNKNOWN = codeOf("LINK_UNKNOWN");
const PHASE_UNKNOWN = codeOf("PHASE_UNKNOWN");
const TAG_UNKNOWN = codeOf("TAG_UNKNOWN");
const NO_RULE = codeOf("NO_RULE");
const PHASE_FORBIDS = codeOf("PHASE_FORBIDS");
const STEP_FORBIDS = codeOf("STEP_FORBIDS");
const SOURCE_FORBIDS = codeOf("SOURCE_FORBIDS");
const CONTAINED = codeOf("CONTAINED");
const WINDOW_FORBIDS = codeOf("WINDOW_FORBIDS");
const FUNCTION_FORBIDDEN = codeOf("FUNCTION_FORBIDDEN");
const LENGTH_FORBIDDEN = codeOf("LENGTH_FORBIDDEN");

/*
 * Everything here reads, gives whole numbers and makes no object: loops go by index, and what several functions need is handed
 * on one by one rather than in a record.
 */

/** source → link → phase → rule */
export function weigh(
  tables: Tables,
  permit: Permit,
  observation: Observation,
  history: History,
  nowMs: number,
): VerdictId {
  const ends = endsOf(tables.layer, tables.ends, observation);
  if (ends === undefined) return whole(tables, observation.source === undefined ? SOURCE_UNKNOWN : LINK_UNKNOWN);
  switch (permit.kind) {
    case "none":
      return bySafety(tables, ends, observation, history, nowMs);
    case "phase":
      return byStanding(tables, permit.standing, ends, observation, history, nowMs);
    case "window":
      return byWindow(tables, permit, ends, observation, history, nowMs);
    default:
      return unreachable(permit);
  }
}

function bySafety(tables: Tables, ends: Ends, observation: Observation, history: History, nowMs: number): VerdictId {
  const id = byPosition(tables, tables.safety, ends, observation, history, nowMs);
  return id >= 0 ? id : whole(tables, PHASE_UNKNOWN);
}

/** Of several possible steps any may allow; else the one that came closest gives the reason. */
export function byStanding(
  tables: Tables,
  standing: Standing,
  ends: Ends,
  observation: Observation,
  history: History,
  nowMs: number,
): VerdictId {
  const { positions } = standing;
  let closest: VerdictId = 0;
  for (let n = 0; n < positions.length; n += 1) {
    const position = positions[n];
    if (position === undefined) continue;
    const id = byPosition(tables, position, ends, observation, history, nowMs);
    if (id >= 0) return id;
    closest = n === 0 ? id : closer(tables, closest, id);
  }
  if (closest >= 0) return bySafety(tables, ends, observation, history, nowMs);
  return codeIn(closest) === NO_RULE ? whyNoRule(tables, standing, ends, observation, closest) : closest;
}

function byWindow(
  tables: Tables,
  permit: Extract<Permit, { readonly kind: "window" }>,
  ends: Ends,
  observation: Observation,
  history: History,
  nowMs: number,
): VerdictId {
  const before = byStanding(tables, permit.old, ends, observation, history, nowMs);
  const after = byStanding(tables, permit.new, ends, observation, history, nowMs);
  if (before >= 0 && (after >= 0 || permit.either)) return before;
  if (after >= 0 && permit.either) return after;
  const listed = byPosition(tables, permit.listed, ends, observation, history, nowMs);
  if (listed >= 0) return listed;
  if (before < 0 && after < 0 && codeIn(before) === codeIn(after)) return before;
  const count = tables.rules.length;
  const closest = closestInWindow(count, before, after);
  return denyId(count, WINDOW_FORBIDS, ruleIn(count, closest), itemIn(count, closest));
}

/** The deny that has a rule to show, the old phase's first. */
function closestInWindow(count: number, before: VerdictId, after: VerdictId): VerdictId {
  if (before >= 0) return after;
  if (after >= 0 || ruleIn(count, before) !== NONE) return before;
  return ruleIn(count, after) === NONE ? before : after;
}

/** The deny that came closest: further along the items, then further in the judgement, then the earlier one. */
function closer({ rules }: Tables, a: VerdictId, b: VerdictId): VerdictId {
  const itemA = itemIn(rules.length, a);
  const itemB = itemIn(rules.length, b);
  if (itemA !== itemB) return itemB > itemA ? b : a;
  return rankOf(codeIn(b)) > rankOf(codeIn(a)) ? b : a;
}

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
    if (tag === undefined || tag.holder !== ends.holding) return denyId(count, TAG_UNKNOWN, NONE, n);
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
  if (misfit === FUNCTION_FORBIDDEN) return whole(tables, misfit);
  const row = wholeRow(tables, ends, observation, operation);
  const group = row === NONE ? NONE : groupOf(tables.candidates, row, ends.asking);
  return byGroup(tables, position, group, undefined, observation, NONE, misfit, history, nowMs);
}

function wholeRow({ candidates }: Tables, { holding }: Ends, observation: Observation, operation: number): number {
  if (operation === NONE || holding === NONE) return NONE;
  const { raw, files, objects } = observation;
  if (files !== undefined || objects !== undefined) {
    const part = partOf(operation, files !== undefined);
    return part === NONE ? NONE : partRow(candidates, part, holding);
  }
  if (operation !== RAW) return deviceRow(candidates, operation, holding);
  const index = raw === undefined ? undefined : candidates.raws.get(raw);
  return index === undefined ? NONE : rawRow(candidates, index, holding);
}

const RAW = operationIndex("raw");
const READ = operationIndex("read");
const PROGRAM = operationIndex("program");
const DIAGNOSE = operationIndex("diagnose");
const FILES_READ = PARTS.indexOf("files read");
const FILES_WRITTEN = PARTS.indexOf("files written");
const IDENTIFICATION = PARTS.indexOf("identification");

/** Index in `PARTS` of what a message is about; -1: no operation is about it in this way. */
function partOf(operation: number, isOfFiles: boolean): number {
  if (!isOfFiles) return operation === DIAGNOSE ? IDENTIFICATION : NONE;
  if (operation === READ) return FILES_READ;
  return operation === PROGRAM ? FILES_WRITTEN : NONE;
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
function passageOf({ mask }: PositionTable, flags: number, { candidates }: Tables, candidate: number): number {
  if (mask === undefined || (flags & FLAG.SAFETY) !== 0) return PASSES;
  return mask[candidates.crossing[candidate] ?? NONE] ?? MASKED;
}

/** No rule matched who and what here. */
function whyNoRule(
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

/** The row that an item asks for, or with item -1 the message as a whole; -1: nothing like it is declared. */
export function rowOf(tables: Tables, ends: Ends, observation: Observation, item: number): number {
  const operation = operationIndex(observation.operation);
  if (item === NONE) return wholeRow(tables, ends, observation, operation);
  const id = observation.items[item]?.tag;
  const tag = id === undefined ? undefined : tables.tags.get(id);
  return tag === undefined ? NONE : tagRow(tables.candidates, operation, tag.index);
}

function holdsIn(positions: readonly PositionTable[], rule: number): boolean {
  for (let n = 0; n < positions.length; n += 1) {
    const position = positions[n];
    if (position !== undefined && hasBit(position.rules, rule)) return true;
  }
  return false;
}

function whole({ rules }: Tables, code: number): VerdictId {
  return denyId(rules.length, code, NONE, NONE);
}

function unreachable(value: never): never {
  throw new Error(`unreachable: permit \`${JSON.stringify(value)}\``);
}
