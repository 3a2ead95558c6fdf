import type { ObservedItem } from "#specs/decide/observation.ts";
import type { DeviceId, TagId } from "#specs/ids.ts";
import type { ModbusBinding, ModbusTable, Plant, RawFunction } from "#specs/plant.ts";
import { registersOf } from "#specs/raw.ts";
import { ReadCache } from "./modbus-read-cache.ts";
import { engineeringValue } from "./modbus-value.ts";

export { engineeringValue } from "./modbus-value.ts";

/** One tag as it lies in a server: made once, and shown in every message about it. */
interface Cell {
  readonly tag: TagId;
  readonly binding: ModbusBinding;
  /** Registers or bits. */
  readonly width: number;
  /** `unit 1 holding register 1`. */
  readonly address: string;
  /** What a read of it is about. */
  readonly asked: ObservedItem;
}

/** A tag within a block: where it begins there, in registers or bits. */
export interface PlacedTag {
  readonly tag: TagId;
  readonly binding: ModbusBinding;
  readonly at: number;
}

/** What a range of addresses comes to, in order of address. A tag that is covered only in part counts as none. */
export interface Block {
  /** What reading it is about. */
  readonly items: readonly ObservedItem[];
  readonly tags: readonly PlacedTag[];
  /** Every address of it belongs to one of these tags. */
  readonly isWhole: boolean;
}

const TABLES: readonly ModbusTable[] = ["coil", "discrete-input", "holding-register", "input-register"];
const TABLE_WORDS: Record<ModbusTable, string> = {
  coil: "coil",
  "discrete-input": "discrete input",
  "holding-register": "holding register",
  "input-register": "input register",
};

/** Blocks that are kept ready, for all clients of a server: whoever asks for more of them at once has them made again. */
export const MAX_BLOCKS = 256;

interface KeptBlock extends Block {
  readonly unit: number;
  readonly table: ModbusTable;
  readonly address: number;
  readonly quantity: number;
}

/**
 * The tags of one Modbus server, by unit identifier, table and zero-based address. Whoever judges by it keeps it for good: another plant
 * takes the place of its own in here.
 */
export class ModbusTags {
  readonly #server: DeviceId;
  #reads = new ReadCache();
  /** By the first address of each tag. */
  readonly #cells = new Map<number, Cell>();
  /** By every address of each tag that takes several. */
  readonly #parts = new Map<number, TagId>();
  readonly #raw = new Map<number, RawFunction>();
  readonly #holding: { readonly unit: number; readonly address: number }[] = [];
  /** By a few bits of where they lie. Only blocks that are whole: so what is kept is bounded by the plant, and not by who asks. */
  readonly #blocks: (KeptBlock | undefined)[] = new Array<undefined>(MAX_BLOCKS).fill(undefined);

  constructor(plant: Plant, server: DeviceId) {
    this.#server = server;
    this.take(plant);
  }

  /** What clients ask for over and over. */
  get reads(): ReadCache {
    return this.#reads;
  }

  /** From now on the tags are those of this plant. What was kept ready is forgotten, as who a party is may have changed too. */
  take(plant: Plant): void {
    this.#reads = new ReadCache();
    this.#cells.clear();
    this.#parts.clear();
    this.#raw.clear();
    this.#holding.length = 0;
    this.#blocks.fill(undefined);
    for (const raw of plant.raw) if (raw.protocol === "modbus") this.#raw.set(rawKey(raw.function, raw.mei), raw);
    for (const { id: tag, device, modbus: binding } of plant.tags) {
      if (device !== this.#server || binding === undefined) continue;
      const { unit, table } = binding;
      const address = inWords(unit, table, binding.address);
      const width = registersOf(binding);
      const asked = { tag, address, value: undefined };
      this.#cells.set(key(unit, table, binding.address), { tag, binding, width, address, asked });
      for (let part = 0; part < width && width > 1; part += 1)
        this.#parts.set(key(unit, table, binding.address + part), tag);
      if (table !== "holding-register") continue;
      for (let part = 0; part < width; part += 1) this.#holding.push({ unit, address: binding.address + part });
    }
  }

  /** What the plant declares of a function code which is none of the standard's. @param mei of function 43: its MEI type */
  rawFunction(functionCode: number, mei?: number): RawFunction | undefined {
    return this.#raw.get(rawKey(functionCode, mei));
  }

  /** Every holding register that a tag lies in. */
  holdingRegisters(): readonly { readonly unit: number; readonly address: number }[] {
    return this.#holding;
  }

  /** What a range covers. The same object again while it is asked for. */
  block(unit: number, table: ModbusTable, address: number, quantity: number): Block {
    const slot = (Math.imul(address, 31) + Math.imul(quantity, 7) + unit + TABLES.indexOf(table)) % MAX_BLOCKS;
    const kept = this.#blocks[slot];
    if (
      kept !== undefined &&
      kept.address === address &&
      kept.quantity === quantity &&
      kept.unit === unit &&
      kept.table === table
    ) {
      return kept;
    }
    const made = { ...this.#block(unit, table, address, quantity), unit, table, address, quantity };
    if (made.isWhole) this.#blocks[slot] = made;
    return made;
  }

  #block(unit: number, table: ModbusTable, address: number, quantity: number): Block {
    const items: ObservedItem[] = [];
    const tags: PlacedTag[] = [];
    let isWhole = true;
    const first = key(unit, table, address);
    for (let at = 0; at < quantity; ) {
      const cell = this.#cellIn(first, at, quantity);
      if (cell === undefined) isWhole = false;
      else tags.push({ tag: cell.tag, binding: cell.binding, at });
      items.push(cell?.asked ?? this.#noTag(unit, table, address + at));
      at += cell?.width ?? 1;
    }
    return { items, tags, isWhole };
  }

  /** What writing these words there is about. */
  written(unit: number, table: ModbusTable, address: number, words: readonly number[]): readonly ObservedItem[] {
    const items: ObservedItem[] = [];
    const first = key(unit, table, address);
    for (let at = 0; at < words.length; ) {
      const cell = this.#cellIn(first, at, words.length);
      items.push(
        cell === undefined
          ? this.#noTag(unit, table, address + at)
          : { tag: cell.tag, address: cell.address, value: engineeringValue(cell.binding, words, at) },
      );
      at += cell?.width ?? 1;
    }
    return items;
  }

  /** The tag that begins at this place of a range and ends within it. @param first key of the range's first address */
  #cellIn(first: number, at: number, quantity: number): Cell | undefined {
    const cell = this.#cells.get(first + at);
    return cell === undefined || at + cell.width > quantity ? undefined : cell;
  }

  #noTag(unit: number, table: ModbusTable, address: number): ObservedItem {
    const partOf = this.#parts.get(key(unit, table, address));
    const none = { tag: undefined, address: inWords(unit, table, address), value: undefined };
    return partOf === undefined ? none : { ...none, partOf };
  }
}

function inWords(unit: number, table: ModbusTable, address: number): string {
  return `unit ${unit} ${TABLE_WORDS[table]} ${address}`;
}

function key(unit: number, table: ModbusTable, address: number): number {
  return (unit * TABLES.length + TABLES.indexOf(table)) * 0x1_0000 + address;
}

function rawKey(functionCode: number, mei: number | undefined): number {
  return functionCode + (mei === undefined ? 0 : 0x100 * (mei + 1));
}
