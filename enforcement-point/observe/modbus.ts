import type { Observation, ObservedItem } from "#specs/decide/observation.ts";
import type { TagId } from "#specs/ids.ts";
import type { Operation } from "#specs/lifecycle.ts";
import type { ModbusTable } from "#specs/plant.ts";
import { LOOKING_SUB_FUNCTIONS } from "#specs/project/messages.ts";
import { DIAGNOSTICS_SUB_FUNCTION } from "#wire/modbus/diagnostics.ts";
import { MEI } from "#wire/modbus/encapsulated-interface.ts";
import type { ModbusRequest, ModbusResponse } from "#wire/modbus/index.ts";
import type { MaskWriteRegister } from "#wire/modbus/write-single.ts";
import { engineeringValue, type ModbusTags } from "./modbus-tags.ts";

/** Who speaks to whom: the part of an observation that a connection fixes. */
export type Party = Pick<Observation, "source" | "sourceAddress" | "target" | "link">;

/** What a holding register holds at present, as a word of the wire; undefined: not known. */
export type PresentWord = (unit: number, address: number) => number | undefined;

const NOT_KNOWN: PresentWord = () => undefined;

const SUB = DIAGNOSTICS_SUB_FUNCTION;
/**
 * Sub-functions of Diagnostics that only look: an echo, and counters. The others restart the server, silence it, clear its counters or
 * are reserved (MODBUS AP V1.1b3 §6.8.1), and whoever may look at counters may not do that.
 */
const LOOKS_ONLY: ReadonlySet<number> = new Set(LOOKING_SUB_FUNCTIONS);

/**
 * Says what a Modbus request would do, in the form that all layers judge. Function 23 is two observations, its write and its
 * read; a request is allowed when each of them is. Function 22 is the write that it comes to, where the present word is known.
 */
export function observeModbus(
  party: Party,
  tags: ModbusTags,
  unit: number,
  request: ModbusRequest,
  present: PresentWord = NOT_KNOWN,
): readonly Observation[] {
  const message = messageName(request);
  const about = (operation: Operation, items: readonly ObservedItem[]): Observation => ({
    ...party,
    operation,
    message,
    items,
  });
  const reads = (table: ModbusTable, address: number, quantity: number): Observation =>
    about(
      "read",
      tags.cover(unit, table, address, quantity).map((c) => ({ tag: tagOf(c), address: c.address, value: undefined })),
    );
  const writes = (table: ModbusTable, address: number, words: readonly number[]): Observation =>
    about(
      "write",
      tags.cover(unit, table, address, words.length).map((c) => item(c, words)),
    );
  switch (request.kind) {
    case "read-coils":
      return [reads("coil", request.address, request.quantity)];
    case "read-discrete-inputs":
      return [reads("discrete-input", request.address, request.quantity)];
    case "read-holding-registers":
      return [reads("holding-register", request.address, request.quantity)];
    case "read-input-registers":
      return [reads("input-register", request.address, request.quantity)];
    case "write-single-coil":
      return [writes("coil", request.address, [request.on ? 1 : 0])];
    case "write-single-register":
      return [writes("holding-register", request.address, [request.value])];
    case "write-multiple-coils":
      return [
        writes(
          "coil",
          request.address,
          request.values.map((on) => (on ? 1 : 0)),
        ),
      ];
    case "write-multiple-registers":
      return [writes("holding-register", request.address, request.values)];
    case "read-write-multiple-registers":
      return [
        writes("holding-register", request.writeAddress, request.values),
        reads("holding-register", request.readAddress, request.readQuantity),
      ];
    case "mask-write-register": {
      const word = maskedWord(request, present(unit, request.address));
      if (word !== undefined) return [writes("holding-register", request.address, [word])];
      // What it writes depends on what the register holds: no value can be judged, so no value rule can allow it.
      const covered = tags.cover(unit, "holding-register", request.address, 1);
      return [
        about(
          "write",
          covered.map((c) => ({ tag: tagOf(c), address: c.address, value: undefined })),
        ),
      ];
    }
    case "read-file-record":
    case "write-file-record":
      return [
        about(
          "program",
          request.groups.map(({ file, record }) => fileItem(file, record)),
        ),
      ];
    case "diagnostics":
      return [about(LOOKS_ONLY.has(request.subFunction) ? "diagnose" : "program", [])];
    case "encapsulated-interface":
      // A CANopen object dictionary can be written through it, and nobody here looks into it.
      if (request.meiType === MEI.CANOPEN)
        return [{ ...about("raw", []), raw: undefined, bytes: request.data.length + 1 }];
      return [about("diagnose", [])];
    case "unknown":
      return [{ ...about("raw", []), raw: tags.rawFunction(request.functionCode)?.id, bytes: request.data.length }];
    default:
      return [about("diagnose", [])];
  }
}

/**
 * What a mask write leaves in the register: (current AND andMask) OR (orMask AND NOT andMask). A mask that keeps no bit needs no
 * present word. @see MODBUS AP V1.1b3 §6.16
 */
export function maskedWord({ andMask, orMask }: MaskWriteRegister, present: number | undefined): number | undefined {
  if (andMask === 0) return orMask;
  return present === undefined ? undefined : (present & andMask) | (orMask & ~andMask & 0xffff);
}

/** The tag values that a successful answer shows: what was read, or what a write has made them. */
export function valuesInAnswer(
  tags: ModbusTags,
  unit: number,
  request: ModbusRequest,
  response: ModbusResponse,
): readonly { readonly tag: TagId; readonly value: number }[] {
  if (response.kind === "exception" || response.kind !== request.kind) return [];
  switch (request.kind) {
    case "read-coils":
      return response.kind === "read-coils" ? values(tags, unit, "coil", request.address, bits(response.values)) : [];
    case "read-discrete-inputs":
      return response.kind === "read-discrete-inputs"
        ? values(tags, unit, "discrete-input", request.address, bits(response.values))
        : [];
    case "read-holding-registers":
      return response.kind === "read-holding-registers"
        ? values(tags, unit, "holding-register", request.address, response.values)
        : [];
    case "read-input-registers":
      return response.kind === "read-input-registers"
        ? values(tags, unit, "input-register", request.address, response.values)
        : [];
    case "read-write-multiple-registers":
      return response.kind === "read-write-multiple-registers"
        ? values(tags, unit, "holding-register", request.readAddress, response.values)
        : [];
    default:
      return [];
  }
}

type CoveredCell = ReturnType<ModbusTags["cover"]>[number];

function tagOf(covered: CoveredCell): TagId | undefined {
  return covered.kind === "tag" ? covered.tag : undefined;
}

function item(covered: CoveredCell, words: readonly number[]): ObservedItem {
  if (covered.kind === "no-tag") return { tag: undefined, address: covered.address, value: undefined };
  return { tag: covered.tag, address: covered.address, value: engineeringValue(covered.binding, words, covered.at) };
}

function bits(flags: readonly boolean[]): readonly number[] {
  return flags.map((on) => (on ? 1 : 0));
}

function values(tags: ModbusTags, unit: number, table: ModbusTable, address: number, words: readonly number[]) {
  const found: { tag: TagId; value: number }[] = [];
  for (const covered of tags.cover(unit, table, address, words.length)) {
    if (covered.kind !== "tag") continue;
    const value = engineeringValue(covered.binding, words, covered.at);
    if (value !== undefined) found.push({ tag: covered.tag, value });
  }
  return found;
}

/** Not a tag: files are only shown, and judged as programming. */
function fileItem(file: number, record: number): ObservedItem {
  return { tag: undefined, address: `file ${file} record ${record}`, value: undefined };
}

/** `Write Single Register (06)`: the standard's name and the function code as people write it, `08/01` with the sub-function. */
function messageName(request: ModbusRequest): string {
  const code = String(request.functionCode).padStart(2, "0");
  switch (request.kind) {
    case "unknown":
      return `function code ${code}`;
    case "diagnostics":
      return `${titled(SUB_NAMES.get(request.subFunction) ?? "diagnostics-reserved")} (${code}/${String(request.subFunction).padStart(2, "0")})`;
    case "encapsulated-interface":
      return `${request.meiType === MEI.CANOPEN ? "CANopen General Reference" : "Read Device Identification"} (${code}/${request.meiType})`;
    default:
      return `${titled(request.kind)} (${code})`;
  }
}

const SUB_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(SUB).map(([name, number]) => [number, name.toLowerCase().replaceAll("_", "-")]),
);

function titled(kind: string): string {
  return kind
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join(" ");
}
