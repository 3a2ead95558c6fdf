import type { Layer } from "../decide/observation.ts";
import type { RuleId } from "../ids.ts";
import type { Comparison, Condition, Rule } from "../lifecycle.ts";
import { RATE_LIMIT_MS } from "../mask.ts";
import type { Mode } from "../plant.ts";
import { type Slack, slackOf } from "../slack.ts";
import { looserMessage, type MessageLimitName, type MessageLimits, messageLimitsOf } from "./form-limits.ts";

/**
 * What a rule asks for besides who, what and which value, as one layer judges it: slack is taken into account, and what the layer
 * does not judge is absent. Plant ms; engineering units.
 */
export interface Limits extends MessageLimits {
  readonly mode: Mode;
  readonly maxStep?: number;
  /** Engineering units per second, and the ms by which a pause is taken to be longer than it was. */
  readonly ramp?: { readonly perS: number; readonly slackMs: number };
  readonly staleMs?: number;
  /** At most `most` messages in any `perMs`; all of them hold. */
  readonly rates: readonly Rate[];
  readonly after?: Condition;
  readonly notWhile?: Condition;
  readonly follows?: { readonly rule: RuleId; readonly withinMs: number; readonly once: boolean };
  readonly apart?: { readonly rules: readonly RuleId[]; readonly withinMs: number };
}

export interface Rate {
  readonly most: number;
  readonly perMs: number;
}

/** A rule's limits at one layer. `limited`: a `rate-limit` mask lies over it. Safety rules have only their bounds on the value. */
export function limitsOf(rule: Rule, layer: Layer, skewMs: number, limited = false): Limits {
  const slack = slackOf(layer, skewMs, rule.operation);
  const slackMs = slack.messageMs;
  const { value, mode, safety } = rule;
  const bounds = {
    mode,
    ...messageLimitsOf(rule, layer),
    ...(value?.maxStep === undefined ? {} : { maxStep: value.maxStep }),
    ...(value?.rampPerS === undefined ? {} : { ramp: { perS: value.rampPerS, slackMs } }),
    ...(value?.staleMs === undefined ? {} : { staleMs: value.staleMs }),
  };
  if (safety) return { ...bounds, rates: [] };
  return { ...bounds, rates: ratesOf(rule, slackMs, limited), ...causesOf(rule, layer, slack) };
}

function ratesOf({ cadence }: Rule, slackMs: number, limited: boolean): readonly Rate[] {
  const rate = cadence?.rate;
  const period = cadence?.period;
  return [
    ...(rate === undefined ? [] : [{ most: rate.most, perMs: rate.perMs - slackMs }]),
    ...(period === undefined ? [] : [{ most: 1, perMs: period.everyMs - period.jitterMs - slackMs }]),
    ...(limited ? [{ most: 1, perMs: RATE_LIMIT_MS - slackMs }] : []),
  ].filter(({ perMs }) => perMs > 0);
}

/** The PLC layer sees changes and no messages: order and distance of messages are not judged there. */
function causesOf({ causality }: Rule, layer: Layer, { messageMs, answerMs }: Slack): Partial<Limits> {
  if (causality === undefined) return {};
  const { after, notWhile, follows, apart } = causality;
  const seesMessages = layer !== "plc";
  return {
    ...(after === undefined ? {} : { after: { ...after, forMs: Math.max(0, after.forMs - messageMs) } }),
    ...(notWhile === undefined ? {} : { notWhile: { ...notWhile, forMs: notWhile.forMs } }),
    ...(follows === undefined || !seesMessages
      ? {}
      : { follows: { ...follows, withinMs: follows.withinMs + answerMs } }),
    ...(apart === undefined || !seesMessages
      ? {}
      : { apart: { ...apart, withinMs: Math.max(0, apart.withinMs - messageMs) } }),
  };
}

/** One part of the limits, in the words that a reader knows from the file. */
export type LimitName =
  | MessageLimitName
  | "mode"
  | "maxStep"
  | "ramp"
  | "stale"
  | "cadence"
  | "after"
  | "notWhile"
  | "follows"
  | "apart";

/**
 * The limits of `wide` that `narrow` does not keep by itself. Empty: whatever `narrow` allows, `wide` allows. A mode in which nothing is
 * blocked makes no limit wider: another rule that denies more closely decides what follows.
 */
export function looser(narrow: Limits, wide: Limits): readonly LimitName[] {
  const loose: Readonly<Record<LimitName, boolean>> = {
    mode: narrow.mode !== "enforce" && wide.mode === "enforce",
    ...looserMessage(narrow, wide),
    maxStep: exceeds(narrow.maxStep, wide.maxStep),
    ramp: wide.ramp !== undefined && !isRampWithin(narrow, wide.ramp),
    stale: exceeds(narrow.staleMs, wide.staleMs),
    cadence: !wide.rates.every((rate) => narrow.rates.some((own) => isRateWithin(own, rate))),
    after: wide.after !== undefined && (narrow.after === undefined || !implies(narrow.after, wide.after)),
    notWhile:
      wide.notWhile !== undefined && (narrow.notWhile === undefined || !implies(wide.notWhile, narrow.notWhile)),
    follows: wide.follows !== undefined && !followsWithin(narrow.follows, wide.follows),
    apart: wide.apart !== undefined && !apartWithin(narrow.apart, wide.apart),
  };
  const names: readonly LimitName[] = [
    "mode",
    "roles",
    "functions",
    "quantity",
    "files",
    "objects",
    "maxStep",
    "ramp",
    "stale",
    "cadence",
    "after",
    "notWhile",
    "follows",
    "apart",
  ];
  return names.filter((name) => loose[name]);
}

function exceeds(narrow: number | undefined, wide: number | undefined): boolean {
  return wide !== undefined && (narrow === undefined || narrow > wide);
}

function isRampWithin({ ramp }: Limits, wide: { readonly perS: number; readonly slackMs: number }): boolean {
  return ramp !== undefined && ramp.perS <= wide.perS && ramp.slackMs <= wide.slackMs;
}

/** `most` in `perMs` gives at most `most × ⌈longer / perMs⌉` in a longer time. */
function isRateWithin(narrow: Rate, wide: Rate): boolean {
  return narrow.most * Math.ceil(wide.perMs / narrow.perMs) <= wide.most;
}

/** Whether `cause` holding means that `effect` holds. Parts with hysteresis hold on until they pass their release. */
export function implies(cause: Condition, effect: Condition): boolean {
  if (cause.forMs < effect.forMs) return false;
  if (effect.freshMs !== undefined && (cause.freshMs === undefined || cause.freshMs > effect.freshMs)) return false;
  return effect.all.every((part) => cause.all.some((own) => impliesPart(own, part)));
}

function impliesPart(cause: Comparison, effect: Comparison): boolean {
  if (cause.tag !== effect.tag) return false;
  if (cause.test === effect.test && cause.value === effect.value && cause.release === effect.release) return true;
  // What the tag surely is while the cause holds, against the value at which the effect becomes true.
  const sure = cause.release ?? cause.value;
  if (effect.test === "at-least") return cause.test !== "at-most" && sure >= effect.value;
  if (effect.test === "at-most") return cause.test !== "at-least" && sure <= effect.value;
  return cause.test === "is" && sure === effect.value;
}

function followsWithin(narrow: Limits["follows"], wide: NonNullable<Limits["follows"]>): boolean {
  if (narrow === undefined || narrow.rule !== wide.rule) return false;
  return narrow.withinMs <= wide.withinMs && (narrow.once || !wide.once);
}

function apartWithin(narrow: Limits["apart"], wide: NonNullable<Limits["apart"]>): boolean {
  if (wide.withinMs === 0) return true;
  if (narrow === undefined || narrow.withinMs < wide.withinMs) return false;
  return wide.rules.every((rule) => narrow.rules.includes(rule));
}
