import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { DeviceId, LinkId, PhaseId, PlantId, RawId, RuleId, TagId, ZoneId } from "#specs/ids.ts";
import type { Lifecycle, Operation, Rule } from "#specs/lifecycle.ts";
import type { Device, Link, ModbusTable, Plant, RawFunction, Tag } from "#specs/plant.ts";

/** Cells in each table of the server: those of the real servers in `servers.ts`. */
export const CELLS = 32;
/** Holding registers from here to `LIMITED_END` take 0 to `LIMIT` only; all other cells take anything. */
export const LIMITED_START = 16;
export const LIMITED_END = 24;
export const LIMIT = 1000;

const ZONE = ZoneId("works");
const PLC = DeviceId("plc-1");
export const WRITER = DeviceId("writer");
export const READER = DeviceId("reader");
export const IN_FORCE = PhaseId("run");
export const LINK_OF = { [WRITER]: LinkId("writer-plc1"), [READER]: LinkId("reader-plc1") } as const;

/** A named function code of one length, and one of a range. */
export const FIXED = 65;
export const RANGE = 66;

interface Where {
  readonly writer: readonly string[];
  readonly reader: readonly string[];
  readonly plc: readonly string[];
}

/** A plant in which `writer` may read and write everything that the real servers have, and `reader` may read it. */
export function openPlant(
  where: Where = { writer: ["127.0.0.2"], reader: ["127.0.0.3"], plc: ["127.0.0.4"] },
  more: readonly RawFunction[] = [],
): { readonly plant: Plant; readonly bundle: Bundle } {
  const tags = tables.flatMap(([table, name]) => Array.from({ length: CELLS }, (_, n) => tagOf(table, name, n)));
  const plant: Plant = {
    id: PlantId("open"),
    title: "Everything may be written",
    zones: [{ id: ZONE, title: "Works" }],
    devices: [device(WRITER, where.writer), device(READER, where.reader), device(PLC, where.plc)],
    links: [link(WRITER), link(READER)],
    tags,
    essential: [{ id: "go-on", says: "The plant goes on.", tags: tags.slice(0, 1).map(({ id }) => id) }],
    raw: [raw("fixed", FIXED, [2, 2]), raw("range", RANGE, [0, 10]), ...more],
  };
  return { plant, bundle: buildBundle(plant, lifecycleOf(tags, plant.raw)) };
}

const tables: readonly (readonly [ModbusTable, string])[] = [
  ["coil", "C"],
  ["discrete-input", "D"],
  ["holding-register", "H"],
  ["input-register", "I"],
];

function isWritable({ kind }: Tag): boolean {
  return kind === "command" || kind === "set-point";
}

function lifecycleOf(tags: readonly Tag[], named: readonly RawFunction[]): Lifecycle {
  const limited = tags.filter(({ modbus }) => modbus?.table === "holding-register" && isLimited(modbus.address));
  const free = tags.filter((tag) => isWritable(tag) && !limited.includes(tag));
  const all = tags.map(({ id }) => id);
  return {
    plant: PlantId("open"),
    version: 1,
    regions: [{ zone: ZONE, initial: IN_FORCE, isolated: IN_FORCE }],
    leaseMs: 10_000,
    skewMs: 100,
    changeMs: 5000,
    rules: [
      rule("read", [WRITER, READER], "read", { tags: all }),
      rule("write", [WRITER], "write", { tags: free.map(({ id }) => id) }),
      rule("write-limited", [WRITER], "write", { tags: limited.map(({ id }) => id), value: { min: 0, max: LIMIT } }),
      rule("vendor", [WRITER], "raw", { raw: named.map(({ id }) => id) }),
    ],
    phases: [
      { id: IN_FORCE, zone: ZONE, says: "In force.", rules: [], steps: [], transitions: [], containment: false },
    ],
    containments: [],
  };
}

function isLimited(address: number): boolean {
  return address >= LIMITED_START && address < LIMITED_END;
}

function rule(id: string, from: readonly DeviceId[], operation: Operation, about: Partial<Rule>): Rule {
  const common = { id: RuleId(id), says: `${id}.`, from, operation, targets: [PLC], tags: [], raw: [] };
  return { ...common, mode: "enforce", safety: false, ...about };
}

function tagOf(table: ModbusTable, name: string, address: number): Tag {
  const bit = table === "coil" || table === "discrete-input";
  const kind = table === "coil" ? "command" : table === "holding-register" ? "set-point" : "measurement";
  const type = bit ? "bool" : "uint16";
  return {
    ...{ id: TagId(`${name}${address}`), title: `${table} ${address}`, kind, device: PLC, unit: "" },
    range: bit ? [0, 1] : [0, 0xffff],
    modbus: { unit: 1, table, address, type, wordOrder: "big", byteOrder: "big", scale: 1 },
  };
}

function device(id: DeviceId, addresses: readonly string[]): Device {
  return { id, title: id, role: id === PLC ? "plc" : "hmi", zone: ZONE, addresses, guard: false };
}

function link(client: typeof WRITER): Link {
  const id = LinkId(`${client}-plc1`);
  const common = { id, client, server: PLC, protocol: "modbus", mode: "enforce" } as const;
  return { ...common, mirror: true, failOpen: false, opaque: false };
}

function raw(id: string, code: number, length: readonly [number, number]): RawFunction {
  return { id: RawId(id), says: id, protocol: "modbus", function: code, length, answer: length, changes: true };
}

/** Function 43/13, whose MEI type counts as the first byte: three are asked, four are answered. */
export const CANOPEN: RawFunction = {
  ...{ id: RawId("canopen"), says: "canopen", protocol: "modbus", function: 43, mei: 13 },
  ...{ length: [3, 3], answer: [4, 4], changes: true },
};
