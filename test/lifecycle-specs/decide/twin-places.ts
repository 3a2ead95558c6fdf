import type { AnyStateMachine, StateValue } from "xstate";
import type { PhaseId, StepId } from "#specs/ids.ts";
import type { Lifecycle, Mask, Rule } from "#specs/lifecycle.ts";
import { toMachine } from "#specs/machine.ts";

/** What is active in one position: its rules, and the mask of a generated containment. */
export interface Place {
  readonly rules: readonly Rule[];
  readonly mask: Mask | undefined;
}

/** What the machine's states carry in `meta`, as far as the twin reads it. */
interface Meta {
  readonly rules?: readonly Rule[];
  readonly mask?: Mask;
}

/**
 * Asks the xstate machine what is active where. The answer of each position is kept: asking again gives the same, since a
 * machine of data does not change.
 */
export class TwinPlaces {
  readonly #machine: AnyStateMachine;
  readonly #lifecycle: Lifecycle;
  readonly #asked = new Map<string, Place | undefined>();
  /** Every rule once, in the order of the file. */
  readonly everyRule: readonly Rule[];

  constructor(lifecycle: Lifecycle) {
    this.#machine = toMachine(lifecycle);
    this.#lifecycle = lifecycle;
    const ofPhases = lifecycle.phases.flatMap(({ rules, steps }) => [...rules, ...steps.flatMap((step) => step.rules)]);
    const all = [...lifecycle.rules, ...ofPhases];
    this.everyRule = all.filter((rule, index) => all.findIndex(({ id }) => id === rule.id) === index);
  }

  stepsOf(phase: PhaseId): readonly StepId[] {
    return this.#lifecycle.phases.find(({ id }) => id === phase)?.steps.map(({ id }) => id) ?? [];
  }

  /** @returns undefined: there is no such phase, or no such step in it */
  at(phase: PhaseId, step: StepId | undefined): Place | undefined {
    const key = `${phase}/${step ?? ""}`;
    if (!this.#asked.has(key)) this.#asked.set(key, this.#ask(phase, step));
    return this.#asked.get(key);
  }

  #ask(phase: PhaseId, step: StepId | undefined): Place | undefined {
    if (!this.#lifecycle.phases.some(({ id }) => id === phase)) return undefined;
    if (step !== undefined && !this.stepsOf(phase).includes(step)) return undefined;
    const path = [...phase.split("."), ...(step === undefined ? [] : [step])];
    const active = this.#machine.resolveState({ value: nested(path), context: {} }).getMeta();
    const metaOf = (id: string): Meta => active[id] ?? {};
    const here = ["lifecycle", `lifecycle.${phase}`, ...(step === undefined ? [] : [`lifecycle.${phase}.${step}`])];
    const rules = here.flatMap((id) => metaOf(id).rules ?? []);
    return { rules, mask: metaOf(`lifecycle.${phase}`).mask };
  }
}

function nested(path: readonly string[]): StateValue {
  const [first = "", ...rest] = path;
  return rest.length === 0 ? first : { [first]: nested(rest) };
}
