import type { WireError } from "../wire-error.ts";
import type { TimedFrame } from "./captured-frame.ts";
import { ClassicParser, type PcapHeader } from "./classic-parser.ts";
import { UnitBuffer } from "./unit-buffer.ts";

export type { PcapHeader } from "./classic-parser.ts";

/** One captured frame. */
export interface PcapRecord {
  /** ms since the epoch of the capture's clock (plant time, in a simulation), fraction kept */
  readonly timeMs: number;
  /** captured bytes; a view of the pushed chunk where it lies whole in one */
  readonly frame: Buffer;
  /** bytes on the wire; above `frame.length` when the capture cut the frame */
  readonly originalLength: number;
}

export type PcapReaderState =
  | { readonly kind: "header" }
  | { readonly kind: "records"; readonly header: PcapHeader }
  | { readonly kind: "failed"; readonly error: WireError };

/**
 * Push parser for a stream that must be classic pcap, such as a switch's mirror; `CaptureReader` reads any capture.
 * It holds at most one partial record (262144 + 16 bytes). After the first bad header it is dead for good.
 * Error offsets count from the first byte of the stream.
 */
export class PcapReader {
  readonly #parser = new ClassicParser();
  readonly #held = new UnitBuffer();

  get state(): PcapReaderState {
    const { error, header } = this.#parser;
    if (error !== undefined) return { kind: "failed", error };
    return header === undefined ? { kind: "header" } : { kind: "records", header };
  }

  /** Bytes held of a header or record not yet complete; not 0 at the end of a file means that the file was cut. */
  get pendingBytes(): number {
    return this.#held.length;
  }

  /** Takes the next bytes; returns the records they complete, in order. */
  push(chunk: Buffer): readonly PcapRecord[] {
    const records: TimedFrame[] = [];
    if (this.#parser.error === undefined) this.#held.push(this.#parser, chunk, records);
    return records;
  }
}
