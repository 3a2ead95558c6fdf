import { Epoch, type PhaseId, type StepId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { findPhase, initialPosition } from "#specs/positions.ts";
import type { Position } from "#specs/decide/observation.ts";
import { GRACE_MS, type Earlier } from "./explained.ts";

/** Where the zone stands, by the coordinator's word. */
export interface Standing extends Position {
  readonly epoch: Epoch;
  /** Plant time since when the phase stands, and since when the step does. */
  readonly sinceMs: number;
  readonly stepSinceMs: number;
}

export function enterPhase(position: Position, epoch: Epoch, nowMs: number): Standing {
  return { ...position, epoch, sinceMs: nowMs, stepSinceMs: nowMs };
}

export function enterStep(standing: Standing, step: StepId, nowMs: number): Standing {
  return { ...standing, steps: [step], stepSinceMs: nowMs };
}

/** Where a phase begins; undefined: the lifecycle has no such phase. */
export function beginOf(lifecycle: Lifecycle, phase: PhaseId): Position | undefined {
  const found = findPhase(lifecycle, phase);
  return found === undefined ? undefined : initialPosition(found);
}

/** The step at which a phase is taken up: the recorded one, else the first; what has happened since is found by walking on. */
export function takeUp(lifecycle: Lifecycle, phase: PhaseId, steps: readonly StepId[]): Position | undefined {
  const begin = beginOf(lifecycle, phase);
  const known = findPhase(lifecycle, phase)?.steps.some((step) => step.id === steps[0]) === true;
  return begin === undefined ? undefined : known ? { phase, steps: steps.slice(0, 1) } : begin;
}

/** The positions that ended a moment ago; a command of one of them may still be on its way. Bounded by the grace time. */
export class EarlierPositions {
  #earlier: Earlier[] = [];

  leave(position: Position, untilMs: number): void {
    this.#earlier = [...this.recent(untilMs), { position: { phase: position.phase, steps: position.steps }, untilMs }].slice(-16);
  }

  recent(nowMs: number): readonly Earlier[] {
    return this.#earlier.filter(({ untilMs }) => nowMs - untilMs <= 10 * GRACE_MS);
  }
}
