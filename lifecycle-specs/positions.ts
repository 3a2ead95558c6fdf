import type { Position } from "./decide/observation.ts";
import type { PhaseId, StepId, ZoneId } from "./ids.ts";
import type { Lifecycle, Phase, Region, Rule, Step, Transition } from "./lifecycle.ts";

/** The part of the lifecycle that is a zone's. @throws Error: the lifecycle has no such zone, which loading rules out */
export function regionOf(lifecycle: Lifecycle, zone: ZoneId): Region {
  const region = lifecycle.regions.find((candidate) => candidate.zone === zone);
  if (region === undefined) throw new Error(`unreachable: zone \`${zone}\` has no part in the lifecycle`);
  return region;
}

/** What phase ids and events of a zone begin with: nothing in a plant of one zone, else the zone and a dot. */
export function zonePrefix(lifecycle: Lifecycle, zone: ZoneId): string {
  return lifecycle.regions.length > 1 ? `${zone}.` : "";
}

export function findPhase(lifecycle: Lifecycle, id: PhaseId): Phase | undefined {
  return lifecycle.phases.find((phase) => phase.id === id);
}

export function findStep(phase: Phase, id: StepId): Step | undefined {
  return phase.steps.find((step) => step.id === id);
}

/** Where a phase begins: its initial step, or no step where it has none. */
export function initialPosition(phase: Phase): Position {
  return { phase: phase.id, steps: phase.initial === undefined ? [] : [phase.initial] };
}

/**
 * The rules of one position: those of every phase, of the phase with its groups, and of the step. In a generated containment these
 * are its origin's, and its mask is still to be applied (`throughMask`).
 */
export function effectiveRules(lifecycle: Lifecycle, phase: Phase, step: Step | undefined): readonly Rule[] {
  return [...lifecycle.rules, ...phase.rules, ...(step?.rules ?? [])];
}

/** Every rule of the lifecycle once, in the order of the file. A group's rules come with each of its phases and are one rule. */
export function allRules(lifecycle: Lifecycle): readonly Rule[] {
  const found = new Map(lifecycle.rules.map((rule) => [rule.id, rule]));
  for (const phase of lifecycle.phases) {
    for (const rule of [...phase.rules, ...phase.steps.flatMap((step) => step.rules)]) found.set(rule.id, rule);
  }
  return [...found.values()];
}

/** One way out of a phase, with the event name by which the machine knows it. */
export interface Exit {
  /** Index within the phase's transitions. */
  readonly index: number;
  /** `request.stop`, `condition.0`, `after.1`: see `toMachine`. */
  readonly event: string;
  readonly transition: Transition;
}

/** The event of a way out. Requests of several zones may have one name, so there events begin with the zone. */
function eventOf(prefix: string, transition: Transition, index: number): string {
  const name = transition.event === "operator" ? `request.${transition.request}` : `${transition.event}.${index}`;
  return prefix + name;
}

/** The event of a step's way out, by its index in `next`. */
export function stepEvent(lifecycle: Lifecycle, zone: ZoneId, index: number): string {
  return `${zonePrefix(lifecycle, zone)}step.${index}`;
}

/** The event by which a containment is entered. */
export function containmentEvent(to: PhaseId): string {
  return `containment.${to}`;
}

/** The ways out of a phase, in the order of the file; the first whose event and condition hold wins. */
export function exitsOf(lifecycle: Lifecycle, id: PhaseId): readonly Exit[] {
  const phase = findPhase(lifecycle, id);
  if (phase === undefined) return [];
  const prefix = zonePrefix(lifecycle, phase.zone);
  return phase.transitions.map((transition, index) => ({
    index,
    event: eventOf(prefix, transition, index),
    transition,
  }));
}
