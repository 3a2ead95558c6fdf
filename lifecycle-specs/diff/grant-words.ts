import type { LimitName } from "../check/limits.ts";
import { type Interval, union, type ValueSet } from "../check/values.ts";
import type { Grant } from "../check/whitelist.ts";
import type { RuleId } from "../ids.ts";
import type { Rule } from "../lifecycle.ts";
import type { Tag } from "../plant.ts";
import {
  cadenceInWords,
  causalityInWords,
  formInWords,
  listInWords,
  numberInWords,
  rangeInWords,
  rolesInWords,
  type TagOf,
  valueInWords,
  valueRuleInWords,
  valuesInWords,
} from "../words.ts";

/** A grant's values; where a tag has only few values at all, each by itself, so that `0 to 1` and `0 or 1` of a coil are the same. */
export function ownValues({ values = [] }: Grant, tag: Tag | undefined): ValueSet {
  const possible = tag === undefined ? undefined : fewValues(tag);
  if (possible === undefined) return values;
  return union(
    values.flatMap(([low, high]) =>
      possible.filter((value) => value >= low && value <= high).map((value): Interval => [value, value]),
    ),
  );
}

function fewValues({ states, modbus, opcua, unit, range }: Tag): readonly number[] | undefined {
  if (states !== undefined) return [...new Set(Object.values(states))].sort((a, b) => a - b);
  const isTruth = modbus?.type === "bool" || opcua?.type === "Boolean";
  const looksLikeTruth = modbus === undefined && opcua === undefined && unit === "" && range[0] === 0 && range[1] === 1;
  return isTruth || looksLikeTruth ? [0, 1] : undefined;
}

/** `20-80 %`, `0 or 1`, `nothing`. */
export function setInWords(values: ValueSet, tag: Tag | undefined): string {
  if (values.length === 0) return "nothing";
  if (values.every(([low, high]) => low === high))
    return valuesInWords(
      values.map(([value]) => value),
      tag,
    );
  return values.map(([low, high]) => rangeInWords(low, high, tag)).join(" or ");
}

/** Everything that a grant asks for: `20-80 %, at most 2 in 5 s, once LIT101 ≥ 0.3 m`. */
export function grantInWords(
  grant: Grant,
  tag: Tag | undefined,
  nameOf: (rule: RuleId) => string,
  tagOf: TagOf,
): string {
  const { rule, values } = grant;
  const { maxStep, rampPerS, staleMs } = rule.value ?? {};
  const steps = valueRuleInWords(
    {
      ...(maxStep === undefined ? {} : { maxStep }),
      ...(rampPerS === undefined ? {} : { rampPerS }),
      ...(staleMs === undefined ? {} : { staleMs }),
    },
    tag,
  );
  const usual = rule.operation === "report" ? "monitor" : "enforce";
  return [
    ...(values === undefined ? [] : [setInWords(ownValues(grant, tag), tag)]),
    ...rolesInWords(grant.limits.roles),
    ...formInWords(grant.limits.form ?? {}),
    ...steps,
    ...ratesInWords(grant),
    ...causalityInWords(causesOf(grant), tagOf, nameOf),
    ...(rule.safety ? ["always (safety)"] : []),
    ...(rule.mode === usual ? [] : [`mode ${rule.mode}`]),
  ].join(", ");
}

/** As the rule says it, and what a `rate-limit` mask adds. A safety rule has no rate that denies. */
function ratesInWords({ rule: { cadence, safety }, limits }: Grant): readonly string[] {
  const own = safety || cadence === undefined ? [] : cadenceInWords(cadence);
  const masked = limits.rates.slice(own.length).map((rate) => cadenceInWords({ rate }).join(", "));
  return [...own, ...masked];
}

/** Causes as they are judged: a safety rule has none. */
function causesOf({ limits: { after, notWhile, follows, apart } }: Grant): NonNullable<Rule["causality"]> {
  return {
    ...(after === undefined ? {} : { after }),
    ...(notWhile === undefined ? {} : { notWhile }),
    ...(follows === undefined ? {} : { follows }),
    ...(apart === undefined ? {} : { apart }),
  };
}

/** One limit of a grant, and what its absence means. */
export function limitInWords(
  grant: Grant,
  name: LimitName,
  tag: Tag | undefined,
  nameOf: (rule: RuleId) => string,
  tagOf: TagOf,
): string {
  const { limits } = grant;
  const causes = causesOf(grant);
  const one = (cause: keyof typeof causes, none: string): string => {
    const part = causes[cause];
    return part === undefined ? none : causalityInWords({ [cause]: part }, tagOf, nameOf).join(", ");
  };
  const form = limits.form ?? {};
  const formed = (key: keyof typeof form, none: string): string => {
    const part = form[key];
    return part === undefined ? none : formInWords({ [key]: part }).join(", ");
  };
  switch (name) {
    case "roles":
      return rolesInWords(limits.roles).at(0) ?? "in whatever role";
    case "functions":
      return formed("functions", "by any function");
    case "quantity":
      return formed("quantity", "however much at once");
    case "files":
      return formed("files", "whatever file");
    case "objects":
      return formed("objects", "whatever object");
    case "maxStep":
      return limits.maxStep === undefined
        ? "in steps of any size"
        : `in steps of ${valueInWords(limits.maxStep, withoutStates(tag))} at most`;
    case "ramp":
      return limits.ramp === undefined
        ? "at any speed"
        : `no faster than ${valueInWords(limits.ramp.perS, withoutStates(tag))} per s`;
    case "stale":
      return limits.staleMs === undefined
        ? "however long it stands still"
        : `standing still for ${numberInWords(limits.staleMs)} ms at most`;
    case "cadence":
      return limits.rates.length === 0 ? "at any rate" : listInWords(ratesInWords(grant));
    case "after":
      return one("after", "without a condition before it");
    case "notWhile":
      return one("notWhile", "whatever else holds");
    case "follows":
      return one("follows", "without a message before it");
    case "apart":
      return one("apart", "however close to others");
    case "mode":
      return `mode ${limits.mode}`;
    default: {
      const never: never = name;
      throw new Error(`unreachable: limit \`${String(never)}\``);
    }
  }
}

/** A step of 1 is not the state that has the number 1. */
function withoutStates(tag: Tag | undefined): Tag | undefined {
  if (tag === undefined) return undefined;
  const { states: _, ...rest } = tag;
  return rest;
}

/** Over what a rule's rate counts: all that it names, together. */
export function scopeInWords({ from, tags, raw, targets }: Rule): string {
  const what = [...(tags.length > 0 ? tags : raw.length > 0 ? raw : targets)].sort();
  return `${listInWords([...what])} from ${listInWords([...from].sort())}`;
}
