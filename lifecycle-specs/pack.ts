import { isDeepStrictEqual } from "node:util";
import type { PhaseId, RuleId } from "./ids.ts";
import type { Lifecycle, Mask, Phase, Rule, Step, Transition } from "./lifecycle.ts";

/**
 * A lifecycle as a bundle file holds it: each rule once, phases and steps naming theirs, and of a generated containment only its
 * mask and its ways out. What is written in a thousand places is stored in one.
 */
export interface PackedLifecycle extends Omit<Lifecycle, "rules" | "phases"> {
  /** Rules of every phase. */
  readonly everywhere: readonly RuleId[];
  /** Each once, in the order of the lifecycle's file. */
  readonly rules: readonly Rule[];
  readonly phases: readonly PackedPhase[];
}

export type PackedPhase = OwnPhase | ContainedPhase;

export interface OwnPhase extends Omit<Phase, "rules" | "steps" | "mask"> {
  readonly rules: readonly RuleId[];
  readonly steps: readonly PackedStep[];
}

export interface PackedStep extends Omit<Step, "rules"> {
  readonly rules: readonly RuleId[];
}

/** A generated containment. Zone, rules, steps and the initial step are those of its origin. */
export interface ContainedPhase {
  readonly id: PhaseId;
  readonly says: string;
  readonly mask: Mask;
  readonly transitions: readonly Transition[];
  readonly because?: string;
}

/**
 * @throws Error when two different rules have one id, or a generated containment has other rules or steps than its origin: loading
 * makes neither
 */
export function packLifecycle(lifecycle: Lifecycle): PackedLifecycle {
  const rules = new Map<RuleId, Rule>();
  const idsOf = (list: readonly Rule[]) => list.map((rule) => keep(rules, rule));
  const origins = new Map<PhaseId, Phase>();
  const everywhere = idsOf(lifecycle.rules);
  const phases = lifecycle.phases.map((phase): PackedPhase => {
    if (phase.mask !== undefined) return packContained(phase, phase.mask, origins);
    origins.set(phase.id, phase);
    const own = idsOf(phase.rules);
    return { ...phase, rules: own, steps: phase.steps.map((step) => ({ ...step, rules: idsOf(step.rules) })) };
  });
  return { ...lifecycle, everywhere, rules: [...rules.values()], phases };
}

function keep(rules: Map<RuleId, Rule>, rule: Rule): RuleId {
  const known = rules.get(rule.id);
  if (known === undefined) rules.set(rule.id, rule);
  else if (known !== rule && !isDeepStrictEqual(known, rule)) {
    throw new Error(`rule \`${rule.id}\` stands in the lifecycle twice with different content; give one another name`);
  }
  return rule.id;
}

function packContained(phase: Phase, mask: Mask, origins: ReadonlyMap<PhaseId, Phase>): ContainedPhase {
  const origin = origins.get(mask.origin);
  const isOfOrigin =
    origin !== undefined &&
    phase.containment &&
    phase.zone === origin.zone &&
    phase.initial === origin.initial &&
    isSame(phase.rules, origin.rules) &&
    isSame(phase.steps, origin.steps);
  if (!isOfOrigin) {
    throw new Error(`containment \`${phase.id}\` is not a mask over \`${mask.origin}\`; load the plant again`);
  }
  const { id, says, transitions, because } = phase;
  return { id, says, mask, transitions, ...(because === undefined ? {} : { because }) };
}

/** Loading shares lists and their entries, so a look at each entry is rarely needed. */
function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((entry, i) => entry === b[i] || isDeepStrictEqual(entry, b[i]));
}

/**
 * The lifecycle that was packed: a rule is one object wherever it stands, and generated containments share the lists of their
 * origins. @throws Error when a rule or an origin is not declared, which `nameProblem` finds out before
 */
export function unpackLifecycle(packed: PackedLifecycle): Lifecycle {
  const { everywhere, rules: declared, phases: stored, ...rest } = packed;
  const rules = new Map(declared.map((rule) => [rule.id, rule]));
  const listOf = (ids: readonly RuleId[]) => ids.map((id) => found(rules.get(id), id));
  const origins = new Map<PhaseId, Phase>();
  const phases = stored.map((phase): Phase => {
    if (isContained(phase)) return unpackContained(phase, found(origins.get(phase.mask.origin), phase.mask.origin));
    const steps = phase.steps.map((step) => ({ ...step, rules: listOf(step.rules) }));
    const own = { ...phase, rules: listOf(phase.rules), steps };
    origins.set(own.id, own);
    return own;
  });
  return { ...rest, rules: listOf(everywhere), phases };
}

export function isContained(phase: PackedPhase): phase is ContainedPhase {
  return "mask" in phase;
}

function unpackContained({ id, says, mask, transitions, because }: ContainedPhase, origin: Phase): Phase {
  const { zone, rules, steps, initial } = origin;
  return {
    id,
    zone,
    says,
    rules,
    steps,
    ...(initial === undefined ? {} : { initial }),
    transitions,
    containment: true,
    mask,
    ...(because === undefined ? {} : { because }),
  };
}

function found<T>(declared: T | undefined, id: string): T {
  if (declared === undefined) throw new Error(`unreachable: \`${id}\` is used and not declared`);
  return declared;
}
