import type { Position } from "#specs/decide/observation.ts";
import type { Epoch, PhaseId, StepId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { findPhase, initialPosition } from "#specs/positions.ts";

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
