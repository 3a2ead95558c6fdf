import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import type { HoldingRegisterAddress } from "./ids.ts";
import { checkLength, checkRange, packWords, readWords, refuse } from "./pdu.ts";
import { MAX_READ_REGISTERS } from "./read-registers.ts";

// MODBUS AP V1.1b3 §6.17 Read/Write Multiple Registers (23), §6.18 Read FIFO Queue (24)
const REQUEST = {
  READ_ADDRESS: 1,
  READ_QUANTITY: 3,
  WRITE_ADDRESS: 5,
  WRITE_QUANTITY: 7,
  BYTE_COUNT: 9,
  VALUES: 10,
} as const;
const RESPONSE = { BYTE_COUNT: 1, WORDS: 2 } as const;
const FIFO_REQUEST = { ADDRESS: 1, END: 3 } as const;
const FIFO_RESPONSE = { BYTE_COUNT: 1, FIFO_COUNT: 3, WORDS: 5 } as const;

/** Most registers the write half may carry: 0x79. */
export const MAX_READ_WRITE_REGISTERS = 121;
/** Most registers in a FIFO queue. */
export const MAX_FIFO_REGISTERS = 31;

/** Read/Write Multiple Registers request, §6.17; the write (1..121 words) is performed before the read. */
export interface ReadWriteMultipleRegistersRequest {
  readonly kind: "read-write-multiple-registers";
  readonly functionCode: 23;
  readonly readAddress: HoldingRegisterAddress;
  /** 1..125 */
  readonly readQuantity: number;
  readonly writeAddress: HoldingRegisterAddress;
  readonly values: readonly number[];
}

export interface ReadWriteMultipleRegistersResponse {
  readonly kind: "read-write-multiple-registers";
  readonly functionCode: 23;
  readonly values: readonly number[];
}

/** Read FIFO Queue request, §6.18; `address` is that of the FIFO pointer register. */
export interface ReadFifoQueueRequest {
  readonly kind: "read-fifo-queue";
  readonly functionCode: 24;
  readonly address: HoldingRegisterAddress;
}

/** Read FIFO Queue response; 0..31 words. */
export interface ReadFifoQueueResponse {
  readonly kind: "read-fifo-queue";
  readonly functionCode: 24;
  readonly values: readonly number[];
}

export function decodeReadWriteRequest(pdu: Buffer): Result<ReadWriteMultipleRegistersRequest, WireError> {
  if (pdu.length < REQUEST.VALUES) return refuse("MB_PDU_LENGTH", pdu.length, "6.17");
  const readAddress = pdu.readUInt16BE(REQUEST.READ_ADDRESS);
  const readQuantity = pdu.readUInt16BE(REQUEST.READ_QUANTITY);
  const writeAddress = pdu.readUInt16BE(REQUEST.WRITE_ADDRESS);
  const writeQuantity = pdu.readUInt16BE(REQUEST.WRITE_QUANTITY);
  if (readQuantity < 1 || readQuantity > MAX_READ_REGISTERS)
    return refuse("MB_QUANTITY", REQUEST.READ_QUANTITY, "6.17");
  if (writeQuantity < 1 || writeQuantity > MAX_READ_WRITE_REGISTERS) {
    return refuse("MB_QUANTITY", REQUEST.WRITE_QUANTITY, "6.17");
  }
  const count = 2 * writeQuantity;
  if (pdu.readUInt8(REQUEST.BYTE_COUNT) !== count) return refuse("MB_BYTE_COUNT", REQUEST.BYTE_COUNT, "6.17");
  const length = checkLength(pdu, REQUEST.VALUES + count, "6.17");
  if (!length.ok) return length;
  const read = checkRange(
    { address: readAddress, quantity: readQuantity, max: MAX_READ_REGISTERS },
    { address: REQUEST.READ_ADDRESS, quantity: REQUEST.READ_QUANTITY },
    "6.17",
  );
  if (!read.ok) return read;
  const write = checkRange(
    { address: writeAddress, quantity: writeQuantity, max: MAX_READ_WRITE_REGISTERS },
    { address: REQUEST.WRITE_ADDRESS, quantity: REQUEST.WRITE_QUANTITY },
    "6.17",
  );
  if (!write.ok) return write;
  return ok({
    kind: "read-write-multiple-registers",
    functionCode: 23,
    readAddress: readAddress as HoldingRegisterAddress,
    readQuantity,
    writeAddress: writeAddress as HoldingRegisterAddress,
    values: readWords(pdu, REQUEST.VALUES, writeQuantity),
  });
}

export function encodeReadWriteRequest(request: ReadWriteMultipleRegistersRequest): Buffer {
  const values = packWords(request.values);
  const head = Buffer.allocUnsafe(REQUEST.VALUES);
  head.writeUInt8(request.functionCode, 0);
  head.writeUInt16BE(request.readAddress, REQUEST.READ_ADDRESS);
  head.writeUInt16BE(request.readQuantity, REQUEST.READ_QUANTITY);
  head.writeUInt16BE(request.writeAddress, REQUEST.WRITE_ADDRESS);
  head.writeUInt16BE(request.values.length, REQUEST.WRITE_QUANTITY);
  head.writeUInt8(values.length, REQUEST.BYTE_COUNT);
  return Buffer.concat([head, values]);
}

export function decodeReadWriteResponse(
  pdu: Buffer,
  request: ReadWriteMultipleRegistersRequest,
): Result<ReadWriteMultipleRegistersResponse, WireError> {
  const count = 2 * request.readQuantity;
  if (pdu.length > RESPONSE.BYTE_COUNT && pdu.readUInt8(RESPONSE.BYTE_COUNT) !== count) {
    return refuse("MB_BYTE_COUNT", RESPONSE.BYTE_COUNT, "6.17");
  }
  const length = checkLength(pdu, RESPONSE.WORDS + count, "6.17");
  if (!length.ok) return length;
  const values = readWords(pdu, RESPONSE.WORDS, request.readQuantity);
  return ok({ kind: "read-write-multiple-registers", functionCode: 23, values });
}

export function encodeReadWriteResponse(response: ReadWriteMultipleRegistersResponse): Buffer {
  const words = packWords(response.values);
  return Buffer.concat([Buffer.from([response.functionCode, words.length]), words]);
}

export function decodeReadFifoQueueRequest(pdu: Buffer): Result<ReadFifoQueueRequest, WireError> {
  const length = checkLength(pdu, FIFO_REQUEST.END, "6.18");
  if (!length.ok) return length;
  const address = pdu.readUInt16BE(FIFO_REQUEST.ADDRESS) as HoldingRegisterAddress;
  return ok({ kind: "read-fifo-queue", functionCode: 24, address });
}

export function encodeReadFifoQueueRequest(request: ReadFifoQueueRequest): Buffer {
  const pdu = Buffer.allocUnsafe(FIFO_REQUEST.END);
  pdu.writeUInt8(request.functionCode, 0);
  pdu.writeUInt16BE(request.address, FIFO_REQUEST.ADDRESS);
  return pdu;
}

export function decodeReadFifoQueueResponse(pdu: Buffer): Result<ReadFifoQueueResponse, WireError> {
  if (pdu.length < FIFO_RESPONSE.WORDS) return refuse("MB_PDU_LENGTH", pdu.length, "6.18");
  const count = pdu.readUInt16BE(FIFO_RESPONSE.FIFO_COUNT);
  if (count > MAX_FIFO_REGISTERS) return refuse("MB_QUANTITY", FIFO_RESPONSE.FIFO_COUNT, "6.18");
  // The byte count covers the FIFO count itself and the words.
  if (pdu.readUInt16BE(FIFO_RESPONSE.BYTE_COUNT) !== 2 + 2 * count) {
    return refuse("MB_BYTE_COUNT", FIFO_RESPONSE.BYTE_COUNT, "6.18");
  }
  const length = checkLength(pdu, FIFO_RESPONSE.WORDS + 2 * count, "6.18");
  if (!length.ok) return length;
  return ok({ kind: "read-fifo-queue", functionCode: 24, values: readWords(pdu, FIFO_RESPONSE.WORDS, count) });
}

export function encodeReadFifoQueueResponse(response: ReadFifoQueueResponse): Buffer {
  const words = packWords(response.values);
  const head = Buffer.allocUnsafe(FIFO_RESPONSE.WORDS);
  head.writeUInt8(response.functionCode, 0);
  head.writeUInt16BE(2 + words.length, FIFO_RESPONSE.BYTE_COUNT);
  head.writeUInt16BE(response.values.length, FIFO_RESPONSE.FIFO_COUNT);
  return Buffer.concat([head, words]);
}
