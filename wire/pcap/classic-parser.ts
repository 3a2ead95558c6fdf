import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, type WireErrorCode, wireError } from "../wire-error.ts";
import type { CaptureParser, TimedFrame } from "./captured-frame.ts";
import {
  type ByteOrder,
  FILE,
  FRACTIONS,
  LINK_TYPE_MASK,
  MAGIC,
  MAX_SNAPLEN,
  MODIFIED_MAGIC,
  PCAP_SPEC,
  type PcapResolution,
  RECORD,
  readU16,
  readU32,
  VERSION,
} from "./format.ts";

/** What the file header says. */
export interface PcapHeader {
  readonly byteOrder: ByteOrder;
  readonly resolution: PcapResolution;
  /** 1..262144 bytes; a header that says 0 or more is taken for 262144, and records above it are still refused */
  readonly snaplen: number;
  /** see `LINKTYPE_ETHERNET` */
  readonly linkType: number;
}

/** Classic pcap, both byte orders, µs and ns. A unit is the file header, or one record with its header. */
export class ClassicParser implements CaptureParser {
  #header: PcapHeader | undefined;
  #need: number = FILE.END;
  #offset = 0;
  #error: WireError | undefined;
  #number = 0;

  get header(): PcapHeader | undefined {
    return this.#header;
  }
  get need(): number {
    return this.#need;
  }
  get offset(): number {
    return this.#offset;
  }
  get error(): WireError | undefined {
    return this.#error;
  }

  parse(bytes: Buffer, from: number, frames: TimedFrame[]): number {
    let at = from;
    if (this.#header === undefined) {
      if (bytes.length - at < FILE.END) return at;
      const header = decodeHeader(bytes, at);
      if (!header.ok) {
        this.#error = { ...header.error, offset: this.#offset + header.error.offset };
        return at;
      }
      this.#header = header.value;
      at += FILE.END;
      this.#offset += FILE.END;
    }
    return this.#records(this.#header, bytes, at, frames);
  }

  #records(header: PcapHeader, bytes: Buffer, from: number, frames: TimedFrame[]): number {
    const { linkType } = header;
    const bigEndian = header.byteOrder === "big-endian";
    const perSecond = FRACTIONS[header.resolution];
    const nanosecondsEach = FRACTIONS.nanoseconds / perSecond;
    let at = from;
    for (;;) {
      this.#need = RECORD.END;
      if (bytes.length - at < RECORD.END) return at;
      let seconds = readU32(bytes, at + RECORD.SECONDS, bigEndian);
      let fraction = readU32(bytes, at + RECORD.FRACTION, bigEndian);
      const captured = readU32(bytes, at + RECORD.CAPTURED, bigEndian);
      const originalLength = readU32(bytes, at + RECORD.ORIGINAL, bigEndian);
      if (fraction >= perSecond) {
        // Some writers forget to carry.
        seconds += Math.floor(fraction / perSecond);
        fraction %= perSecond;
      }
      if (captured > MAX_SNAPLEN) return this.#fail("PC_RECORD_LENGTH", RECORD.CAPTURED, at);
      this.#need = RECORD.END + captured;
      const end = at + this.#need;
      if (end > bytes.length) return at;
      this.#number += 1;
      const nanoseconds = fraction * nanosecondsEach;
      frames.push({
        number: this.#number,
        timeMs: seconds * 1000 + fraction / (perSecond / 1000),
        linkType,
        interfaceId: 0,
        frame: bytes.subarray(at + RECORD.END, end),
        originalLength: Math.max(originalLength, captured),
        seconds,
        nanoseconds,
      });
      this.#offset += end - at;
      at = end;
    }
  }

  #fail(code: WireErrorCode, field: number, at: number): number {
    this.#error = wireError(code, this.#offset + field, PCAP_SPEC);
    return at;
  }
}

function decodeHeader(bytes: Buffer, at: number): Result<PcapHeader, WireError> {
  const refuse = (code: WireErrorCode, field: number) => err(wireError(code, field, PCAP_SPEC));
  const byteOrder = byteOrderOf(bytes, at);
  if (byteOrder === undefined) return refuse("PC_MAGIC", FILE.MAGIC);
  const bigEndian = byteOrder === "big-endian";
  const magic = readU32(bytes, at + FILE.MAGIC, bigEndian);
  if (magic === MODIFIED_MAGIC) return refuse("PC_MODIFIED", FILE.MAGIC);
  const resolution = magic === MAGIC.microseconds ? "microseconds" : "nanoseconds";
  const isVersion =
    readU16(bytes, at + FILE.MAJOR, bigEndian) === VERSION.MAJOR &&
    readU16(bytes, at + FILE.MINOR, bigEndian) === VERSION.MINOR;
  if (!isVersion) return refuse("PC_VERSION", FILE.MAJOR);
  // Writers put 0, 2^31-1 or 2^32-1 for "no limit".
  const declared = readU32(bytes, at + FILE.SNAPLEN, bigEndian);
  const snaplen = declared === 0 || declared > MAX_SNAPLEN ? MAX_SNAPLEN : declared;
  const linkType = readU32(bytes, at + FILE.LINK_TYPE, bigEndian) & LINK_TYPE_MASK;
  return ok({ byteOrder, resolution, snaplen, linkType });
}

/** Byte order of a classic capture, read from its first four bytes; undefined: it is none. */
export function byteOrderOf(bytes: Buffer, at: number): ByteOrder | undefined {
  const isMagic = (value: number) =>
    value === MAGIC.microseconds || value === MAGIC.nanoseconds || value === MODIFIED_MAGIC;
  if (isMagic(bytes.readUInt32BE(at + FILE.MAGIC))) return "big-endian";
  if (isMagic(bytes.readUInt32LE(at + FILE.MAGIC))) return "little-endian";
  return undefined;
}
