import { formatIpv4, formatIpv6 } from "./address.ts";
import { DEFAULT_REASSEMBLY_LIMITS, type ReassemblyEvent, type ReassemblyLimits, type SkipReason } from "./flow.ts";
import { type FragmentRefusal, FragmentTable } from "./fragments.ts";
import { IP_PROTOCOL } from "./ipv4.ts";
import { locateUpperLayer } from "./ipv6.ts";
import { LINK_TYPE } from "./link-type.ts";
import { type ChecksumRule, PacketView } from "./packet-view.ts";
import { EventList, type ReassemblySink } from "./sink.ts";
import { type Located, locateFrame, locateTransport } from "./tcp-frame.ts";
import { TcpTracker } from "./tcp-tracker.ts";
import { isTunnelled } from "./tunnel.ts";

/** Options of a reassembler: its bounds, and how it reads frames. */
export interface ReassemblerOptions extends Partial<ReassemblyLimits> {
  /**
   * What to do with wrong checksums. `true` (the default, for a mirror port): such a frame is skipped, as its receiver drops it.
   * `"auto"` (for files): a direction whose checksums are all wrong was captured before the network card of its sender filled them in, or
   * the capture was rewritten (addresses made anonymous); it is taken, counted and said (`checksumNote`). Once a direction has had a right one,
   * wrong ones are skipped again. An attacker who can put such a segment first is then believed: that is why a live
   * mirror is not read so. `false`: not looked at, as Wireshark does.
   */
  readonly verifyChecksums?: ChecksumRule;
  /** ports that belong to servers, to tell the sides of a flow joined late; default 502 and 4840, else the lower port */
  readonly serverPorts?: readonly number[];
}

/** What is known of a frame beside its bytes; a `CapturedFrame` fits. */
export interface FrameOrigin {
  /** one of `LINK_TYPE`; default Ethernet */
  readonly linkType?: number;
  /** of the frame in its capture, carried by the events; default 0 */
  readonly number?: number;
  /** bytes on the wire; above those given when the capture cut the frame */
  readonly originalLength?: number;
}

/** Counters since the start. Each frame is one of segment, other, fragment, malformed, cut and linkType. */
export interface ReassemblerStats {
  readonly frames: number;
  /** TCP segments that came whole in a frame */
  readonly segments: number;
  /** neither TCP nor a fragment: ARP, LLDP, UDP … */
  readonly other: number;
  /** of the others: may carry TCP within what is not read here (PPPoE, MPLS, LLC/SNAP, IP in IP, GRE, ESP, VXLAN) */
  readonly tunnelled: number;
  readonly fragments: number;
  /** datagrams put together from fragments */
  readonly reassembled: number;
  readonly malformed: number;
  /** of the malformed: shortened by the capture itself */
  readonly cut: number;
  /** of a link type that is not read here */
  readonly linkType: number;
  /** segments taken though a checksum is wrong, see `verifyChecksums` */
  readonly unfilledChecksums: number;
  /** connections in the table */
  readonly flows: number;
  /** bytes held behind gaps, and of datagrams not yet whole */
  readonly heldBytes: number;
}

const DEFAULT_SERVER_PORTS: readonly number[] = [502, 4840];
const SWEEP_MS = 1000;
const TCP_HEADER_BYTES = 20;
const NOTHING: readonly ReassemblyEvent[] = [];

/**
 * Passive TCP reassembly: captured frames in, events out. Asks no clock; `timeMs` is the capture time.
 * Every table is bounded. What cannot be seen is reported (`blind`, `joinedLate`, `skipped`), never guessed.
 * @see RFC 9293, RFC 791, RFC 8200
 */
export class TcpReassembler {
  readonly #verify: ChecksumRule;
  readonly #view = new PacketView();
  readonly #list: EventList | undefined;
  readonly #sink: ReassemblySink;
  readonly #tracker: TcpTracker;
  readonly #fragments: FragmentTable;
  readonly #count = {
    frames: 0,
    segments: 0,
    other: 0,
    tunnelled: 0,
    fragments: 0,
    reassembled: 0,
    malformed: 0,
    cut: 0,
    linkType: 0,
  };
  #timeMs = 0;
  #number = 0;
  #nextSweepMs: number | undefined;

  /** With a `sink`, what is seen goes there, and `push`, `tick` and `end` answer nothing. */
  constructor(options: ReassemblerOptions = {}, sink?: ReassemblySink) {
    const { verifyChecksums, serverPorts, ...given } = options;
    const limits: ReassemblyLimits = { ...DEFAULT_REASSEMBLY_LIMITS, ...given };
    this.#verify = verifyChecksums ?? true;
    this.#list = sink === undefined ? new EventList() : undefined;
    this.#sink = sink ?? this.#list ?? new EventList();
    const seed = Math.floor(Math.random() * 0x100000000);
    this.#tracker = new TcpTracker(limits, new Set(serverPorts ?? DEFAULT_SERVER_PORTS), this.#sink, seed);
    this.#fragments = new FragmentTable(limits, (reason, datagram, version) =>
      this.#refused(reason, datagram, version),
    );
  }

  get stats(): ReassemblerStats {
    const { flows, unfilled, heldBytes } = this.#tracker;
    const held = heldBytes + this.#fragments.bytes;
    return { ...this.#count, unfilledChecksums: unfilled, flows, heldBytes: held };
  }

  /** When the first of the gaps that may still close was noticed: what comes behind it waits. undefined: there is none. */
  get gapSinceMs(): number | undefined {
    return this.#tracker.gapSinceMs;
  }

  /** Says that checksums were not filled in, if so. */
  get checksumNote(): string | undefined {
    const { unfilled } = this.#tracker;
    if (unfilled === 0) return undefined;
    return `${unfilled} segments have wrong checksums, as their whole direction has: captured before the network card of their sender filled them in, or rewritten since; capture on a mirror port to be sure`;
  }

  /** Takes one captured frame; returns what it caused, in order. Passing capture time is noticed by itself, about once a second. */
  push(bytes: Buffer, timeMs: number, origin?: FrameOrigin): readonly ReassemblyEvent[] {
    const view = this.#view;
    this.#timeMs = timeMs;
    this.#number = origin?.number ?? 0;
    this.#count.frames += 1;
    this.#passTime(timeMs);
    const located = locateFrame(view, bytes, origin?.linkType ?? LINK_TYPE.ETHERNET, this.#verify);
    if (located === "tcp") {
      this.#count.segments += 1;
      this.#tracker.segment(view, timeMs, this.#number);
    } else this.#notWhole(located, bytes, origin);
    return this.#list?.take() ?? NOTHING;
  }

  /** Lets time pass without a frame: gaps that stay too long turn blind, silent connections are forgotten. */
  tick(timeMs: number): readonly ReassemblyEvent[] {
    this.#timeMs = timeMs;
    this.#tracker.sweep(timeMs);
    this.#fragments.expire(timeMs);
    return this.#list?.take() ?? NOTHING;
  }

  /** The capture is over: says which bytes never came. Connections that are open stay so. */
  end(): readonly ReassemblyEvent[] {
    this.#fragments.end();
    this.#tracker.end();
    return this.#list?.take() ?? NOTHING;
  }

  #passTime(timeMs: number): void {
    const due = this.#nextSweepMs;
    // A clock that was set back begins anew.
    if (due !== undefined && timeMs < due && due - timeMs <= SWEEP_MS) return;
    this.#nextSweepMs = timeMs + SWEEP_MS;
    if (due === undefined || timeMs < due) return;
    this.#tracker.sweep(timeMs);
    this.#fragments.expire(timeMs);
  }

  #notWhole(located: Exclude<Located, "tcp">, bytes: Buffer, origin: FrameOrigin | undefined): void {
    switch (located) {
      case "other":
        this.#count.other += 1;
        if (isTunnelled(this.#view)) this.#count.tunnelled += 1;
        return;
      case "fragment":
        this.#count.fragments += 1;
        this.#fragment();
        return;
      case "refused": {
        const isCut = bytes.length < (origin?.originalLength ?? 0);
        if (this.#view.error?.code === "PK_LINK_TYPE") {
          this.#count.linkType += 1;
          this.#skip("link-type");
        } else {
          if (isCut) this.#count.cut += 1;
          else this.#count.malformed += 1;
          this.#skip(isCut ? "cut" : "malformed");
        }
      }
    }
  }

  #fragment(): void {
    const view = this.#view;
    if (this.#fragments.add(view, this.#timeMs) !== "complete") return;
    this.#count.reassembled += 1;
    if (view.ipVersion === 6) {
      if (!locateUpperLayer(view, view.protocol, view.payloadAt)) return this.#skip("fragment-malformed");
      // "…the first fragment MUST include the entire IPv6 header chain", else it is there to pass filters by. RFC 7112 §5
      const isTcp = view.protocol === IP_PROTOCOL.TCP;
      if (view.isFragment || (isTcp && view.payloadAt + TCP_HEADER_BYTES > view.firstFragmentEnd))
        return this.#skip("fragment-malformed");
    }
    const located = locateTransport(view, this.#verify);
    if (located === "tcp") this.#tracker.segment(view, this.#timeMs, this.#number);
    else if (located === "refused") this.#skip("malformed");
  }

  #skip(reason: SkipReason): void {
    this.#sink.skipped(reason, null, null, this.#view.error ?? null, this.#timeMs, this.#number);
  }

  #refused(reason: FragmentRefusal, datagram: Buffer, version: 4 | 6): void {
    const src = version === 4 ? formatIpv4(datagram, 0) : formatIpv6(datagram, 0);
    const dst = version === 4 ? formatIpv4(datagram, 4) : formatIpv6(datagram, 16);
    this.#sink.skipped(reason, src, dst, null, this.#timeMs, this.#number);
  }
}
