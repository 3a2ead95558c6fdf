import { err, ok, type Result } from "#specs/result.ts";
import type { Nft } from "./nft.ts";
import type { PacketSite } from "./site.ts";

/** What this kernel's nftables can do of what we use where we can. */
export interface Features {
  /** Count of a client's connections (`ct count`). */
  readonly connectionCount: boolean;
  /** Rate of new connections by client (`limit` in a dynamic set). */
  readonly rateLimit: boolean;
  /** Tables of the family `arp`. */
  readonly arp: boolean;
}

/** Of any kernel of the last years that has all of nftables; what `generate` assumes. */
export const ALL_FEATURES: Features = { connectionCount: true, rateLimit: true, arp: true };

/** The probe's own table is never made: `nft -c` has the kernel check it and goes no further. */
const PROBE = "sekisho-probe";
const inChain = (family: string, hook: string, rule: string, sets = "") =>
  `table ${family} ${PROBE} {\n${sets}chain c {\n${hook}\n${rule}\n}\n}\n`;
const FORWARD = "type filter hook forward priority filter; policy accept;";
const STARTS = "set s {\ntype ipv4_addr\nsize 64\nflags dynamic,timeout\ntimeout 1m\n}\n";
const CLIENTS = "set s {\ntype ipv4_addr\nsize 64\nflags dynamic\n}\n";

interface Need {
  readonly what: string;
  readonly text: string;
}

const NAT: Need = {
  what: "address translation",
  text: inChain(
    "inet",
    "type nat hook prerouting priority dstnat; policy accept;",
    "tcp dport 502 dnat ip to 192.0.2.1:1502",
  ),
};
const RESET: Need = {
  what: "connection tracking and resets in the family inet",
  text: inChain("inet", FORWARD, "meta l4proto tcp ct state established reject with tcp reset"),
};
const SESSIONS: Need = {
  what: "sets that rules write to in the family bridge",
  text: inChain(
    "bridge",
    FORWARD,
    "tcp dport 502 update @s { ip saddr limit rate over 10/second burst 20 packets } drop",
    STARTS,
  ),
};

const CONNECTION_COUNT = inChain("inet", FORWARD, "ct state new add @s { ip saddr ct count over 8 } drop", CLIENTS);
const RATE_LIMIT = inChain(
  "inet",
  FORWARD,
  "update @s { ip saddr limit rate over 10/second burst 20 packets } drop",
  STARTS,
);
const ARP = inChain("arp", "type filter hook input priority filter; policy accept;", "arp operation reply accept");
const BRIDGE_TRACKING = inChain("bridge", FORWARD, "ct state established accept");

export interface Probed {
  readonly features: Features;
  /** What is done without, a sentence each. */
  readonly without: readonly string[];
}

/** Asks the kernel. The error is one sentence: something is missing that nothing can stand in for. */
export async function probe(nft: Nft, { mode, filter }: PacketSite): Promise<Result<Probed, string>> {
  const needs = mode === "bridge" ? [SESSIONS] : [RESET, ...(filter === undefined ? [] : [NAT])];
  for (const { what, text } of needs) {
    const has = await nft(["-c", "-f", "-"], text);
    if (!has.ok) return err(`this kernel's nftables cannot be used in mode \`${mode}\`: ${what} (${has.error})`);
  }
  const has = async (text: string) => (await nft(["-c", "-f", "-"], text)).ok;
  if (mode === "bridge") {
    const tracking = await has(BRIDGE_TRACKING);
    const without = tracking
      ? []
      : ["this kernel does not track connections on a bridge: sessions are remembered in sets of our own"];
    return ok({ features: ALL_FEATURES, without });
  }
  const features: Features = {
    connectionCount: await has(CONNECTION_COUNT),
    rateLimit: await has(RATE_LIMIT),
    arp: await has(ARP),
  };
  return ok({ features, without: withoutInWords(features) });
}

function withoutInWords({ connectionCount, rateLimit, arp }: Features): readonly string[] {
  return [
    ...(connectionCount
      ? []
      : ["this kernel does not count connections: only their rate and the filter's own limit hold"]),
    ...(rateLimit ? [] : ["this kernel does not limit rates by client: only the number of connections is limited"]),
    ...(arp
      ? []
      : [
          "this kernel has no tables for ARP: set the declared addresses as permanent neighbours (`ip neigh replace … nud permanent`)",
        ]),
  ];
}
