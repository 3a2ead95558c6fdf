import { conditionTruth, type History, seenSince } from "./decide/history.ts";
import type { Position } from "./decide/observation.ts";
import type { PhaseTable, Tables } from "./decide/tables.ts";
import type { PhaseId, StepId } from "./ids.ts";

/**
 * The set of possible steps as one layer holds it. A step that the layer sees to have begun joins the set; the coordinator's
 * record settles which one it is. In between both are possible, and what either allows is allowed.
 *
 * INVARIANT (possible steps): the set is never empty in a phase with steps, and never leaves the phase.
 */
export class StepTracker {
  readonly #tables: Tables;
  #phase: PhaseTable | undefined;
  #possible: ReadonlySet<StepId> = new Set();
  #sinceMs = 0;
  /** When the set was last told by the coordinator: what was seen before that is in its word already, and says nothing new. */
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /**
   * @param steps undefined: the phase begins in its initial step. An empty list, or one without a step of this phase, means
   * that the step is not known: every step of the phase is possible.
   * @returns false: the tables have no such phase, and nothing is held
   */
  enter(phase: PhaseId, steps: readonly StepId[] | undefined, nowMs: number): boolean {
    this.#sinceMs = nowMs;
    this.#toldMs = nowMs;
    this.#phase = this.#tables.phases.get(phase);
    this.#possible = new Set();
    if (this.#phase === undefined) return false;
    const { initial } = this.#phase.phase;
    const given = steps ?? (initial === undefined ? [] : [initial]);
    const known = this.#ofThisPhase(given);
    this.#possible = new Set(known.length > 0 ? known : this.#phase.steps.keys());
    return true;
  }

  /** Adds every step that follows from what this layer has seen. @returns whether the set changed */
  observe(history: History, nowMs: number): boolean {
    const found = new Set(this.#possible);
    // A set grows while it is walked: a step that joins is asked for its own successors in the same pass.
    for (const id of found) {
      const step = this.#phase?.phase.steps.find((candidate) => candidate.id === id);
      for (const { to, when } of step?.next ?? []) {
        if (found.has(to) || !seenSince(history, when, this.#toldMs)) continue;
        if (conditionTruth(history, when, nowMs) === "holds") found.add(to);
      }
    }
    return this.#become(found, nowMs);
  }

  /** The coordinator's word: these steps only. Steps of another phase are ignored. @returns whether the set changed */
  record(steps: readonly StepId[], nowMs: number): boolean {
    const known = this.#ofThisPhase(steps);
    if (known.length > 0) this.#toldMs = nowMs;
    return known.length > 0 && this.#become(new Set(known), nowMs);
  }

  get position(): Position | undefined {
    if (this.#phase === undefined) return undefined;
    const { id, steps } = this.#phase.phase;
    return { phase: id, steps: steps.map((step) => step.id).filter((step) => this.#possible.has(step)) };
  }

  /** Since when the set is what it is, plant ms. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  #ofThisPhase(steps: readonly StepId[]): readonly StepId[] {
    return steps.filter((step) => this.#phase?.steps.has(step) === true);
  }

  #become(steps: ReadonlySet<StepId>, nowMs: number): boolean {
    if (steps.size === this.#possible.size && [...steps].every((step) => this.#possible.has(step))) return false;
    this.#possible = steps;
    this.#sinceMs = nowMs;
    return true;
  }
}
