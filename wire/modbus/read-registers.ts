import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import type { HoldingRegisterAddress, InputRegisterAddress } from "./ids.ts";
import { checkLength, checkRange, packWords, readWords, refuse } from "./pdu.ts";

// MODBUS AP V1.1b3 §6.3 Read Holding Registers (03), §6.4 Read Input Registers (04)
const REQUEST = { ADDRESS: 1, QUANTITY: 3, END: 5 } as const;
const RESPONSE = { BYTE_COUNT: 1, WORDS: 2 } as const;

/** Most registers one read may ask for: 0x7D. */
export const MAX_READ_REGISTERS = 125;

/** Read Holding Registers request, §6.3. */
export interface ReadHoldingRegistersRequest {
  readonly kind: "read-holding-registers";
  readonly functionCode: 3;
  readonly address: HoldingRegisterAddress;
  /** 1..125 */
  readonly quantity: number;
}

/** Read Input Registers request, §6.4. */
export interface ReadInputRegistersRequest {
  readonly kind: "read-input-registers";
  readonly functionCode: 4;
  readonly address: InputRegisterAddress;
  /** 1..125 */
  readonly quantity: number;
}

export type ReadRegistersRequest = ReadHoldingRegistersRequest | ReadInputRegistersRequest;

/** Response to a register read: as many words (0..65535) as the request asked for. */
export type ReadRegistersResponse =
  | { readonly kind: "read-holding-registers"; readonly functionCode: 3; readonly values: readonly number[] }
  | { readonly kind: "read-input-registers"; readonly functionCode: 4; readonly values: readonly number[] };

const clauseOf = (functionCode: 3 | 4): string => `6.${functionCode}`;

export function decodeReadRegistersRequest(pdu: Buffer, functionCode: 3 | 4): Result<ReadRegistersRequest, WireError> {
  const length = checkLength(pdu, REQUEST.END, clauseOf(functionCode));
  if (!length.ok) return length;
  const address = pdu.readUInt16BE(REQUEST.ADDRESS);
  const quantity = pdu.readUInt16BE(REQUEST.QUANTITY);
  const at = { address: REQUEST.ADDRESS, quantity: REQUEST.QUANTITY };
  const range = checkRange({ address, quantity, max: MAX_READ_REGISTERS }, at, clauseOf(functionCode));
  if (!range.ok) return range;
  return ok(
    functionCode === 3
      ? { kind: "read-holding-registers", functionCode, address: address as HoldingRegisterAddress, quantity }
      : { kind: "read-input-registers", functionCode, address: address as InputRegisterAddress, quantity },
  );
}

export function encodeReadRegistersRequest(request: ReadRegistersRequest): Buffer {
  const pdu = Buffer.allocUnsafe(REQUEST.END);
  pdu.writeUInt8(request.functionCode, 0);
  pdu.writeUInt16BE(request.address, REQUEST.ADDRESS);
  pdu.writeUInt16BE(request.quantity, REQUEST.QUANTITY);
  return pdu;
}

export function decodeReadRegistersResponse(
  pdu: Buffer,
  request: ReadRegistersRequest,
): Result<ReadRegistersResponse, WireError> {
  const clause = clauseOf(request.functionCode);
  const count = 2 * request.quantity;
  if (pdu.length > RESPONSE.BYTE_COUNT && pdu.readUInt8(RESPONSE.BYTE_COUNT) !== count) {
    return refuse("MB_BYTE_COUNT", RESPONSE.BYTE_COUNT, clause);
  }
  const length = checkLength(pdu, RESPONSE.WORDS + count, clause);
  if (!length.ok) return length;
  const values = readWords(pdu, RESPONSE.WORDS, request.quantity);
  return ok(
    request.functionCode === 3
      ? { kind: "read-holding-registers", functionCode: 3, values }
      : { kind: "read-input-registers", functionCode: 4, values },
  );
}

export function encodeReadRegistersResponse(response: ReadRegistersResponse): Buffer {
  const words = packWords(response.values);
  return Buffer.concat([Buffer.from([response.functionCode, words.length]), words]);
}
