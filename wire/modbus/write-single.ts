import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import type { CoilAddress, HoldingRegisterAddress } from "./ids.ts";
import { checkLength, refuse } from "./pdu.ts";

// MODBUS AP V1.1b3 §6.5 Write Single Coil (05), §6.6 Write Single Register (06), §6.16 Mask Write Register (22).
// "The normal response is an echo of the request": one type and one codec serve both directions.
const SINGLE = { ADDRESS: 1, VALUE: 3, END: 5 } as const;
const MASK = { ADDRESS: 1, AND: 3, OR: 5, END: 7 } as const;
const COIL_ON = 0xff00;
const COIL_OFF = 0x0000;

/** Write Single Coil, §6.5. */
export interface WriteSingleCoil {
  readonly kind: "write-single-coil";
  readonly functionCode: 5;
  readonly address: CoilAddress;
  readonly on: boolean;
}

/** Write Single Register, §6.6. */
export interface WriteSingleRegister {
  readonly kind: "write-single-register";
  readonly functionCode: 6;
  readonly address: HoldingRegisterAddress;
  /** 0..65535 */
  readonly value: number;
}

/** Mask Write Register, §6.16: result = (current AND andMask) OR (orMask AND NOT andMask). */
export interface MaskWriteRegister {
  readonly kind: "mask-write-register";
  readonly functionCode: 22;
  readonly address: HoldingRegisterAddress;
  /** 0..65535 */
  readonly andMask: number;
  /** 0..65535 */
  readonly orMask: number;
}

export function decodeWriteSingleCoil(pdu: Buffer): Result<WriteSingleCoil, WireError> {
  const length = checkLength(pdu, SINGLE.END, "6.5");
  if (!length.ok) return length;
  const value = pdu.readUInt16BE(SINGLE.VALUE);
  if (value !== COIL_OFF && value !== COIL_ON) return refuse("MB_COIL_VALUE", SINGLE.VALUE, "6.5");
  const address = pdu.readUInt16BE(SINGLE.ADDRESS) as CoilAddress;
  return ok({ kind: "write-single-coil", functionCode: 5, address, on: value === COIL_ON });
}

export function encodeWriteSingleCoil(write: WriteSingleCoil): Buffer {
  return encodeSingle(5, write.address, write.on ? COIL_ON : COIL_OFF);
}

export function decodeWriteSingleRegister(pdu: Buffer): Result<WriteSingleRegister, WireError> {
  const length = checkLength(pdu, SINGLE.END, "6.6");
  if (!length.ok) return length;
  const address = pdu.readUInt16BE(SINGLE.ADDRESS) as HoldingRegisterAddress;
  return ok({ kind: "write-single-register", functionCode: 6, address, value: pdu.readUInt16BE(SINGLE.VALUE) });
}

export function encodeWriteSingleRegister(write: WriteSingleRegister): Buffer {
  return encodeSingle(6, write.address, write.value);
}

export function decodeMaskWriteRegister(pdu: Buffer): Result<MaskWriteRegister, WireError> {
  const length = checkLength(pdu, MASK.END, "6.16");
  if (!length.ok) return length;
  return ok({
    kind: "mask-write-register",
    functionCode: 22,
    address: pdu.readUInt16BE(MASK.ADDRESS) as HoldingRegisterAddress,
    andMask: pdu.readUInt16BE(MASK.AND),
    orMask: pdu.readUInt16BE(MASK.OR),
  });
}

export function encodeMaskWriteRegister(write: MaskWriteRegister): Buffer {
  const pdu = Buffer.allocUnsafe(MASK.END);
  pdu.writeUInt8(write.functionCode, 0);
  pdu.writeUInt16BE(write.address, MASK.ADDRESS);
  pdu.writeUInt16BE(write.andMask, MASK.AND);
  pdu.writeUInt16BE(write.orMask, MASK.OR);
  return pdu;
}

function encodeSingle(functionCode: number, address: number, value: number): Buffer {
  const pdu = Buffer.allocUnsafe(SINGLE.END);
  pdu.writeUInt8(functionCode, 0);
  pdu.writeUInt16BE(address, SINGLE.ADDRESS);
  pdu.writeUInt16BE(value, SINGLE.VALUE);
  return pdu;
}
