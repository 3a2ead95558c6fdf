import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { formatMac, parseMac } from "./address.ts";

const SPEC = "IEEE 802.3-2022 §3.1.1";
const SPEC_VLAN = "IEEE 802.1Q-2022 §9.6";
const FIELD = { DST: 0, SRC: 6, TYPE: 12, PAYLOAD: 14 } as const;
const TAG = { TCI: 0, TYPE: 2, END: 4 } as const;
const VLAN_ID_MASK = 0x0fff;
const VLAN_MAX_ID = 4094;

/** Most stacked VLAN tags a frame may carry; 802.1ad (QinQ) needs two. */
export const MAX_VLAN_TAGS = 4;

/** EtherTypes that matter here. @see IEEE 802.1Q-2022 table 9-1, IEEE 802.1AB-2016 §7 */
export const ETHER_TYPE = { IPV4: 0x0800, ARP: 0x0806, VLAN: 0x8100, SERVICE_VLAN: 0x88a8, LLDP: 0x88cc } as const;

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

/** Decodes an Ethernet II frame, also with stacked VLAN tags. Offsets in errors are within the frame. */
export function decodeEthernet(frame: Buffer): Result<EthernetFrame, WireError> {
  if (frame.length < FIELD.PAYLOAD) return err(wireError("PK_SHORT", frame.length, SPEC));
  const vlans: number[] = [];
  let etherType = frame.readUInt16BE(FIELD.TYPE);
  let at: number = FIELD.PAYLOAD;
  while (etherType === ETHER_TYPE.VLAN || etherType === ETHER_TYPE.SERVICE_VLAN) {
    if (vlans.length === MAX_VLAN_TAGS) return err(wireError("PK_VLAN_DEPTH", at, SPEC_VLAN));
    if (frame.length < at + TAG.END) return err(wireError("PK_SHORT", frame.length, SPEC_VLAN));
    vlans.push(frame.readUInt16BE(at + TAG.TCI) & VLAN_ID_MASK);
    etherType = frame.readUInt16BE(at + TAG.TYPE);
    at += TAG.END;
  }
  return ok({
    dstMac: formatMac(frame, FIELD.DST),
    srcMac: formatMac(frame, FIELD.SRC),
    vlans,
    etherType,
    payload: frame.subarray(at),
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
