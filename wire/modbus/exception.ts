import { ok, type Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { EXCEPTION_CODE, type ExceptionName, exceptionName } from "./ids.ts";
import { checkLength } from "./pdu.ts";

// MODBUS AP V1.1b3 §7 Modbus Exception Responses
const FIELD = { FUNCTION: 0, CODE: 1, END: 2 } as const;

/** Bit that marks the function code of an exception response. */
export const EXCEPTION_BIT = 0x80;

/** Exception response. */
export interface ExceptionResponse {
  readonly kind: "exception";
  /** function code of the request, without the exception bit */
  readonly functionCode: number;
  /** 0..255 */
  readonly code: number;
  /** the standard's name of `code`; a code it does not define is `"unknown"`, a value and not a wire error */
  readonly name: ExceptionName | "unknown";
}

/** Decodes an exception response; the exception bit must have been seen. */
export function decodeException(pdu: Buffer): Result<ExceptionResponse, WireError> {
  const length = checkLength(pdu, FIELD.END, "7");
  if (!length.ok) return length;
  const code = pdu.readUInt8(FIELD.CODE);
  const functionCode = pdu.readUInt8(FIELD.FUNCTION) & ~EXCEPTION_BIT;
  return ok({ kind: "exception", functionCode, code, name: exceptionName(code) });
}

/** Encodes an exception response to a request with this function code. */
export function encodeException(functionCode: number, exception: ExceptionName | number): Buffer {
  const code = typeof exception === "number" ? exception : EXCEPTION_CODE[exception];
  return Buffer.from([functionCode | EXCEPTION_BIT, code]);
}

/** The exception a server answers to a request that a decoder refused: wrong addresses are 2, all else is 3.
 *  (An unknown function is no wire error; it is answered with `illegal-function`.) @see MODBUS AP V1.1b3 §7 */
export function exceptionForWireError(error: WireError): ExceptionName {
  const isAddress = error.code === "MB_ADDRESS" || error.code === "MB_FILE_REFERENCE";
  return isAddress ? "illegal-data-address" : "illegal-data-value";
}
