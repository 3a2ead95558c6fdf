import { parseAddress } from "#specs/addresses.ts";
import { DeviceId, LinkId, PlantId, TagId, ZoneId } from "#specs/ids.ts";
import type { Device, Link, ModbusTable, Plant, Tag } from "#specs/plant.ts";
import { LEARN_LIMITS } from "./limits.ts";
import type { FoundPoint, Survey } from "./survey.ts";

const ZONE = ZoneId("plant");
const SHORT: Record<ModbusTable, string> = {
  coil: "coil",
  "discrete-input": "input",
  "holding-register": "holding",
  "input-register": "register",
};
/** Longest name of a tag that is made; the language takes 128. */
const MAX_TAG_NAME = 110;
const HIGHEST_WORD = 0xffff;
/** No range of a node is known; the widest that the language takes as a number of plants. */
const WIDEST = 1e9;

/** The plant as captures show it: addresses for names, raw words for values, one register for each tag. Rename and scale it by hand. */
export function foundPlant({ links, points, overflow }: Survey): Plant {
  const servers = new Set([...links.values()].map(({ server }) => server));
  const addresses = [...new Set([...links.values()].flatMap(({ client, server }) => [server, client]))];
  const named = addresses.filter((ip) => parseAddress(ip) !== undefined);
  const known = new Set(named.slice(0, LEARN_LIMITS.devices));
  for (const _ of named.slice(LEARN_LIMITS.devices)) overflow.add("devices");
  const devices = [...known].map((ip): Device => {
    const isServer = servers.has(ip);
    return {
      ...{ id: deviceId(ip, isServer), title: `${isServer ? "Server" : "Client"} at ${ip}`, zone: ZONE },
      ...{ role: isServer ? "plc" : "hmi", addresses: [ip], guard: false },
    };
  });
  const found = [...links.values()].filter(({ client, server }) => known.has(client) && known.has(server));
  return {
    ...{ id: PlantId("learned"), title: "Learned from captures", zones: [{ id: ZONE, title: "The plant" }] },
    ...{ devices, essential: [], raw: [] },
    links: found.map(({ client, server, protocol }): Link => {
      const [from, to] = [deviceId(client, servers.has(client)), deviceId(server, true)];
      return {
        ...{ id: LinkId(`${from}-${to}-${protocol}`), client: from, server: to, protocol },
        ...{ mode: "monitor", mirror: true, failOpen: false, opaque: false },
      };
    }),
    tags: tagsOf([...points.values()].filter(({ server }) => known.has(server))),
  };
}

function deviceId(ip: string, isServer: boolean): DeviceId {
  return DeviceId(`${isServer ? "server" : "client"}-${ip.replaceAll(/[.:]/g, "-")}`);
}

function tagsOf(points: readonly FoundPoint[]): readonly Tag[] {
  const names = new Set<string>();
  return points.flatMap((point): readonly Tag[] => {
    const device = deviceId(point.server, true);
    const name = unused(`${device}.${nameOf(point)}`.slice(0, MAX_TAG_NAME), names);
    const { binding, written } = point;
    if (binding.kind === "method") return methodOf(binding, device, name, names);
    if (binding.kind === "opcua") {
      const { nodeId, type } = binding;
      const range = type === "Boolean" ? ([0, 1] as const) : ([-WIDEST, WIDEST] as const);
      const kind = type === "Boolean" ? (written ? "command" : "status") : written ? "set-point" : "measurement";
      return [{ id: TagId(name), title: nodeId, kind, device, unit: "", range, opcua: { nodeId, type } }];
    }
    const { unit, table, address } = binding;
    const isBit = table === "coil" || table === "discrete-input";
    const modbus = { unit, table, address, type: isBit ? "bool" : "uint16", scale: 1 } as const;
    const tag: Tag = {
      ...{ id: TagId(name), title: `unit ${unit} ${table} ${address}`, kind: kindOf(table), device, unit: "" },
      ...{ range: [0, isBit ? 1 : HIGHEST_WORD], modbus: { ...modbus, wordOrder: "big", byteOrder: "big" } },
    };
    return [tag];
  });
}

type Method = Extract<FoundPoint["binding"], { kind: "method" }>;

/** A method, and a tag for each of its arguments. */
function methodOf(
  { nodeId, objectId, count }: Method,
  device: DeviceId,
  name: string,
  names: Set<string>,
): readonly Tag[] {
  const about = { device, unit: "" };
  const args = Array.from({ length: count }, (_, n): Tag => {
    const id = TagId(unused(`${name.slice(0, MAX_TAG_NAME - 8)}.arg${n + 1}`, names));
    return { id, title: `argument ${n + 1} of ${nodeId}`, kind: "argument", ...about, range: [-WIDEST, WIDEST] };
  });
  const opcua = { nodeId, type: "Boolean", objectId, arguments: args.map(({ id }) => id) } as const;
  return [
    { id: TagId(name), title: `${nodeId} of ${objectId}`, kind: "method", ...about, range: [0, 1], opcua },
    ...args,
  ];
}

function kindOf(table: ModbusTable): Tag["kind"] {
  switch (table) {
    case "coil":
      return "command";
    case "discrete-input":
      return "status";
    case "holding-register":
      return "set-point";
    case "input-register":
      return "measurement";
    default: {
      const never: never = table;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

function nameOf({ binding }: FoundPoint): string {
  if (binding.kind === "modbus") return `u${binding.unit}.${SHORT[binding.table]}${binding.address}`;
  return binding.nodeId.replace(/^ns=\d+;[isgb]=/, "").replace(/[^A-Za-z0-9_.-]/g, "-");
}

function unused(name: string, names: Set<string>): string {
  let free = name;
  for (let n = 2; names.has(free); n += 1) free = `${name}-${n}`;
  names.add(free);
  return free;
}
