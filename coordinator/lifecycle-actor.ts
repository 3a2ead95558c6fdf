import { type Actor, type AnyStateMachine, createActor, type StateValue } from "xstate";
import type { Position } from "#specs/decide/observation.ts";
import { PhaseId, StepId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { nextPosition, toMachine } from "#specs/machine.ts";

/**
 * The lifecycle as a running actor. It says where an event leads before a change is begun, and takes the transition once the
 * change is committed. Its machine has no guards: whoever sends an event has weighed the evidence.
 */
export class LifecycleActor {
  readonly #machine: AnyStateMachine;
  #actor: Actor<AnyStateMachine> | undefined;

  constructor(lifecycle: Lifecycle) {
    this.#machine = toMachine(lifecycle);
  }

  /** Where it stands; undefined: nothing has been adopted yet. */
  get position(): Position | undefined {
    return this.#actor === undefined ? undefined : read(this.#actor.getSnapshot().getMeta());
  }

  /** Begins in a given position: the first, one from the record, or one an engineer confirmed. */
  start(position: Position): void {
    this.stop();
    const snapshot = this.#machine.resolveState({ value: stateValue(position), context: {} });
    this.#actor = createActor(this.#machine, { snapshot });
    this.#actor.start();
  }

  /** Where an event would lead; undefined: the present state knows no such event. */
  leadsTo(event: string): Position | undefined {
    const { position } = this;
    const next = position === undefined ? undefined : nextPosition(this.#machine, position, { type: event });
    return next?.ok === true ? next.value : undefined;
  }

  send(event: string): void {
    this.#actor?.send({ type: event });
  }

  stop(): void {
    this.#actor?.stop();
    this.#actor = undefined;
  }
}

function stateValue({ phase, steps }: Position): StateValue {
  const path: string[] = [...phase.split("."), ...steps.slice(0, 1)];
  const leaf = path.pop() ?? "";
  return path.reduceRight<StateValue>((value, part) => ({ [part]: value }), leaf);
}

/** The active states' descriptions name phase and step; see `toMachine`. */
function read(meta: Readonly<Record<string, unknown>>): Position | undefined {
  let phase: PhaseId | undefined;
  let step: StepId | undefined;
  for (const part of Object.values(meta)) {
    if (typeof part !== "object" || part === null) continue;
    if ("phase" in part && typeof part.phase === "string") phase = PhaseId(part.phase);
    if ("step" in part && typeof part.step === "string") step = StepId(part.step);
  }
  return phase === undefined ? undefined : { phase, steps: step === undefined ? [] : [step] };
}
