import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import type { CoilAddress, DiscreteInputAddress } from "./ids.ts";
import { bitBytes, checkLength, checkRange, packBits, paddingIsZero, readBits, refuse } from "./pdu.ts";

// MODBUS AP V1.1b3 §6.1 Read Coils (01), §6.2 Read Discrete Inputs (02)
const REQUEST = { ADDRESS: 1, QUANTITY: 3, END: 5 } as const;
const RESPONSE = { BYTE_COUNT: 1, BITS: 2 } as const;

/** Most bits one read may ask for: 0x7D0. */
export const MAX_READ_BITS = 2000;

/** Read Coils request, §6.1. */
export interface ReadCoilsRequest {
  readonly kind: "read-coils";
  readonly functionCode: 1;
  readonly address: CoilAddress;
  /** 1..2000 */
  readonly quantity: number;
}

/** Read Discrete Inputs request, §6.2. */
export interface ReadDiscreteInputsRequest {
  readonly kind: "read-discrete-inputs";
  readonly functionCode: 2;
  readonly address: DiscreteInputAddress;
  /** 1..2000 */
  readonly quantity: number;
}

export type ReadBitsRequest = ReadCoilsRequest | ReadDiscreteInputsRequest;

/** Response to Read Coils or Read Discrete Inputs: as many values as the request asked for. */
export type ReadBitsResponse =
  | { readonly kind: "read-coils"; readonly functionCode: 1; readonly values: readonly boolean[] }
  | { readonly kind: "read-discrete-inputs"; readonly functionCode: 2; readonly values: readonly boolean[] };

const clauseOf = (functionCode: 1 | 2): string => `6.${functionCode}`;

export function decodeReadBitsRequest(pdu: Buffer, functionCode: 1 | 2): Result<ReadBitsRequest, WireError> {
  const length = checkLength(pdu, REQUEST.END, clauseOf(functionCode));
  if (!length.ok) return length;
  const address = pdu.readUInt16BE(REQUEST.ADDRESS);
  const quantity = pdu.readUInt16BE(REQUEST.QUANTITY);
  const at = { address: REQUEST.ADDRESS, quantity: REQUEST.QUANTITY };
  const range = checkRange({ address, quantity, max: MAX_READ_BITS }, at, clauseOf(functionCode));
  if (!range.ok) return range;
  return ok(
    functionCode === 1
      ? { kind: "read-coils", functionCode, address: address as CoilAddress, quantity }
      : { kind: "read-discrete-inputs", functionCode, address: address as DiscreteInputAddress, quantity },
  );
}

export function encodeReadBitsRequest(request: ReadBitsRequest): Buffer {
  const pdu = Buffer.allocUnsafe(REQUEST.END);
  pdu.writeUInt8(request.functionCode, 0);
  pdu.writeUInt16BE(request.address, REQUEST.ADDRESS);
  pdu.writeUInt16BE(request.quantity, REQUEST.QUANTITY);
  return pdu;
}

export function decodeReadBitsResponse(pdu: Buffer, request: ReadBitsRequest): Result<ReadBitsResponse, WireError> {
  const clause = clauseOf(request.functionCode);
  const count = bitBytes(request.quantity);
  if (pdu.length > RESPONSE.BYTE_COUNT && pdu.readUInt8(RESPONSE.BYTE_COUNT) !== count) {
    return refuse("MB_BYTE_COUNT", RESPONSE.BYTE_COUNT, clause);
  }
  const length = checkLength(pdu, RESPONSE.BITS + count, clause);
  if (!length.ok) return length;
  // §6.1: "the remaining bits in the final data byte will be padded with zeros"
  if (!paddingIsZero(pdu, RESPONSE.BITS, request.quantity)) return refuse("MB_PADDING", pdu.length - 1, clause);
  const values = readBits(pdu, RESPONSE.BITS, request.quantity);
  return ok(
    request.functionCode === 1
      ? { kind: "read-coils", functionCode: 1, values }
      : { kind: "read-discrete-inputs", functionCode: 2, values },
  );
}

export function encodeReadBitsResponse(response: ReadBitsResponse): Buffer {
  const bits = packBits(response.values);
  return Buffer.concat([Buffer.from([response.functionCode, bits.length]), bits]);
}
