import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { formatIpv4, parseIpv4 } from "./address.ts";
import { foldSum, internetChecksum, sumWords } from "./checksum.ts";
import { u16 } from "./octets.ts";
import { type ChecksumRule, PacketView } from "./packet-view.ts";

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
  /** Set when the packet is one of several fragments; `offset` in bytes. `FragmentTable` puts them together. */
  readonly fragment: { readonly offset: number; readonly more: boolean } | null;
  /** source and destination address, 8 bytes, for the pseudo header of the TCP checksum */
  readonly addresses: Buffer;
  /** trimmed to the total length, so Ethernet padding is gone; a view */
  readonly payload: Buffer;
}

/**
 * Finds addresses, protocol and payload of the IPv4 packet at `at` of `view.bytes`. A packet cut short by the capture is refused by
 * its total length. Unless checksums are verified for certain, a total length of 0 runs to the end of the frame: that is how a
 * sender's own capture shows what its network card will cut into segments.
 */
export function locateIpv4(view: PacketView, at: number, verify: ChecksumRule): boolean {
  const { bytes } = view;
  const room = bytes.length - at;
  if (room < HEADER_BYTES) return view.refuse("PK_SHORT", room, SPEC);
  const first = bytes[at + FIELD.VERSION] ?? 0;
  if (first >> 4 !== 4) return view.refuse("PK_IPV4_VERSION", FIELD.VERSION, SPEC);
  const headerBytes = 4 * (first & 0x0f);
  if (headerBytes < HEADER_BYTES || headerBytes > room)
    return view.refuse("PK_IPV4_HEADER_LENGTH", FIELD.VERSION, SPEC);
  const declared = u16(bytes, at + FIELD.TOTAL_LENGTH);
  const total = declared === 0 && verify !== true ? room : declared;
  if (total < headerBytes || total > room) return view.refuse("PK_IPV4_TOTAL_LENGTH", FIELD.TOTAL_LENGTH, SPEC);
  if (verify !== false && foldSum(sumWords(bytes, at, at + headerBytes, 0)) !== 0xffff) {
    if (verify !== "auto") return view.refuse("PK_IPV4_CHECKSUM", FIELD.CHECKSUM, SPEC);
    view.unfilled = true;
  }
  const word = u16(bytes, at + FIELD.FRAGMENT);
  view.ipVersion = 4;
  view.srcAt = at + FIELD.SRC;
  view.dstAt = at + FIELD.DST;
  view.protocol = bytes[at + FIELD.PROTOCOL] ?? 0;
  view.identification = u16(bytes, at + FIELD.ID);
  view.fragmentOffset = 8 * (word & OFFSET_MASK);
  view.moreFragments = (word & MORE_FRAGMENTS) !== 0;
  view.isFragment = view.moreFragments || view.fragmentOffset > 0;
  view.payloadAt = at + headerBytes;
  view.end = at + total;
  return true;
}

/** Decodes an IPv4 packet. Offsets in errors are within the packet. */
export function decodeIpv4(
  packet: Buffer,
  options: { readonly verifyChecksum?: boolean } = {},
): Result<Ipv4Packet, WireError> {
  const view = new PacketView();
  view.start(packet);
  if (!locateIpv4(view, 0, options.verifyChecksum ?? false)) return err(view.error ?? wireError("PK_SHORT", 0, SPEC));
  return ok({
    src: formatIpv4(packet, FIELD.SRC),
    dst: formatIpv4(packet, FIELD.DST),
    protocol: view.protocol,
    fragment: view.isFragment ? { offset: view.fragmentOffset, more: view.moreFragments } : null,
    addresses: packet.subarray(FIELD.SRC, HEADER_BYTES),
    payload: packet.subarray(view.payloadAt, view.end),
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
