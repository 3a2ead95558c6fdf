import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { DeviceId, LinkId, PhaseId, PlantId, RuleId, TagId, ZoneId } from "#specs/ids.ts";
import type { Lifecycle, Operation, Rule } from "#specs/lifecycle.ts";
import type { Device, OpcUaType, Plant, Tag, TagKind, UaWay } from "#specs/plant.ts";

const ZONE = ZoneId("works");
export const PLC = DeviceId("plc-1");
export const WRITER = DeviceId("writer");
export const READER = DeviceId("reader");
export const IN_FORCE = PhaseId("run");
export const LINK = LinkId("writer-plc1");

/** Most that the set-point, the counter and the argument of the method may be. */
export const LIMIT = 50;
/** A level above this is not told to anybody. */
export const MOST_TOLD = 90;

interface Where {
  readonly writer: readonly string[];
  readonly reader: readonly string[];
  readonly plc: readonly string[];
  /** The writer's link is declared opaque. */
  readonly opaque?: boolean;
  /** How the writer's channels are declared to be opened. */
  readonly way?: UaWay;
}

/**
 * A plant with one OPC UA server, of `opcua-server.ts`. `writer` reads, subscribes to and writes what there is, within `LIMIT`, and calls
 * the method; `reader` reads and subscribes to the set-point alone.
 */
export function uaPlant(where: Where): { readonly plant: Plant; readonly bundle: Bundle } {
  const { way } = where;
  const tags: readonly Tag[] = [
    tag("SP", "set-point", "Double"),
    tag("COUNT", "set-point", "Int16"),
    tag("LEVEL", "measurement", "Double"),
    { ...tag("RESET", "method", "Boolean", { objectId: "ns=1;s=UNIT", arguments: [TagId("RESET.CODE")] }) },
    { ...common("RESET.CODE", "argument"), range: [0, 100] },
  ];
  const plant: Plant = {
    id: PlantId("ua"),
    title: "One OPC UA server",
    zones: [{ id: ZONE, title: "Works" }],
    devices: [device(WRITER, where.writer), device(READER, where.reader), device(PLC, where.plc)],
    links: [{ ...link(WRITER, where.opaque === true), ...(way === undefined ? {} : { way }) }, link(READER, false)],
    tags,
    essential: [{ id: "go-on", says: "The plant goes on.", tags: [TagId("SP")] }],
    raw: [],
  };
  return { plant, bundle: buildBundle(plant, lifecycle()) };
}

function lifecycle(): Lifecycle {
  const [sp, count, level] = [TagId("SP"), TagId("COUNT"), TagId("LEVEL")];
  const value = { min: 0, max: LIMIT };
  return {
    plant: PlantId("ua"),
    version: 1,
    regions: [{ zone: ZONE, initial: IN_FORCE, isolated: IN_FORCE }],
    leaseMs: 10_000,
    skewMs: 100,
    changeMs: 5000,
    rules: [
      rule("session", [WRITER, READER], "session", { targets: [PLC] }),
      rule("browse", [WRITER, READER], "browse", { targets: [PLC] }),
      rule("read", [WRITER], "read", { tags: [sp, count, level] }),
      rule("subscribe", [WRITER], "subscribe", { tags: [sp, count, level] }),
      rule("read-sp", [READER], "read", { tags: [sp] }),
      rule("subscribe-sp", [READER], "subscribe", { tags: [sp] }),
      rule("write", [WRITER], "write", { tags: [sp, count], value }),
      rule("call", [WRITER], "call", { tags: [TagId("RESET")] }),
      rule("call-code", [WRITER], "call", { tags: [TagId("RESET.CODE")], value }),
      rule("told", [PLC], "report", { tags: [level], targets: [WRITER], value: { min: 0, max: MOST_TOLD } }),
    ],
    phases: [
      { id: IN_FORCE, zone: ZONE, says: "In force.", rules: [], steps: [], transitions: [], containment: false },
    ],
    containments: [],
  };
}

function rule(id: string, from: readonly DeviceId[], operation: Operation, about: Partial<Rule>): Rule {
  const fixed = { id: RuleId(id), says: `${id}.`, from, operation, targets: [PLC], tags: [], raw: [] };
  return { ...fixed, mode: "enforce", safety: false, ...about };
}

function common(id: string, kind: TagKind) {
  return { id: TagId(id), title: id, kind, device: PLC, unit: "", range: [0, 100] } as const;
}

function tag(id: string, kind: TagKind, type: OpcUaType, more: Partial<Tag["opcua"]> = {}): Tag {
  return { ...common(id, kind), opcua: { nodeId: `ns=1;s=${id}`, type, ...more } };
}

function device(id: DeviceId, addresses: readonly string[]): Device {
  return { id, title: id, role: id === PLC ? "opcua-server" : "hmi", zone: ZONE, addresses, guard: false };
}

function link(client: DeviceId, opaque: boolean): Plant["links"][number] {
  const id = LinkId(`${client}-plc1`);
  return { id, client, server: PLC, protocol: "opcua", mode: "enforce", mirror: true, failOpen: false, opaque };
}
