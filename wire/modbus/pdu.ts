import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, type WireErrorCode, wireError } from "../wire-error.ts";

/** Source of the PDU codecs. */
export const MODBUS_AP = "MODBUS AP V1.1b3";

/** Largest PDU, in bytes, function code included. @see MODBUS AP V1.1b3 §4.1 */
export const MAX_PDU_BYTES = 253;

/** Number of addresses in each of the four tables. @see MODBUS AP V1.1b3 §4.3 */
export const TABLE_SIZE = 65536;

/** A failed decode at a PDU offset, with its clause. */
export function refuse(
  code: WireErrorCode,
  offset: number,
  clause: string,
): { readonly ok: false; readonly error: WireError } {
  return err(wireError(code, offset, `${MODBUS_AP} §${clause}`));
}

/** Refuses a PDU that is one byte short or one byte over; the offset is where the bytes end, or where the surplus starts. */
export function checkLength(pdu: Buffer, expected: number, clause: string): Result<undefined, WireError> {
  if (pdu.length !== expected) return refuse("MB_PDU_LENGTH", Math.min(pdu.length, expected), clause);
  return ok(undefined);
}

/** Quantity first (exception 3), then address (exception 2): the order of the state diagrams in §6. */
export function checkRange(
  range: { readonly address: number; readonly quantity: number; readonly max: number },
  at: { readonly address: number; readonly quantity: number },
  clause: string,
): Result<undefined, WireError> {
  if (range.quantity < 1 || range.quantity > range.max) return refuse("MB_QUANTITY", at.quantity, clause);
  if (range.address + range.quantity > TABLE_SIZE) return refuse("MB_ADDRESS", at.address, clause);
  return ok(undefined);
}

/** Bytes that hold `quantity` bits. */
export const bitBytes = (quantity: number): number => Math.ceil(quantity / 8);

/** True when the bits above `quantity` in the last byte are zero, as §6.1 and §6.11 pad them. */
export function paddingIsZero(pdu: Buffer, offset: number, quantity: number): boolean {
  const used = quantity % 8;
  if (used === 0) return true;
  return pdu.readUInt8(offset + bitBytes(quantity) - 1) >> used === 0;
}

/** Reads `quantity` bits, least significant bit of the first byte first. The bytes must be there. */
export function readBits(pdu: Buffer, offset: number, quantity: number): boolean[] {
  const bits: boolean[] = [];
  for (let i = 0; i < quantity; i += 1) bits.push(((pdu.readUInt8(offset + (i >> 3)) >> (i & 7)) & 1) === 1);
  return bits;
}

/** Packs bits, least significant bit of the first byte first, zero-padded. */
export function packBits(bits: readonly boolean[]): Buffer {
  const bytes = Buffer.alloc(bitBytes(bits.length));
  bits.forEach((bit, i) => {
    if (bit) bytes.writeUInt8(bytes.readUInt8(i >> 3) | (1 << (i & 7)), i >> 3);
  });
  return bytes;
}

/** Reads `count` big-endian 16-bit words. The bytes must be there. */
export function readWords(pdu: Buffer, offset: number, count: number): number[] {
  const words: number[] = [];
  for (let i = 0; i < count; i += 1) words.push(pdu.readUInt16BE(offset + 2 * i));
  return words;
}

/** Packs 16-bit words big-endian; throws a `RangeError` on a word outside 0..65535. */
export function packWords(words: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(2 * words.length);
  words.forEach((word, i) => {
    bytes.writeUInt16BE(word, 2 * i);
  });
  return bytes;
}
