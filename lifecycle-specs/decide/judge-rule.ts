import type { History } from "./history.ts";
import { compiledTruth, isTooOften } from "./history.ts";
import type { ObservedItem } from "./observation.ts";
import type { ReasonCode } from "./reasons.ts";
import type { CompiledRule, CompiledTag } from "./tables.ts";

/** Why an item, or a whole message, is not allowed. Words are made from it only once it has become the verdict. */
export interface Failure {
  readonly reason: ReasonCode;
  /** The rule that matched who and what, where one did. */
  readonly rule: CompiledRule | undefined;
  /** Index of the item, -1: the whole message. */
  readonly item: number;
  /** How far the judgement came: the larger, the closer to being allowed. */
  readonly rank: number;
  /** The bound that was passed, or the reference of a step. */
  readonly bound?: number;
}

/** Ranks in the order of judgement. */
export const RANK = { NOT_MATCHED: 0, VALUE: 1, STEP: 2, CADENCE: 3, CAUSE: 4 } as const;

/** value, then largest step, then cadence, then causality. Safety rules know neither cadence nor causality. */
export function judgeRule(
  rule: CompiledRule,
  tag: CompiledTag | undefined,
  item: ObservedItem | undefined,
  index: number,
  history: History,
  nowMs: number,
): Failure | undefined {
  const fail = (reason: ReasonCode, rank: number, bound?: number): Failure =>
    bound === undefined ? { reason, rule, item: index, rank } : { reason, rule, item: index, rank, bound };
  if (tag !== undefined && item !== undefined && carriesValue(rule)) {
    const failure = judgeValue(rule, tag, item.value, history, fail);
    if (failure !== undefined) return failure;
  }
  if (rule.rule.safety) return undefined;
  if (isTooOften(history, rule, nowMs)) return fail("TOO_OFTEN", RANK.CADENCE);
  if (rule.cause === undefined) return undefined;
  const truth = compiledTruth(history, rule.cause, nowMs);
  if (truth === "holds") return undefined;
  return fail(truth === "fails" ? "CAUSE_MISSING" : "CAUSE_UNKNOWN", RANK.CAUSE);
}

type Fail = (reason: ReasonCode, rank: number, bound?: number) => Failure;

/** The tag's own range bounds every written value, also where the rule gives no bounds. */
function judgeValue(
  { rule }: CompiledRule,
  { tag, tolerance, index }: CompiledTag,
  value: number | undefined,
  history: History,
  fail: Fail,
): Failure | undefined {
  if (value === undefined || !Number.isFinite(value)) return fail("TYPE_MISMATCH", RANK.VALUE);
  const { min, max, oneOf, maxStep } = rule.value ?? {};
  const low = Math.max(min ?? tag.range[0], tag.range[0]);
  const high = Math.min(max ?? tag.range[1], tag.range[1]);
  if (value < low - tolerance) return fail("VALUE_BELOW", RANK.VALUE, low);
  if (value > high + tolerance) return fail("VALUE_ABOVE", RANK.VALUE, high);
  if (oneOf !== undefined && !oneOf.some((listed) => Math.abs(listed - value) <= tolerance)) {
    return fail("VALUE_NOT_LISTED", RANK.VALUE);
  }
  if (maxStep === undefined) return undefined;
  const reference = history.values[index] ?? Number.NaN;
  if (Number.isNaN(reference)) return fail("STEP_REFERENCE_UNKNOWN", RANK.STEP);
  if (Math.abs(value - reference) > maxStep + tolerance) return fail("STEP_TOO_LARGE", RANK.STEP, reference);
  return undefined;
}

function carriesValue({ rule }: CompiledRule): boolean {
  return (
    rule.operation === "write" || rule.operation === "output" || (rule.operation === "call" && rule.value !== undefined)
  );
}

/** The failure that came closest: further along the items, then further in the judgement, then the earlier one. */
export function closer(a: Failure | undefined, b: Failure): Failure {
  if (a === undefined) return b;
  if (a.item !== b.item) return b.item > a.item ? b : a;
  return b.rank > a.rank ? b : a;
}
