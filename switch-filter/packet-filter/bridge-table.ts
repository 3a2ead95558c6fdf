import { ARP_IPV4, bound, boundCards, END, interfaces, interfacesOf, pairs, SYN, toClient, toServer } from "./match.ts";
import { type Chain, comment, type NamedSet, type Table } from "./ruleset.ts";
import type { Limits } from "./site.ts";
import type { WiredLink, Wiring } from "./wiring.ts";

/** Idle sessions are remembered as long as Linux' own connection tracking does it; ended ones for the last segments. */
const SESSION_TIMEOUT = "5d";
const ENDED_TIMEOUT = "1m";
const STARTS_TIMEOUT = "1m";
const MAX_STARTERS = 64;
/** Sessions of which no end was seen (power lost) stay remembered beside the living ones: so many times the limit of connections. */
const REMEMBERED = 32;

const OPENED = "ip saddr . tcp sport . ip daddr . tcp dport";
const ANSWERED = "ip daddr . tcp dport . ip saddr . tcp sport";
const SESSION_TYPE = "type ipv4_addr . inet_service . ipv4_addr . inet_service";

/**
 * The host is a bridge in the path. The bridge family of many kernels has no connection tracking and can never reset a connection
 * where it forwards, so sessions are remembered in sets of this table, one for each link.
 *
 * INVARIANT (never later): a segment passes only in a session whose beginning passed while its link was open and has been ever
 * since. What a closed link held back is sent again by its sender's stack, but never passes: its session is no longer remembered.
 */
export function bridgeTable({ places, ports, links }: Wiring, limits: Limits): Table {
  const open = links.filter((link) => link.open);
  return {
    family: "bridge",
    sets: links.flatMap((link) => setsOf(link, limits)),
    chains: [
      bind(places, ports),
      {
        name: "cross",
        hook: "type filter hook forward priority filter; policy drop;",
        rules: [
          `iifname != ${interfaces(ports)} oifname != ${interfaces(ports)} accept ${comment("another bridge of this host")}`,
          `iifname ${interfaces(ports)} oifname ${interfaces(ports)} ether type arp accept ${comment("checked where it came in")}`,
          `ip frag-off & 0x3fff != 0 counter drop ${comment("a fragment: its port cannot be seen")}`,
          ...open.flatMap(crossing),
          `counter drop ${comment("no link of this phase")}`,
        ],
      },
      ...links.flatMap((link) => (link.open ? openChains(link, limits) : closedChains(link))),
    ],
  };
}

/**
 * Who may say to be whom. Before the bridge learns where an address is: a frame that is dropped later would still have moved its
 * owner's entry, and with it the owner's traffic, to the port of whoever forged it.
 */
function bind(places: Wiring["places"], ports: readonly string[]): Chain {
  const declared =
    places.length === 0
      ? []
      : [
          `ether type ip iifname . ether saddr . ip saddr ${bound(places)} accept`,
          `${ARP_IPV4} arp operation { request, reply } iifname . ether saddr . arp saddr ip ${bound(places)} iifname . arp saddr ether . arp saddr ip ${bound(places)} accept`,
          // RFC 5227 §2.1.1: who asks whether an address is free names none of its own.
          `${ARP_IPV4} arp operation request arp saddr ip 0.0.0.0 iifname . ether saddr ${boundCards(places)} iifname . arp saddr ether ${boundCards(places)} accept`,
        ];
  return {
    name: "bind",
    hook: "type filter hook prerouting priority -300; policy accept;",
    rules: [
      `iifname != ${interfaces(ports)} accept ${comment("another bridge of this host")}`,
      ...declared,
      `counter drop ${comment("not a declared address at its own port")}`,
    ],
  };
}

function setsOf({ link, open }: WiredLink, { connections }: Limits): readonly NamedSet[] {
  const remembered = (timeout: string) => [
    SESSION_TYPE,
    `size ${connections * REMEMBERED}`,
    "flags dynamic,timeout",
    `timeout ${timeout}`,
  ];
  return [
    { name: `sessions-${link}`, lines: remembered(SESSION_TIMEOUT), kept: open },
    { name: `ended-${link}`, lines: remembered(ENDED_TIMEOUT), kept: open },
    {
      name: `starts-${link}`,
      lines: ["type ipv4_addr", `size ${MAX_STARTERS}`, "flags dynamic,timeout", `timeout ${STARTS_TIMEOUT}`],
      kept: open,
    },
  ];
}

function crossing({ link, from, to }: WiredLink): readonly string[] {
  return pairs(from, to).flatMap((pair) => [
    `iifname ${interfacesOf([pair.client])} oifname ${interfacesOf([pair.server])} ${toServer(pair)} jump to-${link} ${comment(`link ${link}`)}`,
    `iifname ${interfacesOf([pair.server])} oifname ${interfacesOf([pair.client])} ${toClient(pair)} jump from-${link} ${comment(`link ${link}, answers`)}`,
  ]);
}

function openChains({ link }: WiredLink, { newPerSecond, newAtOnce }: Limits): readonly Chain[] {
  const sessions = `sessions-${link}`;
  const passing = (key: string) => [
    `${END} ${key} @${sessions} update @ended-${link} { ${key} } update @${sessions} { ${key} timeout ${ENDED_TIMEOUT} } accept`,
    `${key} @ended-${link} ${key} @${sessions} accept ${comment("the last segments of it")}`,
    `${key} @${sessions} update @${sessions} { ${key} } accept`,
    `counter drop ${comment(`link ${link}: no session`)}`,
  ];
  return [
    {
      name: `to-${link}`,
      rules: [
        `${SYN} update @starts-${link} { ip saddr limit rate over ${newPerSecond}/second burst ${newAtOnce} packets } counter drop ${comment(`link ${link}: too many new connections`)}`,
        // A full set takes no further session, and the rule ends there.
        `${SYN} update @${sessions} { ${OPENED} } accept`,
        ...passing(OPENED),
      ],
    },
    { name: `from-${link}`, rules: passing(ANSWERED) },
  ];
}

/** The chains stay, so that the table's structure is the same in every phase. */
function closedChains({ link }: WiredLink): readonly Chain[] {
  return [
    { name: `to-${link}`, rules: [] },
    { name: `from-${link}`, rules: [] },
  ];
}
