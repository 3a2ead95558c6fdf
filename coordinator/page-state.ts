import type { Layer } from "#specs/decide/observation.ts";
import type { Role } from "#specs/lifecycle.ts";
import type { Mode } from "#specs/plant.ts";
import type { Detection } from "./page-detections.ts";

export interface StateView {
  readonly atMs: number;
  /** `adopting`: no phase record was found; an engineer confirms a candidate by the request `adopt`. Nothing is ordered until then. */
  readonly standing: "adopting" | "running";
  readonly phase: string | null;
  readonly phaseSays: string;
  /** Set of possible steps; empty for a phase without steps. */
  readonly steps: readonly string[];
  readonly epoch: number | null;
  /** Plant time since when the phase stands. */
  readonly sinceMs: number;
  readonly changing: ChangeView | null;
  readonly mode: "monitor" | "enforce";
  /** Whether containment is taken by itself (`auto`) or waits for a person (`propose`). In monitor it is never taken. */
  readonly policy: "auto" | "propose";
  readonly points: readonly PointView[];
  /** Newest first, at most 50. */
  readonly detections: readonly Detection[];
  /** Newest first, at most 20. */
  readonly proposals: readonly ProposalView[];
  readonly tags: Readonly<Record<string, TagReading>>;
  readonly requests: readonly RequestView[];
  /** Ways out of the present phase that need no person, with what each waits for. */
  readonly onward: readonly OnwardView[];
  /** Only while adopting. */
  readonly candidates: readonly CandidateView[];
  /** Newest first, at most 30. */
  readonly history: readonly ChangeRecordView[];
  /** Seen in sum since the start. */
  readonly counts: { readonly receipts: number; readonly denied: number; readonly detections: number };
}

/** Plain language: `prepare` asks everybody, `window` narrows from the top, `take` widens from the bottom (committed), `abort` goes back. */
export interface ChangeView {
  readonly change: string;
  readonly from: string | null;
  readonly to: string;
  readonly epoch: number;
  readonly emergency: boolean;
  readonly stage: "prepare" | "window" | "take" | "abort";
  /** Layer the stage is at; absent where it concerns all. */
  readonly layer?: Layer;
  readonly waitingFor: readonly string[];
}

/** `silent`: no heartbeat for three periods; `down`: its connection ended; `missing`: expected, never seen. */
export type PointHealth = "up" | "joining" | "isolated" | "blind" | "silent" | "down" | "missing";

export interface PointView {
  readonly point: string;
  readonly layer: Layer | null;
  readonly health: PointHealth;
  /** Why, in words; empty when `up`. */
  readonly says: string;
  readonly mode: Mode | null;
  readonly phase: string | null;
  readonly steps: readonly string[];
  readonly epoch: number | null;
  /** Holds the coordinator's epoch and phase. */
  readonly agrees: boolean;
  readonly judged: number;
  readonly denied: number;
  readonly lost: number;
  readonly judgedUpToMs: number;
  /** Wall-clock ms of the last status; 0: never. */
  readonly seenRealMs: number;
  readonly expected: boolean;
}

export interface ProposalView {
  readonly id: string;
  readonly atMs: number;
  readonly to: string;
  readonly toSays: string;
  /** Why this containment: the sentence of the lifecycle. */
  readonly says: string;
  readonly detections: readonly string[];
  readonly state: "proposed" | "taken" | "refused" | "obsolete";
  /** False in monitor mode: approval is recorded, nothing is taken; `whyNot` says so. */
  readonly takable: boolean;
  readonly whyNot: string;
  readonly roles: readonly Role[];
  readonly decidedBy?: string;
}

export interface TagReading {
  readonly value: number;
  readonly atMs: number;
}

/** One request of the present phase, with what stands in its way. */
export interface RequestView {
  readonly request: string;
  readonly to: string;
  readonly toSays: string;
  readonly roles: readonly Role[];
  /** Empty: it would be accepted now from one of `roles`. Each entry is a sentence. */
  readonly missing: readonly string[];
  /** How many different people must ask. */
  readonly persons: 1 | 2;
  /** Who has asked already, where the request waits, and until when (plant ms). */
  readonly askedBy?: readonly string[];
  readonly untilMs?: number;
}

export interface OnwardView {
  readonly to: string;
  /** Each entry is a sentence. */
  readonly missing: readonly string[];
}

export interface CandidateView {
  readonly phase: string;
  readonly says: string;
  /** 0..1 share of the evidence that fits. */
  readonly fit: number;
  readonly contradicts: readonly string[];
}

export interface ChangeRecordView {
  readonly atMs: number;
  readonly from: string | null;
  readonly to: string;
  readonly epoch: number;
  readonly emergency: boolean;
  /** What led to it: `request start by anna (operator)`, `detection d-3`, `condition`. */
  readonly cause: string;
  readonly outcome: "done" | "aborted";
  readonly says: string;
}
