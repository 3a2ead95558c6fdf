import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { type Diagnostics, decodeDiagnosticsResponse, encodeDiagnostics } from "./diagnostics.ts";
import {
  decodeEncapsulatedInterfaceResponse,
  type EncapsulatedInterfaceResponse,
  encodeEncapsulatedInterfaceResponse,
} from "./encapsulated-interface.ts";
import { decodeException, EXCEPTION_BIT, type ExceptionResponse, encodeException } from "./exception.ts";
import {
  decodeReadFileRecordResponse,
  encodeReadFileRecordResponse,
  encodeWriteFileRecord,
  type ReadFileRecordResponse,
  type WriteFileRecord,
} from "./file-record.ts";
import { MAX_PDU_BYTES, refuse } from "./pdu.ts";
import { decodeReadBitsResponse, encodeReadBitsResponse, type ReadBitsResponse } from "./read-bits.ts";
import {
  decodeReadRegistersResponse,
  encodeReadRegistersResponse,
  type ReadRegistersResponse,
} from "./read-registers.ts";
import {
  decodeReadFifoQueueResponse,
  decodeReadWriteResponse,
  encodeReadFifoQueueResponse,
  encodeReadWriteResponse,
  type ReadFifoQueueResponse,
  type ReadWriteMultipleRegistersResponse,
} from "./read-write-registers.ts";
import { encodeRequest, type ModbusRequest, type UnknownFunction } from "./request.ts";
import { decodeSerialLineResponse, encodeSerialLineResponse, type SerialLineResponse } from "./serial-line.ts";
import {
  decodeWriteMultipleResponse,
  encodeWriteMultipleResponse,
  type WriteMultipleResponse,
} from "./write-multiple.ts";
import {
  encodeMaskWriteRegister,
  encodeWriteSingleCoil,
  encodeWriteSingleRegister,
  type MaskWriteRegister,
  type WriteSingleCoil,
  type WriteSingleRegister,
} from "./write-single.ts";

/** A Modbus response PDU; discriminated by `kind`, which is that of its request, `"exception"` or `"unknown"`. */
export type ModbusResponse =
  | ReadBitsResponse
  | ReadRegistersResponse
  | WriteSingleCoil
  | WriteSingleRegister
  | SerialLineResponse
  | Diagnostics
  | WriteMultipleResponse
  | ReadFileRecordResponse
  | WriteFileRecord
  | MaskWriteRegister
  | ReadWriteMultipleRegistersResponse
  | ReadFifoQueueResponse
  | EncapsulatedInterfaceResponse
  | ExceptionResponse
  | UnknownFunction;

/** The requests whose normal response is an echo, byte for byte. */
type Echoed = WriteSingleCoil | WriteSingleRegister | MaskWriteRegister | WriteFileRecord;

/**
 * Decodes a response PDU against the request it answers: function code, byte counts, echoes and quantities must fit.
 * Offsets in errors are within the PDU.
 * @see MODBUS AP V1.1b3 §6, §7
 */
export function decodeResponse(pdu: Buffer, request: ModbusRequest): Result<ModbusResponse, WireError> {
  if (pdu.length < 1) return refuse("MB_PDU_LENGTH", 0, "4.1");
  if (pdu.length > MAX_PDU_BYTES) return refuse("MB_PDU_LENGTH", MAX_PDU_BYTES, "4.1");
  const functionCode = pdu.readUInt8(0);
  if (functionCode === (request.functionCode | EXCEPTION_BIT)) return decodeException(pdu);
  if (functionCode !== request.functionCode) return refuse("MB_FUNCTION", 0, "4.1");
  return decodeNormalResponse(pdu, request);
}

function decodeNormalResponse(pdu: Buffer, request: ModbusRequest): Result<ModbusResponse, WireError> {
  switch (request.kind) {
    case "read-coils":
    case "read-discrete-inputs":
      return decodeReadBitsResponse(pdu, request);
    case "read-holding-registers":
    case "read-input-registers":
      return decodeReadRegistersResponse(pdu, request);
    case "write-single-coil":
      return decodeEcho(pdu, request, "6.5");
    case "write-single-register":
      return decodeEcho(pdu, request, "6.6");
    case "read-exception-status":
    case "get-comm-event-counter":
    case "get-comm-event-log":
    case "report-server-id":
      return decodeSerialLineResponse(pdu, request);
    case "diagnostics":
      return decodeDiagnosticsResponse(pdu, request);
    case "write-multiple-coils":
    case "write-multiple-registers":
      return decodeWriteMultipleResponse(pdu, request);
    case "read-file-record":
      return decodeReadFileRecordResponse(pdu, request);
    case "write-file-record":
      return decodeEcho(pdu, request, "6.15");
    case "mask-write-register":
      return decodeEcho(pdu, request, "6.16");
    case "read-write-multiple-registers":
      return decodeReadWriteResponse(pdu, request);
    case "read-fifo-queue":
      return decodeReadFifoQueueResponse(pdu);
    case "encapsulated-interface":
      return decodeEncapsulatedInterfaceResponse(pdu, request);
    case "unknown":
      return ok({ kind: "unknown", functionCode: request.functionCode, data: pdu.subarray(1) });
  }
}

function decodeEcho(pdu: Buffer, request: Echoed, clause: string): Result<Echoed, WireError> {
  const expected = encodeRequest(request);
  if (pdu.length !== expected.length) return refuse("MB_PDU_LENGTH", Math.min(pdu.length, expected.length), clause);
  for (let i = 0; i < expected.length; i += 1) if (pdu[i] !== expected[i]) return refuse("MB_ECHO", i, clause);
  return ok(request);
}

/** Encodes a response PDU; a number that does not fit its field throws a `RangeError` (a programming error). */
export function encodeResponse(response: ModbusResponse): Buffer {
  switch (response.kind) {
    case "read-coils":
    case "read-discrete-inputs":
      return encodeReadBitsResponse(response);
    case "read-holding-registers":
    case "read-input-registers":
      return encodeReadRegistersResponse(response);
    case "write-single-coil":
      return encodeWriteSingleCoil(response);
    case "write-single-register":
      return encodeWriteSingleRegister(response);
    case "read-exception-status":
    case "get-comm-event-counter":
    case "get-comm-event-log":
    case "report-server-id":
      return encodeSerialLineResponse(response);
    case "diagnostics":
      return encodeDiagnostics(response);
    case "write-multiple-coils":
    case "write-multiple-registers":
      return encodeWriteMultipleResponse(response);
    case "read-file-record":
      return encodeReadFileRecordResponse(response);
    case "write-file-record":
      return encodeWriteFileRecord(response);
    case "mask-write-register":
      return encodeMaskWriteRegister(response);
    case "read-write-multiple-registers":
      return encodeReadWriteResponse(response);
    case "read-fifo-queue":
      return encodeReadFifoQueueResponse(response);
    case "encapsulated-interface":
      return encodeEncapsulatedInterfaceResponse(response);
    case "exception":
      return encodeException(response.functionCode, response.code);
    case "unknown":
      return Buffer.concat([Buffer.from([response.functionCode]), response.data]);
  }
}
