import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, type WireErrorCode, wireError } from "../wire-error.ts";
import { decodeEthernet, ETHER_TYPE, encodeEthernet } from "./ethernet.ts";

const SPEC = "IEEE 802.1AB-2016 §8";
const ETHERNET_BYTES = 14;
/** "Nearest bridge" group address. @see IEEE 802.1AB-2016 table 7-1 */
export const LLDP_MULTICAST = "01:80:c2:00:00:0e";

const TLV = { END: 0, CHASSIS_ID: 1, PORT_ID: 2, TTL: 3, ORGANISATION: 127 } as const;
const TLV_HEADER_BYTES = 2;
const TLV_MAX_LENGTH = 0x1ff;
const LOCALLY_ASSIGNED = 7;
const MAX_ID_BYTES = 255;
/** Organisationally specific TLV of the simulated switch: a locally administered OUI, and its one subtype. */
const OUI = Buffer.from([0x02, 0x73, 0x6b]);
const MIRROR_SUBTYPE = 1;
const MIRROR = { OUI: 0, SUBTYPE: 3, TIME_US: 4, FRAMES: 12, END: 20 } as const;
const US_PER_MS = 1000;

/** The frame with which a switch proves that its mirror port is alive, and says how far it got. */
export interface MirrorAnnouncement {
  /** of the switch */
  readonly srcMac: string;
  /** locally assigned chassis identifier, 1..255 bytes of UTF-8 */
  readonly chassisId: string;
  /** locally assigned port identifier, 1..255 bytes of UTF-8 */
  readonly portId: string;
  /** seconds for which the announcement holds, 0..65535 */
  readonly ttlSeconds: number;
  /** plant time of the switch, in ms with µs resolution, at least 0 */
  readonly plantTimeMs: number;
  /** frames the mirror port has sent before this one; a gap proves loss */
  readonly mirroredFrames: number;
}

/** Builds the announcement as an Ethernet frame; throws a `RangeError` on a field out of range. */
export function buildLldpFrame(announcement: MirrorAnnouncement): Buffer {
  const ttl = Buffer.alloc(2);
  ttl.writeUInt16BE(announcement.ttlSeconds, 0);
  const mirror = Buffer.alloc(MIRROR.END);
  OUI.copy(mirror, MIRROR.OUI);
  mirror.writeUInt8(MIRROR_SUBTYPE, MIRROR.SUBTYPE);
  mirror.writeBigUInt64BE(BigInt(Math.round(announcement.plantTimeMs * US_PER_MS)), MIRROR.TIME_US);
  mirror.writeBigUInt64BE(BigInt(announcement.mirroredFrames), MIRROR.FRAMES);
  return encodeEthernet({
    dstMac: LLDP_MULTICAST,
    srcMac: announcement.srcMac,
    vlans: [],
    etherType: ETHER_TYPE.LLDP,
    payload: Buffer.concat([
      encodeTlv(TLV.CHASSIS_ID, encodeId(announcement.chassisId)),
      encodeTlv(TLV.PORT_ID, encodeId(announcement.portId)),
      encodeTlv(TLV.TTL, ttl),
      encodeTlv(TLV.ORGANISATION, mirror),
      encodeTlv(TLV.END, Buffer.alloc(0)),
    ]),
  });
}

/** Decodes an announcement from an Ethernet frame. TLVs that are not ours are skipped; padding after the End TLV is
 *  allowed. Offsets in errors are within the LLDP data unit. */
export function decodeLldpFrame(frame: Buffer): Result<MirrorAnnouncement, WireError> {
  if (isPlainlyOther(frame)) return refuse("PK_ETHER_TYPE", 0);
  const ethernet = decodeEthernet(frame);
  if (!ethernet.ok) return ethernet;
  if (ethernet.value.etherType !== ETHER_TYPE.LLDP) return refuse("PK_ETHER_TYPE", 0);
  const tlvs = splitTlvs(ethernet.value.payload);
  if (!tlvs.ok) return tlvs;
  const [chassis, port, ttl, ...rest] = tlvs.value;
  if (chassis?.type !== TLV.CHASSIS_ID || !isLocalId(chassis.value)) return refuse("PK_LLDP_TLV", chassis?.at ?? 0);
  if (port?.type !== TLV.PORT_ID || !isLocalId(port.value)) return refuse("PK_LLDP_TLV", port?.at ?? chassis.at);
  if (ttl?.type !== TLV.TTL || ttl.value.length !== 2) return refuse("PK_LLDP_TLV", ttl?.at ?? port.at);
  // The mandatory three stand once each, at the start.
  const repeated = rest.find((tlv) => tlv.type <= TLV.TTL);
  if (repeated !== undefined) return refuse("PK_LLDP_TLV", repeated.at);
  const mirror = rest.filter(isMirror);
  const [only] = mirror;
  if (only === undefined || mirror.length !== 1 || only.value.length !== MIRROR.END) {
    return refuse("PK_LLDP_TIME", only?.at ?? ttl.at);
  }
  return ok({
    srcMac: ethernet.value.srcMac,
    chassisId: chassis.value.toString("utf8", 1),
    portId: port.value.toString("utf8", 1),
    ttlSeconds: ttl.value.readUInt16BE(0),
    plantTimeMs: Number(only.value.readBigUInt64BE(MIRROR.TIME_US)) / US_PER_MS,
    mirroredFrames: Number(only.value.readBigUInt64BE(MIRROR.FRAMES)),
  });
}

/** True for nearly every frame of a mirror port: a quick answer for them. */
function isPlainlyOther(frame: Buffer): boolean {
  if (frame.length < ETHERNET_BYTES) return false;
  const type = frame.readUInt16BE(ETHERNET_BYTES - 2);
  return type !== ETHER_TYPE.LLDP && type !== ETHER_TYPE.VLAN && type !== ETHER_TYPE.SERVICE_VLAN;
}

interface Tlv {
  readonly type: number;
  readonly at: number;
  readonly value: Buffer;
}

/** Splits up to the End TLV, which must be there. */
function splitTlvs(unit: Buffer): Result<readonly Tlv[], WireError> {
  const tlvs: Tlv[] = [];
  let at = 0;
  while (at + TLV_HEADER_BYTES <= unit.length) {
    const head = unit.readUInt16BE(at);
    const type = head >> 9;
    const end = at + TLV_HEADER_BYTES + (head & TLV_MAX_LENGTH);
    if (type === TLV.END) return end === at + TLV_HEADER_BYTES ? ok(tlvs) : refuse("PK_LLDP_TLV", at);
    if (end > unit.length) return refuse("PK_SHORT", unit.length);
    tlvs.push({ type, at, value: unit.subarray(at + TLV_HEADER_BYTES, end) });
    at = end;
  }
  return refuse("PK_SHORT", unit.length);
}

function isMirror(tlv: Tlv): boolean {
  return (
    tlv.type === TLV.ORGANISATION &&
    tlv.value.length > MIRROR.SUBTYPE &&
    tlv.value.subarray(MIRROR.OUI, MIRROR.SUBTYPE).equals(OUI) &&
    tlv.value.readUInt8(MIRROR.SUBTYPE) === MIRROR_SUBTYPE
  );
}

function isLocalId(value: Buffer): boolean {
  return value.length >= 2 && value.length <= 1 + MAX_ID_BYTES && value.readUInt8(0) === LOCALLY_ASSIGNED;
}

function encodeId(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length < 1 || bytes.length > MAX_ID_BYTES) {
    throw new RangeError(`LLDP identifier \`${text}\` is not 1..${MAX_ID_BYTES} bytes`);
  }
  return Buffer.concat([Buffer.from([LOCALLY_ASSIGNED]), bytes]);
}

function encodeTlv(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(TLV_HEADER_BYTES);
  head.writeUInt16BE((type << 9) | value.length, 0);
  return Buffer.concat([head, value]);
}

function refuse(code: WireErrorCode, offset: number): { readonly ok: false; readonly error: WireError } {
  return err(wireError(code, offset, SPEC));
}
