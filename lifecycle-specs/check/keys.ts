import type { PhaseId } from "../ids.ts";
import type { Lifecycle, Phase, Region, Step, StepTransition, Transition } from "../lifecycle.ts";
import { stepEventInWords, type TagOf, transitionInWords } from "../words.ts";

/** Where a phase is written; a generated containment stands where its mask does. */
export function phaseKey({ id, mask }: Phase): string {
  if (mask === undefined) return `phase:${id}`;
  const { origin, subject, level } = mask;
  return `mask:${origin}/${"device" in subject ? subject.device : subject.link}/${level}`;
}

export function stepKey(phase: Phase, step: Step): string {
  return phase.mask === undefined ? `step:${phase.id}/${step.id}` : phaseKey(phase);
}

/** @param index within the phase's transitions */
export function exitKey(phase: Phase, index: number): string {
  return phase.mask === undefined ? `exit:${phase.id}/${index}` : phaseKey(phase);
}

/** Where a zone's part says one of these; `safe` must be there. */
export function regionKey(lifecycle: Lifecycle, { zone }: Region, what: "initial" | "isolated" | "safe"): string {
  return lifecycle.regions.length === 1 ? what : `${what}:${zone}`;
}

export function quoted(ids: readonly (PhaseId | string)[]): string {
  return ids.map((id) => `\`${id}\``).join(", ");
}

/** A way out of a phase, for messages and traces: `request stop, by operator`, `after 10 s`, `when LEVEL ≤ 0.1 m for 2 s`. */
export function exitInWords(transition: Transition, tagOf: TagOf): string {
  const words = transitionInWords(transition, tagOf).join(", ");
  if (transition.event === "operator") return `request ${words}`;
  return transition.event === "condition" ? `when ${words}` : words;
}

/** The same for a way out of a step: `when …`, `once RULE answered`, `after 30 s`. */
export function stepExitInWords(way: StepTransition, tagOf: TagOf): string {
  const words = stepEventInWords(way, tagOf);
  if (way.event === "after") return words;
  return way.event === "condition" ? `when ${words}` : `once ${words}`;
}
