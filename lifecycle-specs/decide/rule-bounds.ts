import { OPERATIONS, type Rule } from "../lifecycle.ts";
import { RATE_LIMIT_MS } from "../mask.ts";
import { slackOf } from "../slack.ts";
import type { Layer } from "./observation.ts";

/**
 * What judging most messages needs of a rule, in two arrays that lie close in memory: one word of flags, and one cache line of
 * bounds. The rule itself is looked at only where a flag says that there is more to it.
 */
export interface RuleBounds {
  /** By rule index: a union of `FLAG`. */
  readonly flags: Int32Array;
  /** By rule index × `STRIDE` + one of `BOUND`. Absent bounds are such that nothing passes them. */
  readonly bounds: Float64Array;
}

export const FLAG = {
  SAFETY: 1,
  /** The items' values are judged. */
  VALUE: 2,
  /** Only those of a method's arguments are. */
  ARGUMENTS: 4,
  /** It lists the values. */
  LISTED: 8,
  /** It has a largest step, a ramp or a longest time of standing still. */
  CHANGE: 16,
  /** It has a largest step or a ramp, and needs a value to compare with. */
  REFERENCE: 32,
  RATE: 64,
  PERIOD: 128,
  CAUSALITY: 256,
  /** One of a few roles is asked for. */
  ROLES: 512,
  /** The form of the message is judged: its functions, quantity, files or objects. */
  FORM: 1024,
} as const;

export const BOUND = {
  MIN: 0,
  MAX: 1,
  MAX_STEP: 2,
  RAMP_PER_S: 3,
  STALE_MS: 4,
  /** Plant ms in which the rate lets its messages pass. */
  RATE_MS: 5,
  /** Least plant ms since the message before. */
  PERIOD_MS: 6,
  /** The same while a containment limits the rule. */
  LIMIT_MS: 7,
} as const;
export const STRIDE = 8;

export function compileBounds(layer: Layer, skewMs: number, rules: readonly Rule[]): RuleBounds {
  const bounds = new Float64Array(rules.length * STRIDE);
  const slacks = new Map(OPERATIONS.map((operation) => [operation, slackOf(layer, skewMs, operation).messageMs]));
  for (const [index, { operation, value, cadence }] of rules.entries()) {
    const at = index * STRIDE;
    const messageMs = slacks.get(operation) ?? 0;
    bounds[at + BOUND.MIN] = value?.min ?? Number.NEGATIVE_INFINITY;
    bounds[at + BOUND.MAX] = value?.max ?? Number.POSITIVE_INFINITY;
    bounds[at + BOUND.MAX_STEP] = value?.maxStep ?? Number.POSITIVE_INFINITY;
    bounds[at + BOUND.RAMP_PER_S] = value?.rampPerS ?? Number.POSITIVE_INFINITY;
    bounds[at + BOUND.STALE_MS] = (value?.staleMs ?? Number.POSITIVE_INFINITY) + messageMs;
    bounds[at + BOUND.RATE_MS] = Math.max(0, (cadence?.rate?.perMs ?? 0) - messageMs);
    bounds[at + BOUND.PERIOD_MS] = Math.max(0, earliestMs(cadence?.period) - messageMs);
    bounds[at + BOUND.LIMIT_MS] = Math.max(0, RATE_LIMIT_MS - messageMs);
  }
  return { flags: Int32Array.from(rules, (rule) => flagsOf(rule) | messageFlagsOf(layer, rule)), bounds };
}

function earliestMs(period: { readonly everyMs: number; readonly jitterMs: number } | undefined): number {
  return period === undefined ? 0 : period.everyMs - period.jitterMs;
}

/** The PLC sees no messages. Behind the mirror port nobody sees certificates, so roles are the switch's to judge. */
function messageFlagsOf(layer: Layer, { roles, form }: Rule): number {
  return (
    (layer === "switch" && roles !== undefined ? FLAG.ROLES : 0) |
    (layer !== "plc" && form !== undefined ? FLAG.FORM : 0)
  );
}

function flagsOf({ operation, value, cadence, causality, safety }: Rule): number {
  const carries = operation === "write" || operation === "output" || operation === "report";
  const calls = operation === "call";
  const needsReference = value?.maxStep !== undefined || value?.rampPerS !== undefined;
  return (
    (safety ? FLAG.SAFETY : 0) |
    (carries || (calls && value !== undefined) ? FLAG.VALUE : 0) |
    (calls && value === undefined ? FLAG.ARGUMENTS : 0) |
    (value?.oneOf === undefined ? 0 : FLAG.LISTED) |
    (needsReference || value?.staleMs !== undefined ? FLAG.CHANGE : 0) |
    (needsReference ? FLAG.REFERENCE : 0) |
    (cadence?.rate === undefined ? 0 : FLAG.RATE) |
    (cadence?.period === undefined ? 0 : FLAG.PERIOD) |
    (causality === undefined ? 0 : FLAG.CAUSALITY)
  );
}
