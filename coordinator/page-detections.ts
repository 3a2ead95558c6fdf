import type { Layer } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { Locus } from "#specs/lifecycle.ts";

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
