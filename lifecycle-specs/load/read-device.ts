import { parseAddress } from "../addresses.ts";
import { DeviceId } from "../ids.ts";
import type { Device, Zone } from "../plant.ts";
import { type Cursor, quote } from "./cursor.ts";
import { readById, reference } from "./read-by-id.ts";

export const DEVICE_ROLES = ["hmi", "engineering", "historian", "plc", "rtu", "opcua-server", "test"] as const;

/** Reads the devices of a plant. An address belongs to one device only, so that a source tells devices apart. */
export function readDevices(map: Cursor | undefined, zones: ReadonlyMap<string, Zone>): readonly Device[] {
  const taken = new Map<string, DeviceId>();
  return readById(map, "devices", DeviceId, (id, value, key) => {
    key.remember(`device:${id}`);
    if (id === "program")
      return key.fail("NAME_INVALID", "device `program` would be taken for the control program; rename it");
    const device = value.fields(`device \`${id}\``, ["title", "role", "zone", "addresses", "guard"]);
    const title = device?.need("title")?.text("title");
    const role = device?.need("role")?.word("role", DEVICE_ROLES);
    const zone = reference(device?.need("zone"), "zone", zones)?.id;
    const addresses = readAddresses(id, device?.need("addresses"), taken);
    const guard = device?.get("guard")?.boolean("guard") ?? role === "plc";
    if (title === undefined || role === undefined || zone === undefined) return undefined;
    return { id, title, role, zone, addresses, guard };
  });
}

function readAddresses(id: DeviceId, list: Cursor | undefined, taken: Map<string, DeviceId>): readonly string[] {
  return (list?.items("addresses", 1) ?? []).flatMap((item) => readAddress(id, item, taken) ?? []);
}

function readAddress(id: DeviceId, item: Cursor, taken: Map<string, DeviceId>): string | undefined {
  const text = item.text("an address");
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (address === undefined) {
    return item.fail(
      "ADDRESS_INVALID",
      `\`${quote(text)}\` is neither an IPv4 or IPv6 address nor one with ports, such as \`127.0.0.1:21000-21099\``,
    );
  }
  const place = `${address.ip} ${address.ports?.join("-") ?? ""}`;
  const other = taken.get(place);
  if (other !== undefined) {
    return item.fail(
      "ADDRESS_TAKEN",
      `address ${text} belongs to device \`${other}\` already; a source must tell devices apart`,
    );
  }
  taken.set(place, id);
  return text;
}
