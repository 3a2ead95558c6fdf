import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, type WireErrorCode, wireError } from "../wire-error.ts";
import { formatIpv4, parseIpv4 } from "./address.ts";
import { internetChecksum } from "./checksum.ts";

const SPEC = "RFC 791 §3.1";
const FIELD = {
  VERSION: 0,
  TOTAL_LENGTH: 2,
  ID: 4,
  FRAGMENT: 6,
  TTL: 8,
  PROTOCOL: 9,
  CHECKSUM: 10,
  SRC: 12,
  DST: 16,
} as const;
const HEADER_BYTES = 20;
const MORE_FRAGMENTS = 0x2000;
const DO_NOT_FRAGMENT = 0x4000;
const OFFSET_MASK = 0x1fff;
const DEFAULT_TTL = 64;

/** IP protocol numbers that matter here. */
export const IP_PROTOCOL = { TCP: 6, UDP: 17 } as const;

/** IPv4 packet. */
export interface Ipv4Packet {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  /** Set when the packet is one of several fragments; `offset` in bytes. Fragments are recognised, not reassembled. */
  readonly fragment: { readonly offset: number; readonly more: boolean } | null;
  /** source and destination address, 8 bytes, for the pseudo header of the TCP checksum */
  readonly addresses: Buffer;
  /** trimmed to the total length, so Ethernet padding is gone; a view */
  readonly payload: Buffer;
}

function refuse(code: WireErrorCode, offset: number): { readonly ok: false; readonly error: WireError } {
  return err(wireError(code, offset, SPEC));
}

/** Decodes an IPv4 packet. A packet cut short by the capture is refused by its total length.
 *  Offsets in errors are within the packet. */
export function decodeIpv4(
  packet: Buffer,
  options: { readonly verifyChecksum?: boolean } = {},
): Result<Ipv4Packet, WireError> {
  if (packet.length < HEADER_BYTES) return refuse("PK_SHORT", packet.length);
  const first = packet.readUInt8(FIELD.VERSION);
  if (first >> 4 !== 4) return refuse("PK_IPV4_VERSION", FIELD.VERSION);
  const headerBytes = 4 * (first & 0x0f);
  if (headerBytes < HEADER_BYTES || headerBytes > packet.length) return refuse("PK_IPV4_HEADER_LENGTH", FIELD.VERSION);
  const total = packet.readUInt16BE(FIELD.TOTAL_LENGTH);
  if (total < headerBytes || total > packet.length) return refuse("PK_IPV4_TOTAL_LENGTH", FIELD.TOTAL_LENGTH);
  if (options.verifyChecksum === true && internetChecksum(packet.subarray(0, headerBytes)) !== 0) {
    return refuse("PK_IPV4_CHECKSUM", FIELD.CHECKSUM);
  }
  const word = packet.readUInt16BE(FIELD.FRAGMENT);
  const offset = 8 * (word & OFFSET_MASK);
  const more = (word & MORE_FRAGMENTS) !== 0;
  return ok({
    src: formatIpv4(packet, FIELD.SRC),
    dst: formatIpv4(packet, FIELD.DST),
    protocol: packet.readUInt8(FIELD.PROTOCOL),
    fragment: more || offset > 0 ? { offset, more } : null,
    addresses: packet.subarray(FIELD.SRC, HEADER_BYTES),
    payload: packet.subarray(headerBytes, total),
  });
}

/** Encodes an unfragmented IPv4 packet without options, with its header checksum. */
export function encodeIpv4(packet: {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly payload: Buffer;
  /** 0..65535, default 0 as RFC 6864 allows for atomic datagrams */
  readonly id?: number;
}): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt8(0x45, FIELD.VERSION);
  head.writeUInt16BE(HEADER_BYTES + packet.payload.length, FIELD.TOTAL_LENGTH);
  head.writeUInt16BE(packet.id ?? 0, FIELD.ID);
  head.writeUInt16BE(DO_NOT_FRAGMENT, FIELD.FRAGMENT);
  head.writeUInt8(DEFAULT_TTL, FIELD.TTL);
  head.writeUInt8(packet.protocol, FIELD.PROTOCOL);
  parseIpv4(packet.src).copy(head, FIELD.SRC);
  parseIpv4(packet.dst).copy(head, FIELD.DST);
  head.writeUInt16BE(internetChecksum(head), FIELD.CHECKSUM);
  return Buffer.concat([head, packet.payload]);
}
