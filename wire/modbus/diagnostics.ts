import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { checkLength, MAX_PDU_BYTES, refuse } from "./pdu.ts";

const CLAUSE = "6.8"; // MODBUS AP V1.1b3 §6.8 Diagnostics (08)
const FIELD = { SUB_FUNCTION: 1, DATA: 3 } as const;
const ONE_WORD = 2;

/** Sub-functions. Any other number is reserved by the standard; it is decoded as a value so that it can be denied by number.
 *  @see MODBUS AP V1.1b3 §6.8.1 */
export const DIAGNOSTICS_SUB_FUNCTION = {
  RETURN_QUERY_DATA: 0,
  RESTART_COMMUNICATIONS: 1,
  RETURN_DIAGNOSTIC_REGISTER: 2,
  CHANGE_ASCII_DELIMITER: 3,
  FORCE_LISTEN_ONLY: 4,
  CLEAR_COUNTERS: 10,
  BUS_MESSAGE_COUNT: 11,
  BUS_COMMUNICATION_ERROR_COUNT: 12,
  BUS_EXCEPTION_ERROR_COUNT: 13,
  SERVER_MESSAGE_COUNT: 14,
  SERVER_NO_RESPONSE_COUNT: 15,
  SERVER_NAK_COUNT: 16,
  SERVER_BUSY_COUNT: 17,
  BUS_CHARACTER_OVERRUN_COUNT: 18,
  CLEAR_OVERRUN: 20,
} as const;

const SUB = DIAGNOSTICS_SUB_FUNCTION;
const KNOWN: ReadonlySet<number> = new Set(Object.values(SUB));
/** Sub-functions whose response echoes the request's data. */
const ECHOES: ReadonlySet<number> = new Set([
  SUB.RETURN_QUERY_DATA,
  SUB.RESTART_COMMUNICATIONS,
  SUB.CHANGE_ASCII_DELIMITER,
  SUB.CLEAR_COUNTERS,
  SUB.CLEAR_OVERRUN,
]);

/** Diagnostics, request and response. */
export interface Diagnostics {
  readonly kind: "diagnostics";
  readonly functionCode: 8;
  /** 0..65535, see {@link DIAGNOSTICS_SUB_FUNCTION} */
  readonly subFunction: number;
  /** one word; for Return Query Data and reserved sub-functions 1..125 words */
  readonly data: Buffer;
}

export function decodeDiagnosticsRequest(pdu: Buffer): Result<Diagnostics, WireError> {
  const shape = decodeShape(pdu);
  if (!shape.ok) return shape;
  const { subFunction, data } = shape.value;
  if (!requestDataIsLegal(subFunction, data)) return refuse("MB_SUB_FUNCTION", FIELD.DATA, CLAUSE);
  return shape;
}

export function decodeDiagnosticsResponse(pdu: Buffer, request: Diagnostics): Result<Diagnostics, WireError> {
  const shape = decodeShape(pdu);
  if (!shape.ok) return shape;
  const { subFunction, data } = shape.value;
  if (subFunction !== request.subFunction) return refuse("MB_ECHO", FIELD.SUB_FUNCTION, CLAUSE);
  // §6.8.1, sub-function 4: "No response is returned"
  if (subFunction === SUB.FORCE_LISTEN_ONLY) return refuse("MB_SUB_FUNCTION", FIELD.SUB_FUNCTION, CLAUSE);
  if (ECHOES.has(subFunction) && !data.equals(request.data)) return refuse("MB_ECHO", FIELD.DATA, CLAUSE);
  return shape;
}

export function encodeDiagnostics(message: Diagnostics): Buffer {
  const head = Buffer.allocUnsafe(FIELD.DATA);
  head.writeUInt8(message.functionCode, 0);
  head.writeUInt16BE(message.subFunction, FIELD.SUB_FUNCTION);
  return Buffer.concat([head, message.data]);
}

function decodeShape(pdu: Buffer): Result<Diagnostics, WireError> {
  if (pdu.length < FIELD.DATA + ONE_WORD) return refuse("MB_PDU_LENGTH", pdu.length, CLAUSE);
  if (pdu.length > MAX_PDU_BYTES) return refuse("MB_PDU_LENGTH", MAX_PDU_BYTES, CLAUSE);
  const subFunction = pdu.readUInt16BE(FIELD.SUB_FUNCTION);
  const data = pdu.subarray(FIELD.DATA);
  if (KNOWN.has(subFunction) && subFunction !== SUB.RETURN_QUERY_DATA) {
    const length = checkLength(pdu, FIELD.DATA + ONE_WORD, CLAUSE);
    if (!length.ok) return length;
  }
  if (data.length % ONE_WORD !== 0) return refuse("MB_PDU_LENGTH", pdu.length, CLAUSE);
  return ok({ kind: "diagnostics", functionCode: 8, subFunction, data });
}

function requestDataIsLegal(subFunction: number, data: Buffer): boolean {
  const word = data.readUInt16BE(0);
  switch (subFunction) {
    case SUB.RETURN_QUERY_DATA:
      return true;
    case SUB.RESTART_COMMUNICATIONS:
      return word === 0x0000 || word === 0xff00; // FF00 also clears the event log
    case SUB.CHANGE_ASCII_DELIMITER:
      return (word & 0xff) === 0;
    default:
      return !KNOWN.has(subFunction) || word === 0x0000;
  }
}
