import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { foldSum, pseudoHeaderSum, sumWords, tcpChecksum } from "./checksum.ts";
import { i32, u16 } from "./octets.ts";
import { type ChecksumRule, PacketView } from "./packet-view.ts";

const SPEC = "RFC 9293 §3.1";
const FIELD = { SRC: 0, DST: 2, SEQ: 4, ACK: 8, OFFSET: 12, FLAGS: 13, WINDOW: 14, CHECKSUM: 16, URGENT: 18 } as const;
const HEADER_BYTES = 20;
const MAX_HEADER_BYTES = 60;
const DEFAULT_WINDOW = 65535;

/** Control bits, to be combined with `|`. */
export const TCP_FLAG = { FIN: 0x01, SYN: 0x02, RST: 0x04, PSH: 0x08, ACK: 0x10, URG: 0x20 } as const;

/** TCP segment. Sequence numbers are 0..2^32-1 and wrap. */
export interface TcpSegment {
  readonly srcPort: number;
  readonly dstPort: number;
  readonly seq: number;
  readonly ack: number;
  /** bits of {@link TCP_FLAG} (and ECE, CWR) */
  readonly flags: number;
  readonly window: number;
  /** raw options, 0..40 bytes, a multiple of four */
  readonly options: Buffer;
  readonly payload: Buffer;
}

/** Finds the fields of the TCP segment in `view.payloadAt..end` of `view.bytes`. */
export function locateTcp(view: PacketView, verify: ChecksumRule): boolean {
  const { bytes, payloadAt: at, end } = view;
  if (end - at < HEADER_BYTES) return view.refuse("PK_SHORT", end - at, SPEC);
  const headerBytes = 4 * ((bytes[at + FIELD.OFFSET] ?? 0) >> 4);
  if (headerBytes < HEADER_BYTES || headerBytes > end - at)
    return view.refuse("PK_TCP_DATA_OFFSET", FIELD.OFFSET, SPEC);
  if (verify !== false && !checksumHolds(view, verify)) return view.refuse("PK_TCP_CHECKSUM", FIELD.CHECKSUM, SPEC);
  view.srcPort = u16(bytes, at + FIELD.SRC);
  view.dstPort = u16(bytes, at + FIELD.DST);
  view.seq = i32(bytes, at + FIELD.SEQ) >>> 0;
  view.ack = i32(bytes, at + FIELD.ACK) >>> 0;
  view.flags = bytes[at + FIELD.FLAGS] ?? 0;
  view.window = u16(bytes, at + FIELD.WINDOW);
  view.optionsAt = at + HEADER_BYTES;
  view.dataAt = at + headerBytes;
  return true;
}

function checksumHolds(view: PacketView, verify: ChecksumRule): boolean {
  const { bytes, payloadAt: at, end, srcAt, dstAt } = view;
  const addressesTo = dstAt + dstAt - srcAt;
  const pseudo = pseudoHeaderSum(bytes, srcAt, addressesTo, end - at);
  if (foldSum(sumWords(bytes, at, end, pseudo)) === 0xffff) return true;
  view.unfilled = true;
  return verify === "auto";
}

/** Decodes a TCP segment. With `addresses` (source then destination, as in the IP header) the checksum is verified too.
 *  Offsets in errors are within the segment. */
export function decodeTcp(segment: Buffer, addresses?: Buffer): Result<TcpSegment, WireError> {
  const view = new PacketView();
  view.start(segment);
  view.end = segment.length;
  view.payloadAt = 0;
  if (!locateTcp(view, false)) return err(view.error ?? wireError("PK_SHORT", 0, SPEC));
  if (addresses !== undefined && tcpChecksum(addresses, segment) !== 0)
    return err(wireError("PK_TCP_CHECKSUM", FIELD.CHECKSUM, SPEC));
  return ok(segmentOf(view));
}

/** The located segment as values. */
export function segmentOf(view: PacketView): TcpSegment {
  const { srcPort, dstPort, seq, ack, flags, window, bytes } = view;
  const options = bytes.subarray(view.optionsAt, view.dataAt);
  return { srcPort, dstPort, seq, ack, flags, window, options, payload: bytes.subarray(view.dataAt, view.end) };
}

/** What {@link encodeTcp} needs; `window` defaults to 65535 and `options` to none. */
export type TcpSegmentInput = Omit<TcpSegment, "window" | "options"> & Partial<Pick<TcpSegment, "window" | "options">>;

/** Encodes a TCP segment with its checksum; throws a `RangeError` on a number that does not fit its field. */
export function encodeTcp(segment: TcpSegmentInput, addresses: Buffer): Buffer {
  const options = segment.options ?? Buffer.alloc(0);
  const headerBytes = HEADER_BYTES + options.length;
  if (options.length % 4 !== 0 || headerBytes > MAX_HEADER_BYTES) {
    throw new RangeError(`TCP options of ${options.length} bytes are not a multiple of four within 0..40`);
  }
  const bytes = Buffer.alloc(headerBytes + segment.payload.length);
  bytes.writeUInt16BE(segment.srcPort, FIELD.SRC);
  bytes.writeUInt16BE(segment.dstPort, FIELD.DST);
  bytes.writeUInt32BE(segment.seq, FIELD.SEQ);
  bytes.writeUInt32BE(segment.ack, FIELD.ACK);
  bytes.writeUInt8((headerBytes / 4) << 4, FIELD.OFFSET);
  bytes.writeUInt8(segment.flags, FIELD.FLAGS);
  bytes.writeUInt16BE(segment.window ?? DEFAULT_WINDOW, FIELD.WINDOW);
  options.copy(bytes, HEADER_BYTES);
  segment.payload.copy(bytes, headerBytes);
  bytes.writeUInt16BE(tcpChecksum(addresses, bytes), FIELD.CHECKSUM);
  return bytes;
}
