import type { Observation, ObservedItem, ObservedRecords } from "#specs/decide/observation.ts";
import { LOOKING_SUB_FUNCTIONS, OBJECT_CATEGORIES } from "#specs/form.ts";
import type { Operation } from "#specs/lifecycle.ts";
import type { ModbusTable } from "#specs/plant.ts";
import { MEI, READ_DEVICE_ID, type ReadDeviceIdentificationRequest } from "#wire/modbus/encapsulated-interface.ts";
import type { ModbusRequest } from "#wire/modbus/index.ts";
import type { MaskWriteRegister } from "#wire/modbus/write-single.ts";
import { CANOPEN_NAME, diagnosticsName, IDENTIFICATION_NAME, messageName, unknownName } from "./modbus-names.ts";
import type { ModbusTags } from "./modbus-tags.ts";
import type { Party } from "./party.ts";

export { showValues, valuesInAnswer } from "./modbus-answer.ts";
export type { Party } from "./party.ts";

/** What a holding register holds at present, as a word of the wire; undefined: not known. */
export type PresentWord = (unit: number, address: number) => number | undefined;

const NOT_KNOWN: PresentWord = () => undefined;

/**
 * Sub-functions of Diagnostics that only look: an echo, and counters. The others restart the server, silence it, clear its counters or
 * are reserved (MODBUS AP V1.1b3 §6.8.1), and whoever may look at counters may not do that.
 */
const LOOKS_ONLY: ReadonlySet<number> = new Set(LOOKING_SUB_FUNCTIONS);

/**
 * Says what a Modbus request would do, in the form that all layers judge. Function 23 is two observations, its write and its
 * read; a request is allowed when each of them is. Function 22 is the write that it comes to, where the present word is known.
 * The same plain read by the same party may be the same object again.
 */
export function observeModbus(
  party: Party,
  tags: ModbusTags,
  unit: number,
  request: ModbusRequest,
  present: PresentWord = NOT_KNOWN,
): readonly Observation[] {
  switch (request.kind) {
    case "read-coils":
      return plainRead(party, tags, unit, "coil", request);
    case "read-discrete-inputs":
      return plainRead(party, tags, unit, "discrete-input", request);
    case "read-holding-registers":
      return plainRead(party, tags, unit, "holding-register", request);
    case "read-input-registers":
      return plainRead(party, tags, unit, "input-register", request);
    case "write-single-coil":
      return [written(party, tags, unit, "coil", 5, request.address, [request.on ? 1 : 0])];
    case "write-single-register":
      return [written(party, tags, unit, "holding-register", 6, request.address, [request.value])];
    case "write-multiple-coils":
      return [written(party, tags, unit, "coil", 15, request.address, request.values.map(Number))];
    case "write-multiple-registers":
      return [written(party, tags, unit, "holding-register", 16, request.address, request.values)];
    case "read-write-multiple-registers": {
      const { functionCode, writeAddress, values, readAddress, readQuantity } = request;
      const { items } = tags.block(unit, "holding-register", readAddress, readQuantity);
      return [
        written(party, tags, unit, "holding-register", functionCode, writeAddress, values),
        observed(party, "read", messageName(functionCode), items, { functionCode, quantity: readQuantity }),
      ];
    }
    case "mask-write-register": {
      const { functionCode, address } = request;
      const word = maskedWord(request, present(unit, address));
      if (word !== undefined) return [written(party, tags, unit, "holding-register", functionCode, address, [word])];
      // What it writes depends on what the register holds: no value can be judged, so no value rule can allow it.
      const { items } = tags.block(unit, "holding-register", address, 1);
      return [observed(party, "write", messageName(functionCode), items, { functionCode, quantity: 1 })];
    }
    case "read-file-record":
      return [aboutFiles(party, "read", request.functionCode, request.groups, ({ length }) => length)];
    case "write-file-record":
      return [aboutFiles(party, "program", request.functionCode, request.groups, ({ values }) => values.length)];
    case "diagnostics": {
      const { functionCode, subFunction } = request;
      const operation = LOOKS_ONLY.has(subFunction) ? "diagnose" : "program";
      return [observed(party, operation, diagnosticsName(subFunction), NO_ITEMS, { functionCode, subFunction })];
    }
    case "encapsulated-interface":
      // A CANopen object dictionary can be written through it, and nobody here looks into it.
      if (request.meiType === MEI.CANOPEN)
        return [raw(party, tags, CANOPEN_NAME, ENCAPSULATED, MEI.CANOPEN, request.data.length + 1)];
      return [
        observed(party, "diagnose", IDENTIFICATION_NAME, NO_ITEMS, {
          functionCode: request.functionCode,
          subFunction: request.meiType,
          objects: objectsAskedFor(request),
        }),
      ];
    case "unknown": {
      const { functionCode, data } = request;
      const mei = functionCode === ENCAPSULATED ? data[0] : undefined;
      return [raw(party, tags, unknownName(functionCode), functionCode, mei, data.length)];
    }
    default: {
      const { functionCode } = request;
      return [observed(party, "diagnose", messageName(functionCode), NO_ITEMS, { functionCode })];
    }
  }
}

const ENCAPSULATED = 43;
const NO_ITEMS: readonly ObservedItem[] = [];

type About = Pick<Observation, "raw" | "bytes" | "functionCode" | "subFunction" | "quantity" | "files" | "objects">;

/** Each has every key, in one order: what reads them all day meets one shape. */
function observed(
  { source, sourceAddress, target, link, role }: Party,
  operation: Operation,
  message: string,
  items: readonly ObservedItem[],
  { raw, bytes, functionCode, subFunction, quantity, files, objects }: About,
): Observation {
  return {
    ...{ source, sourceAddress, target, link, role, operation, message, items },
    ...{ raw, bytes, functionCode, subFunction, quantity, files, objects },
  };
}

function plainRead(
  party: Party,
  tags: ModbusTags,
  unit: number,
  table: ModbusTable,
  request: { readonly functionCode: number; readonly address: number; readonly quantity: number },
): readonly Observation[] {
  const { functionCode, address, quantity } = request;
  const known = tags.reads.get(party, functionCode, unit, address, quantity);
  if (known !== undefined) return known;
  const { items, isWhole } = tags.block(unit, table, address, quantity);
  const made = [observed(party, "read", messageName(functionCode), items, { functionCode, quantity })];
  // What touches no tag is denied, and whoever looks for what there is asks for something else each time.
  if (isWhole) tags.reads.keep(party, functionCode, unit, address, quantity, made);
  return made;
}

function written(
  party: Party,
  tags: ModbusTags,
  unit: number,
  table: ModbusTable,
  functionCode: number,
  address: number,
  words: readonly number[],
): Observation {
  const items = tags.written(unit, table, address, words);
  return observed(party, "write", messageName(functionCode), items, { functionCode, quantity: words.length });
}

/** Files are no tags: the items only show which. */
function aboutFiles<G extends { readonly file: number; readonly record: number }>(
  party: Party,
  operation: "read" | "program",
  functionCode: number,
  groups: readonly G[],
  countOf: (group: G) => number,
): Observation {
  const files = groups.map((group): ObservedRecords => {
    return { file: group.file, record: group.record, count: countOf(group) };
  });
  const items = files.map(({ file, record }) => ({
    ...{ tag: undefined, address: `file ${file} record ${record}`, value: undefined },
  }));
  const quantity = files.reduce((sum, { count }) => sum + count, 0);
  return observed(party, operation, messageName(functionCode), items, { functionCode, quantity, files });
}

/** Stream access reads every object of its category and of those before it, wherever it is told to begin. @see MODBUS AP V1.1b3 §6.21 */
function objectsAskedFor({ readCode, objectId }: ReadDeviceIdentificationRequest): readonly [number, number] {
  switch (readCode) {
    case READ_DEVICE_ID.BASIC:
      return [0, OBJECT_CATEGORIES.basic[1]];
    case READ_DEVICE_ID.REGULAR:
      return [0, OBJECT_CATEGORIES.regular[1]];
    case READ_DEVICE_ID.SPECIFIC:
      return [objectId, objectId];
    default:
      return [0, OBJECT_CATEGORIES.extended[1]];
  }
}

function raw(
  party: Party,
  tags: ModbusTags,
  message: string,
  functionCode: number,
  subFunction: number | undefined,
  bytes: number,
): Observation {
  const named = tags.rawFunction(functionCode, subFunction);
  return observed(party, "raw", message, NO_ITEMS, { raw: named?.id, bytes, functionCode, subFunction });
}

/**
 * What a mask write leaves in the register: (current AND andMask) OR (orMask AND NOT andMask). A mask that keeps no bit needs no
 * present word. @see MODBUS AP V1.1b3 §6.16
 */
export function maskedWord({ andMask, orMask }: MaskWriteRegister, present: number | undefined): number | undefined {
  if (andMask === 0) return orMask;
  return present === undefined ? undefined : (present & andMask) | (orMask & ~andMask & 0xffff);
}
