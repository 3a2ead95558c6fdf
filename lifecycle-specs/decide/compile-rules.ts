import type { RuleId } from "../ids.ts";
import {
  type CadenceRule,
  type CausalityRule,
  type Condition,
  type Lifecycle,
  OPERATIONS,
  type Rule,
} from "../lifecycle.ts";
import { type Slack, slackOf } from "../slack.ts";
import { type Comparisons, type CompiledCondition, compileCondition } from "./compile-tags.ts";
import type { Layer } from "./observation.ts";
import { NONE } from "./verdict-id.ts";

type Indices = ReadonlyMap<RuleId, number>;

/** What is asked of a rule less often than its bounds: see `RuleBounds`. Times are with the layer's slack. */
export interface CompiledRule {
  /** Place in the order of judgement, and index into the history. */
  readonly index: number;
  readonly rule: Rule;
  readonly safety: boolean;
  /** By how much more widely this layer judges the time between two of its messages, plant ms. */
  readonly slackMs: number;
  /** Messages that the rate lets pass at once; 0: there is no rate. Their times lie in the history from `rateFrom` on. */
  readonly rateMost: number;
  readonly rateFrom: number;
  /** Time since the message before after which the next one is overdue; Infinity: no period. */
  readonly overdueMs: number;
  readonly after: CompiledCondition | undefined;
  readonly notWhile: CompiledCondition | undefined;
  readonly follows: CompiledFollows | undefined;
  readonly apart: CompiledApart | undefined;
  /** Where the times of its answers lie in the history; -1: no rule follows this one `once`. */
  readonly answersFrom: number;
}

interface CompiledFollows {
  /** Index of the rule that must have been answered; -1: this layer never sees it. */
  readonly rule: number;
  readonly withinMs: number;
  readonly once: boolean;
}

interface CompiledApart {
  readonly rules: readonly number[];
  readonly withinMs: number;
}

/** Answers of one rule that are remembered for rules that follow it `once`: of more than these only the newest permit a message. */
export const ANSWERS_KEPT = 32;

/** Every rule of the lifecycle once, in the order of the file. Generated containments have the rules of their origins. */
export function rulesOf(lifecycle: Lifecycle): readonly Rule[] {
  const found = new Map<RuleId, Rule>();
  const add = (rules: readonly Rule[]) => {
    for (const rule of rules) if (!found.has(rule.id)) found.set(rule.id, rule);
  };
  add(lifecycle.rules);
  for (const phase of lifecycle.phases) {
    if (phase.mask !== undefined) continue;
    add(phase.rules);
    for (const step of phase.steps) add(step.rules);
  }
  return [...found.values()];
}

/** Whether the layer has a say in a rule. The PLC sees its variables change and its program's outputs, nothing else. */
function isJudgedBy(layer: Layer, rule: Rule): boolean {
  if (layer === "plc") return rule.operation === "write" || rule.operation === "output";
  return rule.operation !== "output";
}

/**
 * The rules that the layer judges, safety rules first, else in the order of the file. That is the order in which several rules that fit
 * are asked, in every position.
 */
export function inOrder(layer: Layer, rules: readonly Rule[]): readonly Rule[] {
  const judged = rules.filter((rule) => isJudgedBy(layer, rule));
  return [...judged.filter(({ safety }) => safety), ...judged.filter(({ safety }) => !safety)];
}

/** @param ordered in the order of judgement; `indices` has their places in it */
export function compileRules(
  layer: Layer,
  skewMs: number,
  ordered: readonly Rule[],
  indices: Indices,
  comparisons: Comparisons,
): readonly CompiledRule[] {
  const followed = new Set(ordered.map(({ causality }) => (causality?.follows?.once ? causality.follows.rule : "")));
  const slacks = new Map(OPERATIONS.map((operation) => [operation, slackOf(layer, skewMs, operation)]));
  let rateFrom = 0;
  let answersFrom = 0;
  return ordered.map((rule, index) => {
    const { messageMs, answerMs } = slacks.get(rule.operation) ?? NO_SLACK;
    const { rate, period } = rule.cadence ?? NOTHING;
    const { after, notWhile, follows, apart } = rule.causality ?? NOTHING;
    const isFollowed = followed.has(rule.id);
    const compiled: CompiledRule = {
      index,
      rule,
      safety: rule.safety,
      slackMs: messageMs,
      rateMost: rate?.most ?? 0,
      rateFrom,
      overdueMs: period === undefined ? Number.POSITIVE_INFINITY : period.everyMs + period.jitterMs + messageMs,
      after: compileAfter(rule, after, comparisons, messageMs, answerMs),
      notWhile: compileNotWhile(rule, notWhile, comparisons, answerMs),
      follows: layer === "plc" ? undefined : compileFollows(follows, answerMs, indices),
      apart: layer === "plc" ? undefined : compileApart(apart, messageMs, indices),
      answersFrom: isFollowed ? answersFrom : NONE,
    };
    rateFrom += compiled.rateMost;
    if (isFollowed) answersFrom += ANSWERS_KEPT;
    return compiled;
  });
}

const NOTHING: Partial<CadenceRule & CausalityRule> = {};
const NO_SLACK: Slack = { messageMs: 0, answerMs: 0 };

function compileAfter(
  rule: Rule,
  after: Condition | undefined,
  comparisons: Comparisons,
  messageMs: number,
  answerMs: number,
): CompiledCondition | undefined {
  if (after === undefined) return undefined;
  const forMs = Math.max(0, after.forMs - messageMs);
  return declared(rule, compileCondition(after, comparisons, forMs, { slackMs: answerMs, breaks: true }));
}

/** What need not have held for any time counts at once. */
function compileNotWhile(
  rule: Rule,
  notWhile: Condition | undefined,
  comparisons: Comparisons,
  answerMs: number,
): CompiledCondition | undefined {
  if (notWhile === undefined) return undefined;
  const forMs = notWhile.forMs === 0 ? 0 : notWhile.forMs + answerMs;
  return declared(rule, compileCondition(notWhile, comparisons, forMs, { slackMs: answerMs, breaks: false }));
}

function declared({ id }: Rule, condition: CompiledCondition | undefined): CompiledCondition {
  if (condition !== undefined) return condition;
  throw new Error(`unreachable: the causality of rule \`${id}\` names a tag that the plant does not have`);
}

function compileFollows(
  follows: CausalityRule["follows"],
  slack: number,
  indices: Indices,
): CompiledFollows | undefined {
  if (follows === undefined) return undefined;
  const { rule, withinMs, once } = follows;
  return { rule: indices.get(rule) ?? NONE, withinMs: withinMs + slack, once };
}

function compileApart(apart: CausalityRule["apart"], slack: number, indices: Indices): CompiledApart | undefined {
  if (apart === undefined) return undefined;
  const rules = apart.rules.flatMap((id) => indices.get(id) ?? []);
  return { rules, withinMs: Math.max(0, apart.withinMs - slack) };
}
