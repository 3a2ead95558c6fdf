import { compare, type Truth } from "../conditions.ts";
import type { RuleId, TagId } from "../ids.ts";
import type { Condition } from "../lifecycle.ts";
import type { Observation, Outcome, Verdict } from "./observation.ts";
import { type CompiledCondition, type CompiledRule, compileCondition, type Tables } from "./tables.ts";

/**
 * What one layer remembers: per tag its last value, per comparison since when it has been true, per rule the times of the last
 * messages forwarded. Its size follows from the tables alone and never grows.
 */
export interface History {
  readonly tables: Tables;
  /** Last value by tag index; NaN: never seen. */
  readonly values: Float64Array;
  /** Since when the tag has that value, plant ms. */
  readonly valueSince: Float64Array;
  /** When the tag was seen last, plant ms; NaN: never. */
  readonly seenAt: Float64Array;
  /** By comparison index: true since, plant ms; NaN: not true, or never seen. */
  readonly trueSince: Float64Array;
  /** By rule index; undefined where the rule has no cadence. */
  readonly forwarded: readonly (Ring | undefined)[];
}

/** The last `times.length` times, the oldest at `next`. */
interface Ring {
  readonly times: Float64Array;
  next: number;
}

export function createHistory(tables: Tables): History {
  return {
    tables,
    values: new Float64Array(tables.tags.size).fill(Number.NaN),
    valueSince: new Float64Array(tables.tags.size).fill(Number.NaN),
    seenAt: new Float64Array(tables.tags.size).fill(Number.NaN),
    trueSince: new Float64Array(tables.comparisons.size).fill(Number.NaN),
    forwarded: [...tables.rules.values()].map(createRing),
  };
}

function createRing({ rule }: CompiledRule): Ring | undefined {
  if (rule.cadence === undefined) return undefined;
  return { times: new Float64Array(rule.cadence.most).fill(Number.NEGATIVE_INFINITY), next: 0 };
}

/**
 * A tag's value was seen: in a read response, a scan, a `tags` message. A value that is no finite number makes the tag unknown
 * again. Tags that the plant does not have are ignored.
 */
export function observeTag(history: History, tag: TagId, value: number, nowMs: number): void {
  const compiled = history.tables.tags.get(tag);
  if (compiled === undefined) return;
  const known = Number.isFinite(value) ? value + 0 : Number.NaN; // + 0: no negative zero
  history.seenAt[compiled.index] = nowMs;
  if (!Object.is(history.values[compiled.index], known)) {
    history.values[compiled.index] = known;
    history.valueSince[compiled.index] = nowMs;
  }
  for (const { index, comparison } of compiled.comparisons) {
    if (!compare(comparison, known)) history.trueSince[index] = Number.NaN;
    else if (Number.isNaN(history.trueSince[index])) history.trueSince[index] = nowMs;
  }
}

/** The last value of a tag as seen here and since when it has it; undefined: never seen. */
export function lastSeen(history: History, tag: TagId): { value: number; sinceMs: number } | undefined {
  const index = history.tables.tags.get(tag)?.index ?? -1;
  const value = history.values[index];
  const sinceMs = history.valueSince[index];
  return value === undefined || sinceMs === undefined || Number.isNaN(value) ? undefined : { value, sinceMs };
}

/** Whether a condition of this lifecycle holds by what was seen here. A condition of another lifecycle is unknown. */
export function conditionTruth(history: History, condition: Condition, nowMs: number): Truth {
  const compiled = compileCondition(condition, history.tables.comparisons);
  return compiled === undefined ? "unknown" : compiledTruth(history, compiled, nowMs);
}

/** Whether every tag of a condition has been seen after this time. */
export function seenSince(history: History, condition: Condition, afterMs: number): boolean {
  return condition.all.every(({ tag }) => {
    const index = history.tables.tags.get(tag)?.index ?? -1;
    return (history.seenAt[index] ?? Number.NaN) > afterMs;
  });
}

/** The same as `evaluate`, over the compiled form. Tests hold the two equal. */
export function compiledTruth(history: History, { condition, parts }: CompiledCondition, nowMs: number): Truth {
  let unknown = false;
  let sinceMs = Number.NEGATIVE_INFINITY;
  for (const { index, tag } of parts) {
    const since = history.trueSince[index] ?? Number.NaN;
    if (!Number.isNaN(since)) sinceMs = Math.max(sinceMs, since);
    else if (Number.isNaN(history.values[tag.index] ?? Number.NaN)) unknown = true;
    else return "fails";
  }
  if (unknown) return "unknown";
  return nowMs - sinceMs >= condition.forMs ? "holds" : "fails";
}

/** Whether one more message now would exceed the rule's rate: the window is (now − perMs, now]. */
export function isTooOften(history: History, { index, rule }: CompiledRule, nowMs: number): boolean {
  const ring = history.forwarded[index];
  if (ring === undefined || rule.cadence === undefined) return false;
  const oldest = ring.times[ring.next] ?? Number.NEGATIVE_INFINITY;
  return nowMs - oldest < rule.cadence.perMs;
}

/**
 * Records what became of an observation. Called once for each outcome: first `forwarded`, later, where the layer sees answers,
 * `answered-ok` or `answered-error`. The PLC calls it with `forwarded` for a change it lets through.
 *
 * Cadence counts allowed messages that were forwarded. A write that was answered ok, allowed or not (monitor mode), is the last
 * known value of its set-points and commands. What was denied and held back counts nothing.
 */
export function commit(
  history: History,
  observation: Observation,
  verdict: Verdict,
  outcome: Outcome,
  nowMs: number,
): void {
  if (outcome === "forwarded" && verdict.verdict === "allow") {
    countForwarded(history, verdict.rule, nowMs);
    for (const rule of verdict.also ?? []) countForwarded(history, rule, nowMs);
  }
  if (outcome !== "answered-ok" || observation.operation !== "write") return;
  for (const { tag, value } of observation.items) {
    if (tag === undefined || value === undefined) continue;
    const kind = history.tables.tags.get(tag)?.tag.kind;
    if (kind === "set-point" || kind === "command") observeTag(history, tag, value, nowMs);
  }
}

function countForwarded(history: History, id: RuleId, nowMs: number): void {
  const rule = history.tables.rules.get(id);
  const ring = rule === undefined ? undefined : history.forwarded[rule.index];
  if (ring === undefined) return;
  ring.times[ring.next] = nowMs;
  ring.next = (ring.next + 1) % ring.times.length;
}
