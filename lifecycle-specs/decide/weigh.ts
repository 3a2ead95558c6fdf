import { type Ends, endsOf } from "./ends.ts";
import type { History } from "./history.ts";
import { rankOf } from "./judge-rule.ts";
import type { Observation } from "./observation.ts";
import type { Permit, Standing } from "./permit.ts";
import type { Tables } from "./tables.ts";
import { codeIn, codeOf, denyId, itemIn, NONE, ruleIn, type VerdictId } from "./verdict-id.ts";
import { byPosition } from "./weigh-position.ts";
import { whyNoRule } from "./why-no-rule.ts";

const SOURCE_UNKNOWN = codeOf("SOURCE_UNKNOWN");
const LINK_UNKNOWN = codeOf("LINK_UNKNOWN");
const PHASE_UNKNOWN = codeOf("PHASE_UNKNOWN");
const NO_RULE = codeOf("NO_RULE");
const WINDOW_FORBIDS = codeOf("WINDOW_FORBIDS");

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

function whole({ rules }: Tables, code: number): VerdictId {
  return denyId(rules.length, code, NONE, NONE);
}

function unreachable(value: never): never {
  throw new Error(`unreachable: permit \`${JSON.stringify(value)}\``);
}
