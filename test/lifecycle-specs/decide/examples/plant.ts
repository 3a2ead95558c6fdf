import { DeviceId, LinkId, PlantId, RawId, TagId, ZoneId } from "#specs/ids.ts";
import type { Device, DeviceRole, Link, Plant, Protocol, Tag, TagKind } from "#specs/plant.ts";

/** A skid that doses into a tank: the plant of the examples, with one of everything that a reason can speak of. */
const works = ZoneId("works");

export const EXAMPLE_PLANT: Plant = {
  id: PlantId("skid"),
  title: "Dosing skid",
  zones: [{ id: works, title: "Works" }],
  devices: [
    device("hmi-1", "hmi"),
    device("ews-1", "engineering"),
    device("plc-1", "plc"),
    device("ua-1", "opcua-server"),
    device("tester", "test"),
  ],
  links: [
    link("hmi-plc", "hmi-1", "plc-1", "modbus"),
    link("ews-plc", "ews-1", "plc-1", "modbus"),
    link("hmi-ua", "hmi-1", "ua-1", "opcua"),
  ],
  tags: [
    tag("STOP", "command", "plc-1", [0, 1]),
    tag("DOSE.SP", "set-point", "plc-1", [0, 10], "mg/L"),
    tag("SPEED.SP", "set-point", "plc-1", [0, 100], "%"),
    tag("MODE.SP", "set-point", "plc-1", [0, 3]),
    tag("RINSE", "command", "plc-1", [0, 1]),
    tag("BEAT", "command", "plc-1", [0, 1]),
    tag("DRAIN", "command", "plc-1", [0, 1]),
    tag("HEAT", "command", "plc-1", [0, 1]),
    tag("VENT", "command", "plc-1", [0, 1]),
    tag("ARM", "command", "plc-1", [0, 1]),
    tag("FIRE", "command", "plc-1", [0, 1]),
    tag("INLET", "command", "plc-1", [0, 1]),
    tag("OUTLET", "command", "plc-1", [0, 1]),
    tag("TEST", "command", "plc-1", [0, 1]),
    tag("LAMP", "command", "plc-1", [0, 1]),
    tag("HORN", "command", "plc-1", [0, 1]),
    tag("LEVEL", "measurement", "plc-1", [0, 5], "m"),
    tag("DOOR", "status", "plc-1", [0, 1]),
    tag("PUMP.OUT", "output", "plc-1", [0, 100], "%"),
    tag("CALIBRATE", "method", "ua-1", [0, 1]),
    tag("CALIBRATE.GAIN", "argument", "ua-1", [0.5, 2]),
  ],
  essential: [],
  raw: [
    {
      id: RawId("vendor-clock"),
      says: "Sets the clock.",
      protocol: "modbus",
      function: 100,
      length: [8, 10],
      answer: [0, 10],
      changes: false,
    },
  ],
};

function device(id: string, role: DeviceRole): Device {
  return { id: DeviceId(id), title: id, role, zone: works, addresses: [], guard: role === "plc" };
}

function link(id: string, client: string, server: string, protocol: Protocol): Link {
  const ends = { client: DeviceId(client), server: DeviceId(server) };
  return { id: LinkId(id), ...ends, protocol, mode: "enforce", mirror: true, failOpen: false, opaque: false };
}

function tag(id: string, kind: TagKind, server: string, range: readonly [number, number], unit = ""): Tag {
  return { id: TagId(id), title: id, kind, device: DeviceId(server), unit, range };
}
