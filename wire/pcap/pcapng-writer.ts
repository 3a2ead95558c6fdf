import type { CapturedFrame, TimedFrame } from "./captured-frame.ts";
import {
  BLOCK,
  BYTE_ORDER_MAGIC,
  ENHANCED,
  HEAD,
  INTERFACE,
  MAX_BLOCK_BYTES,
  MAX_INTERFACES,
  MIN_BLOCK_BYTES,
  OPTION,
  OPTION_FIELD,
  PCAPNG_VERSION,
  padded,
  SECTION,
  TRAILER_BYTES,
} from "./pcapng-format.ts";

const NANOSECONDS = 9;
const NS_PER_SECOND = 1_000_000_000n;
/** A time stamp counts ns since the epoch: to the year 2554. */
const STAMP_BITS = 64;
const MAX_OPTION_BYTES = 0xffff;
const UNKNOWN_LENGTH = -1n;

/** An option in bytes, padded. */
function option(code: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(OPTION_FIELD.VALUE + padded(value.length));
  bytes.writeUInt16LE(code, OPTION_FIELD.CODE);
  bytes.writeUInt16LE(value.length, OPTION_FIELD.LENGTH);
  value.copy(bytes, OPTION_FIELD.VALUE);
  return bytes;
}

/** Text as an option; longer than 65535 bytes it is cut between two characters. */
function textOption(code: number, text: string): Buffer {
  const value = Buffer.from(text, "utf8");
  let end = Math.min(value.length, MAX_OPTION_BYTES);
  if (end < value.length) while (end > 0 && (value.readUInt8(end) & 0xc0) === 0x80) end -= 1;
  return option(code, value.subarray(0, end));
}

const END_OF_OPTIONS = option(OPTION.END, Buffer.alloc(0));

/** A block around its fixed part (which leaves 8 bytes for the head) and its options. */
function block(type: number, fixed: Buffer, options: readonly Buffer[]): Buffer {
  const parts = options.length === 0 ? [fixed] : [fixed, ...options, END_OF_OPTIONS];
  const bytes = Buffer.concat([...parts, Buffer.alloc(TRAILER_BYTES)]);
  if (bytes.length > MAX_BLOCK_BYTES)
    throw new RangeError(`a pcapng block of ${bytes.length} bytes is above ${MAX_BLOCK_BYTES}`);
  bytes.writeUInt32LE(type, HEAD.TYPE);
  bytes.writeUInt32LE(bytes.length, HEAD.LENGTH);
  bytes.writeUInt32LE(bytes.length, bytes.length - TRAILER_BYTES);
  return bytes;
}

/**
 * Writes a capture in pcapng with comments, little-endian, times in ns; the caller writes the bytes that each call answers, in order.
 * An interface is described when a link type (with its interface of the source) first appears.
 * @see draft-ietf-opsawg-pcapng
 */
export class PcapngWriter {
  readonly #interfaces = new Map<string, number>();

  /** The section header; first of all. `application` and `comment` are shown by Wireshark under the file's properties. */
  header(about: { readonly application?: string; readonly comment?: string } = {}): Buffer {
    const fixed = Buffer.alloc(SECTION.OPTIONS);
    fixed.writeUInt32LE(BYTE_ORDER_MAGIC, SECTION.BYTE_ORDER);
    fixed.writeUInt16LE(PCAPNG_VERSION.MAJOR, SECTION.MAJOR);
    fixed.writeBigInt64LE(UNKNOWN_LENGTH, SECTION.LENGTH);
    const options: Buffer[] = [];
    if (about.comment !== undefined) options.push(textOption(OPTION.COMMENT, about.comment));
    if (about.application !== undefined) options.push(textOption(OPTION.SECTION_APPLICATION, about.application));
    return block(BLOCK.SECTION, fixed, options);
  }

  /** One frame with any number of comments. Throws a `RangeError` on a time before 1970 or after 2554, or a frame above 16 MiB. */
  frame(captured: CapturedFrame | TimedFrame, comments: readonly string[] = []): Buffer {
    const key = `${captured.linkType} ${captured.interfaceId}`;
    const known = this.#interfaces.get(key);
    if (known !== undefined) return packet(known, captured, comments);
    const id = this.#interfaces.size;
    if (id >= MAX_INTERFACES) throw new RangeError(`a pcapng section takes at most ${MAX_INTERFACES} interfaces`);
    const bytes = Buffer.concat([describe(captured.linkType), packet(id, captured, comments)]);
    this.#interfaces.set(key, id);
    return bytes;
  }
}

function describe(linkType: number): Buffer {
  const fixed = Buffer.alloc(INTERFACE.OPTIONS);
  fixed.writeUInt16LE(linkType, INTERFACE.LINK_TYPE);
  return block(BLOCK.INTERFACE, fixed, [option(OPTION.INTERFACE_RESOLUTION, Buffer.from([NANOSECONDS]))]);
}

function packet(interfaceId: number, captured: CapturedFrame | TimedFrame, comments: readonly string[]): Buffer {
  const { frame, originalLength } = captured;
  if (ENHANCED.DATA + frame.length > MAX_BLOCK_BYTES - MIN_BLOCK_BYTES)
    throw new RangeError(`a frame of ${frame.length} bytes does not fit a pcapng block of ${MAX_BLOCK_BYTES}`);
  const stamp = nanosecondsOf(captured);
  if (BigInt.asUintN(STAMP_BITS, stamp) !== stamp)
    throw new RangeError(
      `frame ${captured.number} has a time before 1970 or after 2554, which pcapng cannot hold in ns`,
    );
  const fixed = Buffer.alloc(ENHANCED.DATA + padded(frame.length));
  fixed.writeUInt32LE(interfaceId, ENHANCED.INTERFACE);
  fixed.writeUInt32LE(Number(stamp >> 32n), ENHANCED.TIME_HIGH);
  fixed.writeUInt32LE(Number(stamp & 0xffffffffn), ENHANCED.TIME_LOW);
  fixed.writeUInt32LE(frame.length, ENHANCED.CAPTURED);
  fixed.writeUInt32LE(originalLength, ENHANCED.ORIGINAL);
  frame.copy(fixed, ENHANCED.DATA);
  return block(
    BLOCK.ENHANCED_PACKET,
    fixed,
    comments.map((comment) => textOption(OPTION.COMMENT, comment)),
  );
}

/** Exact where the frame carries its nanoseconds; otherwise to the µs, which is what a double of ms holds in our days. */
function nanosecondsOf(captured: CapturedFrame | TimedFrame): bigint {
  if ("nanoseconds" in captured) return BigInt(captured.seconds) * NS_PER_SECOND + BigInt(captured.nanoseconds);
  return BigInt(Math.round(captured.timeMs * 1000)) * 1000n;
}
