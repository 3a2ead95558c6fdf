import {
  FILE,
  FRACTIONS,
  LINKTYPE_ETHERNET,
  MAGIC,
  MAX_SNAPLEN,
  type PcapResolution,
  RECORD,
  VERSION,
} from "./format.ts";

/** Options of both encoders; they must be the same for a header and its records. */
export interface PcapWriterOptions {
  /** default microseconds */
  readonly resolution?: PcapResolution;
  /** default big-endian */
  readonly byteOrder?: "big-endian" | "little-endian";
}

/** Encodes the file header of an Ethernet capture, snapshot length 262144. */
export function encodePcapHeader(options: PcapWriterOptions = {}): Buffer {
  const bytes = Buffer.alloc(FILE.END);
  const write = writerFor(bytes, options);
  write.u32(MAGIC[options.resolution ?? "microseconds"], FILE.MAGIC);
  write.u16(VERSION.MAJOR, FILE.MAJOR);
  write.u16(VERSION.MINOR, FILE.MINOR);
  write.u32(MAX_SNAPLEN, FILE.SNAPLEN);
  write.u32(LINKTYPE_ETHERNET, FILE.LINK_TYPE);
  return bytes;
}

/** Encodes one record. `timeMs` is at least 0 and below 2^32 seconds, rounded to the resolution; the frame is at most
 *  262144 bytes. Throws a `RangeError` otherwise. */
export function encodePcapRecord(timeMs: number, frame: Buffer, options: PcapWriterOptions = {}): Buffer {
  if (frame.length > MAX_SNAPLEN) throw new RangeError(`frame of ${frame.length} bytes is above ${MAX_SNAPLEN}`);
  const perSecond = FRACTIONS[options.resolution ?? "microseconds"];
  const whole = Math.floor(timeMs / 1000);
  const fraction = Math.round((timeMs - whole * 1000) * (perSecond / 1000));
  // Rounding may reach the next full second.
  const carry = fraction >= perSecond ? 1 : 0;
  const bytes = Buffer.alloc(RECORD.END + frame.length);
  const write = writerFor(bytes, options);
  write.u32(whole + carry, RECORD.SECONDS);
  write.u32(fraction - carry * perSecond, RECORD.FRACTION);
  write.u32(frame.length, RECORD.CAPTURED);
  write.u32(frame.length, RECORD.ORIGINAL);
  frame.copy(bytes, RECORD.END);
  return bytes;
}

function writerFor(bytes: Buffer, options: PcapWriterOptions) {
  const little = options.byteOrder === "little-endian";
  return {
    u16: (value: number, at: number) => (little ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at)),
    u32: (value: number, at: number) => (little ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at)),
  };
}
