import { relocatePlant } from "#specs/addresses.ts";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import type { PacketSite } from "#switch-filter/packet-filter/site.ts";
import type { Network } from "../support/netns.ts";
import { waterTreatment } from "../support/plant.ts";

// A control-room network with HMI, engineering workstation and a stranger; a gateway; the PLC's network; a host on a mirror.

export const HMI = { ip: "10.97.1.11", mac: "02:00:00:00:01:11" };
export const EWS = { ip: "10.97.1.21", mac: "02:00:00:00:01:21" };
export const ROGUE = { ip: "10.97.1.99", mac: "02:00:00:00:01:99" };
export const PLC = { ip: "10.97.2.1", mac: "02:00:00:00:02:01" };
export const GATEWAY = { lan: "10.97.1.254", plc: "10.97.2.254" };
export const UPSTREAM = { host: PLC.ip, port: 502 };
export const LISTENER = { address: "169.254.7.100", port: 15_502 };
export const ALIASES = { "hmi-1": "169.254.7.1", "ews-1": "169.254.7.2" };

export function movedPlant(): { readonly bundle: Bundle } {
  const { plant, lifecycle } = waterTreatment();
  return { bundle: buildBundle(relocatePlant(plant, "127.10.", "10.97."), lifecycle) };
}

export function routedSite(lan: string, plc: string): PacketSite {
  return {
    mode: "routed",
    devices: {
      "hmi-1": { mac: HMI.mac, interface: lan },
      "ews-1": { mac: EWS.mac, interface: lan },
      "plc-1": { mac: PLC.mac, interface: plc },
    },
    filter: { listeners: [{ server: "plc-1", protocol: "modbus", ...LISTENER }], aliases: ALIASES },
    limits: { connections: 4, newPerSecond: 50, newAtOnce: 50 },
  };
}

/** Clients on one segment, `lan`; each knows the way to the PLC's network. */
export async function controlRoom(net: Network, ports: readonly string[]): Promise<void> {
  await net.host("hmi", "ews", "rogue", "lan");
  for (const [host, at] of [
    ["hmi", HMI],
    ["ews", EWS],
    ["rogue", ROGUE],
  ] as const) {
    await net.cable({ host, device: "eth", mac: at.mac, address: `${at.ip}/24` }, { host: "lan", device: `l-${host}` });
    await net.ip(host, "route", "add", "default", "via", GATEWAY.lan);
  }
  await net.bridge("lan", "br0", ["l-hmi", "l-ews", "l-rogue", ...ports]);
}

/** What the filter listens at and dials from: own addresses of the gateway that no network has. */
export async function ownAddresses(net: Network, gateway: string): Promise<void> {
  for (const address of [LISTENER.address, ...Object.values(ALIASES)])
    await net.ip(gateway, "addr", "add", `${address}/32`, "dev", "lo");
  await net.sysctl(gateway, "net.ipv4.ip_forward=1");
}
