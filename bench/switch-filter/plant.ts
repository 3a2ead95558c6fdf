import { DeviceId, LinkId, RuleId, TagId } from "#specs/ids.ts";
import type { Lifecycle, Rule } from "#specs/lifecycle.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import { largePlant, type Size } from "../bundle/large-plant.ts";

/** The filter's policy for the measurement: 12 phases; the load's own rules stand among the others, in every phase. */
const SIZE: Omit<Size, "rules"> = {
  phases: 12,
  stepsPerPhase: 5,
  tags: 1000,
  clients: 10,
  servers: 20,
  placesPerRule: 4,
  containedClients: 0,
};

export const CLIENT = DeviceId("hmi-0");
export const MODBUS_LINK = LinkId("hmi-0-plc-0");
export const OPCUA_LINK = LinkId("hmi-0-plc-1");
export const OPCUA_SERVER = DeviceId("plc-1");
/** Where the load reads and writes: ten registers, of which the sixth is written. */
export const FIRST_REGISTER = 0;
export const REGISTERS = 10;
export const WRITTEN_REGISTER = 5;
export const WRITTEN_VALUE = 50;
const NODE_ID = "ns=1;s=LOAD";

/** @param rules how many in all, the load's included */
export function filterPlant(rules: number): { readonly plant: Plant; readonly lifecycle: Lifecycle } {
  const own = loadRules();
  const { plant, lifecycle } = largePlant({ ...SIZE, rules: rules - own.length });
  const at = (tag: Tag): Tag =>
    tag.modbus === undefined ? tag : { ...tag, modbus: { ...tag.modbus, address: tag.modbus.address + REGISTERS } };
  return {
    plant: {
      ...plant,
      devices: plant.devices.map((device) => (device.id === CLIENT ? { ...device, addresses: ["127.0.0.1"] } : device)),
      tags: [...plant.tags.map(at), ...registerTags(), nodeTag()],
    },
    lifecycle: { ...lifecycle, rules: [...lifecycle.rules, ...own] },
  };
}

function registerTags(): readonly Tag[] {
  return Array.from({ length: REGISTERS }, (_, n) => ({
    id: TagId(`LOAD-${n}`),
    title: `Load ${n}`,
    kind: "set-point" as const,
    device: DeviceId("plc-0"),
    unit: "m³/h",
    range: [0, 65_535] as const,
    modbus: {
      unit: 1,
      table: "holding-register" as const,
      address: FIRST_REGISTER + n,
      type: "uint16" as const,
      wordOrder: "big" as const,
      byteOrder: "big" as const,
      scale: 1,
    },
  }));
}

function nodeTag(): Tag {
  return {
    id: TagId("LOAD-NODE"),
    title: "Load node",
    kind: "set-point",
    device: DeviceId("plc-1"),
    unit: "m³/h",
    range: [0, 100],
    opcua: { nodeId: NODE_ID, type: "Double" },
  };
}

function loadRules(): readonly Rule[] {
  const registers = registerTags().map(({ id }) => id);
  const written = registers[WRITTEN_REGISTER - FIRST_REGISTER];
  const node = [nodeTag().id];
  return [
    rule("load-reads", "read", "plc-0", registers),
    { ...rule("load-writes", "write", "plc-0", written === undefined ? [] : [written]), value: { min: 0, max: 100 } },
    rule("load-node-read", "read", "plc-1", node),
    { ...rule("load-node-write", "write", "plc-1", node), value: { min: 0, max: 100 } },
    rule("load-session", "session", "plc-1", []),
  ];
}

function rule(id: string, operation: Rule["operation"], target: string, tags: readonly TagId[]): Rule {
  return {
    id: RuleId(id),
    says: `The load may ${operation} its tags.`,
    from: [CLIENT],
    operation,
    targets: [DeviceId(target)],
    tags,
    raw: [],
    mode: "enforce",
    safety: false,
  };
}
