import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { type Diagnostics, decodeDiagnosticsRequest, encodeDiagnostics } from "./diagnostics.ts";
import {
  decodeCanopen,
  decodeDeviceIdentificationRequest,
  type EncapsulatedInterfaceRequest,
  encodeEncapsulatedInterfaceRequest,
  MEI,
  meiTypeOf,
} from "./encapsulated-interface.ts";
import {
  decodeReadFileRecordRequest,
  decodeWriteFileRecord,
  encodeReadFileRecordRequest,
  encodeWriteFileRecord,
  type ReadFileRecordRequest,
  type WriteFileRecord,
} from "./file-record.ts";
import { MAX_PDU_BYTES, refuse } from "./pdu.ts";
import { decodeReadBitsRequest, encodeReadBitsRequest, type ReadBitsRequest } from "./read-bits.ts";
import { decodeReadRegistersRequest, encodeReadRegistersRequest, type ReadRegistersRequest } from "./read-registers.ts";
import {
  decodeReadFifoQueueRequest,
  decodeReadWriteRequest,
  encodeReadFifoQueueRequest,
  encodeReadWriteRequest,
  type ReadFifoQueueRequest,
  type ReadWriteMultipleRegistersRequest,
} from "./read-write-registers.ts";
import { decodeSerialLineRequest, encodeSerialLineRequest, type SerialLineRequest } from "./serial-line.ts";
import { decodeWriteMultipleRequest, encodeWriteMultipleRequest, type WriteMultipleRequest } from "./write-multiple.ts";
import {
  decodeMaskWriteRegister,
  decodeWriteSingleCoil,
  decodeWriteSingleRegister,
  encodeMaskWriteRegister,
  encodeWriteSingleCoil,
  encodeWriteSingleRegister,
  type MaskWriteRegister,
  type WriteSingleCoil,
  type WriteSingleRegister,
} from "./write-single.ts";

/** A function code (or MEI type of function 43) that is not public in the standard: a value, so that it can be denied
 *  by number and logged. `data` is what follows the function code. */
export interface UnknownFunction {
  readonly kind: "unknown";
  /** 0..255 */
  readonly functionCode: number;
  readonly data: Buffer;
}

/** A Modbus request PDU; discriminated by `kind`. */
export type ModbusRequest =
  | ReadBitsRequest
  | ReadRegistersRequest
  | WriteSingleCoil
  | WriteSingleRegister
  | SerialLineRequest
  | Diagnostics
  | WriteMultipleRequest
  | ReadFileRecordRequest
  | WriteFileRecord
  | MaskWriteRegister
  | ReadWriteMultipleRegistersRequest
  | ReadFifoQueueRequest
  | EncapsulatedInterfaceRequest
  | UnknownFunction;

/**
 * Decodes a request PDU (function code first). Checks in the order the standard draws: function, then length and
 * quantity or value, then address. Offsets in errors are within the PDU.
 * @see MODBUS AP V1.1b3 §6, §7
 */
export function decodeRequest(pdu: Buffer): Result<ModbusRequest, WireError> {
  if (pdu.length < 1) return refuse("MB_PDU_LENGTH", 0, "4.1");
  if (pdu.length > MAX_PDU_BYTES) return refuse("MB_PDU_LENGTH", MAX_PDU_BYTES, "4.1");
  const functionCode = pdu.readUInt8(0);
  switch (functionCode) {
    case 1:
    case 2:
      return decodeReadBitsRequest(pdu, functionCode);
    case 3:
    case 4:
      return decodeReadRegistersRequest(pdu, functionCode);
    case 5:
      return decodeWriteSingleCoil(pdu);
    case 6:
      return decodeWriteSingleRegister(pdu);
    case 7:
    case 11:
    case 12:
    case 17:
      return decodeSerialLineRequest(pdu, functionCode);
    case 8:
      return decodeDiagnosticsRequest(pdu);
    case 15:
    case 16:
      return decodeWriteMultipleRequest(pdu, functionCode);
    case 20:
      return decodeReadFileRecordRequest(pdu);
    case 21:
      return decodeWriteFileRecord(pdu);
    case 22:
      return decodeMaskWriteRegister(pdu);
    case 23:
      return decodeReadWriteRequest(pdu);
    case 24:
      return decodeReadFifoQueueRequest(pdu);
    case 43:
      return decodeEncapsulatedInterfaceRequest(pdu);
    default:
      return ok({ kind: "unknown", functionCode, data: pdu.subarray(1) });
  }
}

function decodeEncapsulatedInterfaceRequest(pdu: Buffer): Result<ModbusRequest, WireError> {
  switch (meiTypeOf(pdu)) {
    case null:
      return refuse("MB_PDU_LENGTH", pdu.length, "6.19");
    case MEI.CANOPEN:
      return decodeCanopen(pdu);
    case MEI.DEVICE_IDENTIFICATION:
      return decodeDeviceIdentificationRequest(pdu);
    default:
      return ok({ kind: "unknown", functionCode: 43, data: pdu.subarray(1) });
  }
}

/** Encodes a request PDU. The fields must be within their documented ranges: a number that does not fit its field
 *  throws a `RangeError`, because that is our mistake and not the peer's. */
export function encodeRequest(request: ModbusRequest): Buffer {
  switch (request.kind) {
    case "read-coils":
    case "read-discrete-inputs":
      return encodeReadBitsRequest(request);
    case "read-holding-registers":
    case "read-input-registers":
      return encodeReadRegistersRequest(request);
    case "write-single-coil":
      return encodeWriteSingleCoil(request);
    case "write-single-register":
      return encodeWriteSingleRegister(request);
    case "read-exception-status":
    case "get-comm-event-counter":
    case "get-comm-event-log":
    case "report-server-id":
      return encodeSerialLineRequest(request);
    case "diagnostics":
      return encodeDiagnostics(request);
    case "write-multiple-coils":
    case "write-multiple-registers":
      return encodeWriteMultipleRequest(request);
    case "read-file-record":
      return encodeReadFileRecordRequest(request);
    case "write-file-record":
      return encodeWriteFileRecord(request);
    case "mask-write-register":
      return encodeMaskWriteRegister(request);
    case "read-write-multiple-registers":
      return encodeReadWriteRequest(request);
    case "read-fifo-queue":
      return encodeReadFifoQueueRequest(request);
    case "encapsulated-interface":
      return encodeEncapsulatedInterfaceRequest(request);
    case "unknown":
      return Buffer.concat([Buffer.from([request.functionCode]), request.data]);
  }
}
