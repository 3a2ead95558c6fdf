import type { Layer } from "../decide/observation.ts";
import type { CausalityRule, Condition, Rule } from "../lifecycle.ts";
import { type Slack, slackOf } from "../slack.ts";

/** How often one layer lets a rule's messages pass, and how much later than due it takes for late; plant ms. */
export interface LayerCadence {
  /** At most `most` forwarded messages in any `perMs`. Of a safety rule: what is beyond is reported, not denied. */
  readonly rate?: { readonly most: number; readonly perMs: number };
  /** No message sooner than `leastMs` after the one before; none for `mostMs` is reported as missed. */
  readonly period?: { readonly leastMs: number; readonly mostMs: number };
}

/** The times of a rule with the numbers by which one layer judges them. */
export interface LayerTiming {
  readonly cadence?: LayerCadence;
  readonly causality?: CausalityRule;
  /** Of a `report`: a value that has not changed for longer is stale, plant ms. */
  readonly staleMs?: number;
}

/**
 * What a layer makes of a rule's times. Safety rules know no causality and no period, and their rate is only reported. The PLC
 * sees changes and not messages: the order of messages is not its to judge.
 */
export function timingAt(layer: Layer, skewMs: number, rule: Rule): LayerTiming {
  const slack = slackOf(layer, skewMs, rule.operation);
  const cadence = cadenceAt(slack.messageMs, rule);
  const causality = rule.safety ? undefined : causalityAt(layer, slack, rule.causality);
  const staleMs = rule.value?.staleMs;
  return {
    ...(cadence === undefined ? {} : { cadence }),
    ...(causality === undefined ? {} : { causality }),
    ...(staleMs === undefined ? {} : { staleMs: staleMs + slack.messageMs }),
  };
}

function cadenceAt(slackMs: number, { cadence, safety }: Rule): LayerCadence | undefined {
  const rate = cadence?.rate;
  const period = safety ? undefined : cadence?.period;
  if (rate === undefined && period === undefined) return undefined;
  return {
    ...(rate === undefined ? {} : { rate: { most: rate.most, perMs: Math.max(0, rate.perMs - slackMs) } }),
    ...(period === undefined
      ? {}
      : {
          period: {
            leastMs: Math.max(0, period.everyMs - period.jitterMs - slackMs),
            mostMs: period.everyMs + period.jitterMs + slackMs,
          },
        }),
  };
}

function causalityAt(
  layer: Layer,
  { messageMs, answerMs }: Slack,
  causality: CausalityRule | undefined,
): CausalityRule | undefined {
  if (causality === undefined) return undefined;
  const { after, notWhile } = causality;
  const { follows, apart } = layer === "plc" ? {} : causality;
  const judged: CausalityRule = {
    ...(after === undefined ? {} : { after: conditionAt(after, Math.max(0, after.forMs - messageMs), answerMs) }),
    ...(notWhile === undefined
      ? {}
      : { notWhile: conditionAt(notWhile, notWhile.forMs === 0 ? 0 : notWhile.forMs + answerMs, answerMs) }),
    ...(follows === undefined ? {} : { follows: { ...follows, withinMs: follows.withinMs + answerMs } }),
    ...(apart === undefined ? {} : { apart: { ...apart, withinMs: Math.max(0, apart.withinMs - messageMs) } }),
  };
  return Object.keys(judged).length === 0 ? undefined : judged;
}

function conditionAt({ all, freshMs }: Condition, forMs: number, slackMs: number): Condition {
  return { all, forMs, ...(freshMs === undefined ? {} : { freshMs: freshMs + slackMs }) };
}
