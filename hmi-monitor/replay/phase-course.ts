import type { History } from "#specs/decide/history.ts";
import type { Observation, Outcome, Verdict } from "#specs/decide/observation.ts";
import type { Permit } from "#specs/decide/permit.ts";
import type { PhaseId, StepId } from "#specs/ids.ts";

/** Which frame of the capture something belongs to. */
export interface Moment {
  /** from 1, as Wireshark counts */
  readonly frame: number;
  /** ms since the epoch */
  readonly timeMs: number;
}

/** Where the plant may stand. */
export interface Possible {
  readonly phase: PhaseId;
  /** The set of possible steps; empty for a phase without steps. */
  readonly steps: readonly StepId[];
  readonly permit: Permit;
}

/** What a change of phase or step was concluded from. */
export const CAUSES = ["start", "mark", "step", "condition", "time", "command", "contradicted", "settled"] as const;
export type Cause = (typeof CAUSES)[number];

/** One change in what is possible. */
export interface PhaseChange extends Moment {
  readonly cause: Cause;
  readonly says: string;
  /** Where the plant may stand from here on: `normal/produce`. */
  readonly possible: readonly string[];
}

/** Takes each change as it is concluded. */
export type TakesChange = (change: PhaseChange) => void;

/**
 * Which phases hold as a capture goes on. Pure: frames, what was judged and what was seen go in, what may hold comes out. A message is
 * allowed when any of the possible phases allows it.
 */
export interface PhaseCourse {
  /** A frame comes; called before anything of it is judged. Times come as they are captured, and may go back. */
  begin(at: Moment, history: History): void;
  /** None: nobody knows yet, and nothing is judged. The same array until something changes. */
  readonly possible: readonly Possible[];
  /** Something is to be judged in the present phases; afterwards `possible` may have changed. */
  asked(observation: Observation, history: History, at: Moment): void;
  /** What became of a message that was judged. */
  happened(verdict: Verdict, outcome: Outcome, at: Moment): void;
  /** Values were seen. */
  observe(history: History, at: Moment): void;
}

/** `normal/produce`, `startup/fill|prime`, `stopped`. */
export function placeName(phase: PhaseId, steps: readonly StepId[]): string {
  return steps.length === 0 ? phase : `${phase}/${steps.join("|")}`;
}

/** What every course does with the outcome of an allowed message. */
export function outcomeForSteps(outcome: Outcome): "forwarded" | "answered-ok" | undefined {
  return outcome === "forwarded" || outcome === "answered-ok" ? outcome : undefined;
}
