import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { formatIpv4, formatIpv6, formatMac, parseIpv4, parseIpv6 } from "./address.ts";
import { ETHER_TYPE, encodeEthernet } from "./ethernet.ts";
import { encodeIpv4, IP_PROTOCOL, locateIpv4 } from "./ipv4.ts";
import { encodeIpv6, locateBehindAuthentication, locateIpv6 } from "./ipv6.ts";
import { locateLink } from "./link-layer.ts";
import { LINK_TYPE } from "./link-type.ts";
import { type ChecksumRule, PacketView } from "./packet-view.ts";
import { encodeTcp, locateTcp, segmentOf, type TcpSegment } from "./tcp.ts";

/** What it takes to build an Ethernet frame with one TCP segment. */
export interface TcpFrameFields {
  readonly srcMac: string;
  readonly dstMac: string;
  readonly srcIp: string;
  readonly dstIp: string;
  readonly srcPort: number;
  readonly dstPort: number;
  /** 0..2^32-1 */
  readonly seq: number;
  /** 0..2^32-1 */
  readonly ack: number;
  /** bits of `TCP_FLAG` */
  readonly flags: number;
  readonly payload: Buffer;
  /** outermost first, default none */
  readonly vlans?: readonly number[];
  /** default 65535 */
  readonly window?: number;
}

/** Largest payload of one frame on Ethernet: MTU 1500 less IPv4 and TCP headers without options. */
export const MAX_SEGMENT_BYTES = 1460;

/** Builds an Ethernet frame with a TCP segment over IPv4 or IPv6, as the addresses are, with all checksums. */
export function buildTcpFrame(fields: TcpFrameFields): Buffer {
  const { srcIp: src, dstIp: dst } = fields;
  const isIpv6 = src.includes(":");
  const addresses = isIpv6 ? [parseIpv6(src), parseIpv6(dst)] : [parseIpv4(src), parseIpv4(dst)];
  const packet = { src, dst, protocol: IP_PROTOCOL.TCP, payload: encodeTcp(fields, Buffer.concat(addresses)) };
  return encodeEthernet({
    dstMac: fields.dstMac,
    srcMac: fields.srcMac,
    vlans: fields.vlans ?? [],
    etherType: isIpv6 ? ETHER_TYPE.IPV6 : ETHER_TYPE.IPV4,
    payload: isIpv6 ? encodeIpv6(packet) : encodeIpv4(packet),
  });
}

/** A TCP segment with the addresses around it. */
export interface TcpFrame extends TcpSegment {
  /** empty where the link does not tell */
  readonly srcMac: string;
  readonly dstMac: string;
  /** dotted decimal, or RFC 5952 */
  readonly srcIp: string;
  readonly dstIp: string;
  readonly vlans: readonly number[];
}

/** What a captured frame is, seen by someone who reads TCP over IP. */
export type DecodedFrame =
  | { readonly kind: "tcp"; readonly frame: TcpFrame }
  | { readonly kind: "fragment"; readonly srcIp: string; readonly dstIp: string; readonly protocol: number }
  | { readonly kind: "other"; readonly etherType: number };

/** How far a frame was located. */
export type Located = "tcp" | "fragment" | "other" | "refused";

/** Finds the layers of a frame down to TCP, without a copy or a text. On "refused", `view.error` says why. */
export function locateFrame(view: PacketView, frame: Buffer, linkType: number, verify: ChecksumRule): Located {
  view.start(frame);
  if (!locateLink(view, linkType)) return "refused";
  if (view.etherType === ETHER_TYPE.IPV4) {
    if (!locateIpv4(view, view.networkAt, verify)) return "refused";
  } else if (view.etherType === ETHER_TYPE.IPV6) {
    if (!locateIpv6(view, view.networkAt)) return "refused";
  } else {
    return "other";
  }
  if (view.isFragment) return "fragment";
  return locateTransport(view, verify);
}

/** Finds TCP behind an IP header that was located. */
export function locateTransport(view: PacketView, verify: ChecksumRule): Located {
  if (view.ipVersion === 4 && !locateBehindAuthentication(view)) return "refused";
  if (view.protocol !== IP_PROTOCOL.TCP) return "other";
  return locateTcp(view, verify) ? "tcp" : "refused";
}

export const srcIpOf = (view: PacketView): string => formatIp(view, view.srcAt);
export const dstIpOf = (view: PacketView): string => formatIp(view, view.dstAt);
export const srcMacOf = (view: PacketView): string => formatLink(view, view.srcMacAt);
export const dstMacOf = (view: PacketView): string => formatLink(view, view.dstMacAt);

function formatIp(view: PacketView, at: number): string {
  return view.ipVersion === 4 ? formatIpv4(view.bytes, at) : formatIpv6(view.bytes, at);
}

function formatLink(view: PacketView, at: number): string {
  return at < 0 ? "" : formatMac(view.frame, at);
}

/** Decodes a captured frame down to TCP; `linkType` is one of `LINK_TYPE`. Offsets in errors are within the header that was refused. */
export function decodeTcpFrame(
  bytes: Buffer,
  linkType: number = LINK_TYPE.ETHERNET,
  options: { readonly verifyChecksums?: ChecksumRule } = {},
): Result<DecodedFrame, WireError> {
  const view = new PacketView();
  const located = locateFrame(view, bytes, linkType, options.verifyChecksums ?? false);
  switch (located) {
    case "refused":
      return err(view.error ?? wireError("PK_LINK_TYPE", linkType, "tcpdump.org LINKTYPE_"));
    case "other":
      return ok({ kind: "other", etherType: view.etherType });
    case "fragment":
      return ok({ kind: "fragment", srcIp: srcIpOf(view), dstIp: dstIpOf(view), protocol: view.protocol });
    case "tcp": {
      const vlans = [...view.vlans.subarray(0, view.vlanCount)];
      const ends = { srcMac: srcMacOf(view), dstMac: dstMacOf(view), srcIp: srcIpOf(view), dstIp: dstIpOf(view) };
      return ok({ kind: "tcp", frame: { ...segmentOf(view), ...ends, vlans } });
    }
  }
}
