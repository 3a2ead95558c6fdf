import type { Observation, ObservedItem } from "#specs/decide/observation.ts";
import type { TagId } from "#specs/ids.ts";
import type { Operation } from "#specs/lifecycle.ts";
import type { ModbusTable } from "#specs/plant.ts";
import type { ModbusRequest, ModbusResponse } from "#wire/modbus/index.ts";
import { engineeringValue, type ModbusTags } from "./modbus-tags.ts";

/** Who speaks to whom: the part of an observation that a connection fixes. */
export type Party = Pick<Observation, "source" | "sourceAddress" | "target" | "link">;

/**
 * Says what a Modbus request would do, in the form that all layers judge. Function 23 is two observations, its write and its
 * read; a request is allowed when each of them is.
 */
export function observeModbus(
  party: Party,
  tags: ModbusTags,
  unit: number,
  request: ModbusRequest,
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
    case "mask-write-register":
      // What it writes depends on what the register holds: no value can be judged, so no value rule can allow it.
      return [
        about(
          "write",
          tags
            .cover(unit, "holding-register", request.address, 1)
            .map((c) => ({ tag: tagOf(c), address: c.address, value: undefined })),
        ),
      ];
    case "read-file-record":
    case "write-file-record":
      return [about("program", [])];
    case "unknown":
      return [{ ...about("raw", []), raw: tags.rawFunction(request.functionCode), bytes: request.data.length }];
    default:
      return [about("diagnose", [])];
  }
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

/** `Write Single Register (06)`: the standard's name and the function code as people write it. */
function messageName(request: ModbusRequest): string {
  const code = String(request.functionCode).padStart(2, "0");
  if (request.kind === "unknown") return `function code ${code}`;
  const words = request.kind.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join(" ")} (${code})`;
}
