import { LinkId } from "../ids.ts";
import { type Device, type Link, type Protocol, UA_WAYS, type UaWay } from "../plant.ts";
import type { Cursor } from "./cursor.ts";
import { MODES, readById, reference } from "./read-by-id.ts";

export const PROTOCOLS = ["modbus", "opcua"] as const;
const KEYS = ["client", "server", "protocol", "mode", "mirror", "failOpen", "opaque", "tls", "way"];

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
  const way = link?.get("way")?.word("way", UA_WAYS);
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
  const misfit = way === undefined ? undefined : wayMisfit(way, protocol, opaque);
  if (misfit !== undefined) return link?.get("way")?.fail("KEY_UNKNOWN", misfit);
  const secured = { ...(tls ? { tls } : {}), ...(way === undefined ? {} : { way }) };
  return { id, client, server, protocol, mode, mirror, failOpen, opaque, ...secured };
}

/** Why a link cannot be opened in this way; undefined: it can. */
function wayMisfit(way: UaWay, protocol: Protocol, opaque: boolean): string | undefined {
  if (protocol !== "opcua") return "`way` is for the channels of OPC UA; say `tls` of Modbus/TCP Security";
  if (way === "sealed" && !opaque)
    return "nobody can look into a link that is `sealed`; mark it `opaque: true` as well";
  if (way !== "sealed" && opaque)
    return `nobody looks into an opaque link, so \`way: ${way}\` cannot be kept there; remove one of the two`;
  return undefined;
}
