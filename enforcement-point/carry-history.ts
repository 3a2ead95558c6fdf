import { isDeepStrictEqual } from "node:util";
import { compare } from "#specs/conditions.ts";
import { ANSWERS_KEPT, type CompiledRule } from "#specs/decide/compile-rules.ts";
import { createHistory, type History } from "#specs/decide/history.ts";
import type { Observation, Verdict } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { NONE } from "#specs/decide/verdict-id.ts";
import type { RuleId, TagId } from "#specs/ids.ts";

/*
 * What a point remembers when another bundle takes the place of its own. What limits is kept as long as it is about the same messages;
 * what permits is kept only where nothing has changed but the words: a new bundle must not let pass by forgetting, or by mistaking
 * one thing for another.
 */

/** A tag is the same when its value is found in the same place and means the same: device, kind, unit, bindings. */
function isSameTag(before: Tables, after: Tables, id: TagId): boolean {
  const [old, now] = [before.tags.get(id)?.tag, after.tags.get(id)?.tag];
  if (old === undefined || now === undefined) return false;
  const place = ({ kind, device, unit, modbus, opcua }: typeof old) => ({ kind, device, unit, modbus, opcua });
  return isDeepStrictEqual(place(old), place(now));
}

/** The same rule of both tables in all but its words and its mode, and each of its tags the same. */
function isSameRule(before: Tables, after: Tables, id: RuleId): boolean {
  return (
    isSameDeed(before, after, id) && (ruleOf(after, id)?.rule.tags ?? []).every((tag) => isSameTag(before, after, tag))
  );
}

function isSameDeed(before: Tables, after: Tables, id: RuleId): boolean {
  const [old, now] = [ruleOf(before, id)?.rule, ruleOf(after, id)?.rule];
  if (old === undefined || now === undefined) return false;
  return isDeepStrictEqual({ ...old, says: "", mode: "enforce" }, { ...now, says: "", mode: "enforce" });
}

/** What a message that was judged by other tables counts for under these: the rules and tags that are the same. */
export function carriedOver(
  { observation, verdict }: { readonly observation: Observation; readonly verdict: Verdict },
  before: Tables,
  after: Tables,
): { readonly observation: Observation; readonly verdict: Verdict } {
  const items = observation.items.filter(({ tag }) => tag === undefined || isSameTag(before, after, tag));
  return { observation: { ...observation, items }, verdict: carriedVerdict(verdict, before, after) };
}

function carriedVerdict(verdict: Verdict, before: Tables, after: Tables): Verdict {
  if (verdict.verdict === "deny") return verdict;
  const [rule, ...also] = [verdict.rule, ...(verdict.also ?? [])].filter((id) => isSameRule(before, after, id));
  if (rule !== undefined) return { verdict: "allow", rule, safety: verdict.safety, also };
  // It passed, and no rule that is there now counts it: as what monitor mode lets pass.
  const says = "the rule that allowed it is not in the present bundle";
  return { verdict: "deny", reason: "NO_RULE", rule: undefined, item: NONE, mode: "monitor", says };
}

/** A history for other tables that goes on from one for these. */
export function carryHistory(before: History, tables: Tables): History {
  const after = createHistory(tables);
  const tags = new Set([...tables.tags.keys()].filter((id) => isSameTag(before.tables, tables, id)));
  const isSame = ({ rule }: CompiledRule) =>
    isSameDeed(before.tables, tables, rule.id) && rule.tags.every((tag) => tags.has(tag));
  const same = new Set(tables.rules.filter(isSame).map(({ index }) => index));
  carryTags(before, after, tags);
  carryTruths(before, after);
  for (const rule of tables.rules) carrySent(before, after, rule, same);
  for (const rule of tables.rules) carryAnswers(before, after, rule, same);
  for (const rule of tables.rules) carryUse(before, after, rule, same);
  return after;
}

/** Indices of the rules that are the same, in the tables that come after. */
type SameRules = ReadonlySet<number>;

/** Of the same tags the last value, since when, when seen, and the ramp's slack that is used up. The others are unknown. */
function carryTags(before: History, after: History, same: ReadonlySet<TagId>): void {
  for (const id of same) {
    const from = before.tables.tags.get(id)?.index ?? NONE;
    const to = after.tables.tags.get(id)?.index ?? NONE;
    for (const what of ["values", "valueSince", "seenAt", "rampSpent"] as const)
      copy(before[what], from, after[what], to);
  }
}

/**
 * A comparison that was there before is true since then. A new one is by the tag's last value: since the tag has it, or where pauses
 * break it, since the last reading. It must not count as false, for what must not hold would be taken not to.
 */
function carryTruths(before: History, after: History): void {
  for (const [key, { index: to, comparison, breakMs, tag }] of after.tables.comparisons) {
    const from = before.tables.comparisons.get(key)?.index;
    const value = after.values[tag] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    if (from !== undefined) copy(before.trueSince, from, after.trueSince, to);
    else if (compare(comparison, value)) {
      copy(breakMs === Number.POSITIVE_INFINITY ? after.valueSince : after.seenAt, tag, after.trueSince, to);
    }
  }
}

/** When messages were forwarded: limits rates and periods, and keeps rules apart. Kept where the rule is about the same messages. */
function carrySent(before: History, after: History, now: CompiledRule, same: SameRules): void {
  const { rule, index: to, rateFrom, rateMost } = now;
  const old = ruleOf(before.tables, rule.id);
  if (old === undefined || !(same.has(to) || isAboutTheSame(old.rule, rule))) return;
  copy(before.forwardedAt, old.index, after.forwardedAt, to);
  if (rateMost === 0) return;
  const times = sentTimes(before, old).slice(-rateMost);
  after.rateTimes.set(times, rateFrom);
  after.rateNext[to] = times.length % rateMost;
}

/** Oldest first. Of a rule without a rate, the last one. */
function sentTimes(history: History, { index, rateFrom, rateMost }: CompiledRule): readonly number[] {
  const next = history.rateNext[index] ?? 0;
  const ring = Array.from({ length: rateMost }, (_, n) => history.rateTimes[rateFrom + ((next + n) % rateMost)]);
  return (rateMost === 0 ? [history.forwardedAt[index]] : ring).filter(isTime);
}

function isTime(ms: number | undefined): ms is number {
  return ms !== undefined && Number.isFinite(ms);
}

/** Who, what and whom: which messages count for a rule, whatever it asks of them. */
function isAboutTheSame(a: CompiledRule["rule"], b: CompiledRule["rule"]): boolean {
  const subject = ({ operation, from, targets, tags, raw }: typeof a) => ({ operation, from, targets, tags, raw });
  return isDeepStrictEqual(subject(a), subject(b));
}

/** When messages were answered with success: permits what must follow. Kept where the rule is the same. */
function carryAnswers(before: History, after: History, now: CompiledRule, same: SameRules): void {
  const { rule, index: to, answersFrom } = now;
  const old = ruleOf(before.tables, rule.id);
  if (old === undefined || !same.has(to)) return;
  copy(before.answeredAt, old.index, after.answeredAt, to);
  copy(before.answers, old.index, after.answers, to);
  if (answersFrom === NONE || old.answersFrom === NONE) return;
  after.answerTimes.set(before.answerTimes.subarray(old.answersFrom, old.answersFrom + ANSWERS_KEPT), answersFrom);
}

/** How many answers of the rule before permit nothing more: all of them, for a rule that did not follow it `once` before. */
function carryUse(before: History, after: History, now: CompiledRule, same: SameRules): void {
  const { rule, index: to, follows } = now;
  // Answers that begin anew have permitted nothing yet.
  if (follows?.once !== true || !same.has(follows.rule)) return;
  const followed = after.tables.rules[follows.rule]?.rule.id;
  const old = ruleOf(before.tables, rule.id);
  const oldFollows = old?.rule.causality?.follows;
  const asBefore = oldFollows?.once === true && oldFollows.rule === followed;
  if (asBefore && old !== undefined) copy(before.used, old.index, after.used, to);
  else copy(after.answers, follows.rule, after.used, to);
}

function ruleOf({ rules, ruleIndex }: Tables, id: RuleId): CompiledRule | undefined {
  return rules[ruleIndex.get(id) ?? NONE];
}

function copy(from: Float64Array, at: number, to: Float64Array, index: number): void {
  to[index] = from[at] ?? Number.NaN;
}
