import { nextStep, exitStates, openByItself, Readings } from "#coordinator/evidence.ts";
import type { Position } from "#specs/decide/observation.ts";
import type { PhaseId, TagId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { findPhase, initialPosition } from "#specs/positions.ts";

/**
 * The coordinator as it would be without networks, points or faults: it sees the tags of a scan at once, and a phase change takes no
 * time. Conditions, steps and exits are judged by the coordinator's own pure functions.
 */
export class TwinCoordinator {
  readonly #lifecycle: Lifecycle;
  readonly #readings: Readings;
  #position: Position;
  #enteredMs = 0;
  #epoch = 1;
  #asked: string | undefined;

  constructor(plant: Plant, lifecycle: Lifecycle) {
    this.#lifecycle = lifecycle;
    this.#readings = new Readings(lifecycle, plant.tags.map((tag) => tag.id));
    this.#position = this.#begin(lifecycle.initial);
  }

  get position(): Position {
    return this.#position;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** A request from the operator page; it is answered when the round closes. */
  request(request: string): void {
    this.#asked = request;
  }

  /** End of a round: the tags of this tick's scan, then at most one phase change, else at most one step. */
  close(atMs: number, tags: ReadonlyMap<TagId, number>): void {
    for (const [tag, value] of tags) this.#readings.observe(tag, value, atMs);
    const facts = { nowMs: atMs, enteredMs: this.#enteredMs, lastDetectionMs: undefined, view: this.#readings.view(atMs) };
    const states = exitStates(this.#lifecycle, this.#position.phase, facts);
    const asked = states.find(
      ({ exit, missing }) => exit.transition.event === "operator" && exit.transition.request === this.#asked && missing.length === 0,
    )?.exit;
    this.#asked = undefined;
    const exit = asked ?? openByItself(states);
    if (exit !== undefined) {
      this.#position = this.#begin(exit.transition.to);
      this.#enteredMs = atMs;
      this.#epoch += 1;
      return;
    }
    const [step] = this.#position.steps;
    const next = step === undefined ? undefined : nextStep(this.#lifecycle, this.#position.phase, step, facts);
    if (next !== undefined) this.#position = { phase: this.#position.phase, steps: [next] };
  }

  #begin(id: PhaseId): Position {
    const phase = findPhase(this.#lifecycle, id);
    if (phase === undefined) throw new Error(`phase \`${id}\` is not in the lifecycle; load both from one folder`);
    return initialPosition(phase);
  }
}
