import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, type WireErrorCode, wireError } from "../wire-error.ts";
import {
  FILE,
  FRACTIONS,
  LINK_TYPE_MASK,
  MAGIC,
  MAX_SNAPLEN,
  PCAP_SPEC,
  type PcapResolution,
  RECORD,
  VERSION,
} from "./format.ts";

/** What the file header says. */
export interface PcapHeader {
  readonly byteOrder: "big-endian" | "little-endian";
  readonly resolution: PcapResolution;
  /** 1..262144 bytes */
  readonly snaplen: number;
  /** see `LINKTYPE_ETHERNET` */
  readonly linkType: number;
}

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

interface RecordHeader {
  readonly timeMs: number;
  /** bytes of the frame that follow */
  readonly captured: number;
  readonly originalLength: number;
}

interface Step {
  readonly need: number;
  readonly take: (bytes: Buffer, records: PcapRecord[]) => void;
}

/**
 * Push parser for a classic pcap stream, live or from a file; both byte orders, µs and ns.
 * It holds at most one partial record (snapshot length + 16 bytes). After the first bad header it is dead for good.
 * Error offsets count from the first byte of the stream.
 */
export class PcapReader {
  #state: PcapReaderState = { kind: "header" };
  #chunks: Buffer[] = [];
  #held = 0;
  #offset = 0;
  #record: RecordHeader | undefined;

  get state(): PcapReaderState {
    return this.#state;
  }

  /** Bytes held of a header or record not yet complete; not 0 at the end of a file means that the file was cut. */
  get pendingBytes(): number {
    return this.#held + (this.#record === undefined ? 0 : RECORD.END);
  }

  /** Takes the next bytes; returns the records they complete, in order. */
  push(chunk: Buffer): readonly PcapRecord[] {
    const records: PcapRecord[] = [];
    let at = 0;
    while (this.#state.kind !== "failed") {
      const step = this.#next(this.#state);
      const taken = Math.min(step.need - this.#held, chunk.length - at);
      if (this.#held + taken < step.need) {
        this.#hold(chunk, at);
        return records;
      }
      step.take(this.#join(chunk.subarray(at, at + taken)), records);
      at += taken;
      this.#offset += step.need;
    }
    this.#chunks = [];
    this.#held = 0;
    return records;
  }

  #next(state: Exclude<PcapReaderState, { kind: "failed" }>): Step {
    if (state.kind === "header") return { need: FILE.END, take: (bytes) => this.#takeHeader(bytes) };
    const record = this.#record;
    if (record === undefined) return { need: RECORD.END, take: (bytes) => this.#takeRecordHeader(bytes, state.header) };
    return {
      need: record.captured,
      take: (frame, records) => {
        records.push({ timeMs: record.timeMs, frame, originalLength: record.originalLength });
        this.#record = undefined;
      },
    };
  }

  #hold(chunk: Buffer, at: number): void {
    if (at === chunk.length) return;
    // A copy, so that a few held bytes do not keep a large chunk alive.
    this.#chunks.push(Buffer.from(chunk.subarray(at)));
    this.#held += chunk.length - at;
  }

  #join(last: Buffer): Buffer {
    if (this.#held === 0) return last;
    const bytes = Buffer.concat([...this.#chunks, last]);
    this.#chunks = [];
    this.#held = 0;
    return bytes;
  }

  #takeHeader(bytes: Buffer): void {
    const header = this.#decodeHeader(bytes);
    if (header.ok) this.#state = { kind: "records", header: header.value };
    else this.#state = { kind: "failed", error: header.error };
  }

  #decodeHeader(bytes: Buffer): Result<PcapHeader, WireError> {
    const byteOrder = byteOrderOf(bytes);
    if (byteOrder === undefined) return this.#refuse("PC_MAGIC", FILE.MAGIC);
    const bigEndian = byteOrder === "big-endian";
    const magic = read32(bytes, FILE.MAGIC, bigEndian);
    const resolution = magic === MAGIC.microseconds ? "microseconds" : "nanoseconds";
    const major = bigEndian ? bytes.readUInt16BE(FILE.MAJOR) : bytes.readUInt16LE(FILE.MAJOR);
    const minor = bigEndian ? bytes.readUInt16BE(FILE.MINOR) : bytes.readUInt16LE(FILE.MINOR);
    if (major !== VERSION.MAJOR || minor !== VERSION.MINOR) return this.#refuse("PC_VERSION", FILE.MAJOR);
    const declared = read32(bytes, FILE.SNAPLEN, bigEndian);
    if (declared > MAX_SNAPLEN) return this.#refuse("PC_SNAPLEN", FILE.SNAPLEN);
    // Some writers put 0 for "no limit".
    const snaplen = declared === 0 ? MAX_SNAPLEN : declared;
    const linkType = read32(bytes, FILE.LINK_TYPE, bigEndian) & LINK_TYPE_MASK;
    return ok({ byteOrder, resolution, snaplen, linkType });
  }

  #takeRecordHeader(bytes: Buffer, header: PcapHeader): void {
    const record = this.#decodeRecordHeader(bytes, header);
    if (record.ok) this.#record = record.value;
    else this.#state = { kind: "failed", error: record.error };
  }

  #decodeRecordHeader(bytes: Buffer, header: PcapHeader): Result<RecordHeader, WireError> {
    const bigEndian = header.byteOrder === "big-endian";
    const seconds = read32(bytes, RECORD.SECONDS, bigEndian);
    const fraction = read32(bytes, RECORD.FRACTION, bigEndian);
    const captured = read32(bytes, RECORD.CAPTURED, bigEndian);
    const originalLength = read32(bytes, RECORD.ORIGINAL, bigEndian);
    if (fraction >= FRACTIONS[header.resolution]) return this.#refuse("PC_TIME", RECORD.FRACTION);
    if (captured > header.snaplen || captured > originalLength)
      return this.#refuse("PC_RECORD_LENGTH", RECORD.CAPTURED);
    const timeMs = seconds * 1000 + fraction / (FRACTIONS[header.resolution] / 1000);
    return ok({ timeMs, captured, originalLength });
  }

  #refuse(code: WireErrorCode, field: number): { readonly ok: false; readonly error: WireError } {
    return err(wireError(code, this.#offset + field, PCAP_SPEC));
  }
}

function read32(bytes: Buffer, offset: number, bigEndian: boolean): number {
  return bigEndian ? bytes.readUInt32BE(offset) : bytes.readUInt32LE(offset);
}

function byteOrderOf(bytes: Buffer): PcapHeader["byteOrder"] | undefined {
  const isMagic = (value: number) => value === MAGIC.microseconds || value === MAGIC.nanoseconds;
  if (isMagic(bytes.readUInt32BE(FILE.MAGIC))) return "big-endian";
  if (isMagic(bytes.readUInt32LE(FILE.MAGIC))) return "little-endian";
  return undefined;
}
