/** Programs that capture: tcpdump says while it runs what the kernel dropped, dumpcap only at its end. */
export type CaptureTool = "tcpdump" | "dumpcap";

export interface CaptureOf {
  /** As the system names the interface. */
  readonly interface: string;
  /** TCP ports of the servers. */
  readonly ports: readonly number[];
  /** Buffer in the kernel, in KiB; default 32,768. */
  readonly bufferKib?: number;
  /**
   * tcpdump only: frames come at once, not up to `CAPTURE_DELAY_MS` later. The kernel then keeps a place of the largest size for each frame,
   * however small: 64 KiB where the card joins segments, so that the buffer holds a few hundred frames.
   */
  readonly immediate?: boolean;
  /** tcpdump only: the user it becomes once it has the interface; undefined: it stays who it is. */
  readonly user?: string;
}

/** Ms for which the kernel may hold a frame back to hand over many at once: tcpdump asks libpcap for a second, dumpcap for a quarter. */
export const CAPTURE_DELAY_MS = 1000;
/** Room for a quarter of a second of a loaded 1 Gbit/s mirror. */
export const DEFAULT_BUFFER_KIB = 32_768;
/** Longest name of an interface, `IFNAMSIZ` less its end; also keeps it from being taken for an option. @see linux/if.h */
const INTERFACE = /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}$/;

export function isInterfaceName(name: string): boolean {
  return INTERFACE.test(name);
}

/** IPv6 headers behind which the filter cannot look for a port: hop-by-hop, routing, fragment, authentication, destination. RFC 8200 §4 */
const IPV6_EXTENSIONS = [0, 43, 44, 51, 60];

/**
 * What of the traffic is looked at: TCP of the servers' ports, fragments, of which only the first has a port, and IPv6 with extension
 * headers; plain, and under one or two VLAN tags. All under three or more: a host takes off as many priority tags as there are. `vlan` shifts
 * what stands after it, so the tagged forms nest. @see pcap-filter(7), IEEE 802.1Q-2022 §6.9.1
 */
export function captureFilter(ports: readonly number[]): string {
  const port = ports.map((p) => `port ${p}`).join(" or ");
  const ipv6 = IPV6_EXTENSIONS.map((next) => `ip6[6] = ${next}`).join(" or ");
  const plain = `(tcp and (${port})) or (ip proto 6 and ip[6:2] & 0x1fff != 0) or (ip6 and (${ipv6}))`;
  return `${plain} or (vlan and (${plain} or (vlan and (${plain} or vlan))))`;
}

/** The program and its arguments. It writes classic pcap to standard output, each frame as soon as it has it. */
export function captureCommand(tool: CaptureTool, of: CaptureOf): readonly string[] {
  const bufferKib = of.bufferKib ?? DEFAULT_BUFFER_KIB;
  const filter = captureFilter(of.ports);
  if (tool === "dumpcap") {
    const mib = String(Math.max(1, Math.round(bufferKib / 1024)));
    return [...["-i", of.interface, "-P", "-q", "-w", "-", "-s", "262144", "-B", mib], ...["-f", filter]];
  }
  const user = of.user === undefined ? [] : ["-Z", of.user];
  const quick = of.immediate === true ? ["-U", "--immediate-mode"] : ["-U"];
  return ["-i", of.interface, ...quick, "-n", "-s", "0", "-B", String(bufferKib), ...user, "-w", "-", filter];
}

const DROPPED = /(\d+) packets? dropped by (?:kernel|interface)/g;
/** dumpcap at its end: `Packets received/dropped on interface 'eth0': 120/3 (pcap:3/dumpcap:0/flushed:0/ps_ifdrop:0) (97.6%)`. */
const DUMPCAP_DROPPED = /Packets received\/dropped on interface .*: \d+\/(\d+)/;

/** How many frames the kernel and the interface have dropped since the start, as a line of the capturing program says; undefined: it does not. */
export function droppedIn(line: string): number | undefined {
  const atEnd = DUMPCAP_DROPPED.exec(line);
  if (atEnd !== null) return Number(atEnd[1]);
  const counts = [...line.matchAll(DROPPED)].map(([, count]) => Number(count));
  return counts.length === 0 ? undefined : counts.reduce((sum, n) => sum + n, 0);
}

/** The capturing program has the interface and can be asked for its counts. */
export function isListening(line: string): boolean {
  return /listening on|Capturing on/.test(line);
}

/** Why a capture ended, in one sentence: what, where, what to do. */
export function captureFault(tool: CaptureTool, name: string, lines: readonly string[], code: number | null): string {
  const text = lines.join("\n");
  if (/permission|not permitted/i.test(text))
    return `interface ${name} cannot be captured from: this user may not; run as root, or give ${tool} the capabilities cap_net_raw and cap_net_admin`;
  if (/disappeared|went down|not up|is down/i.test(text))
    return `interface ${name} is gone or down; it is captured from again when it is back`;
  if (/No such device|doesn't exist|no device|no interface/i.test(text))
    return `interface ${name} does not exist; \`ip link\` lists those there are`;
  if (/couldn't find user|Couldn't find user|unknown user/i.test(text))
    return `interface ${name} cannot be captured from: ${lastOf(lines)}; name a user that exists with --capture-user`;
  const last = lastOf(lines);
  return `${tool} on interface ${name} ended with ${code ?? "a signal"}${last === "" ? "" : ` (${last})`}; it is started again`;
}

function lastOf(lines: readonly string[]): string {
  return (
    lines.findLast((line) => line.trim() !== "" && droppedIn(line) === undefined && !/^\d+ packets/.test(line)) ?? ""
  ).trim();
}
