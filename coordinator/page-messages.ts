import type { Layer } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { Locus, Operation, Role } from "#specs/lifecycle.ts";
import type { DeviceRole, Mode, Protocol, TagKind } from "#specs/plant.ts";

/**
 * Everything that passes between the coordinator and the operator page. Types only: the page is bundled for a browser and
 * may import this file. `atMs` is plant time in ms; `realMs` is milliseconds of the coordinator's wall clock.
 *
 * Over `ws` at `/api/live`: one `snapshot` on joining, then `state` deltas and `detection` messages. `seq` increases by one
 * with each message to this page; a snapshot may come at any time (a slow page gets one instead of the deltas it missed)
 * and replaces everything known before.
 */
export type ToPage = SnapshotMessage | StateDelta | DetectionMessage | VerdictsMessage;

export interface SnapshotMessage {
  readonly kind: "snapshot";
  readonly seq: number;
  readonly plant: PlantView;
  readonly state: StateView;
  /** The coordinator's wall clock on sending; the page shows the age of `seenRealMs` against it, whatever its own clock says. */
  readonly realMs?: number;
  /** Receipts of before, newest first, at most 200: a page opened late has its verdict list filled. */
  readonly verdicts?: readonly VerdictView[];
  /** Readings of before, oldest first, at most 600 a tag: a page opened late has its trend filled. `[atMs, value]`. */
  readonly trend?: Readonly<Record<string, readonly (readonly [atMs: number, value: number])[]>>;
}

/** Only the fields that changed. `tags` holds only the changed tags (merge); every other field replaces the old one whole. */
export interface StateDelta {
  readonly kind: "state";
  readonly seq: number;
  readonly changed: Partial<Omit<StateView, "detections">>;
  /** As in a snapshot. */
  readonly realMs?: number;
}

/** Receipts that came in since the last such message, newest first, at most 50; `omitted` more came and are only in `counts`. */
export interface VerdictsMessage {
  readonly kind: "verdicts";
  readonly seq: number;
  readonly verdicts: readonly VerdictView[];
  readonly omitted: number;
}

/** One receipt of a layer: what it saw, how it judged, what was done. */
export interface VerdictView {
  /** `point` and `seq` identify it. */
  readonly point: string;
  readonly layer: Layer;
  readonly seq: number;
  readonly atMs: number;
  /** Device id, `program`, or null where no declared device has the address. */
  readonly source: string | null;
  /** Empty inside a PLC. */
  readonly sourceAddress: string;
  readonly target: string;
  readonly operation: Operation;
  /** `Write Single Register (06)`. */
  readonly message: string;
  readonly items: readonly {
    readonly tag: string | null;
    readonly address: string;
    readonly value: number | null;
    readonly before?: number;
  }[];
  readonly verdict: "allow" | "deny";
  readonly rule: string | null;
  readonly reason: ReasonCode | null;
  /** The reason in words; empty for an allow. */
  readonly says: string;
  /** A deny in monitor mode is `forwarded`. */
  readonly action: "forwarded" | "blocked";
}

/** A new detection, or an old one whose count, evidence or time grew: replace by `id`, else put in front. */
export interface DetectionMessage {
  readonly kind: "detection";
  readonly seq: number;
  readonly detection: Detection;
}

/** The page may ask for a fresh snapshot; everything else it says goes by HTTP. */
export interface ResyncMessage {
  readonly kind: "resync";
}

/** What does not change while the coordinator runs: inventory and lifecycle. */
export interface PlantView {
  readonly id: string;
  readonly title: string;
  readonly zone: string;
  readonly zoneTitle: string;
  /** Bundle id: sha256 of its canonical content. */
  readonly bundle: string;
  readonly version: number;
  readonly initial: string;
  readonly isolated: string;
  readonly devices: readonly {
    readonly id: string;
    readonly title: string;
    readonly role: DeviceRole;
    readonly addresses: readonly string[];
  }[];
  readonly links: readonly {
    readonly id: string;
    readonly client: string;
    readonly server: string;
    readonly protocol: Protocol;
    readonly mode: Mode;
  }[];
  readonly tags: readonly TagInfo[];
  readonly essential: readonly { readonly id: string; readonly says: string; readonly tags: readonly string[] }[];
  readonly phases: readonly PhaseInfo[];
  /** Rules that hold in every phase. */
  readonly rules: readonly RuleInfo[];
}

export interface TagInfo {
  readonly id: string;
  readonly title: string;
  readonly kind: TagKind;
  readonly device: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
}

export interface PhaseInfo {
  readonly id: string;
  readonly says: string;
  readonly containment: boolean;
  /** Generated containments only: the phase whose whitelist they narrow. */
  readonly generatedFrom?: string;
  readonly rules: readonly RuleInfo[];
  readonly steps: readonly { readonly id: string; readonly says: string; readonly rules: readonly RuleInfo[] }[];
  /** Event in words: `request start`, `when FIT101 at least 26 m³/h …, for 3 s`, `after 10 s`. */
  readonly transitions: readonly {
    readonly to: string;
    readonly event: "operator" | "condition" | "after";
    readonly says: string;
    readonly request?: string;
  }[];
}

export interface RuleInfo {
  readonly id: string;
  readonly says: string;
  readonly from: readonly string[];
  readonly operation: Operation;
  readonly tags: readonly string[];
  readonly safety: boolean;
}

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

export type Severity = "notice" | "warning" | "alarm";
export type LayerSight = "seen-fine" | "seen-violating" | "seen-different" | "not-seen" | "blind" | "not-applicable";

export interface ReceiptRef {
  readonly point: string;
  readonly layer: Layer;
  readonly seq: number;
  readonly atMs: number;
  /** `Write Single Register (06) DOS201.SP = 8.2 from 127.10.1.11:40112: denied, …` */
  readonly says: string;
}

export interface Detection {
  readonly id: string;
  /** Plant time of the first and the last occurrence; `count` of them are folded into this one. */
  readonly atMs: number;
  readonly lastMs: number;
  readonly count: number;
  /** Plant time at which the coordinator judged it first, ≥ `atMs`: a receipt waits until the other layers vouch for its time. */
  readonly judgedMs: number;
  /** Wall-clock ms of the same moment. */
  readonly realMs: number;
  readonly severity: Severity;
  readonly locus: readonly Locus[];
  /** 0..1: 1 where every layer could see and the pattern leaves one cause; less where some were blind. */
  readonly confidence: number;
  /** Who did what where, in one short sentence. */
  readonly says: string;
  /** Row of the locus table, for the explanation; undefined for notices and divergences. */
  readonly row?: string;
  /** Why the cause is placed there, or why it is no sign of an attack: the row's sentence. */
  readonly because?: string;
  /** What each layer saw of it. */
  readonly sight?: Readonly<Record<Layer, LayerSight>>;
  readonly reason: ReasonCode | string;
  readonly rule: string | null;
  readonly tags: readonly string[];
  readonly source: string;
  readonly target: string;
  readonly phase: string | null;
  readonly epoch: number | null;
  /** True: at least one enforcing layer stopped it. False: it went through (monitor mode), or there was nothing to stop. */
  readonly blocked: boolean;
  readonly evidence: readonly ReceiptRef[];
  /** MITRE ATT&CK for ICS technique id where the pattern names one, for example `T0855`. */
  readonly technique?: string;
  /** What followed: the containment phase it led to or proposed. */
  readonly containment?: string;
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

/** `GET /api/state`: both parts of a snapshot. */
export interface StateAnswer {
  readonly plant: PlantView;
  readonly state: StateView;
}

/** `POST /api/request`; 200 when the change has been carried out, 409 when it was refused or aborted, 400 for a malformed body. */
export interface RequestBody {
  readonly request: string;
  readonly role: Role;
  readonly person: string;
  /** Only for the request `adopt`: the phase to adopt. */
  readonly phase?: string;
}

/** `POST /api/containment`. */
export interface ContainmentBody {
  readonly proposal: string;
  readonly approve: boolean;
  readonly role: Role;
  readonly person: string;
}

export interface ApiAnswer {
  readonly accepted: boolean;
  readonly says: string;
}
