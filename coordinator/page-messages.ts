import type { Layer } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { Operation, Role } from "#specs/lifecycle.ts";
import type { Detection } from "./page-detections.ts";
import type { PlantView } from "./page-plant.ts";
import type { StateView } from "./page-state.ts";

export type * from "./page-detections.ts";
export type * from "./page-plant.ts";
export type * from "./page-state.ts";

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
  /** Of an operate: when what it operates was selected, plant ms. */
  readonly selectedAtMs?: number;
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
