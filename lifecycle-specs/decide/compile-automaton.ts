import type { RuleId, StepId } from "../ids.ts";
import type { Step, StepTransition } from "../lifecycle.ts";
import { AS_WRITTEN, type Comparisons, type CompiledCondition, compileCondition } from "./compile-tags.ts";
import { NONE } from "./verdict-id.ts";

/** The steps of one phase, by their order in the file, and how they follow each other. */
export interface Automaton {
  readonly steps: readonly CompiledStep[];
  /** Rules whose messages lead on from some step. */
  readonly commands: ReadonlySet<RuleId>;
}

export interface CompiledStep {
  readonly id: StepId;
  /** Plant ms before which no `next` counts. */
  readonly minMs: number;
  readonly next: readonly CompiledNext[];
}

export type CompiledNext = { /** Index of the step. */ readonly to: number } & (
  | { readonly event: "condition"; readonly when: CompiledCondition }
  | { readonly event: "command"; readonly rule: RuleId; readonly outcome: "forwarded" | "answered-ok" }
  | { readonly event: "after"; readonly ms: number }
);

/** Transitions to a step that the phase does not have, or on a condition that no tag can fulfil, are left out. */
export function compileAutomaton(steps: readonly Step[], comparisons: Comparisons): Automaton {
  const indexOf = new Map(steps.map(({ id }, index) => [id, index]));
  const compiled = steps.map(({ id, minMs = 0, next }) => ({
    id,
    minMs,
    next: next.flatMap((transition) => compileNext(transition, indexOf.get(transition.to) ?? NONE, comparisons)),
  }));
  const all = compiled.flatMap(({ next }) => next);
  return { steps: compiled, commands: new Set(all.flatMap((next) => (next.event === "command" ? [next.rule] : []))) };
}

function compileNext(transition: StepTransition, to: number, comparisons: Comparisons): readonly CompiledNext[] {
  if (to === NONE) return [];
  switch (transition.event) {
    case "condition": {
      const when = compileCondition(transition.when, comparisons, transition.when.forMs, AS_WRITTEN);
      return when === undefined ? [] : [{ to, event: "condition", when }];
    }
    case "command":
      return [{ to, event: "command", rule: transition.rule, outcome: transition.outcome }];
    case "after":
      return [{ to, event: "after", ms: transition.ms }];
    default: {
      const never: never = transition;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}
