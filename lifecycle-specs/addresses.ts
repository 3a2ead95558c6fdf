import type { DeviceId } from "./ids.ts";
import type { Device, Link, Plant, Protocol } from "./plant.ts";

/** A device address as declared: an IPv4 address, with or without a range of source ports. */
export interface DeviceAddress {
  readonly ip: string;
  readonly ports: readonly [low: number, high: number] | undefined;
}

const PATTERN = /^(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5})-(\d{1,5}))?$/;
const MAX_PORT = 0xffff;

/** Reads `127.10.1.11` or `127.0.0.1:21000-21099`; undefined: it is neither. */
export function parseAddress(text: string): DeviceAddress | undefined {
  const [, ip, low, high] = PATTERN.exec(text) ?? [];
  if (ip === undefined || ip.split(".").some((part) => Number(part) > 255)) return undefined;
  if (low === undefined || high === undefined) return { ip, ports: undefined };
  const [from, to] = [Number(low), Number(high)];
  return from <= to && to <= MAX_PORT ? { ip, ports: [from, to] } : undefined;
}

/**
 * The declared device behind an address. A range of ports that fits goes before a bare address.
 *
 * @param ip IPv4, also as Node writes it on a dual-stack socket: `::ffff:127.0.0.1`
 */
export function deviceAt(plant: Plant, ip: string, port: number): Device | undefined {
  const wanted = ip.startsWith("::ffff:") ? ip.slice("::ffff:".length) : ip;
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
