import { LinkId } from "../ids.ts";
import type { Device, Link } from "../plant.ts";
import type { Cursor } from "./cursor.ts";
import { MODES, readById, reference } from "./read-by-id.ts";

export const PROTOCOLS = ["modbus", "opcua"] as const;
const KEYS = ["client", "server", "protocol", "mode", "mirror", "failOpen", "opaque", "tls"];

/** Reads the links of a plant: one for each pair of devices and protocol. */
export function readLinks(map: Cursor | undefined, devices: ReadonlyMap<string, Device>): readonly Link[] {
  const seen = new Map<string, LinkId>();
  return readById(map, "links", LinkId, (id, value, key) => {
    key.remember(`link:${id}`);
    const link = readLink(id, value, devices);
    if (link === undefined) return undefined;
    const ends = `${link.client} ${link.server} ${link.protocol}`;
    const other = seen.get(ends);
    if (other !== undefined) {
      return key.fail(
        "DUPLICATE_ID",
        `link \`${id}\` joins the same devices over the same protocol as \`${other}\`; remove one`,
      );
    }
    seen.set(ends, id);
    return link;
  });
}

function readLink(id: LinkId, value: Cursor, devices: ReadonlyMap<string, Device>): Link | undefined {
  const link = value.fields(`link \`${id}\``, KEYS);
  const client = reference(link?.need("client"), "device", devices)?.id;
  const server = reference(link?.need("server"), "device", devices)?.id;
  const protocol = link?.need("protocol")?.word("protocol", PROTOCOLS);
  const mode = link?.need("mode")?.word("mode", MODES);
  const mirror = link?.get("mirror")?.boolean("mirror") ?? true;
  const failOpen = link?.get("failOpen")?.boolean("failOpen") ?? false;
  const opaque = link?.get("opaque")?.boolean("opaque") ?? false;
  const tls = link?.get("tls")?.boolean("tls") ?? false;
  if (client === undefined || server === undefined || protocol === undefined || mode === undefined) return undefined;
  if (tls && (protocol !== "modbus" || opaque))
    return link
      ?.get("tls")
      ?.fail(
        "KEY_UNKNOWN",
        opaque
          ? "nobody looks into an opaque link, so nobody ends its TLS either; remove `tls` or `opaque`"
          : "`tls` is for Modbus/TCP Security; OPC UA secures its own channels",
      );
  return { id, client, server, protocol, mode, mirror, failOpen, opaque, ...(tls ? { tls } : {}) };
}
