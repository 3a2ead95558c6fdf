import type { DeviceId } from "#specs/ids.ts";
import type { ModbusTable, Plant, Tag } from "#specs/plant.ts";

/** Consecutive tags of one table, read with one request. */
export interface PolledBlock {
  readonly unit: number;
  readonly table: ModbusTable;
  readonly start: number;
  readonly tags: readonly Tag[];
}

/** One request and its answer, as a station and a PLC exchange them. Values are engineering values, as a client reads them. */
export type PlantMessage = { readonly from: DeviceId; readonly to: DeviceId; readonly atMs: number } & (
  | { readonly kind: "poll"; readonly block: PolledBlock; readonly values: readonly number[] }
  | { readonly kind: "node-poll"; readonly tags: readonly Tag[]; readonly values: readonly number[] }
  | { readonly kind: "write"; readonly protocol: "modbus" | "opcua"; readonly tag: Tag; readonly value: number }
);

/** What a run of the plant tells: messages in the order of their times, and the phases between them. */
export interface TrafficSink {
  enterPhase(phase: string, atMs: number): void;
  message(message: PlantMessage): void;
}

/** What the operator station reads of a PLC: each run of addresses of each table. */
export function blocksOf(plant: Plant, device: DeviceId): readonly PolledBlock[] {
  const blocks: { unit: number; table: ModbusTable; start: number; tags: Tag[] }[] = [];
  const tags = plant.tags.filter((tag) => tag.device === device && tag.modbus !== undefined);
  const sorted = [...tags].sort((a, b) => place(a) - place(b));
  for (const tag of sorted) {
    const binding = tag.modbus;
    if (binding === undefined) continue;
    const last = blocks.at(-1);
    const follows =
      last !== undefined &&
      last.unit === binding.unit &&
      last.table === binding.table &&
      last.start + last.tags.length === binding.address;
    if (follows) last.tags.push(tag);
    else blocks.push({ unit: binding.unit, table: binding.table, start: binding.address, tags: [tag] });
  }
  return blocks;
}

const TABLES: readonly ModbusTable[] = ["coil", "discrete-input", "holding-register", "input-register"];

function place({ modbus }: Tag): number {
  return modbus === undefined
    ? 0
    : (modbus.unit * TABLES.length + TABLES.indexOf(modbus.table)) * 0x1_0000 + modbus.address;
}
