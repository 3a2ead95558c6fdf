import { isIPv4 } from "node:net";
import { parseAddress } from "#specs/addresses.ts";
import type { FlowEnd, FlowProjection } from "#specs/flows.ts";
import { flowsIn } from "#specs/flows.ts";
import type { DeviceId, LinkId, PhaseId } from "#specs/ids.ts";
import type { Device, Link, Plant } from "#specs/plant.ts";
import { err, ok, type Result } from "#specs/result.ts";
import type { PacketSite, SiteBinding } from "./site.ts";

/** One address of a device, where it is plugged in. */
export interface Place {
  readonly ip: string;
  readonly mac: string;
  readonly interface: string;
}

/** One end of a link on the wire; `ports`: both ends included, null: any. */
export interface WiredEnd extends Place {
  readonly ports: readonly [low: number, high: number] | null;
}

export interface WiredLink {
  readonly link: LinkId;
  /** Something may cross in this phase, and there is a way for it. */
  readonly open: boolean;
  readonly from: readonly WiredEnd[];
  readonly to: readonly WiredEnd[];
  /** Where the filter listens for the server; undefined: packets go straight through. */
  readonly listener: { readonly address: string; readonly port: number } | undefined;
  /** What the filter dials from for this client; undefined: its own address. */
  readonly alias: string | undefined;
}

/** The plant as it is plugged in here, in one phase. */
export interface Wiring {
  readonly phase: PhaseId | null;
  /** Every declared place, in order and once. */
  readonly places: readonly Place[];
  /** Interfaces of the plant, in order and once; at least one. */
  readonly ports: readonly string[];
  /** Links of which both ends are plugged in here, in the order of the plant file. */
  readonly links: readonly WiredLink[];
}

/**
 * Joins what the lifecycle needs with how the host is wired. A link of which only one end is plugged in here is another host's;
 * the error is one sentence.
 */
export function wire(
  plant: Plant,
  flows: FlowProjection,
  site: PacketSite,
  phase: PhaseId | null,
): Result<Wiring, string> {
  const problem = misfit(plant, flows, site, phase);
  if (problem !== undefined) return err(problem);
  const byDevice = new Map(plant.devices.map((device) => [device.id, placesOf(device, site)]));
  const places = sortedBy(
    unique([...byDevice.values()].flat(), ({ ip, mac, interface: port }) => `${port} ${ip} ${mac}`),
  );
  const clash = clashOf(places);
  if (clash !== undefined) return err(clash);
  const open = new Set(flowsIn(flows, phase).map(({ link }) => link));
  const links = flows.links.flatMap((flow): WiredLink[] => {
    const declared = plant.links.find(({ id }) => id === flow.link);
    if (declared === undefined) return [];
    const from = wiredEnds(flow.from, byDevice.get(declared.client) ?? []);
    const to = wiredEnds(flow.to, byDevice.get(declared.server) ?? []);
    if (from.length === 0 || to.length === 0) return [];
    const listener = site.filter?.listeners.find((l) => l.server === declared.server && l.protocol === flow.protocol);
    return [
      {
        link: flow.link,
        open: open.has(flow.link) && (listener !== undefined || mayPassDirectly(site, declared)),
        from,
        to,
        listener: listener === undefined ? undefined : { address: listener.address, port: listener.port },
        alias: listener === undefined ? undefined : site.filter?.aliases?.[declared.client],
      },
    ];
  });
  const bindings = plant.devices.flatMap(({ id }) => bindingsOf(site, id));
  const ports = [...new Set([...bindings.map((binding) => binding.interface), ...(site.ports ?? [])])].sort();
  return ok({ phase, places, ports, links });
}

/** Client address → the address that the filter dials from on its behalf. */
export function aliasesOf(plant: Plant, site: PacketSite): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const device of plant.devices) {
    const alias = site.filter?.aliases?.[device.id];
    if (alias !== undefined) for (const { ip } of placesOf(device, site)) found.set(ip, alias);
  }
  return found;
}

/**
 * Where there is no filter, packets are all that is filtered. Where there is one, a link passes it by only if nobody could look into
 * it anyway, or the site says so: a listener that was forgotten must not open a way around the filter.
 */
function mayPassDirectly({ filter }: PacketSite, { server, opaque }: Link): boolean {
  return filter === undefined || opaque || filter.direct?.includes(server) === true;
}

function placesOf(device: Device, site: PacketSite): readonly Place[] {
  const ips = device.addresses.flatMap((text) => parseAddress(text)?.ip ?? []);
  return bindingsOf(site, device.id).flatMap(({ mac, interface: port, address }) =>
    ips
      .filter((ip) => address === undefined || ip === address)
      .map((ip) => ({ ip, mac: mac.toLowerCase(), interface: port })),
  );
}

function bindingsOf({ devices }: PacketSite, device: DeviceId): readonly SiteBinding[] {
  const binding = devices[device];
  if (binding === undefined) return [];
  return Array.isArray(binding) ? binding : [binding];
}

function wiredEnds(ends: readonly FlowEnd[], places: readonly Place[]): readonly WiredEnd[] {
  return ends.flatMap(({ ip, ports }) =>
    places.filter((place) => place.ip === ip).map((place) => ({ ...place, ports })),
  );
}

/** What the two files say against each other; undefined: nothing. */
function misfit(
  plant: Plant,
  flows: FlowProjection,
  { mode, devices, filter }: PacketSite,
  phase: PhaseId | null,
): string | undefined {
  const known = new Map<string, Device>(plant.devices.map((device) => [device.id, device]));
  if (phase !== null && !flows.phases.some((entry) => entry.phase === phase))
    return `phase \`${phase}\` is not in this bundle`;
  if (mode === "bridge" && filter !== undefined)
    return "`filter` leads connections to this host, which a bridge does not do; use mode `routed` or leave it out";
  for (const name of Object.keys(devices)) {
    const device = known.get(name);
    if (device === undefined) return unknownDevice(plant, "devices", name);
    const ips = device.addresses.flatMap((text) => parseAddress(text)?.ip ?? []);
    const wrong = bindingsOf({ mode, devices }, device.id).find(
      (b) => b.address !== undefined && !ips.includes(b.address),
    );
    if (!ips.some(isIPv4))
      return `device \`${name}\` has IPv6 addresses only, and the packet filter passes IPv4 alone; leave it out, or give it an IPv4 address`;
    if (wrong !== undefined)
      return `device \`${name}\` has no address \`${wrong.address ?? ""}\` in plant \`${plant.id}\`; it has ${ips.join(", ")}`;
  }
  const named = [
    ...(filter?.listeners.map(({ server }) => server) ?? []),
    ...Object.keys(filter?.aliases ?? {}),
    ...(filter?.direct ?? []),
  ];
  const stranger = named.find((name) => !known.has(name));
  if (stranger !== undefined) return unknownDevice(plant, "filter", stranger);
  return (
    sharedListener(filter) ?? sharedAlias(filter) ?? ambiguousAlias(plant, { mode, devices, ...(filter && { filter }) })
  );
}

/** One listener stands before one server: the address that was asked for is not told to it. */
function sharedListener(filter: PacketSite["filter"]): string | undefined {
  const seen = new Set<string>();
  for (const { address, port } of filter?.listeners ?? []) {
    const at = `${address}:${port}`;
    if (seen.has(at)) return `two listeners share ${at}; the filter could not tell their servers apart`;
    seen.add(at);
  }
  return undefined;
}

function sharedAlias(filter: PacketSite["filter"]): string | undefined {
  const seen = new Map<string, string>();
  for (const [client, alias] of Object.entries(filter?.aliases ?? {})) {
    const other = seen.get(alias);
    if (other !== undefined) return `\`${other}\` and \`${client}\` share the alias ${alias}; give each its own`;
    seen.set(alias, client);
  }
  return undefined;
}

/** An alias stands for one address: with two, the server would see the first of them for both. */
function ambiguousAlias(plant: Plant, site: PacketSite): string | undefined {
  for (const device of plant.devices) {
    if (site.filter?.aliases?.[device.id] === undefined) continue;
    const ips = new Set(placesOf(device, site).map(({ ip }) => ip));
    if (ips.size > 1)
      return `\`${device.id}\` has an alias and the addresses ${[...ips].join(", ")}; name one of them in \`devices\``;
  }
  return undefined;
}

/** Two devices cannot answer for one address. */
function clashOf(places: readonly Place[]): string | undefined {
  const seen = new Map<string, string>();
  for (const { ip, mac } of places) {
    const other = seen.get(ip);
    if (other !== undefined && other !== mac) return `address ${ip} is bound to both ${other} and ${mac}; keep one`;
    seen.set(ip, mac);
  }
  return undefined;
}

function unknownDevice(plant: Plant, where: string, name: string): string {
  const known = plant.devices.map(({ id }) => id).join(", ");
  return `\`${where}\` names \`${name}\`, which is no device of plant \`${plant.id}\`; it has ${known}`;
}

function unique<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}

function sortedBy(places: readonly Place[]): readonly Place[] {
  const key = ({ ip, mac, interface: port }: Place) => `${port} ${ip} ${mac}`;
  return places.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}
