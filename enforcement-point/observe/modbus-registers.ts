import type { ModbusRequest, ModbusResponse } from "#wire/modbus/index.ts";
import { maskedWord } from "./modbus.ts";
import type { RegisterWrite } from "./modbus-image.ts";

/** The holding registers that a request writes; undefined: none. */
export function registersWritten(unit: number, request: ModbusRequest): RegisterWrite | undefined {
  switch (request.kind) {
    case "write-single-register":
      return { kind: "plain", unit, address: request.address, quantity: 1 };
    case "write-multiple-registers":
      return { kind: "plain", unit, address: request.address, quantity: request.values.length };
    case "read-write-multiple-registers":
      return { kind: "plain", unit, address: request.writeAddress, quantity: request.values.length };
    case "mask-write-register":
      return { kind: "mask", unit, address: request.address, quantity: 1 };
    default:
      return undefined;
  }
}

/** The words that a write puts into its registers; undefined: none, or it depends on what nobody knows. */
export function wordsWritten(
  request: ModbusRequest,
  present: (address: number) => number | undefined,
): readonly number[] | undefined {
  switch (request.kind) {
    case "write-single-register":
      return [request.value];
    case "write-multiple-registers":
    case "read-write-multiple-registers":
      return request.values;
    case "mask-write-register": {
      const word = maskedWord(request, present(request.address));
      return word === undefined ? undefined : [word];
    }
    default:
      return undefined;
  }
}

/** The holding registers that an answer shows. */
export function registersRead(
  request: ModbusRequest,
  response: ModbusResponse,
): { readonly address: number; readonly words: readonly number[] } | undefined {
  if (request.kind === "read-holding-registers" && response.kind === request.kind) {
    return { address: request.address, words: response.values };
  }
  if (request.kind === "read-write-multiple-registers" && response.kind === request.kind) {
    return { address: request.readAddress, words: response.values };
  }
  return undefined;
}
