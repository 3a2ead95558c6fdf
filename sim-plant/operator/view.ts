import type { TagId } from "#specs/ids.ts";
import type { Role } from "#specs/lifecycle.ts";

/** What the operator has before him: the readings of the last poll, and what the console shows. */
export interface OperatorView {
  readonly tags: ReadonlyMap<TagId, number>;
  /** undefined: the console does not answer. */
  readonly console: ConsoleView | undefined;
}

export interface ConsoleView {
  readonly phase: string;
  readonly steps: readonly string[];
  readonly epoch: number;
}

/** One write. `from` is the station it is made at. */
export interface Command {
  readonly from: "hmi-1" | "ews-1";
  readonly tag: TagId;
  readonly value: number;
}

/** One request on the operator page. */
export interface PhaseRequest {
  readonly request: string;
  readonly role: Role;
  readonly person: string;
}

/** What one look at the view leads to. `reports` are sentences for the supervisor's book, not for the system. */
export interface Decision {
  readonly state: OperatorState;
  readonly commands: readonly Command[];
  readonly requests: readonly PhaseRequest[];
  readonly reports: readonly string[];
}

/** What the operator remembers from one look to the next. Times are plant ms. */
export interface OperatorState {
  /** Phase and step the console showed last, and since when. */
  readonly place: string;
  readonly placeSinceMs: number;
  readonly phase: string;
  readonly phaseSinceMs: number;
  /** Nothing is done before this: reaction time. */
  readonly readyAtMs: number;
  /** When each tag was last written. Bounded by the tags there are. */
  readonly writtenAtMs: ReadonlyMap<string, number>;
  /** Since when the inlet has been seen open; undefined: it is not. */
  readonly inletOpenSinceMs: number | undefined;
  /** The phase before this one was a start that was broken off. */
  readonly brokenOff: boolean;
  /** Where the maintenance list stands. */
  readonly maintenanceDone: number;
  /** Where the day's script stands. */
  readonly scriptAt: number;
  readonly requestedAtMs: number;
  /** Tags already reported as out of reach; cleared once they are back. */
  readonly reported: ReadonlySet<string>;
  /** The rinse of this backwash has been done. */
  readonly rinsed: boolean;
}

export const FIRST_STATE: OperatorState = {
  place: "",
  placeSinceMs: 0,
  phase: "",
  phaseSinceMs: 0,
  readyAtMs: 0,
  writtenAtMs: new Map(),
  inletOpenSinceMs: undefined,
  brokenOff: false,
  maintenanceDone: 0,
  scriptAt: 0,
  requestedAtMs: Number.NEGATIVE_INFINITY,
  reported: new Set(),
  rinsed: false,
};
