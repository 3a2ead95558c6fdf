import type { SkipReason } from "#wire/packet/index.ts";
import type { Counts } from "./counts.ts";

const SKIPPED: Readonly<Record<SkipReason, string>> = {
  "fragment-overlap": "IP datagrams with overlapping fragments",
  "fragment-incomplete": "IP datagrams of which fragments are missing",
  "fragment-limit": "IP datagrams in more fragments than the bounds",
  "fragment-malformed": "IP datagrams with malformed fragments",
  malformed: "malformed headers or wrong checksums",
  "link-type": "frames of a link type that is not read",
  cut: "frames cut by the capture before their end",
  "no-ack": "segments with bytes and no ACK, which their receiver drops",
  "out-of-window": "segments far from the bytes around them",
  "unexpected-syn": "unanswered SYN within a connection",
  "unexpected-rst": "RST that its receiver would not accept",
};
const MISSING: Readonly<Partial<Record<string, string>>> = {
  gap: "not in the capture",
  "out-of-order-limit": "with more behind them than is held",
};
/** Ports that are named one by one. */
const NAMED_PORTS = 12;

/** What was read and everything that was not, one line each, for people. */
export function summaryLines(counts: Counts): readonly string[] {
  const { unread } = counts;
  const skipped = Object.entries(counts.skipped).map(([reason, n]) => `${n} ${nameOf(reason)}`);
  const blind = Object.entries(counts.blind).map(([reason, n]) => `${n} ${MISSING[reason] ?? reason}`);
  return [
    `${of(counts.frames, "frame")}, ${of(counts.bytes, "byte")}; ${of(counts.flows, "TCP connection")}; ${of(counts.messages, "line")}, ${counts.errors} with an error`,
    ...some(counts.cutFrames, `${of(counts.cutFrames, "frame")} shorter than on the wire`),
    ...some(counts.other, `${of(counts.other, "frame")} without TCP`),
    ...some(
      counts.tunnelled,
      `of these in a tunnel that is not read (PPPoE, MPLS, LLC/SNAP, IP in IP, GRE, ESP, VXLAN): ${of(counts.tunnelled, "frame")}`,
    ),
    ...some(skipped.length, `skipped: ${skipped.join(", ")}`),
    ...some(counts.joinedLate, `joined late: ${of(counts.joinedLate, "connection")}`),
    ...some(blind.length, `bytes missing: ${of(sum(counts.blind), "gap")} (${blind.join(", ")})`),
    ...some(unread.bytes, `not part of any message: ${of(unread.bytes, "byte")}`),
    ...some(unread.resynchronised, `framing found again: ${of(unread.resynchronised, "direction")}`),
    ...some(
      counts.differingBytes,
      `sent again with other content: ${of(counts.differingBytes, "byte")}; the first ones count`,
    ),
    ...some(unread.unanswered, `without an answer: ${of(unread.unanswered, "request")}`),
    ...some(unread.unsolicited, `without a request: ${of(unread.unsolicited, "response")}`),
    ...some(counts.encrypted, `encrypted: ${of(counts.encrypted, "message")}`),
    ...(counts.checksumNote === undefined ? [] : [counts.checksumNote]),
    ...otherPorts(counts),
  ];
}

function otherPorts({ otherPorts, otherPortBytes, otherPortsBeyond }: Counts): readonly string[] {
  if (otherPorts.size === 0) return [];
  const ports = [...otherPorts].sort(([, a], [, b]) => b.flows - a.flows);
  const rest = ports.length - NAMED_PORTS;
  const named = ports.slice(0, NAMED_PORTS).map(([port, { flows }]) => `${port} (${flows})`);
  const speaking = (protocol: "modbus" | "opcua") =>
    ports
      .filter(([, port]) => port[protocol] > 0)
      .map(([port]) => `looks like ${protocol}, not decoded: port ${port}; decode it with --${protocol}-port ${port}`);
  return [
    `connections on other ports: ${named.join(", ")}${rest > 0 ? ` and ${rest} more ports` : ""}; ${of(otherPortBytes, "byte")}`,
    ...some(
      otherPortsBeyond,
      `connections on ports beyond the ${otherPorts.size} that are told apart: ${otherPortsBeyond}`,
    ),
    ...speaking("modbus"),
    ...speaking("opcua"),
  ];
}

function nameOf(reason: string): string {
  return Object.entries(SKIPPED).find(([name]) => name === reason)?.[1] ?? reason;
}

function sum(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((total, n) => total + (n ?? 0), 0);
}

function some(n: number, line: string): readonly string[] {
  return n === 0 ? [] : [line];
}

function of(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? "" : "s"}`;
}
