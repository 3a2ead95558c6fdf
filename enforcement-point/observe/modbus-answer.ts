import type { TagId } from "#specs/ids.ts";
import type { ModbusTable } from "#specs/plant.ts";
import type { ModbusRequest, ModbusResponse } from "#wire/modbus/index.ts";
import type { Block, ModbusTags } from "./modbus-tags.ts";
import { engineeringValue, engineeringValueIn } from "./modbus-value.ts";

/** The values that are asked for: function code, table and range; undefined: the request reads none. */
interface Asked {
  readonly table: ModbusTable;
  readonly address: number;
  readonly quantity: number;
}

/** Offsets within an answer that shows values, of all five functions: function code, byte count, then bits or registers. */
const ANSWER = { FUNCTION: 0, COUNT: 1, VALUES: 2 } as const;

/** The tag values that a successful answer shows: what was read. */
export function valuesInAnswer(
  tags: ModbusTags,
  unit: number,
  request: ModbusRequest,
  response: ModbusResponse,
): readonly { readonly tag: TagId; readonly value: number }[] {
  if (response.kind === "exception" || response.kind !== request.kind || !("values" in response)) return [];
  const words: readonly (number | boolean)[] = response.values;
  const asked = askedFor(request);
  if (asked === undefined) return [];
  const found: { tag: TagId; value: number }[] = [];
  const numbers = words.map(Number);
  for (const { tag, binding, at } of tags.block(unit, asked.table, asked.address, words.length).tags) {
    const value = engineeringValue(binding, numbers, at);
    if (value !== undefined) found.push({ tag, value });
  }
  return found;
}

/**
 * The same straight from the bytes of the answer's PDU, one call for each value and nothing made for it. An answer that is none to this
 * request (an exception, another function, another length) shows nothing.
 */
export function showValues(
  tags: ModbusTags,
  unit: number,
  request: ModbusRequest,
  pdu: Buffer,
  see: (tag: TagId, value: number) => void,
): void {
  const asked = askedFor(request);
  if (asked === undefined || pdu[ANSWER.FUNCTION] !== request.functionCode) return;
  const isOfBits = asked.table === "coil" || asked.table === "discrete-input";
  const bytes = isOfBits ? (asked.quantity + 7) >>> 3 : 2 * asked.quantity;
  if (pdu[ANSWER.COUNT] !== bytes || pdu.length !== ANSWER.VALUES + bytes) return;
  const block = tags.block(unit, asked.table, asked.address, asked.quantity);
  if (isOfBits) showBits(block, pdu, see);
  else showRegisters(block, pdu, see);
}

function showBits({ tags }: Block, pdu: Buffer, see: (tag: TagId, value: number) => void): void {
  for (let n = 0; n < tags.length; n += 1) {
    const placed = tags[n];
    if (placed === undefined) continue;
    const byte = pdu[ANSWER.VALUES + (placed.at >>> 3)] ?? 0;
    see(placed.tag, (byte >>> (placed.at & 7)) & 1);
  }
}

function showRegisters({ tags }: Block, pdu: Buffer, see: (tag: TagId, value: number) => void): void {
  for (let n = 0; n < tags.length; n += 1) {
    const placed = tags[n];
    if (placed === undefined) continue;
    const value = engineeringValueIn(placed.binding, pdu, ANSWER.VALUES + 2 * placed.at);
    if (value !== undefined) see(placed.tag, value);
  }
}

function askedFor(request: ModbusRequest): Asked | undefined {
  switch (request.kind) {
    case "read-coils":
      return { table: "coil", address: request.address, quantity: request.quantity };
    case "read-discrete-inputs":
      return { table: "discrete-input", address: request.address, quantity: request.quantity };
    case "read-holding-registers":
      return { table: "holding-register", address: request.address, quantity: request.quantity };
    case "read-input-registers":
      return { table: "input-register", address: request.address, quantity: request.quantity };
    case "read-write-multiple-registers":
      return { table: "holding-register", address: request.readAddress, quantity: request.readQuantity };
    default:
      return undefined;
  }
}
