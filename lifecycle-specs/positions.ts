import type { Position } from "./decide/observation.ts";
import type { PhaseId, StepId } from "./ids.ts";
import type { Lifecycle, Phase, Rule, Step, Transition } from "./lifecycle.ts";

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

/** Everything that may happen in one position: the rules of every phase, of the phase with its groups, and of the step. */
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

export function eventOf(transition: Transition, index: number): string {
  return transition.event === "operator" ? `request.${transition.request}` : `${transition.event}.${index}`;
}

/** The ways out of a phase, in the order of the file; the first whose event and condition hold wins. */
export function exitsOf(lifecycle: Lifecycle, phase: PhaseId): readonly Exit[] {
  const transitions = findPhase(lifecycle, phase)?.transitions ?? [];
  return transitions.map((transition, index) => ({ index, event: eventOf(transition, index), transition }));
}
