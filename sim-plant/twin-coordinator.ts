import { exitStates, type Facts, openByItself, Readings, type StepFacts, stepTaken } from "#coordinator/evidence.ts";
import type { Position } from "#specs/decide/observation.ts";
import type { PhaseId, TagId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { findPhase, initialPosition, regionOf } from "#specs/positions.ts";

/**
 * The coordinator as it would be without networks, points or faults: it sees the tags of a scan at once, and a phase change takes no
 * time. Conditions, steps and exits are judged by the coordinator's own pure functions.
 */
export class TwinCoordinator {
  readonly #lifecycle: Lifecycle;
  readonly #readings: Readings;
  #position: Position;
  #enteredMs = 0;
  #stepSinceMs = 0;
  #epoch = 1;

  constructor(plant: Plant, lifecycle: Lifecycle) {
    this.#lifecycle = lifecycle;
    this.#readings = new Readings(
      lifecycle,
      plant.tags.map((tag) => tag.id),
    );
    const [zone] = plant.zones;
    if (zone === undefined) throw new Error(`plant \`${plant.id}\` has no zone; declare one in plant.yaml`);
    this.#position = this.#begin(regionOf(lifecycle, zone.id).initial);
  }

  get position(): Position {
    return this.#position;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** A request from the operator page: carried out at once, on what the last round brought, or not at all. */
  request(request: string, atMs: number): void {
    const asked = exitStates(this.#lifecycle, this.#position.phase, this.#facts(atMs)).find(
      ({ exit, missing }) =>
        exit.transition.event === "operator" && exit.transition.request === request && missing.length === 0,
    );
    if (asked !== undefined) this.#go(asked.exit.transition.to, atMs);
  }

  /** End of a round: the tags of this tick's scan, the steps that follow from them, then at most one phase change. */
  close(atMs: number, tags: ReadonlyMap<TagId, number>): void {
    for (const [tag, value] of tags) this.#readings.observe(tag, value, atMs);
    this.#walkSteps(atMs);
    const exit = openByItself(exitStates(this.#lifecycle, this.#position.phase, this.#facts(atMs)));
    if (exit !== undefined) this.#go(exit.transition.to, atMs);
  }

  /** The twin sees scans, no messages: a step that begins with a command does not begin here. */
  #stepFacts(nowMs: number): StepFacts {
    return { ...this.#facts(nowMs), stepSinceMs: this.#stepSinceMs, commanded: () => undefined };
  }

  #facts(nowMs: number): Facts {
    return { nowMs, enteredMs: this.#enteredMs, lastDetectionMs: undefined, view: this.#readings.view(nowMs) };
  }

  /** Several steps may be passed within one round; a circle ends after as many as the coordinator would take. */
  #walkSteps(atMs: number): void {
    for (let passed = 0; passed < 32; passed += 1) {
      const { phase, steps } = this.#position;
      const [step] = steps;
      const index = step === undefined ? undefined : stepTaken(this.#lifecycle, phase, step, this.#stepFacts(atMs));
      const to = findPhase(this.#lifecycle, phase)?.steps.find(({ id }) => id === step)?.next[index ?? -1]?.to;
      if (to === undefined) return;
      this.#position = { phase, steps: [to] };
      this.#stepSinceMs = atMs;
    }
  }

  #go(to: PhaseId, atMs: number): void {
    this.#position = this.#begin(to);
    this.#enteredMs = atMs;
    this.#stepSinceMs = atMs;
    this.#epoch += 1;
  }

  #begin(id: PhaseId): Position {
    const phase = findPhase(this.#lifecycle, id);
    if (phase === undefined) throw new Error(`phase \`${id}\` is not in the lifecycle; load both from one folder`);
    return initialPosition(phase);
  }
}
