import type { Direction, Flow, ReassemblyLimits } from "./flow.ts";
import type { HeldBudget } from "./held-segments.ts";
import type { PacketView } from "./packet-view.ts";
import { sequenceDistance } from "./sequence.ts";
import { StreamHalf } from "./stream-half.ts";

/** How far a connection is: `opening` until the handshake or data were seen, `closed` while late segments may come. */
export type ConnectionState = "opening" | "open" | "closed";

/** What a direction's checksums were like, for `verifyChecksums: "auto"`. */
type ChecksumHabit = "unknown" | "filled" | "unfilled";

/** A connection in the table of a reassembler; state only, judged by `TcpTracker`. */
export class Connection {
  readonly flow: Flow;
  readonly up: StreamHalf;
  readonly down: StreamHalf;
  /** changed through the table, which keeps a list of each */
  state: ConnectionState = "opening";
  lastSeenMs: number;
  /** initial sequence number of the client, if its SYN was seen */
  clientIsn: number | undefined;
  /** bytes of its SYN, until the server answers that */
  synData: Buffer | undefined;
  /** initial sequence number of a SYN within an open connection; becomes a new connection if the server answers it */
  newIsn: number | undefined;
  #upHabit: ChecksumHabit = "unknown";
  #downHabit: ChecksumHabit = "unknown";
  /** client and server address, as in the IP header */
  readonly addresses: Buffer;
  /** the same as one number each, `addressWord` */
  readonly clientWord: number;
  readonly serverWord: number;
  readonly hash: number;

  // Links of the table's chains and lists.
  nextInBucket: Connection | undefined;
  older: Connection | undefined;
  newer: Connection | undefined;

  constructor(
    flow: Flow,
    key: {
      readonly addresses: Buffer;
      readonly clientWord: number;
      readonly serverWord: number;
      readonly hash: number;
    },
    limits: ReassemblyLimits,
    budget: HeldBudget,
    timeMs: number,
  ) {
    this.flow = flow;
    this.up = new StreamHalf(limits, budget, limits.unacknowledgedBytes);
    this.down = new StreamHalf(limits, budget, 0);
    this.lastSeenMs = timeMs;
    this.addresses = key.addresses;
    this.clientWord = key.clientWord;
    this.serverWord = key.serverWord;
    this.hash = key.hash;
    this.clientIsn = undefined;
    this.newIsn = undefined;
    this.synData = undefined;
    this.nextInBucket = undefined;
    this.older = undefined;
    this.newer = undefined;
  }

  half(direction: Direction): StreamHalf {
    return direction === "client-to-server" ? this.up : this.down;
  }

  /** True: a frame of this connection was sent by its client. */
  isFromClient(view: PacketView): boolean {
    const { srcPort, srcWord, srcAt } = view;
    return srcPort === this.flow.client.port && srcWord === this.clientWord && this.#isAt(view, srcAt, 0);
  }

  /**
   * Whether a segment is taken for its checksum. A direction whose checksums were never filled in is one that was captured before its
   * network card. A direction that filled them in once does so always: a wrong one is then what its receiver drops.
   */
  takesChecksum(view: PacketView): boolean {
    const fromClient = this.isFromClient(view);
    const habit = fromClient ? this.#upHabit : this.#downHabit;
    if (habit !== "unknown") return !(view.unfilled && habit === "filled");
    if (fromClient) this.#upHabit = view.unfilled ? "unfilled" : "filled";
    else this.#downHabit = view.unfilled ? "unfilled" : "filled";
    return true;
  }

  /** The address at `at` of the view is the client's (`side` 0) or the server's (1). An IPv4 address is its word. */
  #isAt(view: PacketView, at: number, side: 0 | 1): boolean {
    const size = this.addresses.length / 2;
    if (view.ipVersion === 4) return size === 4;
    return size === 16 && view.bytes.compare(this.addresses, side * size, (side + 1) * size, at, at + size) === 0;
  }

  /** True: the frame belongs to this connection, in one direction or the other. */
  owns(view: PacketView): boolean {
    const { client, server } = this.flow;
    const { srcPort, dstPort, srcAt, dstAt, srcWord, dstWord } = view;
    const { clientWord, serverWord } = this;
    const isUp = srcPort === client.port && dstPort === server.port && srcWord === clientWord && dstWord === serverWord;
    if (isUp && this.#isAt(view, srcAt, 0) && this.#isAt(view, dstAt, 1)) return true;
    const isDown =
      srcPort === server.port && dstPort === client.port && srcWord === serverWord && dstWord === clientWord;
    return isDown && this.#isAt(view, srcAt, 1) && this.#isAt(view, dstAt, 0);
  }
}

/** RFC 5961 §3.2: a receiver resets only on the exact next sequence number. Where we lost the thread ourselves we
 *  cannot tell, and take the RST for good: what follows would be reported as a flow joined late. */
export function resetIsPlausible(half: StreamHalf, seq: number, state: ConnectionState): boolean {
  if (state !== "open" || half.next === undefined || half.blind || half.hasGap) return true;
  const offset = sequenceDistance(seq, half.next);
  return offset === 0 || (half.finished && offset === 1);
}
