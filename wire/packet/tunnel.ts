import { ETHER_TYPE } from "./ethernet.ts";
import { IP_PROTOCOL } from "./ipv4.ts";
import type { PacketView } from "./packet-view.ts";

/** PPPoE session, MPLS and backbone bridging. @see IEEE 802 Numbers (IANA) */
const ETHER_TYPES: ReadonlySet<number> = new Set([0x8864, 0x8847, 0x8848, 0x88e7]);
/** Below it the field is the length of an LLC frame. @see IEEE 802.3-2022 §3.2.6 */
const FIRST_ETHER_TYPE = 0x0600;
/** LLC with SNAP, which may name IP: `aa aa 03`. @see IEEE 802-2014 §9.2.3 */
const SNAP = 0xaaaa;
/** IPv4 and IPv6 in IP, GRE (ERSPAN too), ESP, EtherIP. @see Protocol Numbers (IANA) */
const PROTOCOLS: ReadonlySet<number> = new Set([4, 41, 47, 50, 97]);
/** VXLAN, GENEVE. @see RFC 7348 §5, RFC 8926 §3.3 */
const UDP_PORTS: ReadonlySet<number> = new Set([4789, 6081]);
const UDP_DESTINATION = 2;

/** Whether a frame without TCP may carry another packet, with TCP, in a way that is not read here. */
export function isTunnelled(view: PacketView): boolean {
  const { etherType, frame, networkAt } = view;
  if (etherType === ETHER_TYPE.IPV4 || etherType === ETHER_TYPE.IPV6)
    return PROTOCOLS.has(view.protocol) || (view.protocol === IP_PROTOCOL.UDP && isTunnelPort(view));
  if (etherType >= FIRST_ETHER_TYPE) return ETHER_TYPES.has(etherType);
  return view.srcMacAt !== -1 && networkAt + 2 <= frame.length && frame.readUInt16BE(networkAt) === SNAP;
}

function isTunnelPort({ bytes, payloadAt, end }: PacketView): boolean {
  const at = payloadAt + UDP_DESTINATION;
  return at + 2 <= end && UDP_PORTS.has(bytes.readUInt16BE(at));
}
