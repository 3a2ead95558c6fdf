import { compare, type Truth } from "../conditions.ts";
import type { RuleId, TagId } from "../ids.ts";
import type { Condition } from "../lifecycle.ts";
import { ANSWERS_KEPT, type CompiledRule } from "./compile-rules.ts";
import { AS_WRITTEN, type CompiledComparison, type CompiledCondition, compileCondition } from "./compile-tags.ts";
import type { Observation, Outcome, Verdict } from "./observation.ts";
import type { Tables } from "./tables.ts";
import { NONE } from "./verdict-id.ts";

/** A change after a longer pause counts as one after this. */
export const RAMP_PAUSE_MS = 1000;

/**
 * What one layer remembers: per tag its last value, per comparison since when it has been true, per rule when its messages were
 * forwarded and answered. Its size follows from the tables alone and never grows.
 */
export interface History {
  readonly tables: Tables;
  /** Last value by tag index; NaN: never seen. */
  readonly values: Float64Array;
  /** Since when the tag has that value, plant ms. */
  readonly valueSince: Float64Array;
  /** When the tag was seen last, plant ms; NaN: never. */
  readonly seenAt: Float64Array;
  /** By tag index: how much of the layer's slack its ramped changes have used up, plant ms. */
  readonly rampSpent: Float64Array;
  /** By comparison index: true since, plant ms; NaN: not true, or never seen. */
  readonly trueSince: Float64Array;
  /** By rule index: when a message was forwarded last, plant ms; -Infinity: never. */
  readonly forwardedAt: Float64Array;
  /** The times of the last messages of all rules with a rate, a ring for each; -Infinity: none yet. */
  readonly rateTimes: Float64Array;
  /** By rule index: the oldest time in its ring. */
  readonly rateNext: Int32Array;
  /** By rule index: when a message was answered with success last, plant ms; -Infinity: never. */
  readonly answeredAt: Float64Array;
  /** By rule index: how many were. */
  readonly answers: Float64Array;
  /** The times of the last answers of all rules that others follow `once`, a ring for each. */
  readonly answerTimes: Float64Array;
  /** By rule index, for rules that follow another `once`: how many of its answers permit nothing any more. */
  readonly used: Float64Array;
}

export function createHistory(tables: Tables): History {
  const { tags, comparisons, rules } = tables;
  const never = (size: number) => new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  const unknown = (size: number) => new Float64Array(size).fill(Number.NaN);
  return {
    tables,
    values: unknown(tags.size),
    valueSince: unknown(tags.size),
    seenAt: unknown(tags.size),
    rampSpent: new Float64Array(tags.size),
    trueSince: unknown(comparisons.size),
    forwardedAt: never(rules.length),
    rateTimes: never(rules.reduce((sum, { rateMost }) => sum + rateMost, 0)),
    rateNext: new Int32Array(rules.length),
    answeredAt: never(rules.length),
    answers: new Float64Array(rules.length),
    answerTimes: never(ANSWERS_KEPT * rules.filter(({ answersFrom }) => answersFrom !== NONE).length),
    used: new Float64Array(rules.length),
  };
}

/**
 * A tag's value was seen: in a read response, a scan, a `tags` message. A value that is no finite number makes the tag unknown
 * again. Tags that the plant does not have are ignored. A report is judged before its values are observed.
 */
export function observeTag(history: History, tag: TagId, value: number, nowMs: number): void {
  const compiled = history.tables.tags.get(tag);
  if (compiled === undefined) return;
  const { index } = compiled;
  const known = Number.isFinite(value) ? value + 0 : Number.NaN; // + 0: no negative zero
  const pauseMs = nowMs - (history.seenAt[index] ?? Number.NaN);
  history.seenAt[index] = nowMs;
  if (!Object.is(history.values[index], known)) {
    history.values[index] = known;
    history.valueSince[index] = nowMs;
  }
  for (const part of compiled.comparisons) {
    history.trueSince[part.index] = trueSince(history, part, known, pauseMs, nowMs);
  }
}

function trueSince(
  history: History,
  { index, comparison, breakMs }: CompiledComparison,
  value: number,
  pauseMs: number,
  nowMs: number,
): number {
  const before = history.trueSince[index] ?? Number.NaN;
  const held = !Number.isNaN(before) && !(pauseMs > breakMs);
  if (!compare(comparison, value, held)) return Number.NaN;
  return held ? before : nowMs;
}

/** The last value of a tag as seen here and since when it has it; undefined: never seen. */
export function lastSeen(history: History, tag: TagId): { value: number; sinceMs: number } | undefined {
  const index = history.tables.tags.get(tag)?.index ?? NONE;
  const value = history.values[index];
  const sinceMs = history.valueSince[index];
  return value === undefined || sinceMs === undefined || Number.isNaN(value) ? undefined : { value, sinceMs };
}

/** Whether a condition of this lifecycle holds by what was seen here. A condition of another lifecycle is unknown. */
export function conditionTruth(history: History, condition: Condition, nowMs: number): Truth {
  const compiled = compileCondition(condition, history.tables.comparisons, condition.forMs, AS_WRITTEN);
  return compiled === undefined ? "unknown" : compiledTruth(history, compiled, nowMs);
}

/** Whether every tag of a condition has been seen after this time. */
export function seenSince(history: History, condition: Condition, afterMs: number): boolean {
  return condition.all.every(({ tag }) => {
    const index = history.tables.tags.get(tag)?.index ?? NONE;
    return (history.seenAt[index] ?? Number.NaN) > afterMs;
  });
}

/** The same as `evaluate`, over the compiled form. Tests hold the two equal. */
export function compiledTruth(history: History, { parts, forMs, freshMs }: CompiledCondition, nowMs: number): Truth {
  let unknown = false;
  let sinceMs = Number.NEGATIVE_INFINITY;
  for (let n = 0; n < parts.length; n += 1) {
    const part = parts[n];
    if (part === undefined) continue;
    const since = history.trueSince[part.index] ?? Number.NaN;
    if (nowMs - (history.seenAt[part.tag] ?? Number.NaN) > freshMs) unknown = true;
    else if (!Number.isNaN(since)) sinceMs = Math.max(sinceMs, since);
    else if (Number.isNaN(history.values[part.tag] ?? Number.NaN)) unknown = true;
    else return "fails";
  }
  if (unknown) return "unknown";
  return nowMs - sinceMs >= forMs ? "holds" : "fails";
}

/**
 * Records what became of an observation. Called once for each outcome: first `forwarded`, later, where the layer sees answers,
 * `answered-ok` or `answered-error`. The PLC calls it with `forwarded` for a change it lets through, which there is the answer too.
 *
 * Cadence counts allowed messages that were forwarded, order those that were answered ok. A write that was answered ok, allowed
 * or not (monitor mode), is the last known value of its set-points and commands, a call that of its arguments. What was denied and
 * held back counts nothing.
 */
export function commit(
  history: History,
  observation: Observation,
  verdict: Verdict,
  outcome: Outcome,
  nowMs: number,
): void {
  const forwarded = outcome === "forwarded";
  const answered = outcome === "answered-ok" || (forwarded && history.tables.layer === "plc");
  if (verdict.verdict === "allow") {
    count(history, verdict.rule, forwarded, answered, nowMs);
    for (const rule of verdict.also ?? []) count(history, rule, forwarded, answered, nowMs);
  }
  const { operation, items } = observation;
  if (!answered || (operation !== "write" && operation !== "call")) return;
  if (verdict.verdict === "allow") {
    for (const [n, { tag, value }] of items.entries()) {
      // Of a tag that a message names twice, the last value stays.
      if (takesEffect(history, operation, tag) && !items.some((other, at) => at > n && other.tag === tag)) {
        spendRamp(history, verdict, tag, value, nowMs);
      }
    }
  }
  for (const { tag, value } of items) {
    if (value !== undefined && takesEffect(history, operation, tag)) observeTag(history, tag, value, nowMs);
  }
}

/** A written set-point or command has its value, and a method's argument that with which it was called. */
function takesEffect(history: History, operation: "write" | "call", tag: TagId | undefined): tag is TagId {
  const kind = tag === undefined ? undefined : history.tables.tags.get(tag)?.tag.kind;
  return operation === "write" ? kind === "set-point" || kind === "command" : kind === "argument";
}

/**
 * A ramp lets a change pass for the time since the one before, and for the layer's slack. The part that took of the slack is gone
 * until a slower change, or a pause, has given it back: else a stream of small changes would be given it anew with each.
 */
function spendRamp(history: History, allowed: Allow, tag: TagId, value: number | undefined, nowMs: number): void {
  const { tables, rampSpent, values, valueSince } = history;
  const index = tables.tags.get(tag)?.index ?? NONE;
  const change = Math.abs((value ?? Number.NaN) - (values[index] ?? Number.NaN));
  if (!(change > 0)) return;
  let spentMs = 0;
  for (const id of [allowed.rule, ...(allowed.also ?? [])]) {
    const { rule, slackMs } = tables.rules[tables.ruleIndex.get(id) ?? NONE] ?? { slackMs: 0 };
    const rampPerS = rule?.value?.rampPerS;
    if (slackMs === 0 || rampPerS === undefined || rule?.tags.includes(tag) !== true) continue;
    const ownMs = Math.min(RAMP_PAUSE_MS + slackMs, Math.max(0, nowMs - (valueSince[index] ?? Number.NaN)));
    const neededMs = (change / rampPerS) * 1000;
    spentMs = Math.max(spentMs, Math.min(slackMs, (rampSpent[index] ?? 0) + neededMs - ownMs));
  }
  rampSpent[index] = spentMs;
}

type Allow = Extract<Verdict, { readonly verdict: "allow" }>;

function count(history: History, id: RuleId, forwarded: boolean, answered: boolean, nowMs: number): void {
  const rule = history.tables.rules[history.tables.ruleIndex.get(id) ?? NONE];
  if (rule === undefined) return;
  if (forwarded) {
    countForwarded(history, rule, nowMs);
    useAnswer(history, rule, nowMs);
  }
  if (answered) countAnswered(history, rule, nowMs);
}

function countForwarded(history: History, { index, rateMost, rateFrom }: CompiledRule, nowMs: number): void {
  history.forwardedAt[index] = nowMs;
  if (rateMost === 0) return;
  const next = history.rateNext[index] ?? 0;
  history.rateTimes[rateFrom + next] = nowMs;
  history.rateNext[index] = (next + 1) % rateMost;
}

function countAnswered(history: History, { index, answersFrom }: CompiledRule, nowMs: number): void {
  const number = history.answers[index] ?? 0;
  if (answersFrom !== NONE) history.answerTimes[answersFrom + (number % ANSWERS_KEPT)] = nowMs;
  history.answeredAt[index] = nowMs;
  history.answers[index] = number + 1;
}

/** A message takes the oldest answer that may still permit it; the ones before that have run out of time for good. */
function useAnswer(history: History, { index, follows }: CompiledRule, nowMs: number): void {
  if (follows === undefined || !follows.once) return;
  const from = history.tables.rules[follows.rule]?.answersFrom ?? NONE;
  if (from === NONE) return;
  const answers = history.answers[follows.rule] ?? 0;
  let next = Math.max(history.used[index] ?? 0, answers - ANSWERS_KEPT);
  const at = (number: number) => history.answerTimes[from + (number % ANSWERS_KEPT)] ?? Number.NEGATIVE_INFINITY;
  while (next < answers && nowMs - at(next) > follows.withinMs) next += 1;
  history.used[index] = Math.min(next + 1, answers);
}

/**
 * Rules of which a message was forwarded, and the next one has not come within the period and its jitter. Whether the rule holds at
 * present is not asked.
 */
export function overdue(history: History, nowMs: number): readonly RuleId[] {
  return history.tables.rules
    .filter(({ index, overdueMs }) => {
      const at = history.forwardedAt[index] ?? Number.NEGATIVE_INFINITY;
      return at !== Number.NEGATIVE_INFINITY && nowMs - at > overdueMs;
    })
    .map(({ rule }) => rule.id);
}
