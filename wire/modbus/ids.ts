/**
 * The vocabulary of Modbus: identifiers, addresses, function codes and exception codes.
 * Addresses are zero-based, as on the wire; the notation `40001` exists only in {@link formatAddress}.
 */

declare const brand: unique symbol;
type Brand<Name extends string> = number & { readonly [brand]: Name };

/** MBAP unit identifier, 0..255. @see MODBUS Messaging on TCP/IP V1.0b §3.1.3 */
export type UnitId = Brand<"UnitId">;
/** MBAP transaction identifier, 0..65535, chosen by the client and echoed by the server. */
export type TransactionId = Brand<"TransactionId">;
/** Zero-based address of a coil, 0..65535. */
export type CoilAddress = Brand<"CoilAddress">;
/** Zero-based address of a discrete input, 0..65535. */
export type DiscreteInputAddress = Brand<"DiscreteInputAddress">;
/** Zero-based address of a holding register, 0..65535. */
export type HoldingRegisterAddress = Brand<"HoldingRegisterAddress">;
/** Zero-based address of an input register, 0..65535. */
export type InputRegisterAddress = Brand<"InputRegisterAddress">;

/** The four primary tables. @see MODBUS AP V1.1b3 §4.3 */
export type ModbusTable = "coil" | "discrete-input" | "holding-register" | "input-register";

function whole(name: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw new RangeError(`${name} ${value} is outside 0..${max}`);
  return value;
}

/** Checks and brands a unit identifier; throws `unit id 300 is outside 0..255`. */
export const unitId = (value: number): UnitId => whole("unit id", value, 0xff) as UnitId;
/** Checks and brands a transaction identifier. */
export const transactionId = (value: number): TransactionId => whole("transaction id", value, 0xffff) as TransactionId;
/** Checks and brands a coil address. */
export const coilAddress = (value: number): CoilAddress => whole("coil address", value, 0xffff) as CoilAddress;
/** Checks and brands a discrete input address. */
export const discreteInputAddress = (value: number): DiscreteInputAddress =>
  whole("discrete input address", value, 0xffff) as DiscreteInputAddress;
/** Checks and brands a holding register address. */
export const holdingRegisterAddress = (value: number): HoldingRegisterAddress =>
  whole("holding register address", value, 0xffff) as HoldingRegisterAddress;
/** Checks and brands an input register address. */
export const inputRegisterAddress = (value: number): InputRegisterAddress =>
  whole("input register address", value, 0xffff) as InputRegisterAddress;

const TABLE_DIGIT = { coil: 0, "discrete-input": 1, "input-register": 3, "holding-register": 4 } as const;

/** The address as control engineers write it: one-based, six digits, table first; holding register 0 is `400001`. */
export function formatAddress(table: ModbusTable, address: number): string {
  return `${TABLE_DIGIT[table]}${String(address + 1).padStart(5, "0")}`;
}

/** Exception codes. @see MODBUS AP V1.1b3 §7 */
export const EXCEPTION_CODE = {
  "illegal-function": 1,
  "illegal-data-address": 2,
  "illegal-data-value": 3,
  "server-device-failure": 4,
  acknowledge: 5,
  "server-device-busy": 6,
  "memory-parity-error": 8,
  "gateway-path-unavailable": 10,
  "gateway-target-failed-to-respond": 11,
} as const;

/** Name of an exception code of the standard. */
export type ExceptionName = keyof typeof EXCEPTION_CODE;

const EXCEPTION_NAMES = Object.keys(EXCEPTION_CODE) as readonly ExceptionName[];

/** The standard's name of an exception code, or `"unknown"`. */
export function exceptionName(code: number): ExceptionName | "unknown" {
  return EXCEPTION_NAMES.find((name) => EXCEPTION_CODE[name] === code) ?? "unknown";
}
