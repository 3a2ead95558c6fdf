import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { formatMac, parseMac } from "./address.ts";
import { u16 } from "./octets.ts";
import { PacketView } from "./packet-view.ts";
import { MAX_VLAN_TAGS } from "./vlan.ts";

const SPEC = "IEEE 802.3-2022 §3.1.1";
const SPEC_VLAN = "IEEE 802.1Q-2022 §9.6";
const FIELD = { DST: 0, SRC: 6, TYPE: 12, PAYLOAD: 14 } as const;
const TAG = { TCI: 0, TYPE: 2, END: 4 } as const;
const VLAN_ID_MASK = 0x0fff;
const VLAN_MAX_ID = 4094;

/** EtherTypes that matter here. @see IEEE 802.1Q-2022 table 9-1, IEEE 802.1AB-2016 §7 */
export const ETHER_TYPE = {
  IPV4: 0x0800,
  ARP: 0x0806,
  VLAN: 0x8100,
  IPV6: 0x86dd,
  SERVICE_VLAN: 0x88a8,
  /** of switches older than 802.1ad */
  OLD_SERVICE_VLAN: 0x9100,
  LLDP: 0x88cc,
} as const;

/** Ethernet II frame without frame check sequence. An `etherType` below 1536 is an 802.3 length. */
export interface EthernetFrame {
  readonly dstMac: string;
  readonly srcMac: string;
  /** VLAN identifiers, outermost first, 0..4095 */
  readonly vlans: readonly number[];
  readonly etherType: number;
  /** includes Ethernet padding, if any; a view of the frame */
  readonly payload: Buffer;
}

/** Finds addresses, VLAN tags and network layer of an Ethernet II frame. */
export function locateEthernet(view: PacketView): boolean {
  const { frame } = view;
  if (frame.length < FIELD.PAYLOAD) return view.refuse("PK_SHORT", frame.length, SPEC);
  view.dstMacAt = FIELD.DST;
  view.srcMacAt = FIELD.SRC;
  return locateVlans(view, u16(frame, FIELD.TYPE), FIELD.PAYLOAD);
}

/** Passes over VLAN tags from `from` on, where the last type seen was `type`. */
export function locateVlans(view: PacketView, type: number, from: number): boolean {
  const { frame } = view;
  let etherType = type;
  let at = from;
  while (
    etherType === ETHER_TYPE.VLAN ||
    etherType === ETHER_TYPE.SERVICE_VLAN ||
    etherType === ETHER_TYPE.OLD_SERVICE_VLAN
  ) {
    if (view.vlanCount === MAX_VLAN_TAGS) return view.refuse("PK_VLAN_DEPTH", at, SPEC_VLAN);
    if (frame.length < at + TAG.END) return view.refuse("PK_SHORT", frame.length, SPEC_VLAN);
    view.vlans[view.vlanCount] = frame.readUInt16BE(at + TAG.TCI) & VLAN_ID_MASK;
    view.vlanCount += 1;
    etherType = frame.readUInt16BE(at + TAG.TYPE);
    at += TAG.END;
  }
  view.etherType = etherType;
  view.networkAt = at;
  return true;
}

/** Decodes an Ethernet II frame, also with stacked VLAN tags. Offsets in errors are within the frame. */
export function decodeEthernet(frame: Buffer): Result<EthernetFrame, WireError> {
  const view = new PacketView();
  view.start(frame);
  if (!locateEthernet(view)) return err(view.error ?? wireError("PK_SHORT", 0, SPEC));
  return ok({
    dstMac: formatMac(frame, FIELD.DST),
    srcMac: formatMac(frame, FIELD.SRC),
    vlans: [...view.vlans.subarray(0, view.vlanCount)],
    etherType: view.etherType,
    payload: frame.subarray(view.networkAt),
  });
}

/** Encodes an Ethernet II frame; not padded to the minimum of 60 bytes, which is the business of the medium.
 *  Throws a `RangeError` on a malformed address or a VLAN identifier outside 0..4094. */
export function encodeEthernet(frame: EthernetFrame): Buffer {
  const tagTypes = frame.vlans.map((_, i) =>
    i === frame.vlans.length - 1 ? ETHER_TYPE.VLAN : ETHER_TYPE.SERVICE_VLAN,
  );
  const types = [...tagTypes, frame.etherType];
  const head = Buffer.alloc(FIELD.TYPE + 2 * types.length + 2 * frame.vlans.length);
  parseMac(frame.dstMac).copy(head, FIELD.DST);
  parseMac(frame.srcMac).copy(head, FIELD.SRC);
  types.forEach((type, i) => {
    head.writeUInt16BE(type, FIELD.TYPE + TAG.END * i);
    const vlan = frame.vlans[i];
    if (vlan === undefined) return;
    if (vlan > VLAN_MAX_ID) throw new RangeError(`VLAN id ${vlan} is outside 0..${VLAN_MAX_ID}`);
    head.writeUInt16BE(vlan, FIELD.TYPE + TAG.END * i + 2);
  });
  return Buffer.concat([head, frame.payload]);
}
