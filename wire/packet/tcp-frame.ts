import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { parseIpv4 } from "./address.ts";
import { decodeEthernet, ETHER_TYPE, encodeEthernet } from "./ethernet.ts";
import { decodeIpv4, encodeIpv4, IP_PROTOCOL } from "./ipv4.ts";
import { decodeTcp, encodeTcp, type TcpSegment } from "./tcp.ts";

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

/** Builds an Ethernet/IPv4/TCP frame with both checksums. */
export function buildTcpFrame(fields: TcpFrameFields): Buffer {
  const addresses = Buffer.concat([parseIpv4(fields.srcIp), parseIpv4(fields.dstIp)]);
  const segment = encodeTcp(fields, addresses);
  return encodeEthernet({
    dstMac: fields.dstMac,
    srcMac: fields.srcMac,
    vlans: fields.vlans ?? [],
    etherType: ETHER_TYPE.IPV4,
    payload: encodeIpv4({ src: fields.srcIp, dst: fields.dstIp, protocol: IP_PROTOCOL.TCP, payload: segment }),
  });
}

/** A TCP segment with the addresses around it. */
export interface TcpFrame extends TcpSegment {
  readonly srcMac: string;
  readonly dstMac: string;
  readonly srcIp: string;
  readonly dstIp: string;
  readonly vlans: readonly number[];
}

/** What a captured frame is, seen by someone who reads TCP over IPv4. */
export type CapturedFrame =
  | { readonly kind: "tcp"; readonly frame: TcpFrame }
  | { readonly kind: "fragment"; readonly srcIp: string; readonly dstIp: string; readonly protocol: number }
  | { readonly kind: "other"; readonly etherType: number };

/** Decodes a captured frame down to TCP; offsets in errors are within the header that was refused. */
export function decodeTcpFrame(
  bytes: Buffer,
  options: { readonly verifyChecksums?: boolean } = {},
): Result<CapturedFrame, WireError> {
  const ethernet = decodeEthernet(bytes);
  if (!ethernet.ok) return ethernet;
  const { srcMac, dstMac, vlans, etherType } = ethernet.value;
  if (etherType !== ETHER_TYPE.IPV4) return ok({ kind: "other", etherType });
  const verify = options.verifyChecksums === true;
  const ip = decodeIpv4(ethernet.value.payload, { verifyChecksum: verify });
  if (!ip.ok) return ip;
  const { src: srcIp, dst: dstIp, protocol } = ip.value;
  if (ip.value.fragment !== null) return ok({ kind: "fragment", srcIp, dstIp, protocol });
  if (protocol !== IP_PROTOCOL.TCP) return ok({ kind: "other", etherType });
  const tcp = verify ? decodeTcp(ip.value.payload, ip.value.addresses) : decodeTcp(ip.value.payload);
  if (!tcp.ok) return tcp;
  return ok({ kind: "tcp", frame: { ...tcp.value, srcMac, dstMac, srcIp, dstIp, vlans } });
}
