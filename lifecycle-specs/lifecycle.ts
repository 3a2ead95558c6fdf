import type { DeviceId, PhaseId, PlantId, RuleId, StepId, TagId } from "./ids.ts";
import type { Mode } from "./plant.ts";

/** The lifecycle of one plant: its phases and steps, and in each the only things that may happen. Content is data only. */
export interface Lifecycle {
  readonly plant: PlantId;
  /** Increases with every issue of the file; points refuse an older one. */
  readonly version: number;
  readonly initial: PhaseId;
  /** Where a point goes by itself when its lease ends. */
  readonly isolated: PhaseId;
  /** Real milliseconds a point may go without the coordinator. */
  readonly leaseMs: number;
  /** Rules of every phase. */
  readonly rules: readonly Rule[];
  /** All phases, each under its dotted path, in the order of the file. */
  readonly phases: readonly Phase[];
  readonly containments: readonly ContainmentChoice[];
}

export interface Phase {
  readonly id: PhaseId;
  readonly says: string;
  /** Own rules and those of its ancestor groups (`degraded`), not those of every phase. */
  readonly rules: readonly Rule[];
  /** In the order of the file; empty for a phase without steps. */
  readonly steps: readonly Step[];
  /** The step in which the phase begins; absent exactly where there are no steps. */
  readonly initial?: StepId;
  readonly transitions: readonly Transition[];
  /** True for degraded phases: a containment leads here. */
  readonly containment: boolean;
}

export interface Step {
  readonly id: StepId;
  readonly says: string;
  readonly rules: readonly Rule[];
  readonly next: readonly StepTransition[];
  /** Plant ms after which staying in the step is reported. */
  readonly maxMs?: number;
}

/** Steps are observed: the event names an observation on tags. */
export interface StepTransition {
  readonly to: StepId;
  readonly when: Condition;
}

/** Phases are commanded by the coordinator, for one of these events. */
export type Transition = {
  readonly to: PhaseId;
  /** No new detection for this long, in plant ms. */
  readonly cleanMs?: number;
  /** Rules whose commands belong to the transition itself. */
  readonly window: readonly RuleId[];
} & (
  | { readonly event: "operator"; readonly request: string; readonly roles: readonly Role[]; readonly when?: Condition }
  | { readonly event: "condition"; readonly when: Condition }
  | { readonly event: "after"; readonly ms: number; readonly when?: Condition }
);

export type Role = "viewer" | "operator" | "engineer" | "admin";

/** Every part must hold, without a break, for `forMs` of plant time. */
export interface Condition {
  readonly all: readonly Comparison[];
  readonly forMs: number;
}

export interface Comparison {
  readonly tag: TagId;
  readonly test: "at-least" | "at-most" | "is";
  readonly value: number;
}

export type Operation =
  | "read"
  | "write"
  | "call"
  | "subscribe"
  | "browse"
  | "session"
  | "program"
  | "diagnose"
  | "output";

/** who · what · value · cadence · causality */
export interface Rule {
  readonly id: RuleId;
  /** The rule in words, shown to people. */
  readonly says: string;
  /** Source devices. `program` is the control program in the PLC: only rules on outputs may name it. */
  readonly from: readonly (DeviceId | "program")[];
  readonly operation: Operation;
  /** Target devices: those of the tags, or named outright by a rule without tags (session, browse). */
  readonly targets: readonly DeviceId[];
  /** Empty: the operation is not about tags. */
  readonly tags: readonly TagId[];
  readonly value?: ValueRule;
  readonly cadence?: CadenceRule;
  readonly causality?: CausalityRule;
  readonly mode: Mode;
  /** A command that no phase, window or containment may deny. */
  readonly safety: boolean;
}

export interface ValueRule {
  readonly min?: number;
  readonly max?: number;
  readonly oneOf?: readonly number[];
  /** Largest change against the last known value, in engineering units. */
  readonly maxStep?: number;
}

/** At most `most` forwarded messages in any `perMs` of plant time. */
export interface CadenceRule {
  readonly most: number;
  readonly perMs: number;
}

export interface CausalityRule {
  /** Holds at the time of the command, and has held for `forMs`. */
  readonly after: Condition;
}

/** A locus word, design: where an attack sits. */
export const LOCI = [
  "hmi",
  "path-hmi-switch",
  "switch",
  "path-switch-plc",
  "plc-logic",
  "field",
  "engineering",
  "unknown-device",
  "coordinator-link",
] as const;
export type Locus = (typeof LOCI)[number];

/** First fitting entry wins: the degraded phase for a locus, and where given, for an attack on certain tags. */
export interface ContainmentChoice {
  readonly from: readonly PhaseId[];
  readonly locus: readonly Locus[];
  readonly tags?: readonly TagId[];
  readonly to: PhaseId;
  readonly says: string;
}
