import type { WireError } from "../wire-error.ts";

/** One end of a TCP connection, as first seen. */
export interface Endpoint {
  readonly mac: string;
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

/** Why bytes of a direction can no longer be seen. A gap never closes again: the framing behind it is unknown. */
export type BlindReason =
  /** bytes were acknowledged, or bytes after them arrived, but they themselves did not within the gap time-out */
  | "gap"
  /** more bytes or segments wait behind a gap than the bounds allow */
  | "out-of-order-limit";

export type CloseReason =
  | "fin"
  | "rst"
  /** both sides opened a new connection with the same addresses and ports */
  | "reused"
  /** the table was full */
  | "evicted"
  | "idle";

export type SkipReason =
  /** IPv4 fragments are not reassembled; bytes lost so become a gap */
  | "fragment"
  | "malformed"
  /** sequence number implausibly far from what was delivered */
  | "out-of-window"
  /** SYN within an open connection that its peer did not (yet) answer */
  | "unexpected-syn"
  /** RST with a sequence number that its receiver would not accept, RFC 5961 §3.2 */
  | "unexpected-rst";

/** What a reassembler saw; `timeMs` is the capture time of the frame that caused it. */
export type ReassemblyEvent =
  | {
      readonly kind: "open";
      readonly flow: Flow;
      /** true when the handshake was not seen whole: earlier bytes are unknown and framing may be off */
      readonly joinedLate: boolean;
      readonly timeMs: number;
    }
  | {
      readonly kind: "data";
      readonly flow: Flow;
      readonly direction: Direction;
      /** the next bytes of the direction, each exactly once and in order */
      readonly bytes: Buffer;
      readonly timeMs: number;
    }
  | {
      /** Bytes were sent again with other content. The first ones count; the receiver may have taken the others. */
      readonly kind: "overlap";
      readonly flow: Flow;
      readonly direction: Direction;
      readonly differingBytes: number;
      readonly timeMs: number;
    }
  | {
      readonly kind: "blind";
      readonly flow: Flow;
      readonly direction: Direction;
      readonly reason: BlindReason;
      readonly timeMs: number;
    }
  | { readonly kind: "close"; readonly flow: Flow; readonly reason: CloseReason; readonly timeMs: number }
  | {
      readonly kind: "skipped";
      readonly reason: SkipReason;
      readonly srcIp: string | null;
      readonly dstIp: string | null;
      /** of a malformed frame */
      readonly error: WireError | null;
      readonly timeMs: number;
    };

/** Bounds of a reassembler. */
export interface ReassemblyLimits {
  /** connections tracked at once; default 1024 */
  readonly maxFlows: number;
  /** bytes held behind a gap, per direction; default 65536 */
  readonly maxHeldBytes: number;
  /** segments held behind a gap, per direction; default 64 */
  readonly maxHeldSegments: number;
  /** delivered bytes remembered to compare retransmissions with, per direction; default 4096 */
  readonly historyBytes: number;
  /** how far ahead or behind a plausible segment starts, in bytes; default 1 MiB */
  readonly windowBytes: number;
  /** how long a gap may stay before the direction is blind, in ms; default 1000 */
  readonly gapTimeoutMs: number;
  /** how long a connection may be silent before it is forgotten, in ms; default 10 minutes */
  readonly idleTimeoutMs: number;
}

export const DEFAULT_REASSEMBLY_LIMITS: ReassemblyLimits = {
  maxFlows: 1024,
  maxHeldBytes: 65536,
  maxHeldSegments: 64,
  historyBytes: 4096,
  windowBytes: 1 << 20,
  gapTimeoutMs: 1000,
  idleTimeoutMs: 600_000,
};
