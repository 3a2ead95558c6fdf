import { ok, type Result } from "#specs/result.ts";
import {
  coilAddress,
  decodeRequest,
  discreteInputAddress,
  EXCEPTION_BIT,
  holdingRegisterAddress,
  inputRegisterAddress,
  type ModbusRequest,
} from "#wire/modbus/index.ts";
import type { WireError } from "#wire/wire-error.ts";

/** Offsets within a response PDU, MODBUS AP V1.1b3 §6. */
const COUNT = 1;
const MEI = { TYPE: 1, READ_CODE: 2, FIRST_OBJECT: 7 } as const;
const MULTIPLE = { ADDRESS: 1, QUANTITY: 3, END: 5 } as const;
const FILE_GROUPS = 2;

/**
 * The request that a response would answer whose own request is not in the capture: with the quantity that the response has room for
 * and an address nobody knows. A response of a form that no request of its function asks for is refused.
 */
export function impliedRequest(pdu: Buffer): Result<ModbusRequest, WireError> {
  const implied = impliedBy(pdu);
  // Where nothing is implied the response is an echo of its request, or of a function that the standard does not have.
  return implied === undefined ? decodeRequest(pdu) : ok(implied);
}

function impliedBy(pdu: Buffer): ModbusRequest | undefined {
  const first = pdu[0] ?? 0;
  const functionCode = first & ~EXCEPTION_BIT;
  if (first !== functionCode) return { kind: "unknown", functionCode, data: pdu.subarray(1) };
  const bytes = pdu[COUNT] ?? 0;
  switch (functionCode) {
    case 1:
      return { kind: "read-coils", functionCode, address: coilAddress(0), quantity: 8 * bytes };
    case 2:
      return { kind: "read-discrete-inputs", functionCode, address: discreteInputAddress(0), quantity: 8 * bytes };
    case 3: {
      const quantity = bytes >> 1;
      return { kind: "read-holding-registers", functionCode, address: holdingRegisterAddress(0), quantity };
    }
    case 4: {
      const quantity = bytes >> 1;
      return { kind: "read-input-registers", functionCode, address: inputRegisterAddress(0), quantity };
    }
    case 7:
      return { kind: "read-exception-status", functionCode };
    case 11:
      return { kind: "get-comm-event-counter", functionCode };
    case 12:
      return { kind: "get-comm-event-log", functionCode };
    case 17:
      return { kind: "report-server-id", functionCode };
    case 15:
    case 16:
      return impliedWrite(pdu, functionCode);
    case 20:
      return impliedFileRead(pdu);
    case 23: {
      const address = holdingRegisterAddress(0);
      return {
        kind: "read-write-multiple-registers",
        functionCode,
        readAddress: address,
        readQuantity: bytes >> 1,
        writeAddress: address,
        values: [],
      };
    }
    case 24:
      return { kind: "read-fifo-queue", functionCode, address: holdingRegisterAddress(0) };
    case 43:
      return impliedEncapsulated(pdu);
    default:
      return undefined;
  }
}

function impliedWrite(pdu: Buffer, functionCode: 15 | 16): ModbusRequest | undefined {
  if (pdu.length < MULTIPLE.END) return undefined;
  const address = pdu.readUInt16BE(MULTIPLE.ADDRESS);
  const length = pdu.readUInt16BE(MULTIPLE.QUANTITY);
  return functionCode === 15
    ? {
        kind: "write-multiple-coils",
        functionCode,
        address: coilAddress(address),
        values: Array.from({ length }, () => false),
      }
    : {
        kind: "write-multiple-registers",
        functionCode,
        address: holdingRegisterAddress(address),
        values: Array.from({ length }, () => 0),
      };
}

function impliedFileRead(pdu: Buffer): ModbusRequest {
  const groups: { file: number; record: number; length: number }[] = [];
  for (let at = FILE_GROUPS; at < pdu.length; ) {
    const length = pdu[at] ?? 0;
    groups.push({ file: 1, record: 0, length: Math.max(0, length - 1) >> 1 });
    at += 1 + length;
  }
  return { kind: "read-file-record", functionCode: 20, groups };
}

function impliedEncapsulated(pdu: Buffer): ModbusRequest {
  switch (pdu[MEI.TYPE]) {
    case 13:
      return { kind: "encapsulated-interface", functionCode: 43, meiType: 13, data: pdu.subarray(2) };
    case 14:
      return {
        kind: "encapsulated-interface",
        functionCode: 43,
        meiType: 14,
        readCode: pdu[MEI.READ_CODE] ?? 0,
        objectId: pdu[MEI.FIRST_OBJECT] ?? 0,
      };
    default:
      return { kind: "unknown", functionCode: 43, data: pdu.subarray(1) };
  }
}
