import type { Features } from "./features.ts";
import {
  ARP_IPV4,
  bound,
  boundCards,
  interfaces,
  interfacesOf,
  pairs,
  port,
  SYN,
  toClient,
  toServer,
} from "./match.ts";
import { type Chain, comment, type NamedSet, type Table } from "./ruleset.ts";
import type { Limits } from "./site.ts";
import type { WiredLink, Wiring } from "./wiring.ts";

/** Clients remembered for the limits; each link has few. */
const MAX_STARTERS = 64;
const STARTS_TIMEOUT = "1m";

/**
 * The host is a router between client and server. Links with a listener are led to the filter on this host, which dials the server
 * by itself; what it dials from stands for the client and is translated to the client's address on the way out. Nothing is
 * forwarded but links without a listener: if the filter is gone, its links are closed.
 *
 * INVARIANT (never later): what is withheld on a connection is answered by a reset, so that its sender's stack stops sending it again.
 */
export function routedTables(wiring: Wiring, limits: Limits, features: Features): readonly Table[] {
  const inet: Table = {
    family: "inet",
    sets: wiring.links.flatMap(({ link, open }) => setsOf(link, open, features)),
    chains: [
      bind(wiring),
      redirect(wiring),
      source(wiring),
      input(wiring, limits, features),
      cross(wiring, limits, features),
    ],
  };
  return features.arp ? [inet, arpTable(wiring)] : [inet];
}

/** Who may say to be whom, before connection tracking sees it. No IPv6: nobody has declared any. */
function bind({ places, ports }: Wiring): Chain {
  return {
    name: "bind",
    hook: "type filter hook prerouting priority raw; policy accept;",
    rules: onPlant(ports, [
      ...(places.length === 0 ? [] : [`iifname . ether saddr . ip saddr ${bound(places)} accept`]),
      `counter drop ${comment("not a declared address at its own port")}`,
    ]),
  };
}

function redirect({ links }: Wiring): Chain {
  return {
    name: "to-filter",
    hook: "type nat hook prerouting priority dstnat; policy accept;",
    rules: links.flatMap(({ link, open, from, to, listener }) =>
      listener === undefined || !open
        ? []
        : pairs(from, to).map(
            (pair) =>
              `iifname ${interfacesOf([pair.client])} ${toServer(pair)} ${SYN} dnat ip to ${listener.address}:${listener.port} ${comment(`link ${link}: to the filter`)}`,
          ),
    ),
  };
}

/** In every phase alike: an alias must never be seen on the plant's network. */
function source({ links }: Wiring): Chain {
  return {
    name: "as-client",
    hook: "type nat hook postrouting priority srcnat; policy accept;",
    rules: links.flatMap(({ link, from, to, alias }) =>
      alias === undefined
        ? []
        : pairs(from, to).map(
            ({ client, server }) =>
              `oifname ${interfacesOf([server])} ip saddr ${alias} ip daddr ${server.ip}${port("tcp dport", server)} snat ip to ${client.ip} ${comment(`link ${link}: the server sees its client`)}`,
          ),
    ),
  };
}

function input({ ports, links }: Wiring, limits: Limits, features: Features): Chain {
  const inline = links.filter(({ open, listener }) => open && listener !== undefined);
  return {
    name: "to-host",
    hook: "type filter hook input priority filter; policy accept;",
    rules: onPlant(ports, [
      ...distinct(
        inline.flatMap(({ to }) =>
          to.map(
            (server) =>
              `iifname ${interfacesOf([server])} ip saddr ${server.ip}${port("tcp sport", server)} ct direction reply ct state established accept ${comment("answers to the filter")}`,
          ),
        ),
      ),
      ...inline.flatMap((link) => admitted(link, limits, features)),
      `ct state related icmp type { destination-unreachable, time-exceeded } accept ${comment("about a connection that is allowed")}`,
      ...refused,
    ]),
  };
}

function cross({ ports, links }: Wiring, limits: Limits, features: Features): Chain {
  const direct = links.filter(({ open, listener }) => open && listener === undefined);
  return {
    name: "cross",
    hook: "type filter hook forward priority filter; policy drop;",
    rules: [
      `iifname != ${interfaces(ports)} oifname != ${interfaces(ports)} accept ${comment("not of this plant")}`,
      ...direct.flatMap((link) => forwarded(link, limits, features)),
      `ct state related icmp type { destination-unreachable, time-exceeded } accept ${comment("about a connection that is allowed")}`,
      ...refused,
    ],
  };
}

/** A connection that was led here. Whoever asks for the listener itself is refused: the link it is for would not be known. */
function admitted({ link, from, to, listener }: WiredLink, limits: Limits, features: Features): readonly string[] {
  if (listener === undefined) return [];
  return from.flatMap((client) => {
    const here = `iifname ${interfacesOf([client])} ip saddr ${client.ip}${port("tcp sport", client)} ip daddr ${listener.address} tcp dport ${listener.port} ct status dnat meta l4proto tcp ct original ip daddr ${originalOf(to)}`;
    return [
      ...limited(link, `${here} ct state new`, limits, features),
      `${here} ct direction original ct state { new, established } accept ${comment(`link ${link}`)}`,
    ];
  });
}

function originalOf(to: WiredLink["to"]): string {
  const ips = [...new Set(to.map(({ ip }) => ip))];
  return ips.length === 1 ? (ips[0] ?? "") : `{ ${ips.join(", ")} }`;
}

function forwarded({ link, from, to }: WiredLink, limits: Limits, features: Features): readonly string[] {
  return pairs(from, to).flatMap((pair) => {
    const there = `iifname ${interfacesOf([pair.client])} oifname ${interfacesOf([pair.server])} ${toServer(pair)}`;
    const back = `iifname ${interfacesOf([pair.server])} oifname ${interfacesOf([pair.client])} ${toClient(pair)}`;
    return [
      ...limited(link, `${there} ct state new ${SYN}`, limits, features),
      `${there} ct state new ${SYN} accept ${comment(`link ${link}`)}`,
      `${there} ct direction original ct state established accept ${comment(`link ${link}`)}`,
      `${back} ct direction reply ct state established accept ${comment(`link ${link}, answers`)}`,
    ];
  });
}

function limited(
  link: string,
  connection: string,
  { connections, newPerSecond, newAtOnce }: Limits,
  features: Features,
): readonly string[] {
  const rate = `${connection} update @starts-${link} { ip saddr limit rate over ${newPerSecond}/second burst ${newAtOnce} packets } counter reject with tcp reset ${comment(`link ${link}: too many new connections`)}`;
  const count = `${connection} add @clients-${link} { ip saddr ct count over ${connections} } counter reject with tcp reset ${comment(`link ${link}: too many connections`)}`;
  return [...(features.rateLimit ? [rate] : []), ...(features.connectionCount ? [count] : [])];
}

const refused: readonly string[] = [
  `meta l4proto tcp counter reject with tcp reset ${comment("no link of this phase")}`,
  `counter drop ${comment("no link of this phase")}`,
];

function setsOf(link: string, open: boolean, { rateLimit, connectionCount }: Features): readonly NamedSet[] {
  const starts = ["type ipv4_addr", `size ${MAX_STARTERS}`, "flags dynamic,timeout", `timeout ${STARTS_TIMEOUT}`];
  const clients = ["type ipv4_addr", `size ${MAX_STARTERS}`, "flags dynamic"];
  return [
    ...(rateLimit ? [{ name: `starts-${link}`, lines: starts, kept: open }] : []),
    // The kernel counts what is tracked: what is there stays counted, also over a closed phase.
    ...(connectionCount ? [{ name: `clients-${link}`, lines: clients, kept: true }] : []),
  ];
}

/** ARP that this host hears: nobody else may say to be a declared address, and nobody undeclared is heard. */
function arpTable({ places, ports }: Wiring): Table {
  const declared =
    places.length === 0
      ? []
      : [
          `${ARP_IPV4} arp operation { request, reply } iifname . ether saddr . arp saddr ip ${bound(places)} iifname . arp saddr ether . arp saddr ip ${bound(places)} accept`,
          `${ARP_IPV4} arp operation request arp saddr ip 0.0.0.0 iifname . ether saddr ${boundCards(places)} iifname . arp saddr ether ${boundCards(places)} accept`,
        ];
  return {
    family: "arp",
    sets: [],
    chains: [
      {
        name: "announce",
        hook: "type filter hook input priority filter; policy accept;",
        rules: onPlant(ports, [...declared, `counter drop ${comment("not a declared address at its own port")}`]),
      },
    ],
  };
}

function onPlant(ports: readonly string[], rules: readonly string[]): readonly string[] {
  return [`iifname != ${interfaces(ports)} accept ${comment("not of this plant")}`, ...rules];
}

function distinct(lines: readonly string[]): readonly string[] {
  return [...new Set(lines)];
}
