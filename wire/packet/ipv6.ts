import { parseIpv6 } from "./address.ts";
import type { PacketView } from "./packet-view.ts";

const SPEC = "RFC 8200 §3";
const SPEC_EXTENSION = "RFC 8200 §4";
const SPEC_AUTHENTICATION = "RFC 4302 §2";
const SPEC_ROUTING = "RFC 8200 §4.4";
const FIELD = { VERSION: 0, PAYLOAD_LENGTH: 4, NEXT_HEADER: 6, HOP_LIMIT: 7, SRC: 8, DST: 24 } as const;
const HEADER_BYTES = 40;
const DEFAULT_HOP_LIMIT = 64;

/** Extension headers that stand between the IPv6 header and what it carries. @see RFC 8200 §4, RFC 4302 §2 (AH) */
const EXTENSION = { HOP_BY_HOP: 0, ROUTING: 43, FRAGMENT: 44, AUTHENTICATION: 51, DESTINATION: 60 } as const;
/** Offsets within an extension header; length in units of 8 bytes beyond the first 8, in AH of 4 bytes beyond the first 8. */
const NEXT = { HEADER: 0, LENGTH: 1, SEGMENTS_LEFT: 3, MIN: 8 } as const;
const FRAGMENT = { WORD: 2, ID: 4, END: 8 } as const;
const FRAGMENT_OFFSET_MASK = 0xfff8;
const FRAGMENT_MORE = 1;

/** Finds addresses, upper-layer protocol and payload of the IPv6 packet at `at` of `view.bytes`, behind its extension headers. */
export function locateIpv6(view: PacketView, at: number): boolean {
  const { bytes } = view;
  const room = bytes.length - at;
  if (room < HEADER_BYTES) return view.refuse("PK_SHORT", room, SPEC);
  if (bytes.readUInt8(at + FIELD.VERSION) >> 4 !== 6) return view.refuse("PK_IPV6_VERSION", FIELD.VERSION, SPEC);
  const payloadBytes = bytes.readUInt16BE(at + FIELD.PAYLOAD_LENGTH);
  if (payloadBytes === 0 || HEADER_BYTES + payloadBytes > room)
    return view.refuse("PK_IPV6_LENGTH", FIELD.PAYLOAD_LENGTH, SPEC);
  view.ipVersion = 6;
  view.srcAt = at + FIELD.SRC;
  view.dstAt = at + FIELD.DST;
  view.end = at + HEADER_BYTES + payloadBytes;
  view.isFragment = false;
  return locateUpperLayer(view, bytes.readUInt8(at + FIELD.NEXT_HEADER), at + HEADER_BYTES);
}

/**
 * Passes over extension headers from `from` on; stops at a fragment header, whose contents `FragmentTable` puts together. Each header
 * takes 8 bytes or more, so the length of the packet bounds their number.
 */
export function locateUpperLayer(view: PacketView, nextHeader: number, from: number): boolean {
  const { bytes, end } = view;
  let next = nextHeader;
  let at = from;
  for (;;) {
    const isExtension =
      next === EXTENSION.HOP_BY_HOP ||
      next === EXTENSION.ROUTING ||
      next === EXTENSION.DESTINATION ||
      next === EXTENSION.AUTHENTICATION ||
      next === EXTENSION.FRAGMENT;
    view.protocol = next;
    view.payloadAt = at;
    if (!isExtension) return true;
    if (end - at < NEXT.MIN) return view.refuse("PK_IPV6_HEADER", end - at, SPEC_EXTENSION);
    const header = next;
    next = bytes.readUInt8(at + NEXT.HEADER);
    if (header === EXTENSION.FRAGMENT) {
      const word = bytes.readUInt16BE(at + FRAGMENT.WORD);
      view.fragmentOffset = word & FRAGMENT_OFFSET_MASK;
      view.moreFragments = (word & FRAGMENT_MORE) !== 0;
      at += FRAGMENT.END;
      // A whole packet with a fragment header is no fragment, RFC 6946 §4.
      if (view.fragmentOffset === 0 && !view.moreFragments) continue;
      view.isFragment = true;
      view.identification = bytes.readUInt32BE(at - FRAGMENT.END + FRAGMENT.ID);
      view.protocol = next;
      view.payloadAt = at;
      return true;
    }
    if (header === EXTENSION.ROUTING && bytes.readUInt8(at + NEXT.SEGMENTS_LEFT) !== 0)
      return view.refuse("PK_IPV6_ROUTING", at - from + NEXT.SEGMENTS_LEFT, SPEC_ROUTING);
    const units = bytes.readUInt8(at + NEXT.LENGTH);
    at += NEXT.MIN + (header === EXTENSION.AUTHENTICATION ? 4 : 8) * units;
    if (at > end) return view.refuse("PK_IPV6_HEADER", end - from, SPEC_EXTENSION);
  }
}

/** Passes over authentication headers in IPv4; IPv6 has them among its extension headers. @see RFC 4302 §3.1.1 */
export function locateBehindAuthentication(view: PacketView): boolean {
  while (view.protocol === EXTENSION.AUTHENTICATION) {
    const { bytes, payloadAt: at, end } = view;
    if (end - at < NEXT.MIN) return view.refuse("PK_SHORT", end - at, SPEC_AUTHENTICATION);
    view.protocol = bytes.readUInt8(at + NEXT.HEADER);
    view.payloadAt = at + NEXT.MIN + 4 * bytes.readUInt8(at + NEXT.LENGTH);
    if (view.payloadAt > end) return view.refuse("PK_SHORT", end - at, SPEC_AUTHENTICATION);
  }
  return true;
}

/** Encodes an IPv6 packet without extension headers. */
export function encodeIpv6(packet: {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly payload: Buffer;
}): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt8(0x60, FIELD.VERSION);
  head.writeUInt16BE(packet.payload.length, FIELD.PAYLOAD_LENGTH);
  head.writeUInt8(packet.protocol, FIELD.NEXT_HEADER);
  head.writeUInt8(DEFAULT_HOP_LIMIT, FIELD.HOP_LIMIT);
  parseIpv6(packet.src).copy(head, FIELD.SRC);
  parseIpv6(packet.dst).copy(head, FIELD.DST);
  return Buffer.concat([head, packet.payload]);
}
