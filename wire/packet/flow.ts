import type { WireError } from "../wire-error.ts";
import { DEFAULT_FRAGMENT_LIMITS, type FragmentLimits, type FragmentRefusal } from "./fragments.ts";

/** One end of a TCP connection, as first seen. */
export interface Endpoint {
  /** empty where the link does not tell */
  readonly mac: string;
  /** dotted decimal, or RFC 5952 */
  readonly ip: string;
  readonly port: number;
}

/** One TCP connection. The client is who sent the SYN; in a flow joined late, who does not own the server port. */
export interface Flow {
  /** counts up within one reassembler; ports may be reused, identifiers are not */
  readonly id: number;
  readonly client: Endpoint;
  readonly server: Endpoint;
}

export type Direction = "client-to-server" | "server-to-client";

export const opposite = (direction: Direction): Direction =>
  direction === "client-to-server" ? "server-to-client" : "client-to-server";

/** Why bytes of a direction cannot be seen. A gap never closes again: the framing behind it is unknown. */
export type BlindReason =
  /** bytes were acknowledged, or bytes after them arrived, but they themselves did not within the gap time-out */
  | "gap"
  /** more bytes or segments wait behind a gap than the bounds allow */
  | "out-of-order-limit"
  /** bytes are marked urgent: receivers differ in whether one of them, and which, stays in the stream. RFC 6093 §3 */
  | "urgent";

export type CloseReason =
  | "fin"
  | "rst"
  /** both sides opened a new connection with the same addresses and ports */
  | "reused"
  /** the table was full */
  | "evicted"
  | "idle";

export type SkipReason =
  | FragmentRefusal
  | "malformed"
  /** a link type that is not read here */
  | "link-type"
  /** the capture kept the first bytes of the frame only (snapshot length) */
  | "cut"
  /** bytes or a FIN without ACK, which every receiver drops, RFC 9293 §3.10.7.4 */
  | "no-ack"
  /** sequence number implausibly far from what was delivered, or before the first byte of the connection */
  | "out-of-window"
  /** SYN within an open connection that its peer did not (yet) answer; SYN with FIN or RST; SYN-ACK of who is no server */
  | "unexpected-syn"
  /** RST with a sequence number that its receiver would not accept, RFC 5961 §3.2 */
  | "unexpected-rst";

/** What a reassembler saw; `timeMs` and `frame` are the capture time and number of the frame that completed it. */
export type ReassemblyEvent =
  | {
      readonly kind: "open";
      readonly flow: Flow;
      /** true when the handshake was not seen whole: earlier bytes are unknown and framing may be off */
      readonly joinedLate: boolean;
      readonly timeMs: number;
      readonly frame: number;
    }
  | {
      readonly kind: "data";
      readonly flow: Flow;
      readonly direction: Direction;
      /** the next bytes of the direction, each exactly once and in order */
      readonly bytes: Buffer;
      readonly timeMs: number;
      readonly frame: number;
    }
  | {
      /** Bytes were sent again with other content, or with content that cannot be compared and that the server has not acknowledged, or
       *  before the first byte of the connection. The first ones count; the receiver may have taken the others. */
      readonly kind: "overlap";
      readonly flow: Flow;
      readonly direction: Direction;
      readonly differingBytes: number;
      readonly timeMs: number;
      readonly frame: number;
    }
  | {
      readonly kind: "blind";
      readonly flow: Flow;
      readonly direction: Direction;
      readonly reason: BlindReason;
      readonly timeMs: number;
      readonly frame: number;
    }
  | {
      readonly kind: "close";
      readonly flow: Flow;
      readonly reason: CloseReason;
      readonly timeMs: number;
      readonly frame: number;
    }
  | {
      readonly kind: "skipped";
      readonly reason: SkipReason;
      readonly srcIp: string | null;
      readonly dstIp: string | null;
      /** of a malformed frame */
      readonly error: WireError | null;
      readonly timeMs: number;
      readonly frame: number;
    };

/** Bounds of a reassembler. */
export interface ReassemblyLimits extends FragmentLimits {
  /** connections tracked at once; default 16384. One that is silent takes about 1.5 KiB, a busy one up to 2 × `historyBytes` more */
  readonly maxFlows: number;
  /** bytes held behind a gap, per direction; default 65536 */
  readonly maxHeldBytes: number;
  /** bytes held behind gaps by all connections together; default 64 MiB */
  readonly maxTotalHeldBytes: number;
  /** segments held behind a gap, per direction; default 64 */
  readonly maxHeldSegments: number;
  /** delivered bytes remembered to compare retransmissions with, per direction; default 4096 */
  readonly historyBytes: number;
  /**
   * Of a client, what its server has not acknowledged is remembered up to this, beyond `historyBytes`; default 256 KiB, by all
   * connections together half of `maxTotalHeldBytes`. What is sent again beyond that counts as other content.
   */
  readonly unacknowledgedBytes: number;
  /** how far ahead or behind a plausible segment starts, in bytes; default 1 MiB */
  readonly windowBytes: number;
  /** how long a gap may stay before the direction is blind, in ms; default 1000 */
  readonly gapTimeoutMs: number;
  /**
   * What becomes of a direction that has a gap. `blind` (default): it delivers nothing more. `resume`, for who finds again where a
   * message begins: once `blind` was said, what lies behind the gap is delivered, with the time and the frame it came in; where its receiver
   * acknowledged what is missing nothing is waited for. A message may then begin anywhere in the first bytes.
   */
  readonly afterGap: "blind" | "resume";
  /** how long a connection may be silent before it is forgotten, in ms; default 10 minutes */
  readonly idleTimeoutMs: number;
}

export const DEFAULT_REASSEMBLY_LIMITS: ReassemblyLimits = {
  ...DEFAULT_FRAGMENT_LIMITS,
  maxFlows: 16_384,
  maxHeldBytes: 65536,
  maxTotalHeldBytes: 64 << 20,
  maxHeldSegments: 64,
  historyBytes: 4096,
  unacknowledgedBytes: 256 << 10,
  windowBytes: 1 << 20,
  gapTimeoutMs: 1000,
  afterGap: "blind",
  idleTimeoutMs: 600_000,
};
