import type { Layer, Outcome } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { DeviceId, Epoch, LinkId, PhaseId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import type { Locus, Operation } from "#specs/lifecycle.ts";
import type { Mode, UaWay } from "#specs/plant.ts";

/**
 * Everything that crosses the bus: topics and payloads, in this one file. Payloads are JSON; each carries phase, epoch and time
 * where it matters, so that a replayed or older one is an ordinary case. `atMs` is plant time, in ms.
 */
export const PREFIX = "sekisho/v1";
export const topic = {
  /** point → coordinator, each `HEARTBEAT_MS` and at once on a change; retained; last will says `down`. */
  status: (point: string) => `${PREFIX}/point/${point}/status`,
  /** point → coordinator: what a layer saw, one per state-changing command, and per denied message of any kind. */
  receipt: (point: string) => `${PREFIX}/point/${point}/receipt`,
  /** point → coordinator: something that is wrong but not one message: malformed stream, refused policy, blind, restart. */
  notice: (point: string) => `${PREFIX}/point/${point}/notice`,
  /** plc-guard agent → everybody: the tags after a scan. */
  tags: (point: string) => `${PREFIX}/point/${point}/tags`,
  /** point → coordinator: answer to a phase order. */
  answer: (point: string) => `${PREFIX}/point/${point}/answer`,
  /** coordinator → points: one order of a phase change. */
  order: (zone: string) => `${PREFIX}/zone/${zone}/order`,
  /** coordinator → points, retained: where the zone stands. Adopted by a point that (re)joins; refused when its epoch is older. */
  position: (zone: string) => `${PREFIX}/zone/${zone}/position`,
  /** coordinator → points: lease renewal, each `HEARTBEAT_MS`. */
  lease: `${PREFIX}/coordinator/lease`,
} as const;

/** Real ms between heartbeats of points and of the coordinator. A point is shown as silent after three. */
export const HEARTBEAT_MS = 500;

export type PointId = string;
export type PointState = "joining" | "in-force" | "isolated" | "blind" | "down";

export interface StatusMessage {
  readonly point: PointId;
  readonly layer: Layer;
  readonly state: PointState;
  /** Why, in words, when the state is not `in-force`. */
  readonly says: string;
  readonly mode: Mode;
  readonly zone: ZoneId;
  readonly phase: PhaseId | null;
  readonly steps: readonly StepId[];
  readonly epoch: Epoch | null;
  readonly bundle: string;
  readonly pid: number;
  readonly atMs: number;
  /** Everything captured or received before this plant time has been judged and reported. The bus keeps the order. */
  readonly judgedUpToMs: number;
  /** Lockstep: the tick this point has finished; absent when time runs freely. */
  readonly tick?: number;
  /** Counts since start: messages judged, denied, and what was lost. */
  readonly judged: number;
  readonly denied: number;
  readonly lost: number;
  /** Switch layer, OPC UA: how the channels that are open on each link, or were last, have been opened. Absent: none was. */
  readonly ways?: Readonly<Record<LinkId, UaWay>>;
}

/** One receipt per state-changing command a layer saw, or per denied message. */
export interface ReceiptMessage {
  readonly point: PointId;
  readonly layer: Layer;
  /** Increases by one per receipt of this point's run. */
  readonly seq: number;
  readonly atMs: number;
  readonly epoch: Epoch | null;
  readonly phase: PhaseId | null;
  readonly source: DeviceId | "program" | null;
  readonly sourceAddress: string;
  readonly target: DeviceId;
  readonly link: LinkId | null;
  readonly operation: Operation;
  readonly message: string;
  readonly items: readonly {
    readonly tag: TagId | null;
    readonly address: string;
    readonly value: number | null;
    readonly before?: number;
  }[];
  readonly verdict: "allow" | "deny";
  readonly rule: string | null;
  readonly reason: ReasonCode | null;
  /** The reason in words; empty for an allow. */
  readonly says: string;
  /** What was done: a deny in monitor mode is `forwarded`. */
  readonly action: "forwarded" | "blocked";
  /** Known at the switch once the server answered; absent elsewhere. */
  readonly outcome?: Outcome;
  /** This operates what that receipt of the same point selects: the two are one command. */
  readonly select?: { readonly seq: number; readonly atMs: number };
  /** PLC layer: the scan in which the change was latched. */
  readonly scan?: number;
}

export interface NoticeMessage {
  readonly point: PointId;
  readonly layer: Layer;
  readonly atMs: number;
  readonly code:
    | ReasonCode
    | "TAP_BLIND"
    | "TAP_BACK"
    | "RESTARTED"
    | "ISOLATED"
    | "LEASE_BACK"
    | "PLC_SILENT"
    | "PLC_BACK"
    /** A report rule failed: what a client was told is not plausible. */
    | "READING_SUSPECT"
    /** The same, and the rule has it withheld. */
    | "READING_WITHHELD"
    /** A message that comes in every period has not come. */
    | "PERIOD_MISSED"
    /** Something was selected, and the operate that makes it a command has not come. */
    | "COMMAND_UNFINISHED"
    /** Another bundle is in force at this point, or one was offered and refused. */
    | "BUNDLE_TAKEN"
    | "BUNDLE_REFUSED"
    /** The coordinator's own: a point holds another bundle than it leads by. */
    | "BUNDLE_DIFFERS";
  readonly severity: "info" | "detection";
  readonly locus: readonly Locus[];
  readonly source: string;
  readonly target: string;
  readonly says: string;
}

export interface TagsMessage {
  readonly point: PointId;
  readonly device: DeviceId;
  readonly scan: number;
  readonly atMs: number;
  readonly values: Readonly<Record<string, number>>;
}

/** Planned change: prepare → window (hmi, switch, plc) → commit record → take (plc, switch, hmi). Emergency: take, everywhere at once. */
export type OrderMessage = {
  readonly zone: ZoneId;
  /** Identifies the change; an answer names it. */
  readonly change: string;
  readonly epoch: Epoch;
  readonly to: PhaseId;
  readonly steps: readonly StepId[];
  readonly atMs: number;
} & (
  | {
      readonly order: "prepare";
      readonly from: PhaseId;
      readonly window: readonly string[];
      /** Id of the bundle that the coordinator leads by: a point that holds another refuses. Absent: not asked. */
      readonly bundle?: string;
    }
  | { readonly order: "window"; readonly layer: Layer }
  | { readonly order: "take"; readonly layer: Layer | "all" }
  | { readonly order: "abort"; readonly from: PhaseId }
);

export interface AnswerMessage {
  readonly point: PointId;
  readonly layer: Layer;
  readonly change: string;
  readonly order: "prepare" | "window" | "take" | "abort";
  readonly agreed: boolean;
  readonly says: string;
}

export interface PositionMessage {
  readonly zone: ZoneId;
  readonly phase: PhaseId;
  readonly steps: readonly StepId[];
  readonly epoch: Epoch;
  readonly atMs: number;
}

export interface LeaseMessage {
  readonly coordinator: string;
  readonly atMs: number;
  /** Real ms for which it holds from its arrival. */
  readonly leaseMs: number;
}
