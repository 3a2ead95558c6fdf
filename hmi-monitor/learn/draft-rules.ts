import type { TagId } from "#specs/ids.ts";
import type { Tag } from "#specs/plant.ts";
import type { DraftRule, RuleFacts, RuleFields } from "./draft.ts";
import { orderOf, paceOf } from "./draft-order.ts";
import type { Evidence } from "./evidence.ts";
import type { LearnedCommand } from "./learned-command.ts";
import type { Sightings } from "./occasions.ts";

export interface DraftOptions {
  /** Commands seen on fewer occasions are not drafted. */
  readonly sightings: number;
  readonly tagOf: (tag: TagId) => Tag | undefined;
}

/** The commands of one phase that were seen often enough, in the order in which they were first seen. */
export function drafted(evidence: Evidence, phase: string, sightings: number): readonly LearnedCommand[] {
  return evidence.commands
    .filter(({ kind, sightings: seen }) => kind.phase === phase && seen.occasions >= sightings)
    .sort((a, b) => a.sightings.firstMs - b.sightings.firstMs);
}

export function commandRules(evidence: Evidence, phase: string, options: DraftOptions): readonly DraftRule[] {
  const here = evidence.phases.get(phase);
  const commands = drafted(evidence, phase, options.sightings);
  const pace = paceOf(evidence.commands);
  if (here === undefined) return [];
  return commands.map((command): DraftRule => {
    const { kind, sightings, functions, quantity, values } = command;
    const tag = options.tagOf(kind.tag);
    const others = commands.filter((other) => other !== command && other.kind.source === kind.source);
    const value = valueRule(command, tag);
    const fields: RuleFields = {
      says: `Learned: ${kind.source} may ${wordsOf(command, tag, value)}.`,
      ...{ from: [kind.source], may: kind.operation, tags: [kind.tag] },
      ...(functions.size === 0 ? {} : { functions: [...functions].sort((a, b) => a - b) }),
      ...(quantity === 0 ? {} : { quantity }),
      ...(value === undefined ? {} : { value }),
      ...orderOf(command, others, here, pace),
    };
    const range = kind.bit === undefined && values.count > 0 ? `; values ${values.least} to ${values.most}` : "";
    return { id: command.id, facts: factsOf(command), phase, fields, evidence: `${seen(sightings)}${range}` };
  });
}

export const NO_FACTS: RuleFacts = {
  gapMs: Number.POSITIVE_INFINITY,
  apart: new Map(),
  notAlways: new Set(),
  held: new Map(),
  before: new Map(),
  repeated: new Set(),
};

function factsOf(command: LearnedCommand): RuleFacts {
  const { values, gaps, apart, causes, after, sightings } = command;
  const always = [...after].filter(([, order]) => order.count === sightings.count);
  const { distinct, mostStep } = values;
  return {
    ...(values.count === 0 ? {} : { least: values.least, most: values.most }),
    ...(distinct === undefined ? {} : { values: distinct }),
    ...(mostStep === undefined ? {} : { step: mostStep }),
    gapMs: gaps.leastMs,
    apart: new Map([...apart].map(([other, ms]) => [other.id, ms])),
    notAlways: new Set([...causes].flatMap(([tag, { whileNot }]) => (whileNot > 0 ? [tag] : []))),
    held: new Map([...causes].map(([tag, { shortestMs }]) => [tag, shortestMs])),
    before: new Map(always.map(([before, { longestMs }]) => [before.id, longestMs])),
    repeated: new Set(always.flatMap(([before, { repeated }]) => (repeated ? [before.id] : []))),
  };
}

function valueRule({ kind, values, sightings }: LearnedCommand, tag: Tag | undefined): RuleFields["value"] {
  if (kind.bit !== undefined) return { oneOf: [kind.bit] };
  if (values.count === 0 || tag === undefined) return undefined;
  const few = values.few;
  if (few !== undefined) return { oneOf: few };
  const [min, max] = values.within(tag.range[0], tag.range[1], sightings.occasions);
  const step = values.stepAfter(sightings.occasions);
  return { min, max, ...(step === undefined || step === 0 ? {} : { maxStep: step }) };
}

function wordsOf({ kind }: LearnedCommand, tag: Tag | undefined, value: RuleFields["value"]): string {
  const unit = tag === undefined || tag.unit === "" ? "" : ` ${tag.unit}`;
  if (kind.operation === "call") return `call ${kind.tag}`;
  if (value === undefined) return `write ${kind.tag}`;
  if (value.oneOf !== undefined) return `set ${kind.tag} to ${value.oneOf.join(" or ")}${unit}`;
  return `set ${kind.tag} between ${value.min} and ${value.max}${unit}`;
}

/** How often, on how many occasions, first and last. */
export function seen({ count, occasions, firstMs, lastMs }: Sightings): string {
  const times = count === 1 ? "once" : `${count} times`;
  const on = occasions === 1 ? "one occasion" : `${occasions} occasions`;
  return `seen ${times} on ${on}, first ${instant(firstMs)}, last ${instant(lastMs)}`;
}

export function instant(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString().replace(/\.\d+Z$/, "Z") : "at an unknown time";
}
