import type { RuleId, StepId } from "../ids.ts";
import type { Condition, Operation, Rule } from "../lifecycle.ts";
import { allRules } from "../positions.ts";
import { conditionInWords } from "../words.ts";
import { type Box, boxOf, isInside } from "./boxes.ts";
import type { Checked, RawFinding } from "./report.ts";
import { isAny, leadingTo, type Place, placesOfRules, type Space, spaceOf } from "./state-space.ts";
import { valuesOf } from "./values.ts";

/** Operations whose messages carry a value that the rule bounds. */
const WITH_VALUES: ReadonlySet<Operation> = new Set<Operation>(["write", "call", "output", "report"]);
/** Operations that are messages with an answer: only these can be followed. */
const ANSWERED: ReadonlySet<Operation> = new Set<Operation>([
  "read",
  "write",
  "call",
  "subscribe",
  "browse",
  "session",
  "program",
  "diagnose",
  "raw",
]);

/** Rules whose value leaves nothing of the range of one of their tags. */
export function rulesHaveValues(spec: Checked): readonly RawFinding[] {
  const { tagOf } = spaceOf(spec);
  return allRules(spec.lifecycle).flatMap((rule): readonly RawFinding[] => {
    if (rule.value === undefined || !WITH_VALUES.has(rule.operation)) return [];
    const tag = rule.tags.map(tagOf).find((candidate) => {
      if (candidate === undefined || candidate.kind === "method") return false;
      return valuesOf(candidate, rule.value).length === 0;
    });
    if (tag === undefined) return [];
    return [
      {
        at: `rule:${rule.id}`,
        code: "RULE_EMPTY",
        message: `rule \`${rule.id}\` leaves no value of \`${tag.id}\` between ${tag.range[0]} and ${tag.range[1]}; correct its \`value\`, or take the tag out of it`,
      },
    ];
  });
}

/** Rules whose cause never holds: by itself, against their own `notWhile`, or wherever they stand. */
export function causesCanHold(spec: Checked): readonly RawFinding[] {
  const space = spaceOf(spec);
  const places = placesOfRules(space);
  return allRules(spec.lifecycle).flatMap((rule): readonly RawFinding[] => {
    const why = rule.safety ? undefined : contradiction(rule, places.get(rule.id) ?? [], space);
    if (why === undefined) return [];
    return [
      { at: `rule:${rule.id}`, code: "RULE_NEVER", message: `rule \`${rule.id}\` never allows anything: ${why}` },
    ];
  });
}

function contradiction(rule: Rule, places: readonly Place[], space: Space): string | undefined {
  const { tagOf } = space;
  const { after, notWhile } = rule.causality ?? {};
  const cause = after === undefined ? new Map() : boxOf(after, tagOf);
  if (cause === undefined) return "its `after` never holds within the ranges of its tags; correct the values";
  if (notWhile !== undefined && (after?.forMs ?? Number.POSITIVE_INFINITY) >= notWhile.forMs) {
    if (isInside(cause, notWhile, tagOf)) {
      return `its \`notWhile\` holds ${after === undefined ? "at every value of its tags" : "whenever its `after` does"}; correct one of the two`;
    }
  }
  if (after === undefined) return undefined;
  const ends = places.map((place) => endsStep(place, after, cause, space));
  const [first] = ends;
  if (first === undefined || ends.includes(undefined)) return undefined;
  return `where its \`after\` holds, the step it stands in has ended (${first}); correct one of the two`;
}

/** The way by which a step is left as soon as the cause holds: then nothing of the rule is left in this step. */
function endsStep({ step }: Place, after: Condition, cause: Box, { tagOf }: Space): string | undefined {
  if (step === undefined || step.minMs !== undefined) return undefined;
  for (const way of step.next) {
    if (way.event !== "condition" || way.to === step.id || way.when.forMs > after.forMs) continue;
    if (way.when.freshMs !== undefined && way.when.freshMs !== after.freshMs) continue;
    if (isInside(cause, way.when, tagOf)) return leaves(step.id, way.to, way.when, tagOf);
  }
  return undefined;
}

function leaves(from: StepId, to: StepId, when: Condition, tagOf: Space["tagOf"]): string {
  return `\`${from}\` leads to \`${to}\` when ${conditionInWords(when, tagOf)}`;
}

/** Rules that follow another: it can be answered, and some run of the plant has it before. */
export function followersHaveLeaders(spec: Checked): readonly RawFinding[] {
  const space = spaceOf(spec);
  const rules = new Map(allRules(spec.lifecycle).map((rule) => [rule.id, rule]));
  const places = placesOfRules(space);
  return [...rules.values()].flatMap((rule): readonly RawFinding[] => {
    const why = rule.safety ? undefined : whyNever(rule, rules, places, space);
    if (why === undefined) return [];
    return [
      {
        at: `rule:${rule.id}`,
        code: "FOLLOWS_NEVER",
        message: `rule \`${rule.id}\` never allows anything: ${why}`,
      },
    ];
  });
}

function whyNever(
  rule: Rule,
  rules: ReadonlyMap<RuleId, Rule>,
  places: ReadonlyMap<RuleId, readonly Place[]>,
  space: Space,
): string | undefined {
  const leader = rules.get(rule.causality?.follows?.rule ?? rule.id);
  if (rule.causality?.follows === undefined || leader === undefined) return undefined;
  if (!ANSWERED.has(leader.operation)) {
    return `\`${leader.id}\` is no message that is answered; follow a rule on messages`;
  }
  const circle = circleOf(rule, rules);
  if (circle !== undefined) return `each of ${circle.join(", ")} waits for the one before; let one of them begin`;
  const reached = (of: Rule) =>
    (places.get(of.id) ?? []).map(({ index }) => index).filter((at) => space.reached.has(at));
  const [before, here] = [reached(leader), reached(rule)];
  if (before.length === 0 || here.length === 0) return undefined;
  if (zoneOf(space, before[0]) !== zoneOf(space, here[0])) return undefined;
  const leading = leadingTo(space, here, isAny);
  if (before.some((at) => leading.has(at))) return undefined;
  return `no run of the plant has \`${leader.id}\` before it; follow a rule that can come first`;
}

/** The rules from this one on that follow each other in a circle, where this one is part of it. */
function circleOf(rule: Rule, rules: ReadonlyMap<RuleId, Rule>): readonly RuleId[] | undefined {
  const seen: RuleId[] = [];
  let at: Rule | undefined = rule;
  while (at !== undefined && !seen.includes(at.id)) {
    seen.push(at.id);
    const next: RuleId | undefined = at.causality?.follows?.rule;
    at = next === undefined ? undefined : rules.get(next);
  }
  return at === rule ? seen : undefined;
}

function zoneOf({ places }: Space, index: number | undefined) {
  return index === undefined ? undefined : places[index]?.phase.zone;
}
