import type { DeviceId, TagId } from "#specs/ids.ts";
import type { ModbusBinding, ModbusTable, Plant, Tag } from "#specs/plant.ts";

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

const REGISTERS: Record<ModbusBinding["type"], number> = {
  bool: 1,
  uint16: 1,
  int16: 1,
  uint32: 2,
  int32: 2,
  float32: 2,
};

const TABLE_WORDS: Record<ModbusTable, string> = {
  coil: "coil",
  "discrete-input": "discrete input",
  "holding-register": "holding register",
  "input-register": "input register",
};

/** The tags of one Modbus server, by unit identifier, table and zero-based address. */
export class ModbusTags {
  readonly #cells = new Map<string, Cell>();

  constructor(plant: Plant, server: DeviceId) {
    for (const tag of plant.tags) {
      const binding = tag.modbus;
      if (tag.device !== server || binding === undefined) continue;
      for (let part = 0; part < REGISTERS[binding.type]; part += 1) {
        this.#cells.set(key(binding.unit, binding.table, binding.address + part), { tag, binding, part });
      }
    }
  }

  /** What a range covers, in order of address. A tag covered only in part counts as no tag. */
  cover(unit: number, table: ModbusTable, address: number, quantity: number): readonly Covered[] {
    const covered: Covered[] = [];
    for (let at = address; at < address + quantity; ) {
      const cell = this.#cells.get(key(unit, table, at));
      const words = `unit ${unit} ${TABLE_WORDS[table]} ${at}`;
      const width = cell === undefined ? 1 : REGISTERS[cell.binding.type];
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

/** The engineering value of a tag that starts at `words[at]`; undefined when the words are not of its type. */
export function engineeringValue(binding: ModbusBinding, words: readonly number[], at: number): number | undefined {
  const first = words[at];
  if (first === undefined) return undefined;
  const raw = REGISTERS[binding.type] === 1 ? oneRegister(binding, first) : twoRegisters(binding, first, words[at + 1]);
  if (raw === undefined || !Number.isFinite(raw)) return undefined;
  // Decimal scales are not exact in binary: 30 × 0.1 must be 3.
  return Math.round(raw * binding.scale * 1e9) / 1e9;
}

function oneRegister(binding: ModbusBinding, word: number): number {
  return binding.type === "int16" && word > 0x7fff ? word - 0x1_0000 : word;
}

function twoRegisters(binding: ModbusBinding, first: number, second: number | undefined): number | undefined {
  if (second === undefined) return undefined;
  const [high, low] = binding.wordOrder === "big" ? [first, second] : [second, first];
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(high, 0);
  bytes.writeUInt16BE(low, 2);
  if (binding.type === "float32") return bytes.readFloatBE(0);
  return binding.type === "int32" ? bytes.readInt32BE(0) : bytes.readUInt32BE(0);
}

function key(unit: number, table: ModbusTable, address: number): string {
  return `${unit}/${table}/${address}`;
}
