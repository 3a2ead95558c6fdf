import { ETHER_TYPE, locateEthernet, locateVlans } from "./ethernet.ts";
import { LINK_TYPE } from "./link-type.ts";
import type { PacketView } from "./packet-view.ts";

const SPEC = "tcpdump.org LINKTYPE_";
const SPEC_COOKED = "tcpdump.org LINKTYPE_LINUX_SLL";
const SPEC_COOKED_V2 = "tcpdump.org LINKTYPE_LINUX_SLL2";
const SPEC_LOOPBACK = "tcpdump.org LINKTYPE_NULL";

/** The length of the address has two bytes in v1; it is at most 8. */
const COOKED = { HARDWARE: 2, ADDRESS_LENGTH: 5, ADDRESS: 6, PROTOCOL: 14, PAYLOAD: 16 } as const;
const COOKED_V2 = { PROTOCOL: 0, HARDWARE: 8, ADDRESS_LENGTH: 11, ADDRESS: 12, PAYLOAD: 20 } as const;
const MAC_BYTES = 6;
const LOOPBACK_BYTES = 4;
/** Address families of the loopback header; that of IPv6 differs between systems (BSD/OS and NetBSD, FreeBSD, macOS, Linux). */
const FAMILY_INET = 2;
const FAMILIES_INET6: ReadonlySet<number> = new Set([24, 28, 30, 10]);
/** ARPHRD_ values whose protocol field is no EtherType: FRAD, IPGRE, IEEE80211_RADIOTAP, IP6GRE, NETLINK. */
const NO_ETHER_TYPE: ReadonlySet<number> = new Set([770, 778, 803, 823, 824]);

/** Finds the network layer of a frame. A link type that is not read here is refused by name. */
export function locateLink(view: PacketView, linkType: number): boolean {
  switch (linkType) {
    case LINK_TYPE.ETHERNET:
      return locateEthernet(view);
    case LINK_TYPE.RAW:
    case LINK_TYPE.RAW_BSD:
    case LINK_TYPE.RAW_OPENBSD:
    case LINK_TYPE.IPV4:
    case LINK_TYPE.IPV6:
      return locateRaw(view, linkType);
    case LINK_TYPE.LINUX_SLL:
      return locateCooked(view, COOKED, SPEC_COOKED);
    case LINK_TYPE.LINUX_SLL2:
      return locateCooked(view, COOKED_V2, SPEC_COOKED_V2);
    case LINK_TYPE.NULL:
    case LINK_TYPE.LOOP:
      return locateLoopback(view, linkType === LINK_TYPE.LOOP);
    default:
      return view.refuse("PK_LINK_TYPE", 0, `${SPEC} ${linkType}`);
  }
}

function locateRaw(view: PacketView, linkType: number): boolean {
  const { frame } = view;
  if (frame.length === 0) return view.refuse("PK_SHORT", 0, SPEC);
  const version = frame.readUInt8(0) >> 4;
  if (linkType === LINK_TYPE.IPV4) view.etherType = ETHER_TYPE.IPV4;
  else if (linkType === LINK_TYPE.IPV6 || version === 6) view.etherType = ETHER_TYPE.IPV6;
  else if (version === 4) view.etherType = ETHER_TYPE.IPV4;
  return true;
}

function locateCooked(view: PacketView, field: typeof COOKED | typeof COOKED_V2, spec: string): boolean {
  const { frame } = view;
  if (frame.length < field.PAYLOAD) return view.refuse("PK_SHORT", frame.length, spec);
  // The sender's address is all there is.
  if (frame.readUInt8(field.ADDRESS_LENGTH) === MAC_BYTES) view.srcMacAt = field.ADDRESS;
  view.networkAt = field.PAYLOAD;
  if (NO_ETHER_TYPE.has(frame.readUInt16BE(field.HARDWARE))) return true;
  return locateVlans(view, frame.readUInt16BE(field.PROTOCOL), field.PAYLOAD);
}

function locateLoopback(view: PacketView, networkOrder: boolean): boolean {
  const { frame } = view;
  if (frame.length < LOOPBACK_BYTES) return view.refuse("PK_SHORT", frame.length, SPEC_LOOPBACK);
  const bigEndian = frame.readUInt32BE(0);
  // The host's own byte order is not recorded; families are small numbers.
  const family = networkOrder || bigEndian <= 0xffff ? bigEndian : frame.readUInt32LE(0);
  if (family === FAMILY_INET) view.etherType = ETHER_TYPE.IPV4;
  else if (FAMILIES_INET6.has(family)) view.etherType = ETHER_TYPE.IPV6;
  view.networkAt = LOOPBACK_BYTES;
  return true;
}
