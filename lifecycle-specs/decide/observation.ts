import type { DeviceId, LinkId, PhaseId, RawId, RuleId, StepId, TagId } from "../ids.ts";
import type { Operation } from "../lifecycle.ts";
import type { Mode } from "../plant.ts";
import type { ReasonCode } from "./reasons.ts";

/** The three places that stand in the path of a command. */
export type Layer = "hmi" | "switch" | "plc";

/** One thing that somebody wants to happen, in the form that all three layers share. */
export interface Observation {
  /** The declared device it came from; `program` for the control program; undefined: no declared device has this address. */
  readonly source: DeviceId | "program" | undefined;
  /** As seen on the wire, for people: `127.10.1.11:40112`. Empty inside a PLC. */
  readonly sourceAddress: string;
  readonly target: DeviceId;
  /** undefined: no declared link from source to target over this protocol. */
  readonly link: LinkId | undefined;
  /** By which role, or user's name, the one who asks is known here; absent or undefined: by none. */
  readonly role?: string | undefined;
  readonly operation: Operation;
  /** The message in the protocol's own words, for people: `Write Single Register (06)`, `WriteRequest`. */
  readonly message: string;
  /** Empty for operations that are not about tags. Bounded by the codec. */
  readonly items: readonly ObservedItem[];
  /** Operation `raw`: which of the plant's named functions; absent or undefined: none has this code. */
  readonly raw?: RawId | undefined;
  /** Operation `raw`: bytes after the function code, or of the service's body. */
  readonly bytes?: number | undefined;
  /** Modbus: the function code, and of 8 the sub-function, of 43 the MEI type. */
  readonly functionCode?: number | undefined;
  readonly subFunction?: number | undefined;
  /** Registers, bits or records that this part of the message is about; over OPC UA nodes or methods. */
  readonly quantity?: number | undefined;
  /** Reading and writing of files: which records. Then `items` only shows them. */
  readonly files?: readonly ObservedRecords[] | undefined;
  /** Read Device Identification: the objects that the answer may show, both ends included. */
  readonly objects?: readonly [least: number, most: number] | undefined;
}

/** Records of one file, in a row. */
export interface ObservedRecords {
  readonly file: number;
  readonly record: number;
  readonly count: number;
}

export interface ObservedItem {
  /** undefined: no tag is bound to this address or NodeId. */
  readonly tag: TagId | undefined;
  /** Address in the protocol's words: `unit 1 holding register 1`, `ns=1;s=FIC401.SP`. */
  readonly address: string;
  /** Engineering value; undefined for reads, for a called method, or where the value could not be decoded as the tag's type. */
  readonly value: number | undefined;
  /** No tag begins and ends here, and this one lies here in part. */
  readonly partOf?: TagId | undefined;
}

/**
 * The answer. `allow` by a rule or `deny` for a reason; every path ends in one of the two.
 * `mode` is what the action follows from: the mode of the rule whose value, cadence or causality failed, else that of the link.
 */
export type Verdict =
  | {
      readonly verdict: "allow";
      /** The rule that allowed the first item, or the message as a whole. */
      readonly rule: RuleId;
      readonly safety: boolean;
      /** Rules that allowed further items, where they are other rules. Each counts the message for its cadence. */
      readonly also?: readonly RuleId[];
      /** A safety command beyond its declared rate: reported, not blocked. */
      readonly excess?: true;
    }
  | {
      readonly verdict: "deny";
      readonly reason: ReasonCode;
      /** The rule that came closest, where one matched who and what. */
      readonly rule: RuleId | undefined;
      /** Index of the item that failed, -1 where it is the whole message. */
      readonly item: number;
      readonly mode: Mode;
      /** The reason in words with the values at hand: `DOS201.SP 8.2 mg/L is above 3 mg/L (nm-dose-sp)`. */
      readonly says: string;
    };

/** Where the lifecycle stands, as a layer holds it. `steps` is the set of possible steps; empty for phases without steps. */
export interface Position {
  readonly phase: PhaseId;
  readonly steps: readonly StepId[];
}

/** What became of an observation: each rule says which it counts (cadence: forwarded; order and causality: answered ok). */
export type Outcome = "forwarded" | "answered-ok" | "answered-error" | "denied";
