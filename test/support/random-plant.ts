import { DeviceId, LinkId, PlantId, RawId, TagId, ZoneId } from "#specs/ids.ts";
import type { Device, Link, Mode, Plant, RawFunction, Tag, TagKind } from "#specs/plant.ts";
import { between, chance, type Draw, pick, someAtLeastOne, times } from "./random-plant-draw.ts";

const CLIENTS = ["hmi-1", "ews-1", "hist-1"] as const;
const SERVERS = ["plc-1", "plc-2", "ua-1"] as const;
/** From truth values to counters: what is rounding in one range is a large step in another. */
const RANGES: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 100],
  [-50, 50],
  [0, 0.001],
  [4, 20],
  [0, 1e9],
];
const KINDS: readonly TagKind[] = ["set-point", "command", "measurement", "status", "output"];
const MODES: readonly Mode[] = ["enforce", "monitor", "off"];

/** A small plant: one to three zones, a few devices, most pairs of them linked, and tags of every kind. */
export function randomPlant(draw: Draw): Plant {
  const zones = times(between(draw, 1, 3), (n) => ({ id: ZoneId(`zone-${n}`), title: `Zone ${n}` }));
  const zone = () => pick(draw, zones).id;
  const clients = CLIENTS.slice(0, between(draw, 1, CLIENTS.length)).map((id) => client(id, zone()));
  const servers = SERVERS.slice(0, between(draw, 1, SERVERS.length)).map((id) => server(id, zone()));
  const tags = servers.flatMap(({ id }, n) => [
    ...times(between(draw, n === 0 ? 2 : 1, 5), (index) => variable(draw, id, `T${n}${index}`)),
    ...(n === 0 || chance(draw, 30) ? method(draw, id, `M${n}`) : []),
  ]);
  return {
    id: PlantId("random"),
    title: "A random plant",
    zones,
    devices: [...clients, ...servers],
    links: clients.flatMap((from) => servers.flatMap((to) => linksOf(draw, from, to))),
    tags,
    essential: [],
    raw: times(between(draw, 1, 2), (n) => rawFunction(draw, n)),
  };
}

function client(id: (typeof CLIENTS)[number], zone: ZoneId): Device {
  const role = id === "hmi-1" ? "hmi" : id === "ews-1" ? "engineering" : "historian";
  return { id: DeviceId(id), title: id, role, zone, addresses: [`10.0.0.${CLIENTS.indexOf(id) + 1}`], guard: false };
}

function server(id: (typeof SERVERS)[number], zone: ZoneId): Device {
  const guard = id !== "ua-1";
  const role = guard ? "plc" : "opcua-server";
  return { id: DeviceId(id), title: id, role, zone, addresses: [`10.0.1.${SERVERS.indexOf(id) + 1}`], guard };
}

/** Mostly one link, sometimes none, sometimes one for each protocol. */
function linksOf(draw: Draw, { id: from }: Device, { id: to }: Device): readonly Link[] {
  const dice = draw.below(20);
  if (dice === 19) return [];
  const link = (protocol: Link["protocol"]): Link => ({
    id: LinkId(`${from}-${to}-${protocol}`),
    client: from,
    server: to,
    protocol,
    mode: pick(draw, MODES),
    mirror: true,
    failOpen: false,
    opaque: false,
  });
  return dice >= 16 ? [link("modbus"), link("opcua")] : [link(chance(draw, 50) ? "opcua" : "modbus")];
}

function variable(draw: Draw, device: DeviceId, id: string): Tag {
  return { id: TagId(id), title: id, kind: pick(draw, KINDS), device, unit: "", range: pick(draw, RANGES) };
}

/** A method and up to two input arguments, each a tag of its own. */
function method(draw: Draw, device: DeviceId, id: string): readonly Tag[] {
  const inputs = times(draw.below(3), (n): Tag => {
    const name = `${id}.A${n}`;
    return { id: TagId(name), title: name, kind: "argument", device, unit: "", range: pick(draw, RANGES) };
  });
  const opcua = {
    nodeId: `ns=1;s=${id}`,
    objectId: "ns=1;s=O",
    type: "Boolean",
    arguments: inputs.map((input) => input.id),
  } as const;
  return [{ id: TagId(id), title: id, kind: "method", device, unit: "", range: [0, 1], opcua }, ...inputs];
}

function rawFunction(draw: Draw, n: number): RawFunction {
  const least = draw.below(4);
  const common = {
    id: RawId(`vendor-${n}`),
    says: "A vendor's own function.",
    length: [least, least + draw.below(4)],
    answer: [0, 10],
    changes: chance(draw, 50),
  } as const;
  return n === 0 ? { ...common, protocol: "modbus", function: 100 } : { ...common, protocol: "opcua", service: 615 };
}

/** Devices that other devices ask, and those that ask. */
export function serversOf(plant: Plant): readonly DeviceId[] {
  return plant.devices.filter(({ role }) => role === "plc" || role === "opcua-server").map(({ id }) => id);
}
export function clientsOf(plant: Plant): readonly DeviceId[] {
  return plant.devices.filter(({ role }) => role !== "plc" && role !== "opcua-server").map(({ id }) => id);
}

/** One to three tags of one kind of use, all of them or fewer. */
export function fewTags(draw: Draw, tags: readonly Tag[]): readonly Tag[] {
  return someAtLeastOne(draw, tags, 35).slice(0, 3);
}
