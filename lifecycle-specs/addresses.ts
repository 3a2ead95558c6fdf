import type { DeviceId } from "./ids.ts";
import type { Device, Link, Plant, Protocol } from "./plant.ts";

/** A device address as declared: an IPv4 or IPv6 address, with or without a range of source ports. */
export interface DeviceAddress {
  /** IPv4 in dotted decimal; IPv6 in its one recommended form. @see RFC 5952 §4 */
  readonly ip: string;
  readonly ports: readonly [low: number, high: number] | undefined;
}

const IPV4_PATTERN = /^(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5})-(\d{1,5}))?$/;
const IPV6_PATTERN = /^(?:([0-9A-Fa-f:]+)|\[([0-9A-Fa-f:]+)\]:(\d{1,5})-(\d{1,5}))$/;
const MAX_PORT = 0xffff;
/** An IPv4 address as Node writes it on a dual-stack socket. @see RFC 4291 §2.5.5.2 */
const MAPPED = "::ffff:";

/**
 * Reads `127.10.1.11` or `127.0.0.1:21000-21099`, `2001:db8::11` or `[2001:db8::11]:21000-21099`; undefined: it is none of them. A
 * link-local address carries no zone here: it names an interface of one host.
 */
export function parseAddress(text: string): DeviceAddress | undefined {
  const [, dotted, ...ports] = IPV4_PATTERN.exec(text) ?? [];
  if (dotted !== undefined)
    return dotted.split(".").some((part) => Number(part) > 255) ? undefined : withPorts(dotted, ports);
  const [, bare, bracketed, ...range] = IPV6_PATTERN.exec(text) ?? [];
  const ip = recommendedForm(bare ?? bracketed ?? "");
  return ip === undefined ? undefined : withPorts(ip, range);
}

function withPorts(ip: string, [low, high]: readonly (string | undefined)[]): DeviceAddress | undefined {
  if (low === undefined || high === undefined) return { ip, ports: undefined };
  const [from, to] = [Number(low), Number(high)];
  return from <= to && to <= MAX_PORT ? { ip, ports: [from, to] } : undefined;
}

/** The URL standard writes an IPv6 host as RFC 5952 recommends. @see WHATWG URL §3.5 */
function recommendedForm(ipv6: string): string | undefined {
  const url = `http://[${ipv6}]/`;
  if (!URL.canParse(url)) return undefined;
  const form = new URL(url).hostname.slice(1, -1);
  return form.startsWith(MAPPED) ? undefined : form;
}

/**
 * The declared device behind an address. A range of ports that fits goes before a bare address.
 *
 * @param ip IPv4, also as Node writes it on a dual-stack socket: `::ffff:127.0.0.1`; or IPv6 in its recommended form, with or without a zone
 */
export function deviceAt(plant: Plant, ip: string, port: number): Device | undefined {
  const [plain = ""] = ip.split("%");
  const wanted = plain.startsWith(MAPPED) && plain.includes(".") ? plain.slice(MAPPED.length) : plain;
  let bare: Device | undefined;
  for (const device of plant.devices) {
    for (const text of device.addresses) {
      const address = parseAddress(text);
      if (address?.ip !== wanted) continue;
      if (address.ports === undefined) bare ??= device;
      else if (port >= address.ports[0] && port <= address.ports[1]) return device;
    }
  }
  return bare;
}

export function linkOf(plant: Plant, source: DeviceId, target: DeviceId, protocol: Protocol): Link | undefined {
  return plant.links.find((link) => link.client === source && link.server === target && link.protocol === protocol);
}

/**
 * The same plant at other addresses: every device address that starts with `from` starts with `to` instead. Several runs of one
 * simulated plant stand beside each other this way.
 */
export function relocatePlant(plant: Plant, from: string, to: string): Plant {
  const move = (address: string) => (address.startsWith(from) ? to + address.slice(from.length) : address);
  return { ...plant, devices: plant.devices.map((device) => ({ ...device, addresses: device.addresses.map(move) })) };
}
