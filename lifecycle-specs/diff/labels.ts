import { createHash } from "node:crypto";
import { RuleId } from "../ids.ts";
import type { CausalityRule, Lifecycle, Phase, Rule, Step } from "../lifecycle.ts";
import { allRules } from "../positions.ts";
import { canonical } from "./change.ts";

/**
 * Two lifecycles in which rules that refer to rules do so by what these are: a rule that only got another name is the same. A
 * rule that has one name and one subject on both sides keeps it; every other is called by its content.
 */
export interface Labelled {
  readonly before: Lifecycle;
  readonly after: Lifecycle;
  /** How a label is called for people. */
  readonly nameOf: (label: RuleId) => string;
  /** The label of a rule by its name in one of the files. */
  readonly labelOf: (side: "before" | "after", rule: RuleId) => RuleId;
}

export function labelled(before: Lifecycle, after: Lifecycle): Labelled {
  const rules = { before: byId(before), after: byId(after) };
  const names = new Map<RuleId, string>();
  const labelOf = (side: "before" | "after", id: RuleId): RuleId => {
    const own = rules[side].get(id);
    const other = rules[side === "before" ? "after" : "before"].get(id);
    if (own === undefined || (other !== undefined && subjectOf(own) === subjectOf(other))) return id;
    const label = RuleId(`same.${createHash("sha256").update(contentOf(own)).digest("hex").slice(0, 16)}`);
    names.set(label, side === "before" && other !== undefined ? `${id} as it was` : id);
    return label;
  };
  return {
    before: relabelled(before, (id) => labelOf("before", id)),
    after: relabelled(after, (id) => labelOf("after", id)),
    nameOf: (label) => names.get(label) ?? label,
    labelOf,
  };
}

function byId(lifecycle: Lifecycle): ReadonlyMap<RuleId, Rule> {
  return new Map(allRules(lifecycle).map((rule) => [rule.id, rule]));
}

function subjectOf({ from, operation, targets, tags, raw }: Rule): string {
  return canonical([[...from].sort(), operation, [...targets].sort(), [...tags].sort(), [...raw].sort()]);
}

/** Without what it is called, and without the rules it refers to in turn. */
function contentOf(rule: Rule): string {
  const { roles, form, value, cadence, causality, mode, safety } = rule;
  const { after, notWhile } = causality ?? {};
  return canonical({ subject: subjectOf(rule), roles, form, value, cadence, after, notWhile, mode, safety });
}

/** The same lifecycle with other references. Its rules keep their shared identity, and times are those of the HMI layer. */
function relabelled(lifecycle: Lifecycle, label: (id: RuleId) => RuleId): Lifecycle {
  const known = new Map<Rule, Rule>();
  const rule = (one: Rule): Rule => {
    const found = known.get(one) ?? withLabels(one, label);
    known.set(one, found);
    return found;
  };
  const step = (one: Step): Step => ({ ...one, rules: one.rules.map(rule) });
  const phase = (one: Phase): Phase => ({ ...one, rules: one.rules.map(rule), steps: one.steps.map(step) });
  return { ...lifecycle, skewMs: 0, rules: lifecycle.rules.map(rule), phases: lifecycle.phases.map(phase) };
}

function withLabels(rule: Rule, label: (id: RuleId) => RuleId): Rule {
  if (rule.causality === undefined) return rule;
  const { follows, apart } = rule.causality;
  const causality: CausalityRule = {
    ...rule.causality,
    ...(follows === undefined ? {} : { follows: { ...follows, rule: label(follows.rule) } }),
    ...(apart === undefined ? {} : { apart: { ...apart, rules: apart.rules.map(label).sort() } }),
  };
  return { ...rule, causality };
}
