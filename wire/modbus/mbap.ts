import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import type { TransactionId, UnitId } from "./ids.ts";
import { MAX_PDU_BYTES } from "./pdu.ts";

const SPEC = "MODBUS Messaging on TCP/IP V1.0b §3.1.3";

/** Offsets within the ADU. `LENGTH` counts the bytes that follow it, the unit identifier included. */
export const MBAP_FIELD = { TRANSACTION: 0, PROTOCOL: 2, LENGTH: 4, UNIT: 6, PDU: 7 } as const;

/** Bytes of the MBAP header up to and including the length field. */
export const MBAP_PREFIX_BYTES = 6;

/** Smallest and largest value of the length field: unit identifier 1 + PDU 1..253. */
export const MBAP_LENGTH = { MIN: 2, MAX: 1 + MAX_PDU_BYTES } as const;

/** Largest Modbus/TCP ADU, in bytes: MBAP header 7 + PDU 253. @see MODBUS AP V1.1b3 §4.1 */
export const MAX_ADU_BYTES = 260;

/** What the MBAP header says besides the protocol (always 0) and the length. */
export interface MbapHeader {
  readonly transactionId: TransactionId;
  readonly unitId: UnitId;
}

/** One Modbus/TCP ADU. `bytes` is exactly what arrived, so that a relay forwards the bytes that were decoded;
 *  `pdu` is a view of the same memory. */
export interface MbapFrame extends MbapHeader {
  readonly pdu: Buffer;
  readonly bytes: Buffer;
}

/** Checks as much of an MBAP header as `available` bytes show; the refused field's offset is within the ADU.
 *  Early checks let a framer stop before it stores anything for a bad header. */
export function checkMbapPrefix(bytes: Buffer, start: number, available: number): Result<undefined, WireError> {
  if (available > MBAP_FIELD.PROTOCOL && bytes.readUInt8(start + MBAP_FIELD.PROTOCOL) !== 0) {
    return err(wireError("MB_PROTOCOL", MBAP_FIELD.PROTOCOL, SPEC));
  }
  if (available > MBAP_FIELD.PROTOCOL + 1 && bytes.readUInt8(start + MBAP_FIELD.PROTOCOL + 1) !== 0) {
    return err(wireError("MB_PROTOCOL", MBAP_FIELD.PROTOCOL, SPEC));
  }
  if (available < MBAP_PREFIX_BYTES) return ok(undefined);
  const length = bytes.readUInt16BE(start + MBAP_FIELD.LENGTH);
  if (length < MBAP_LENGTH.MIN || length > MBAP_LENGTH.MAX) return err(wireError("MB_LENGTH", MBAP_FIELD.LENGTH, SPEC));
  return ok(undefined);
}

/** Views bytes that are known to be one whole, checked ADU. */
export function viewFrame(bytes: Buffer): MbapFrame {
  return {
    transactionId: bytes.readUInt16BE(MBAP_FIELD.TRANSACTION) as TransactionId,
    unitId: bytes.readUInt8(MBAP_FIELD.UNIT) as UnitId,
    pdu: bytes.subarray(MBAP_FIELD.PDU),
    bytes,
  };
}

/** Decodes exactly one ADU; one byte short and one byte over are refusals. Offsets are within the ADU. */
export function decodeFrame(bytes: Buffer): Result<MbapFrame, WireError> {
  const prefix = checkMbapPrefix(bytes, 0, bytes.length);
  if (!prefix.ok) return prefix;
  if (bytes.length < MBAP_PREFIX_BYTES) return err(wireError("MB_ADU_LENGTH", bytes.length, SPEC));
  const expected = MBAP_PREFIX_BYTES + bytes.readUInt16BE(MBAP_FIELD.LENGTH);
  if (bytes.length !== expected) return err(wireError("MB_ADU_LENGTH", Math.min(bytes.length, expected), SPEC));
  return ok(viewFrame(bytes));
}

/** Puts an MBAP header before a PDU; throws a `RangeError` unless the PDU has 1..253 bytes (a programming error). */
export function encodeFrame(header: MbapHeader, pdu: Buffer): Buffer {
  if (pdu.length < 1 || pdu.length > MAX_PDU_BYTES) {
    throw new RangeError(`PDU of ${pdu.length} bytes is outside 1..${MAX_PDU_BYTES}`);
  }
  const bytes = Buffer.allocUnsafe(MBAP_FIELD.PDU + pdu.length);
  bytes.writeUInt16BE(header.transactionId, MBAP_FIELD.TRANSACTION);
  bytes.writeUInt16BE(0, MBAP_FIELD.PROTOCOL);
  bytes.writeUInt16BE(1 + pdu.length, MBAP_FIELD.LENGTH);
  bytes.writeUInt8(header.unitId, MBAP_FIELD.UNIT);
  pdu.copy(bytes, MBAP_FIELD.PDU);
  return bytes;
}
