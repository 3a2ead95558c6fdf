import { parseAddress } from "../addresses.ts";
import { DeviceId, LinkId, PlantId, TagId, ZoneId } from "../ids.ts";
import type { Device, EssentialFunction, Link, Plant, Tag, Zone } from "../plant.ts";
import { MODES, readById, reference } from "./read-by-id.ts";
import { readTags } from "./read-tag.ts";
import { type Cursor, type Fields, quote } from "./source.ts";

const DEVICE_ROLES = ["hmi", "engineering", "historian", "plc", "test"] as const;
const PROTOCOLS = ["modbus", "opcua"] as const;

/** Reads `plant.yaml`; undefined after a diagnostic that leaves no plant to speak of. */
export function readPlant(root: Cursor): Plant | undefined {
  const fields = root.fields("the plant", ["id", "title", "zones", "devices", "links", "tags", "essential"]);
  if (fields === undefined) return undefined;
  const id = fields.need("id")?.named(PlantId);
  const title = fields.need("title")?.text("title");
  const zones = readZones(fields);
  const devices = readDevices(fields, zones);
  const links = readLinks(fields, devices);
  const tags = readTags(fields, devices);
  const essential = readEssential(fields, tags);
  return id === undefined || title === undefined ? undefined : { id, title, zones, devices, links, tags, essential };
}

function readZones(fields: Fields): readonly Zone[] {
  return readById(fields.need("zones"), "zones", ZoneId, (id, value, key) => {
    key.remember(`zone:${id}`);
    const title = value.text(`the title of zone \`${id}\``);
    return title === undefined ? undefined : { id, title };
  });
}

function readDevices(fields: Fields, zones: readonly Zone[]): readonly Device[] {
  const taken = new Map<string, DeviceId>();
  return readById(fields.need("devices"), "devices", DeviceId, (id, value, key) => {
    key.remember(`device:${id}`);
    if (id === "program")
      return key.fail("NAME_INVALID", "device `program` would be taken for the control program; rename it");
    const device = value.fields(`device \`${id}\``, ["title", "role", "zone", "addresses"]);
    const title = device?.need("title")?.text("title");
    const role = device?.need("role")?.word("role", DEVICE_ROLES);
    const zone = reference(device?.need("zone"), "zone", zones)?.id;
    const addresses = readAddresses(id, device?.need("addresses"), taken);
    if (title === undefined || role === undefined || zone === undefined) return undefined;
    return { id, title, role, zone, addresses };
  });
}

function readAddresses(id: DeviceId, list: Cursor | undefined, taken: Map<string, DeviceId>): readonly string[] {
  return (list?.items("addresses", 1) ?? []).flatMap((item) => {
    const text = item.text("an address");
    if (text === undefined) return [];
    if (parseAddress(text) === undefined) {
      return (
        item.fail(
          "ADDRESS_INVALID",
          `\`${quote(text)}\` is neither an IPv4 address nor one with ports, such as \`127.0.0.1:21000-21099\``,
        ) ?? []
      );
    }
    const other = taken.get(text);
    if (other !== undefined) {
      return (
        item.fail(
          "ADDRESS_TAKEN",
          `address ${text} belongs to device \`${other}\` already; a source must tell devices apart`,
        ) ?? []
      );
    }
    taken.set(text, id);
    return [text];
  });
}

function readLinks(fields: Fields, devices: readonly Device[]): readonly Link[] {
  const seen = new Map<string, LinkId>();
  return readById(fields.need("links"), "links", LinkId, (id, value, key) => {
    key.remember(`link:${id}`);
    const link = value.fields(`link \`${id}\``, ["client", "server", "protocol", "mode"]);
    const client = reference(link?.need("client"), "device", devices)?.id;
    const server = reference(link?.need("server"), "device", devices)?.id;
    const protocol = link?.need("protocol")?.word("protocol", PROTOCOLS);
    const mode = link?.need("mode")?.word("mode", MODES);
    if (client === undefined || server === undefined || protocol === undefined || mode === undefined) return undefined;
    const ends = `${client} ${server} ${protocol}`;
    const other = seen.get(ends);
    if (other !== undefined) {
      return key.fail(
        "DUPLICATE_ID",
        `link \`${id}\` joins the same devices over the same protocol as \`${other}\`; remove one`,
      );
    }
    seen.set(ends, id);
    return { id, client, server, protocol, mode };
  });
}

function readEssential(fields: Fields, tags: readonly Tag[]): readonly EssentialFunction[] {
  return readById(fields.get("essential"), "essential", TagId, (id, value, key) => {
    key.remember(`essential:${id}`);
    const entry = value.fields(`essential function \`${id}\``, ["says", "tags"]);
    const says = entry?.need("says")?.text("says");
    const named = entry?.need("tags")?.items("tags", 1) ?? [];
    const found = named.flatMap((item) => reference(item, "tag", tags)?.id ?? []);
    return says === undefined ? undefined : { id, says, tags: found };
  });
}
