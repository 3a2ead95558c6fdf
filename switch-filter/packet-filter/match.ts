import { anyOf, quoted, setOf } from "./ruleset.ts";
import type { Place, WiredEnd } from "./wiring.ts";

/** The beginning of a connection and nothing else: a segment from the middle of one opens nothing. @see RFC 9293 §3.5 */
export const SYN = "tcp flags & (fin | syn | rst | ack) == syn";
/** The end of one. */
export const END = "tcp flags & (fin | rst) != 0";

export interface Direction {
  readonly client: WiredEnd;
  readonly server: WiredEnd;
}

/** Each client address with each server address of a link. */
export function pairs(from: readonly WiredEnd[], to: readonly WiredEnd[]): readonly Direction[] {
  return from.flatMap((client) => to.map((server) => ({ client, server })));
}

/** A packet from client to server as it was sent, before anything was translated. */
export function toServer({ client, server }: Direction): string {
  return `ip saddr ${client.ip} ip daddr ${server.ip}${port("tcp sport", client)}${port("tcp dport", server)}`;
}

/** Its answer. */
export function toClient({ client, server }: Direction): string {
  return `ip saddr ${server.ip} ip daddr ${client.ip}${port("tcp sport", server)}${port("tcp dport", client)}`;
}

export function port(what: string, { ports }: WiredEnd): string {
  if (ports === null) return "";
  const [low, high] = ports;
  return ` ${what} ${low === high ? low : `${low}-${high}`}`;
}

export function interfaces(ports: readonly string[]): string {
  return setOf(ports.map(quoted));
}

/** One interface bare, several in braces. */
export function interfacesOf(ends: readonly { readonly interface: string }[]): string {
  return anyOf([...new Set(ends.map((end) => quoted(end.interface)))]);
}

/** `"s-hmi" . 02:00:00:00:00:01 . 10.98.0.1`: who may say to be whom, and where. */
export function bound(places: readonly Place[]): string {
  return setOf(places.map(({ ip, mac, interface: at }) => `${quoted(at)} . ${mac} . ${ip}`));
}

/** The same without the address. */
export function boundCards(places: readonly Place[]): string {
  return setOf([...new Set(places.map(({ mac, interface: at }) => `${quoted(at)} . ${mac}`))]);
}

/** ARP for IPv4 over Ethernet and nothing else. @see RFC 826 */
export const ARP_IPV4 = "arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4";
