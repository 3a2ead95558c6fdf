import type { DeviceId, TagId } from "#specs/ids.ts";
import type { ModbusBinding, ModbusTable, Plant, RawFunction, Tag } from "#specs/plant.ts";
import { registersOf } from "#specs/raw.ts";

/** One register or coil of one server and the tag it is a part of. */
interface Cell {
  readonly tag: Tag;
  readonly binding: ModbusBinding;
  /** 0 for the first register of the tag. */
  readonly part: number;
}

/** A tag that a range of addresses covers whole, or an address that belongs to none. */
export type Covered =
  | {
      readonly kind: "tag";
      readonly tag: TagId;
      readonly address: string;
      readonly at: number;
      readonly binding: ModbusBinding;
    }
  | { readonly kind: "no-tag"; readonly address: string };

const TABLE_WORDS: Record<ModbusTable, string> = {
  coil: "coil",
  "discrete-input": "discrete input",
  "holding-register": "holding register",
  "input-register": "input register",
};

/** The tags of one Modbus server, by unit identifier, table and zero-based address. */
export class ModbusTags {
  readonly #cells = new Map<string, Cell>();
  readonly #raw = new Map<number, RawFunction>();
  readonly #holding: { readonly unit: number; readonly address: number }[] = [];

  constructor(plant: Plant, server: DeviceId) {
    for (const raw of plant.raw) if (raw.protocol === "modbus") this.#raw.set(raw.function, raw);
    for (const tag of plant.tags) {
      const binding = tag.modbus;
      if (tag.device !== server || binding === undefined) continue;
      for (let part = 0; part < registersOf(binding); part += 1) {
        this.#cells.set(key(binding.unit, binding.table, binding.address + part), { tag, binding, part });
        if (binding.table === "holding-register")
          this.#holding.push({ unit: binding.unit, address: binding.address + part });
      }
    }
  }

  /** What the plant declares of a function code which is none of the standard's. */
  rawFunction(functionCode: number): RawFunction | undefined {
    return this.#raw.get(functionCode);
  }

  /** Every holding register that a tag lies in. */
  holdingRegisters(): readonly { readonly unit: number; readonly address: number }[] {
    return this.#holding;
  }

  /** What a range covers, in order of address. A tag covered only in part counts as no tag. */
  cover(unit: number, table: ModbusTable, address: number, quantity: number): readonly Covered[] {
    const covered: Covered[] = [];
    for (let at = address; at < address + quantity; ) {
      const cell = this.#cells.get(key(unit, table, at));
      const words = `unit ${unit} ${TABLE_WORDS[table]} ${at}`;
      const width = cell === undefined ? 1 : registersOf(cell.binding);
      if (cell === undefined || cell.part !== 0 || at + width > address + quantity) {
        covered.push({ kind: "no-tag", address: words });
        at += 1;
        continue;
      }
      covered.push({ kind: "tag", tag: cell.tag.id, address: words, at: at - address, binding: cell.binding });
      at += width;
    }
    return covered;
  }
}

/** Longest value: four registers. Read again for each value, so nothing is allocated on the way of a message. */
const scratch = new DataView(new ArrayBuffer(8));

/** The engineering value of a tag that starts at `words[at]`; undefined when the words are not of its type. */
export function engineeringValue(binding: ModbusBinding, words: readonly number[], at: number): number | undefined {
  const registers = registersOf(binding);
  for (let i = 0; i < registers; i += 1) {
    const word = words[at + (binding.wordOrder === "big" ? i : registers - 1 - i)];
    if (word === undefined) return undefined;
    scratch.setUint16(2 * i, word, binding.byteOrder === "little" && binding.type !== "bool");
  }
  const raw = rawValue(binding);
  if (!Number.isFinite(raw)) return undefined;
  // Decimal scales are not exact in binary: 30 × 0.1 must be 3.
  return Math.round(raw * binding.scale * 1e9) / 1e9;
}

function rawValue({ type }: ModbusBinding): number {
  switch (type) {
    case "bool":
    case "uint16":
      return scratch.getUint16(0);
    case "int16":
      return scratch.getInt16(0);
    case "uint32":
      return scratch.getUint32(0);
    case "int32":
      return scratch.getInt32(0);
    case "float32":
      return scratch.getFloat32(0);
    case "float64":
      return scratch.getFloat64(0);
    default: {
      const never: never = type;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

function key(unit: number, table: ModbusTable, address: number): string {
  return `${unit}/${table}/${address}`;
}
