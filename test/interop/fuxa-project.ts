import type { ModbusTable, Plant, Tag } from "#specs/plant.ts";
import { MODBUS, OPCUA } from "./works.ts";

// A FUXA project for the plant: one Modbus TCP device, one OPC UA device, a tag of each for every tag of the plant.

export const MODBUS_DEVICE = "modbus-plc1";
export const OPCUA_DEVICE = "opcua-plc2";
const POLL_MS = 1000;

/** FUXA names a table by the number that its first register had in the field's old notation. */
const TABLE: Readonly<Record<ModbusTable, string>> = {
  coil: "000000",
  "discrete-input": "100000",
  "input-register": "300000",
  "holding-register": "400000",
};

/** What FUXA calls a tag of the plant. */
export function fuxaTag(device: string, tag: string): string {
  return `${device}/${tag}`;
}

export function fuxaProject(plant: Plant): object {
  const modbus = plant.tags.filter((tag) => tag.device === "plc-1" && tag.modbus !== undefined);
  const opcua = plant.tags.filter((tag) => tag.device === "plc-2" && tag.opcua !== undefined);
  return {
    version: "1.01",
    server: { id: "0", name: "FUXA Server", type: "FuxaServer", property: {} },
    hmi: { views: [], layout: {} },
    devices: {
      [MODBUS_DEVICE]: {
        ...device(MODBUS_DEVICE, "ModbusTCP"),
        property: { address: `${MODBUS.host}:${MODBUS.port}`, slaveid: "1", connectionOption: "TcpPort" },
        tags: byId(modbus.map(modbusTag)),
      },
      [OPCUA_DEVICE]: {
        ...device(OPCUA_DEVICE, "OPCUA"),
        property: { address: `opc.tcp://${OPCUA.host}:${OPCUA.port}` },
        tags: byId(opcua.map(opcuaTag)),
      },
    },
  };
}

function device(id: string, type: string) {
  return { id, name: id, type, enabled: true, polling: POLL_MS };
}

interface FuxaTag {
  readonly id: string;
}

function byId(tags: readonly FuxaTag[]): Readonly<Record<string, FuxaTag>> {
  return Object.fromEntries(tags.map((tag) => [tag.id, tag]));
}

function modbusTag({ id, modbus }: Tag) {
  const table = modbus?.table ?? "coil";
  const bit = table === "coil" || table === "discrete-input";
  return {
    id: fuxaTag(MODBUS_DEVICE, id),
    name: id,
    type: bit ? "Bool" : "UInt16",
    memaddress: TABLE[table],
    // FUXA counts from 1.
    address: String((modbus?.address ?? 0) + 1),
    daq: { enabled: false },
  };
}

function opcuaTag({ id, opcua }: Tag) {
  return {
    id: fuxaTag(OPCUA_DEVICE, id),
    name: id,
    type: opcua?.type ?? "Double",
    address: opcua?.nodeId ?? "",
    daq: { enabled: false },
  };
}
