import type { FormRule } from "./form.ts";
import type { DeviceId, LinkId, PhaseId, PlantId, RawId, RuleId, StepId, TagId, ZoneId } from "./ids.ts";
import type { Mode } from "./plant.ts";

/** The lifecycle of one plant: its phases and steps, and in each the only things that may happen. Content is data only. */
export interface Lifecycle {
  readonly plant: PlantId;
  /** Increases with every issue of the file; points refuse an older one. */
  readonly version: number;
  /** One for each zone of the plant, in the order of the file: they run side by side, each with its own phase and epoch. */
  readonly regions: readonly Region[];
  /** Real milliseconds a point may go without the coordinator. */
  readonly leaseMs: number;
  /**
   * Plant ms by which the same thing is seen later, or earlier, one layer down. What is measured in time is judged by that much
   * more widely at the switch, and by twice as much in the PLC, so that what one layer let through in time is not too early at the next.
   */
  readonly skewMs: number;
  /** Plant ms within which every change of phase has ended, messages lost and points dead included. */
  readonly changeMs: number;
  /**
   * Plant ms by which a frame is judged at most later than it was captured at the mirror port. So long the HMI layer keeps the phase of
   * before for what was captured in it, and so long a change of phase waits for it at most. Absent: `MIRROR_DELAY_MS`.
   */
  readonly mirrorDelayMs?: number;
  /** Rules of every phase. */
  readonly rules: readonly Rule[];
  /** All phases of all zones, each under its dotted path, in the order of the file; generated containments come last. */
  readonly phases: readonly Phase[];
  readonly containments: readonly ContainmentChoice[];
}

/** What is declared of the mirror where nothing is: a kernel hands captured frames over in heaps of up to a second. Plant ms. */
export const MIRROR_DELAY_MS = 1500;

/** One zone's part of the machine. Where a plant has several, the ids of its phases begin with the zone: `boiler.normal`. */
export interface Region {
  readonly zone: ZoneId;
  readonly initial: PhaseId;
  /** Where a point goes by itself when its lease ends. */
  readonly isolated: PhaseId;
  readonly safe?: SafeState;
}

/** The phase in which nothing can go wrong, and the plant ms within which it can be reached from everywhere. */
export interface SafeState {
  readonly phase: PhaseId;
  readonly withinMs: number;
}

export interface Phase {
  readonly id: PhaseId;
  readonly zone: ZoneId;
  readonly says: string;
  /** Own rules and those of its ancestor groups (`degraded`), not those of every phase. Those of a generated one: see `mask`. */
  readonly rules: readonly Rule[];
  /** In the order of the file; empty for a phase without steps. */
  readonly steps: readonly Step[];
  /** The step in which the phase begins; absent exactly where there are no steps. */
  readonly initial?: StepId;
  readonly transitions: readonly Transition[];
  /** True for degraded phases: a containment leads here. */
  readonly containment: boolean;
  /** Generated containments only: `rules` and `steps` are those of the origin, and count as far as the mask lets them. */
  readonly mask?: Mask;
  /** Why so much may happen here; needed where permissiveness for state-changing commands is above 0.9. */
  readonly because?: string;
}

/** Least restriction first. */
export const LEVELS = ["observe", "rate-limit", "read-only", "quarantine", "cut"] as const;
export type Level = (typeof LEVELS)[number];

/** What a generated containment leaves of its origin's whitelist; safety rules and outputs pass every mask. See `mask.ts`. */
export interface Mask {
  readonly origin: PhaseId;
  readonly level: Level;
  /** The device or the conduit that is limited. */
  readonly subject: { readonly device: DeviceId } | { readonly link: LinkId };
}

export interface Step {
  readonly id: StepId;
  readonly says: string;
  readonly rules: readonly Rule[];
  readonly next: readonly StepTransition[];
  /** Plant ms before which no `next` counts. */
  readonly minMs?: number;
  /** Plant ms after which staying in the step is reported. */
  readonly maxMs?: number;
}

/** Steps are observed: the event names its observation. */
export type StepTransition = { readonly to: StepId } & (
  | { readonly event: "condition"; readonly when: Condition }
  /** A message that this rule allowed was forwarded, or answered with success. */
  | { readonly event: "command"; readonly rule: RuleId; readonly outcome: "forwarded" | "answered-ok" }
  /** Time in the step, plant ms. */
  | { readonly event: "after"; readonly ms: number }
);

/** Phases are commanded by the coordinator, for one of these events. */
export type Transition = {
  readonly to: PhaseId;
  /** Phases of other zones that are entered in the same change; at most one of each zone. */
  readonly with: readonly PhaseId[];
  /** No new detection for this long, in plant ms. */
  readonly cleanMs?: number;
  /** Rules whose commands belong to the transition itself. */
  readonly window: readonly RuleId[];
} & (
  | {
      readonly event: "operator";
      readonly request: string;
      readonly roles: readonly Role[];
      /** How many different people must ask. */
      readonly persons: 1 | 2;
      /** Plant ms for which the request stands while the second person or the condition is awaited; absent: judged at once. */
      readonly ttlMs?: number;
      readonly when?: Condition;
    }
  | {
      readonly event: "condition";
      readonly when: Condition;
      /** Plant ms within which the plant fulfils the condition, by its engineering. What `sekisho spec check` counts with. */
      readonly withinMs?: number;
    }
  | { readonly event: "after"; readonly ms: number; readonly when?: Condition; readonly withinMs?: number }
);

export type Role = "viewer" | "operator" | "engineer" | "admin";

/** Every part must hold, without a break, for `forMs` of plant time. */
export interface Condition {
  readonly all: readonly Comparison[];
  readonly forMs: number;
  /** Largest age of a reading, plant ms; an older one is unknown. Absent: a reading does not age. */
  readonly freshMs?: number;
}

export interface Comparison {
  readonly tag: TagId;
  readonly test: "at-least" | "at-most" | "is";
  readonly value: number;
  /** Hysteresis: once true, it stays true until the tag passes this value (below `value` for at-least, above for at-most). */
  readonly release?: number;
}

export const OPERATIONS = [
  "read",
  "write",
  "call",
  "subscribe",
  "browse",
  "session",
  "program",
  "diagnose",
  /** What the control program puts out. */
  "output",
  /** What a server tells a client: answers and notifications. Judged only where a rule is about it. */
  "report",
  /** A named vendor function or service. */
  "raw",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** who · what · form · value · cadence · causality */
export interface Rule {
  readonly id: RuleId;
  /** The rule in words, shown to people. */
  readonly says: string;
  /** Source devices; of a `report` the servers. `program` is the control program in the PLC: only rules on outputs may name it. */
  readonly from: readonly (DeviceId | "program")[];
  /**
   * Who asks must be known by one of these: the role in a Modbus client's certificate (MODBUS/TCP Security V36 §8.3), the user's name
   * of an OPC UA session (OPC 10000-4 §7.40.4). Judged at the switch, where the two are seen. Absent: by whatever role, and none.
   */
  readonly roles?: readonly string[];
  readonly operation: Operation;
  /** Target devices: those of the tags, or named outright by a rule without tags (session, browse, raw) and by a `report`. */
  readonly targets: readonly DeviceId[];
  /** Empty: the operation is not about tags. */
  readonly tags: readonly TagId[];
  /** Of a `raw` rule: which; else empty. */
  readonly raw: readonly RawId[];
  readonly form?: FormRule;
  readonly value?: ValueRule;
  readonly cadence?: CadenceRule;
  readonly causality?: CausalityRule;
  /**
   * What follows when value, cadence or causality fail. Default `enforce`; of a `report` `monitor`: what the operator is told is
   * forwarded, marked suspect and detected, and withheld only where a rule says `enforce`.
   */
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
  /** Largest rate of change in engineering units per second; a change after a longer pause counts as one of one second. */
  readonly rampPerS?: number;
  /** `report` only: the value must have changed within this time, plant ms; one that stands still for longer is stale. */
  readonly staleMs?: number;
}

export interface CadenceRule {
  /** At most `most` forwarded messages in any `perMs` of plant time. */
  readonly rate?: { readonly most: number; readonly perMs: number };
  /** One message in each period: none earlier than `everyMs − jitterMs` after the one before. One later than `everyMs + jitterMs` is late. */
  readonly period?: { readonly everyMs: number; readonly jitterMs: number };
}

/** What must come before. */
export interface Follows {
  readonly rule: RuleId;
  readonly withinMs: number;
  readonly once: boolean;
  /** That rule selects what this one operates: the two messages are one command. Then `once` is true. */
  readonly select?: boolean;
}

/** The order of things. `follows` and `apart` are judged where messages are seen (HMI, switch), the conditions everywhere. */
export interface CausalityRule {
  /** Holds at the time of the command, and has held for `forMs`. */
  readonly after?: Condition;
  /** Does not hold at the time of the command; unknown counts as holding. */
  readonly notWhile?: Condition;
  /** A message of this rule was answered with success within `withinMs` before; `once`: each of them permits one message. */
  readonly follows?: Follows;
  /** No message of these rules was forwarded within `withinMs` before. */
  readonly apart?: { readonly rules: readonly RuleId[]; readonly withinMs: number };
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
