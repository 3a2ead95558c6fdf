import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { checkLength, MAX_PDU_BYTES, refuse } from "./pdu.ts";

// MODBUS AP V1.1b3 §6.19 Encapsulated Interface Transport (43), §6.20 CANopen General Reference (43/13),
// §6.21 Read Device Identification (43/14)
const MEI_TYPE = 1;
const CANOPEN_DATA = 2;
const REQUEST = { READ_CODE: 2, OBJECT: 3, END: 4 } as const;
const RESPONSE = { READ_CODE: 2, CONFORMITY: 3, MORE: 4, NEXT: 5, COUNT: 6, OBJECTS: 7 } as const;
const OBJECT = { ID: 0, LENGTH: 1, VALUE: 2 } as const;
const MORE_FOLLOWS = { NO: 0x00, YES: 0xff } as const;
const CONFORMITY_LEVELS: readonly number[] = [0x01, 0x02, 0x03, 0x81, 0x82, 0x83];

/** MEI types of the standard. */
export const MEI = { CANOPEN: 13, DEVICE_IDENTIFICATION: 14 } as const;
/** Read Device ID codes: three stream accesses and one individual access. */
export const READ_DEVICE_ID = { BASIC: 1, REGULAR: 2, EXTENDED: 3, SPECIFIC: 4 } as const;

/** CANopen General Reference, §6.20: data are CiA's business and stay raw; request and response alike. */
export interface CanopenGeneralReference {
  readonly kind: "encapsulated-interface";
  readonly functionCode: 43;
  readonly meiType: 13;
  /** 0..251 bytes */
  readonly data: Buffer;
}

/** Read Device Identification request, §6.21. */
export interface ReadDeviceIdentificationRequest {
  readonly kind: "encapsulated-interface";
  readonly functionCode: 43;
  readonly meiType: 14;
  /** 1..4, see {@link READ_DEVICE_ID} */
  readonly readCode: number;
  /** 0..255, where to start or, for code 4, which object */
  readonly objectId: number;
}

export interface DeviceObject {
  /** 0..255 */
  readonly id: number;
  readonly value: Buffer;
}

/** Read Device Identification response, §6.21. */
export interface ReadDeviceIdentificationResponse {
  readonly kind: "encapsulated-interface";
  readonly functionCode: 43;
  readonly meiType: 14;
  readonly readCode: number;
  /** 1..3 stream access only, 81..83 (hexadecimal) individual access too */
  readonly conformityLevel: number;
  /** object to ask for next, or null when nothing follows */
  readonly nextObjectId: number | null;
  readonly objects: readonly DeviceObject[];
}

export type EncapsulatedInterfaceRequest = CanopenGeneralReference | ReadDeviceIdentificationRequest;
export type EncapsulatedInterfaceResponse = CanopenGeneralReference | ReadDeviceIdentificationResponse;

/** The MEI type of a function 43 PDU, or null when the PDU ends before it. */
export function meiTypeOf(pdu: Buffer): number | null {
  return pdu.length > MEI_TYPE ? pdu.readUInt8(MEI_TYPE) : null;
}

export function decodeCanopen(pdu: Buffer): Result<CanopenGeneralReference, WireError> {
  if (pdu.length > MAX_PDU_BYTES) return refuse("MB_PDU_LENGTH", MAX_PDU_BYTES, "6.20");
  return ok({
    kind: "encapsulated-interface",
    functionCode: 43,
    meiType: MEI.CANOPEN,
    data: pdu.subarray(CANOPEN_DATA),
  });
}

export function decodeDeviceIdentificationRequest(pdu: Buffer): Result<ReadDeviceIdentificationRequest, WireError> {
  const length = checkLength(pdu, REQUEST.END, "6.21");
  if (!length.ok) return length;
  const readCode = pdu.readUInt8(REQUEST.READ_CODE);
  if (readCode < READ_DEVICE_ID.BASIC || readCode > READ_DEVICE_ID.SPECIFIC) {
    return refuse("MB_DEVICE_ID", REQUEST.READ_CODE, "6.21");
  }
  return ok({
    kind: "encapsulated-interface",
    functionCode: 43,
    meiType: MEI.DEVICE_IDENTIFICATION,
    readCode,
    objectId: pdu.readUInt8(REQUEST.OBJECT),
  });
}

export function decodeEncapsulatedInterfaceResponse(
  pdu: Buffer,
  request: EncapsulatedInterfaceRequest,
): Result<EncapsulatedInterfaceResponse, WireError> {
  if (pdu.length <= MEI_TYPE) return refuse("MB_PDU_LENGTH", pdu.length, "6.19");
  if (pdu.readUInt8(MEI_TYPE) !== request.meiType) return refuse("MB_ECHO", MEI_TYPE, "6.19");
  return request.meiType === MEI.CANOPEN ? decodeCanopen(pdu) : decodeDeviceIdentification(pdu, request);
}

function decodeDeviceIdentification(
  pdu: Buffer,
  request: ReadDeviceIdentificationRequest,
): Result<ReadDeviceIdentificationResponse, WireError> {
  if (pdu.length < RESPONSE.OBJECTS) return refuse("MB_PDU_LENGTH", pdu.length, "6.21");
  if (pdu.length > MAX_PDU_BYTES) return refuse("MB_PDU_LENGTH", MAX_PDU_BYTES, "6.21");
  const readCode = pdu.readUInt8(RESPONSE.READ_CODE);
  if (readCode !== request.readCode) return refuse("MB_ECHO", RESPONSE.READ_CODE, "6.21");
  const conformityLevel = pdu.readUInt8(RESPONSE.CONFORMITY);
  if (!CONFORMITY_LEVELS.includes(conformityLevel)) return refuse("MB_DEVICE_ID", RESPONSE.CONFORMITY, "6.21");
  const more = pdu.readUInt8(RESPONSE.MORE);
  if (more !== MORE_FOLLOWS.NO && more !== MORE_FOLLOWS.YES) return refuse("MB_DEVICE_ID", RESPONSE.MORE, "6.21");
  const next = pdu.readUInt8(RESPONSE.NEXT);
  // "If MoreFollows = 00, must be set to 00"
  if (more === MORE_FOLLOWS.NO && next !== 0) return refuse("MB_DEVICE_ID", RESPONSE.NEXT, "6.21");
  const objects = decodeObjects(pdu, request);
  if (!objects.ok) return objects;
  return ok({
    kind: "encapsulated-interface",
    functionCode: 43,
    meiType: MEI.DEVICE_IDENTIFICATION,
    readCode,
    conformityLevel,
    nextObjectId: more === MORE_FOLLOWS.YES ? next : null,
    objects: objects.value,
  });
}

function decodeObjects(
  pdu: Buffer,
  request: ReadDeviceIdentificationRequest,
): Result<readonly DeviceObject[], WireError> {
  const count = pdu.readUInt8(RESPONSE.COUNT);
  // Individual access answers with exactly the object asked for.
  const individual = request.readCode === READ_DEVICE_ID.SPECIFIC;
  if (individual && count !== 1) return refuse("MB_DEVICE_ID", RESPONSE.COUNT, "6.21");
  const objects: DeviceObject[] = [];
  let at: number = RESPONSE.OBJECTS;
  for (let i = 0; i < count; i += 1) {
    if (at + OBJECT.VALUE > pdu.length) return refuse("MB_PDU_LENGTH", pdu.length, "6.21");
    const id = pdu.readUInt8(at + OBJECT.ID);
    const end = at + OBJECT.VALUE + pdu.readUInt8(at + OBJECT.LENGTH);
    if (end > pdu.length) return refuse("MB_PDU_LENGTH", pdu.length, "6.21");
    if (individual && id !== request.objectId) return refuse("MB_DEVICE_ID", at + OBJECT.ID, "6.21");
    objects.push({ id, value: pdu.subarray(at + OBJECT.VALUE, end) });
    at = end;
  }
  if (at !== pdu.length) return refuse("MB_PDU_LENGTH", at, "6.21");
  return ok(objects);
}

export function encodeEncapsulatedInterfaceRequest(request: EncapsulatedInterfaceRequest): Buffer {
  if (request.meiType === MEI.CANOPEN) return encodeCanopen(request);
  return Buffer.from([request.functionCode, request.meiType, request.readCode, request.objectId]);
}

export function encodeEncapsulatedInterfaceResponse(response: EncapsulatedInterfaceResponse): Buffer {
  if (response.meiType === MEI.CANOPEN) return encodeCanopen(response);
  const { functionCode, meiType, readCode, conformityLevel, nextObjectId, objects } = response;
  const more = nextObjectId === null ? MORE_FOLLOWS.NO : MORE_FOLLOWS.YES;
  const head = Buffer.from([functionCode, meiType, readCode, conformityLevel, more, nextObjectId ?? 0, objects.length]);
  return Buffer.concat([head, ...objects.flatMap(({ id, value }) => [Buffer.from([id, value.length]), value])]);
}

function encodeCanopen(message: CanopenGeneralReference): Buffer {
  return Buffer.concat([Buffer.from([message.functionCode, message.meiType]), message.data]);
}
