import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import type { CoilAddress, HoldingRegisterAddress } from "./ids.ts";
import {
  bitBytes,
  checkLength,
  checkRange,
  packBits,
  packWords,
  paddingIsZero,
  readBits,
  readWords,
  refuse,
} from "./pdu.ts";

// MODBUS AP V1.1b3 §6.11 Write Multiple Coils (15), §6.12 Write Multiple Registers (16)
const REQUEST = { ADDRESS: 1, QUANTITY: 3, BYTE_COUNT: 5, VALUES: 6 } as const;
const RESPONSE = { ADDRESS: 1, QUANTITY: 3, END: 5 } as const;

/** Most coils one write may carry: 0x7B0. */
export const MAX_WRITE_COILS = 1968;
/** Most registers one write may carry: 0x7B. */
export const MAX_WRITE_REGISTERS = 123;

/** Write Multiple Coils request, §6.11; 1..1968 values. */
export interface WriteMultipleCoilsRequest {
  readonly kind: "write-multiple-coils";
  readonly functionCode: 15;
  readonly address: CoilAddress;
  readonly values: readonly boolean[];
}

/** Write Multiple Registers request, §6.12; 1..123 words. */
export interface WriteMultipleRegistersRequest {
  readonly kind: "write-multiple-registers";
  readonly functionCode: 16;
  readonly address: HoldingRegisterAddress;
  readonly values: readonly number[];
}

export type WriteMultipleRequest = WriteMultipleCoilsRequest | WriteMultipleRegistersRequest;

/** Response: address and quantity of the request again. */
export type WriteMultipleResponse =
  | {
      readonly kind: "write-multiple-coils";
      readonly functionCode: 15;
      readonly address: CoilAddress;
      readonly quantity: number;
    }
  | {
      readonly kind: "write-multiple-registers";
      readonly functionCode: 16;
      readonly address: HoldingRegisterAddress;
      readonly quantity: number;
    };

const clauseOf = (functionCode: 15 | 16): string => (functionCode === 15 ? "6.11" : "6.12");

export function decodeWriteMultipleRequest(
  pdu: Buffer,
  functionCode: 15 | 16,
): Result<WriteMultipleRequest, WireError> {
  const clause = clauseOf(functionCode);
  if (pdu.length < REQUEST.VALUES) return refuse("MB_PDU_LENGTH", pdu.length, clause);
  const address = pdu.readUInt16BE(REQUEST.ADDRESS);
  const quantity = pdu.readUInt16BE(REQUEST.QUANTITY);
  const max = functionCode === 15 ? MAX_WRITE_COILS : MAX_WRITE_REGISTERS;
  if (quantity < 1 || quantity > max) return refuse("MB_QUANTITY", REQUEST.QUANTITY, clause);
  const count = functionCode === 15 ? bitBytes(quantity) : 2 * quantity;
  if (pdu.readUInt8(REQUEST.BYTE_COUNT) !== count) return refuse("MB_BYTE_COUNT", REQUEST.BYTE_COUNT, clause);
  const length = checkLength(pdu, REQUEST.VALUES + count, clause);
  if (!length.ok) return length;
  const at = { address: REQUEST.ADDRESS, quantity: REQUEST.QUANTITY };
  const range = checkRange({ address, quantity, max }, at, clause);
  if (!range.ok) return range;
  if (functionCode === 16) {
    const values = readWords(pdu, REQUEST.VALUES, quantity);
    return ok({ kind: "write-multiple-registers", functionCode, address: address as HoldingRegisterAddress, values });
  }
  // §6.11: "Unused bits in the last data byte should be zero-padded"; set, they are a covert channel past the filter.
  if (!paddingIsZero(pdu, REQUEST.VALUES, quantity)) return refuse("MB_PADDING", pdu.length - 1, clause);
  const values = readBits(pdu, REQUEST.VALUES, quantity);
  return ok({ kind: "write-multiple-coils", functionCode, address: address as CoilAddress, values });
}

export function encodeWriteMultipleRequest(request: WriteMultipleRequest): Buffer {
  const values = request.functionCode === 15 ? packBits(request.values) : packWords(request.values);
  const head = Buffer.allocUnsafe(REQUEST.VALUES);
  head.writeUInt8(request.functionCode, 0);
  head.writeUInt16BE(request.address, REQUEST.ADDRESS);
  head.writeUInt16BE(request.values.length, REQUEST.QUANTITY);
  head.writeUInt8(values.length, REQUEST.BYTE_COUNT);
  return Buffer.concat([head, values]);
}

export function decodeWriteMultipleResponse(
  pdu: Buffer,
  request: WriteMultipleRequest,
): Result<WriteMultipleResponse, WireError> {
  const clause = clauseOf(request.functionCode);
  const length = checkLength(pdu, RESPONSE.END, clause);
  if (!length.ok) return length;
  if (pdu.readUInt16BE(RESPONSE.ADDRESS) !== request.address) return refuse("MB_ECHO", RESPONSE.ADDRESS, clause);
  const quantity = pdu.readUInt16BE(RESPONSE.QUANTITY);
  if (quantity !== request.values.length) return refuse("MB_ECHO", RESPONSE.QUANTITY, clause);
  return ok(
    request.functionCode === 15
      ? { kind: "write-multiple-coils", functionCode: 15, address: request.address, quantity }
      : { kind: "write-multiple-registers", functionCode: 16, address: request.address, quantity },
  );
}

export function encodeWriteMultipleResponse(response: WriteMultipleResponse): Buffer {
  const pdu = Buffer.allocUnsafe(RESPONSE.END);
  pdu.writeUInt8(response.functionCode, 0);
  pdu.writeUInt16BE(response.address, RESPONSE.ADDRESS);
  pdu.writeUInt16BE(response.quantity, RESPONSE.QUANTITY);
  return pdu;
}
