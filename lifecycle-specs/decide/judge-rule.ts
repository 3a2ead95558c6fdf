import type { CompiledRule } from "./compile-rules.ts";
import { type CompiledTag, TAG_BOUND, TAG_STRIDE } from "./compile-tags.ts";
import { compiledTruth, type History, RAMP_PAUSE_MS } from "./history.ts";
import type { ObservedItem } from "./observation.ts";
import type { ReasonCode } from "./reasons.ts";
import { BOUND, FLAG, STRIDE } from "./rule-bounds.ts";
import type { Tables } from "./tables.ts";
import { codeOf, NONE } from "./verdict-id.ts";

/** The stages of judging one rule, in their order. A rule that fails at a later one came closer to allowing. */
const STAGES: readonly (readonly ReasonCode[])[] = [
  ["ROLE_MISSING", "ROLE_NOT_ALLOWED"],
  ["FUNCTION_NOT_ALLOWED"],
  ["QUANTITY_ABOVE"],
  ["FILE_NOT_ALLOWED", "OBJECT_NOT_ALLOWED"],
  ["TYPE_MISMATCH", "VALUE_BELOW", "VALUE_ABOVE", "VALUE_NOT_LISTED", "LENGTH_FORBIDDEN"],
  ["STEP_REFERENCE_UNKNOWN", "STEP_TOO_LARGE"],
  ["RAMP_TOO_FAST"],
  ["STALE"],
  ["TOO_OFTEN"],
  ["TOO_EARLY"],
  ["RATE_LIMITED"],
  ["CAUSE_MISSING", "CAUSE_UNKNOWN"],
  ["CAUSE_AGAINST", "CAUSE_AGAINST_UNKNOWN"],
  ["ORDER_MISSING", "ORDER_USED"],
  ["TOO_CLOSE"],
];

const RANKS = new Uint8Array(64);
for (const [stage, reasons] of STAGES.entries()) for (const reason of reasons) RANKS[codeOf(reason)] = stage + 1;

/** How far the judgement came, from the code of the reason; 0: no rule matched who and what. */
export function rankOf(code: number): number {
  return RANKS[code] ?? 0;
}

const TYPE_MISMATCH = codeOf("TYPE_MISMATCH");
const VALUE_BELOW = codeOf("VALUE_BELOW");
const VALUE_ABOVE = codeOf("VALUE_ABOVE");
const VALUE_NOT_LISTED = codeOf("VALUE_NOT_LISTED");
const STEP_REFERENCE_UNKNOWN = codeOf("STEP_REFERENCE_UNKNOWN");
const STEP_TOO_LARGE = codeOf("STEP_TOO_LARGE");
const RAMP_TOO_FAST = codeOf("RAMP_TOO_FAST");
const STALE = codeOf("STALE");
const TOO_OFTEN = codeOf("TOO_OFTEN");
const TOO_EARLY = codeOf("TOO_EARLY");
const RATE_LIMITED = codeOf("RATE_LIMITED");
const CAUSE_MISSING = codeOf("CAUSE_MISSING");
const CAUSE_UNKNOWN = codeOf("CAUSE_UNKNOWN");
const CAUSE_AGAINST = codeOf("CAUSE_AGAINST");
const CAUSE_AGAINST_UNKNOWN = codeOf("CAUSE_AGAINST_UNKNOWN");
const ORDER_MISSING = codeOf("ORDER_MISSING");
const ORDER_USED = codeOf("ORDER_USED");
const TOO_CLOSE = codeOf("TOO_CLOSE");

/*
 * Each function gives the code of what a rule lacks, or NONE. Numbers with a fraction are read where they are used and never
 * handed on: a function that returned one would allocate it.
 */

/** Value, largest step, ramp and standing still of one item. A bound itself is allowed. */
export function valueLack(
  tables: Tables,
  rule: number,
  flags: number,
  tag: CompiledTag,
  item: ObservedItem,
  history: History,
  nowMs: number,
): number {
  if ((flags & FLAG.VALUE) === 0 && ((flags & FLAG.ARGUMENTS) === 0 || !tag.isArgument)) return NONE;
  const { value } = item;
  if (value === undefined || !Number.isFinite(value)) return TYPE_MISMATCH;
  const { bounds, tagBounds } = tables;
  const [own, range] = [rule * STRIDE, tag.index * TAG_STRIDE];
  const low = tagBounds[range + TAG_BOUND.LOW] ?? Number.NaN;
  const high = tagBounds[range + TAG_BOUND.HIGH] ?? Number.NaN;
  const tolerance = tagBounds[range + TAG_BOUND.TOLERANCE] ?? 0;
  // The tag's own range bounds every value, also where the rule gives no bounds.
  if (value < Math.max(bounds[own + BOUND.MIN] ?? Number.NaN, low) - tolerance) return VALUE_BELOW;
  if (value > Math.min(bounds[own + BOUND.MAX] ?? Number.NaN, high) + tolerance) return VALUE_ABOVE;
  if ((flags & FLAG.LISTED) !== 0 && !isListed(tables, rule, tag, item)) return VALUE_NOT_LISTED;
  return (flags & FLAG.CHANGE) === 0 ? NONE : changeLack(tables, rule, flags, tag, item, history, nowMs);
}

function isListed(
  { rules, tagBounds }: Tables,
  rule: number,
  { index }: CompiledTag,
  { value = 0 }: ObservedItem,
): boolean {
  const list = rules[rule]?.rule.value?.oneOf ?? [];
  const tolerance = tagBounds[index * TAG_STRIDE + TAG_BOUND.TOLERANCE] ?? 0;
  for (let n = 0; n < list.length; n += 1) {
    if (Math.abs((list[n] ?? Number.NaN) - value) <= tolerance) return true;
  }
  return false;
}

/** Against the value as it was seen last, and the time since it last changed. */
function changeLack(
  { rules, bounds, tagBounds }: Tables,
  rule: number,
  flags: number,
  { index }: CompiledTag,
  { value = 0 }: ObservedItem,
  history: History,
  nowMs: number,
): number {
  const reference = history.values[index] ?? Number.NaN;
  if ((flags & FLAG.REFERENCE) !== 0 && Number.isNaN(reference)) return STEP_REFERENCE_UNKNOWN;
  const elapsedMs = nowMs - (history.valueSince[index] ?? Number.NaN);
  const own = rule * STRIDE;
  const tolerance = tagBounds[index * TAG_STRIDE + TAG_BOUND.TOLERANCE] ?? 0;
  const change = Math.abs(value - reference);
  if (change > (bounds[own + BOUND.MAX_STEP] ?? 0) + tolerance) return STEP_TOO_LARGE;
  // What earlier changes have used up of the slack is used up: it is there once, not once for each change.
  const slackMs = rules[rule]?.slackMs ?? 0;
  const leftMs = Math.max(0, slackMs - (history.rampSpent[index] ?? 0));
  const ownMs = Math.min(RAMP_PAUSE_MS + slackMs, Math.max(0, elapsedMs));
  if (change > ((bounds[own + BOUND.RAMP_PER_S] ?? 0) * (ownMs + leftMs)) / 1000 + tolerance) return RAMP_TOO_FAST;
  return value === reference && elapsedMs > (bounds[own + BOUND.STALE_MS] ?? 0) ? STALE : NONE;
}

/** Rate, period, and how much a containment lets through. */
export function cadenceLack(
  tables: Tables,
  rule: number,
  flags: number,
  limited: boolean,
  history: History,
  nowMs: number,
): number {
  if ((flags & FLAG.RATE) !== 0 && exceedsRate(tables, rule, history, nowMs)) return TOO_OFTEN;
  if ((flags & FLAG.PERIOD) === 0 && !limited) return NONE;
  const pauseMs = nowMs - (history.forwardedAt[rule] ?? Number.NEGATIVE_INFINITY);
  if (pauseMs < (tables.bounds[rule * STRIDE + BOUND.PERIOD_MS] ?? 0)) return TOO_EARLY;
  return limited && pauseMs < (tables.bounds[rule * STRIDE + BOUND.LIMIT_MS] ?? 0) ? RATE_LIMITED : NONE;
}

/** Whether one more message now would exceed the rate of a rule that has one: the window is (now − length, now]. */
export function exceedsRate({ rules, bounds }: Tables, rule: number, history: History, nowMs: number): boolean {
  const from = rules[rule]?.rateFrom ?? 0;
  const oldest = history.rateTimes[from + (history.rateNext[rule] ?? 0)] ?? Number.NEGATIVE_INFINITY;
  return nowMs - oldest < (bounds[rule * STRIDE + BOUND.RATE_MS] ?? 0);
}

/** What must hold, must not hold, must have been answered, and must not have been sent a moment ago. */
export function causalityLack({ rules }: Tables, rule: number, history: History, nowMs: number): number {
  const { after, notWhile, follows, apart, rule: written } = rules[rule] ?? NOTHING;
  // A reading is not suspect for another that nobody has been told yet.
  const mayBeUnknown = written?.operation === "report";
  if (after !== undefined) {
    const truth = compiledTruth(history, after, nowMs);
    if (truth === "fails") return CAUSE_MISSING;
    if (truth === "unknown" && !mayBeUnknown) return CAUSE_UNKNOWN;
  }
  if (notWhile !== undefined) {
    const truth = compiledTruth(history, notWhile, nowMs);
    if (truth === "holds") return CAUSE_AGAINST;
    if (truth === "unknown" && !mayBeUnknown) return CAUSE_AGAINST_UNKNOWN;
  }
  if (follows !== undefined) {
    const answeredAt = history.answeredAt[follows.rule] ?? Number.NEGATIVE_INFINITY;
    if (nowMs - answeredAt > follows.withinMs) return ORDER_MISSING;
    if (follows.once && (history.used[rule] ?? 0) >= (history.answers[follows.rule] ?? 0)) return ORDER_USED;
  }
  return apart === undefined ? NONE : apartLack(apart, history, nowMs);
}

const NOTHING: Partial<CompiledRule> = {};

function apartLack({ rules, withinMs }: NonNullable<CompiledRule["apart"]>, history: History, nowMs: number): number {
  for (let n = 0; n < rules.length; n += 1) {
    const at = history.forwardedAt[rules[n] ?? NONE] ?? Number.NEGATIVE_INFINITY;
    if (nowMs - at < withinMs) return TOO_CLOSE;
  }
  return NONE;
}
