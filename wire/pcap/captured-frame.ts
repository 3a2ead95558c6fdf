import type { WireError } from "../wire-error.ts";

/** One frame of a capture. */
export interface CapturedFrame {
  /** 1-based, as Wireshark counts: a block that is no packet but that Wireshark lists takes a number too */
  readonly number: number;
  /** ms since the epoch of the capture's clock, fraction kept as far as a double holds it: to a quarter of a µs in our days */
  readonly timeMs: number;
  /** LINKTYPE_ value of the interface. @see https://www.tcpdump.org/linktypes.html */
  readonly linkType: number;
  /** of the interface within its section, 0-based; 0 in classic pcap */
  readonly interfaceId: number;
  /** captured bytes; a view of the pushed chunk where it lies whole in one */
  readonly frame: Buffer;
  /** bytes on the wire; above `frame.length` when the capture cut the frame */
  readonly originalLength: number;
}

/** A captured frame with its time to the nanosecond. */
export interface TimedFrame extends CapturedFrame {
  /** whole seconds since the epoch, may be negative */
  readonly seconds: number;
  /** 0..999,999,999 */
  readonly nanoseconds: number;
}

/**
 * Reads one capture format from whole bytes. The caller keeps what was not taken, and comes back with more.
 */
export interface CaptureParser {
  /** bytes the next unit (header, record, block) takes, as far as known; at least one */
  readonly need: number;
  /** bytes of the stream before the next unit */
  readonly offset: number;
  /** why the parser is dead for good */
  readonly error: WireError | undefined;
  /** Reads whole units from `at` on, adds their frames, and answers where the first unit starts that is not whole. */
  parse(bytes: Buffer, at: number, frames: TimedFrame[]): number;
}
