import { type WireError, type WireErrorCode, wireError } from "../wire-error.ts";
import type { CaptureParser, TimedFrame } from "./captured-frame.ts";
import { readU16, readU32 } from "./format.ts";
import {
  BLOCK,
  BYTE_ORDER_MAGIC,
  ENHANCED,
  HEAD,
  INTERFACE,
  MAX_BLOCK_BYTES,
  MAX_INTERFACES,
  MIN_BLOCK_BYTES,
  OBSOLETE,
  OPTION,
  PCAPNG_SPEC,
  PCAPNG_VERSION,
  padded,
  SECTION,
  SIMPLE,
  STATISTICS,
  TRAILER_BYTES,
} from "./pcapng-format.ts";
import { type CaptureDrops, type CaptureInterface, readInterface, readStatistics } from "./pcapng-interface.ts";
import { walkOptions } from "./pcapng-options.ts";

/** A drop count of obsolete packet blocks that says "unknown", appendix A. */
const DROPS_UNKNOWN = 0xffff;
/** Blocks that Wireshark lists beside packets, so that they take a frame number. */
const LISTED: ReadonlySet<number> = new Set([
  BLOCK.JOURNAL,
  BLOCK.CUSTOM,
  BLOCK.CUSTOM_DO_NOT_COPY,
  BLOCK.SYSDIG_EVENT,
]);

/**
 * pcapng: any number of sections, each in its own byte order with its own interfaces. A unit is one block. Blocks that carry no
 * packet are passed over by their length; their options are not.
 */
export class PcapngParser implements CaptureParser {
  #need = MIN_BLOCK_BYTES;
  #offset = 0;
  #error: WireError | undefined;
  #number = 0;
  #bigEndian = false;
  #interfaces: CaptureInterface[] = [];
  /** of the sections before this one, and what packets told */
  readonly #drops = { byInterface: 0, bySystem: 0, betweenPackets: 0 };
  /** of the frame before; a simple packet carries no time of its own */
  #last = { timeMs: 0, seconds: 0, nanoseconds: 0 };

  get need(): number {
    return this.#need;
  }
  get offset(): number {
    return this.#offset;
  }
  get error(): WireError | undefined {
    return this.#error;
  }
  /** Of the section that is being read. */
  get interfaces(): readonly CaptureInterface[] {
    return this.#interfaces;
  }
  get drops(): CaptureDrops {
    const drops = { ...this.#drops };
    for (const { statistics } of this.#interfaces) {
      drops.byInterface += statistics.interfaceDrops;
      drops.bySystem += statistics.systemDrops;
    }
    return drops;
  }

  parse(bytes: Buffer, from: number, frames: TimedFrame[]): number {
    let at = from;
    for (;;) {
      this.#need = MIN_BLOCK_BYTES;
      if (bytes.length - at < MIN_BLOCK_BYTES) return at;
      // The type of a section header reads the same in both byte orders; it decides the order of its own length.
      const isSection = bytes.readUInt32BE(at + HEAD.TYPE) === BLOCK.SECTION;
      if (isSection && !this.#takeByteOrder(bytes, at)) return at;
      const length = readU32(bytes, at + HEAD.LENGTH, this.#bigEndian);
      if (length < MIN_BLOCK_BYTES || length % 4 !== 0) return this.#fail("PC_BLOCK_LENGTH", HEAD.LENGTH, at);
      if (length > MAX_BLOCK_BYTES) return this.#fail("PC_BLOCK_SIZE", HEAD.LENGTH, at);
      this.#need = length;
      const end = at + length;
      if (end > bytes.length) return at;
      if (readU32(bytes, end - TRAILER_BYTES, this.#bigEndian) !== length)
        return this.#fail("PC_BLOCK_LENGTH", length - TRAILER_BYTES, at);
      this.#block(bytes, at, end, frames);
      if (this.#error !== undefined) return at;
      this.#offset += length;
      at = end;
    }
  }

  #takeByteOrder(bytes: Buffer, at: number): boolean {
    if (bytes.readUInt32BE(at + SECTION.BYTE_ORDER) === BYTE_ORDER_MAGIC) this.#bigEndian = true;
    else if (bytes.readUInt32LE(at + SECTION.BYTE_ORDER) === BYTE_ORDER_MAGIC) this.#bigEndian = false;
    else {
      this.#fail("PC_BYTE_ORDER", SECTION.BYTE_ORDER, at);
      return false;
    }
    return true;
  }

  #block(bytes: Buffer, at: number, end: number, frames: TimedFrame[]): void {
    const type = readU32(bytes, at + HEAD.TYPE, this.#bigEndian);
    if (type === BLOCK.ENHANCED_PACKET) this.#enhanced(bytes, at, end, frames);
    else if (type === BLOCK.SECTION) this.#section(bytes, at, end);
    else if (type === BLOCK.INTERFACE) this.#interface(bytes, at, end);
    else if (type === BLOCK.SIMPLE_PACKET) this.#simple(bytes, at, end, frames);
    else if (type === BLOCK.PACKET) this.#obsolete(bytes, at, end, frames);
    else if (type === BLOCK.STATISTICS) this.#statistics(bytes, at, end);
    else if (LISTED.has(type)) this.#number += 1;
  }

  #section(bytes: Buffer, at: number, end: number): void {
    if (end - at < SECTION.OPTIONS + TRAILER_BYTES) return this.#refuse("PC_BLOCK_LENGTH", HEAD.LENGTH);
    const minor = readU16(bytes, at + SECTION.MINOR, this.#bigEndian);
    const isVersion =
      readU16(bytes, at + SECTION.MAJOR, this.#bigEndian) === PCAPNG_VERSION.MAJOR &&
      PCAPNG_VERSION.MINORS.some((known) => known === minor);
    if (!isVersion) return this.#refuse("PC_VERSION", SECTION.MAJOR);
    this.#checkOptions(bytes, at, at + SECTION.OPTIONS, end);
    const { byInterface, bySystem } = this.drops;
    this.#drops.byInterface = byInterface;
    this.#drops.bySystem = bySystem;
    this.#interfaces = [];
  }

  #interface(bytes: Buffer, at: number, end: number): void {
    if (end - at < INTERFACE.OPTIONS + TRAILER_BYTES) return this.#refuse("PC_BLOCK_LENGTH", HEAD.LENGTH);
    if (this.#interfaces.length >= MAX_INTERFACES) return this.#refuse("PC_INTERFACES", HEAD.TYPE);
    const described = readInterface(bytes, at, end, this.#bigEndian);
    if (typeof described === "number") this.#refuse("PC_OPTION", described - at);
    else this.#interfaces.push(described);
  }

  #enhanced(bytes: Buffer, at: number, end: number, frames: TimedFrame[]): void {
    if (end - at < ENHANCED.DATA + TRAILER_BYTES) return this.#refuse("PC_BLOCK_LENGTH", HEAD.LENGTH);
    this.#packet(readU32(bytes, at + ENHANCED.INTERFACE, this.#bigEndian), bytes, at, end, frames);
  }

  #obsolete(bytes: Buffer, at: number, end: number, frames: TimedFrame[]): void {
    if (end - at < OBSOLETE.DATA + TRAILER_BYTES) return this.#refuse("PC_BLOCK_LENGTH", HEAD.LENGTH);
    const drops = readU16(bytes, at + OBSOLETE.DROPS, this.#bigEndian);
    if (drops !== DROPS_UNKNOWN) this.#drops.betweenPackets += drops;
    this.#packet(readU16(bytes, at + OBSOLETE.INTERFACE, this.#bigEndian), bytes, at, end, frames);
  }

  /** The two kinds of packet block differ in their interface field only; the rest lies in the same places. */
  #packet(interfaceId: number, bytes: Buffer, at: number, end: number, frames: TimedFrame[]): void {
    const described = this.#interfaces[interfaceId];
    if (described === undefined) return this.#refuse("PC_INTERFACE", ENHANCED.INTERFACE);
    const captured = readU32(bytes, at + ENHANCED.CAPTURED, this.#bigEndian);
    const data = at + ENHANCED.DATA;
    const options = data + padded(captured);
    if (captured > MAX_BLOCK_BYTES || options > end - TRAILER_BYTES)
      return this.#refuse("PC_RECORD_LENGTH", ENHANCED.CAPTURED);
    if (options < end - TRAILER_BYTES && !this.#packetOptions(bytes, at, options, end)) return;
    const { scale, linkType } = described;
    scale.read(
      readU32(bytes, at + ENHANCED.TIME_HIGH, this.#bigEndian),
      readU32(bytes, at + ENHANCED.TIME_LOW, this.#bigEndian),
    );
    const { seconds, nanoseconds } = scale;
    const timeMs = seconds * 1000 + nanoseconds / 1_000_000;
    const original = readU32(bytes, at + ENHANCED.ORIGINAL, this.#bigEndian);
    this.#number += 1;
    const frame = {
      number: this.#number,
      timeMs,
      linkType,
      interfaceId,
      frame: bytes.subarray(data, data + captured),
      originalLength: Math.max(original, captured),
      seconds,
      nanoseconds,
    };
    this.#last = frame;
    frames.push(frame);
  }

  #packetOptions(bytes: Buffer, at: number, options: number, end: number): boolean {
    const bigEndian = this.#bigEndian;
    const bad = walkOptions(bytes, options, end - TRAILER_BYTES, bigEndian, (code, value, length) => {
      if (code !== OPTION.PACKET_DROPS || length !== 8) return;
      this.#drops.betweenPackets += Number(bigEndian ? bytes.readBigUInt64BE(value) : bytes.readBigUInt64LE(value));
    });
    if (bad !== undefined) this.#refuse("PC_OPTION", bad - at);
    return bad === undefined;
  }

  #simple(bytes: Buffer, at: number, end: number, frames: TimedFrame[]): void {
    if (end - at < SIMPLE.DATA + TRAILER_BYTES) return this.#refuse("PC_BLOCK_LENGTH", HEAD.LENGTH);
    // "The Simple Packet Block does not contain the Interface ID field. Therefore, it MUST be assumed that all the Simple Packet
    // Blocks have been captured on the interface previously specified in the first Interface Description Block."
    const [described] = this.#interfaces;
    if (described === undefined) return this.#refuse("PC_INTERFACE", HEAD.TYPE);
    const originalLength = readU32(bytes, at + SIMPLE.ORIGINAL, this.#bigEndian);
    const { snaplen, linkType } = described;
    const captured = snaplen === 0 ? originalLength : Math.min(snaplen, originalLength);
    const data = at + SIMPLE.DATA;
    if (captured > MAX_BLOCK_BYTES || data + captured > end - TRAILER_BYTES)
      return this.#refuse("PC_RECORD_LENGTH", SIMPLE.ORIGINAL);
    this.#number += 1;
    const { timeMs, seconds, nanoseconds } = this.#last;
    const frame = bytes.subarray(data, data + captured);
    frames.push({
      number: this.#number,
      timeMs,
      linkType,
      interfaceId: 0,
      frame,
      originalLength,
      seconds,
      nanoseconds,
    });
  }

  #statistics(bytes: Buffer, at: number, end: number): void {
    if (end - at < STATISTICS.OPTIONS + TRAILER_BYTES) return this.#refuse("PC_BLOCK_LENGTH", HEAD.LENGTH);
    const described = this.#interfaces[readU32(bytes, at + STATISTICS.INTERFACE, this.#bigEndian)];
    // No packet depends on it.
    if (described === undefined) return;
    const bad = readStatistics(described.statistics, bytes, at, end, this.#bigEndian);
    if (bad !== undefined) this.#refuse("PC_OPTION", bad - at);
  }

  #checkOptions(bytes: Buffer, at: number, options: number, end: number): void {
    const bad = walkOptions(bytes, options, end - TRAILER_BYTES, this.#bigEndian);
    if (bad !== undefined) this.#refuse("PC_OPTION", bad - at);
  }

  #refuse(code: WireErrorCode, field: number): void {
    this.#error = wireError(code, this.#offset + field, PCAPNG_SPEC);
  }

  #fail(code: WireErrorCode, field: number, at: number): number {
    this.#refuse(code, field);
    return at;
  }
}
