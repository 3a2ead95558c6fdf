import { wireError } from "../wire-error.ts";
import { type Connection, resetIsPlausible } from "./connection.ts";
import { ConnectionTable } from "./connection-table.ts";
import {
  type CloseReason,
  type Direction,
  type Endpoint,
  type Flow,
  opposite,
  type ReassemblyLimits,
  type SkipReason,
} from "./flow.ts";
import { GapWatch } from "./gap-watch.ts";
import type { HeldBudget } from "./held-segments.ts";
import type { PacketView } from "./packet-view.ts";
import type { ReassemblySink } from "./sink.ts";
import { TCP_FLAG } from "./tcp.ts";
import { dstIpOf, dstMacOf, srcIpOf, srcMacOf } from "./tcp-frame.ts";

const { SYN, ACK, FIN, RST, URG } = TCP_FLAG;
const STATES = ["closed", "opening", "open"] as const;

/**
 * Follows TCP connections: located segments in, calls of the sink out. What cannot be seen is said, never guessed.
 * @see RFC 9293
 */
export class TcpTracker {
  readonly #limits: ReassemblyLimits;
  readonly #serverPorts: ReadonlySet<number>;
  readonly #sink: ReassemblySink;
  readonly #budget: HeldBudget;
  readonly #table: ConnectionTable;
  readonly #gaps: GapWatch;
  #nextId = 1;
  #timeMs = 0;
  #frame = 0;
  #unfilled = 0;

  constructor(limits: ReassemblyLimits, serverPorts: ReadonlySet<number>, sink: ReassemblySink, seed: number) {
    this.#limits = limits;
    this.#serverPorts = serverPorts;
    this.#sink = sink;
    this.#gaps = new GapWatch(sink);
    this.#budget = { bytes: 0, max: limits.maxTotalHeldBytes };
    this.#table = new ConnectionTable(limits, this.#budget, seed);
  }

  get flows(): number {
    return this.#table.size;
  }
  get heldBytes(): number {
    return this.#budget.bytes;
  }
  /** Segments taken though their checksum was not filled in. */
  get unfilled(): number {
    return this.#unfilled;
  }

  /** When the first of the gaps that may still close was noticed; undefined: there is none. */
  get gapSinceMs(): number | undefined {
    return this.#gaps.sinceMs;
  }

  /** Takes a located TCP segment. */
  segment(view: PacketView, timeMs: number, frame: number): void {
    this.#timeMs = timeMs;
    this.#frame = frame;
    const known = this.#table.find(view);
    if (known !== undefined && !this.#takesChecksum(known, view)) return;
    if ((view.flags & SYN) !== 0) {
      if ((view.flags & ACK) !== 0) this.#synAck(view, known);
      else this.#syn(view, known);
      return;
    }
    const hasPayload = view.end > view.dataAt;
    // A bare ACK, FIN or RST of an unknown connection is the tail of one that is over.
    if (known === undefined && !hasPayload) return;
    if ((view.flags & (ACK | RST)) === 0 && (hasPayload || (view.flags & FIN) !== 0)) return this.#skip("no-ack", view);
    const continued = this.#reopened(known, view) ?? this.#continues(known, view);
    const connection = continued ?? this.#add(view, this.#guessFromClient(view), known);
    if (continued !== undefined) this.#table.touch(connection, timeMs);
    const direction = this.#directionOf(connection, view);
    if ((view.flags & RST) !== 0) {
      this.#rst(connection, direction, view);
    } else {
      if ((view.flags & ACK) !== 0) this.#acknowledge(connection, opposite(direction), view.ack);
      if (connection.state === "closed") return;
      if ((view.flags & URG) !== 0) this.#urgent(connection, direction);
      this.#payload(connection, direction, view, view.seq);
    }
  }

  /** Lets time pass: gaps that stay too long turn blind, silent connections are forgotten. */
  sweep(timeMs: number): void {
    this.#timeMs = timeMs;
    this.#gaps.judgeAll(timeMs, this.#frame);
    for (const state of STATES) {
      for (let c = this.#table.oldest(state); c !== undefined; c = this.#table.oldest(state)) {
        if (timeMs - c.lastSeenMs <= this.#limits.idleTimeoutMs) break;
        this.#close(c, "idle");
        this.#remove(c);
      }
    }
  }

  /** The capture is over: gaps that are open stay open. Connections do not close by it. */
  end(): void {
    this.#gaps.closeAll(this.#timeMs, this.#frame);
  }

  /** What an acknowledgement proves to be missing is given up before the bytes that came with it. */
  #acknowledge(connection: Connection, direction: Direction, ack: number): void {
    const half = connection.half(direction);
    half.acknowledge(ack, this.#timeMs);
    if (this.#limits.afterGap === "resume" && half.hasGap) this.#gaps.judge(connection, this.#timeMs, this.#frame);
  }

  /** The byte that the pointer means is in the stream of one receiver and not in that of another; Linux and BSD leave it out. */
  #urgent(connection: Connection, direction: Direction): void {
    const half = connection.half(direction);
    if (half.blind) return;
    if (connection.state === "opening") this.#open(connection, true);
    half.doubt();
    this.#sink.blind(connection.flow, direction, "urgent", this.#timeMs, this.#frame);
  }

  #directionOf(connection: Connection, view: PacketView): Direction {
    return connection.isFromClient(view) ? "client-to-server" : "server-to-client";
  }

  /** The known connection, unless it is closed and the frame carries bytes past its end. */
  #continues(known: Connection | undefined, view: PacketView): Connection | undefined {
    const bytes = view.end - view.dataAt;
    if (known === undefined || known.state !== "closed" || bytes === 0) return known;
    return known.half(this.#directionOf(known, view)).isOld(view.seq + bytes) ? known : undefined;
  }

  /** The client goes on from a SYN whose answer the capture missed: only a server's answer makes a client do so. */
  #reopened(known: Connection | undefined, view: PacketView): Connection | undefined {
    if (this.#limits.afterGap === "blind" || known?.newIsn === undefined || known.state !== "open") return undefined;
    if (view.seq !== (known.newIsn + 1) >>> 0 || !known.isFromClient(view)) return undefined;
    this.#close(known, "reused");
    const connection = this.#add(view, true, known);
    connection.clientIsn = known.newIsn;
    connection.up.start(view.seq);
    connection.down.start(view.ack);
    this.#open(connection, true);
    return connection;
  }

  #syn(view: PacketView, known: Connection | undefined): void {
    if ((view.flags & (FIN | RST)) !== 0) return this.#skip("unexpected-syn", view);
    if (known?.state === "open") {
      // RFC 9293 §3.10.7.4: the server challenges it. Only its SYN-ACK proves that a new connection began.
      if (view.seq === known.clientIsn) return;
      known.newIsn = view.seq;
      this.#skip("unexpected-syn", view);
      return;
    }
    const isRetry = known?.state === "opening" && known.isFromClient(view);
    const connection = isRetry ? known : this.#add(view, true, known);
    if (isRetry) this.#table.touch(connection, this.#timeMs);
    connection.clientIsn = view.seq;
    connection.up.start(view.seq + 1);
    // Bytes in a SYN count when the server acknowledges them with it, RFC 7413 §4.1.1. A copy, because that is a later frame.
    if (view.end > view.dataAt) connection.synData = Buffer.from(view.bytes.subarray(view.dataAt, view.end));
  }

  #synAck(view: PacketView, known: Connection | undefined): void {
    const isn = (view.ack - 1) >>> 0;
    if (this.#serverPorts.has(view.dstPort) && !this.#serverPorts.has(view.srcPort))
      return this.#skip("unexpected-syn", view);
    if (known?.state === "open" && known.newIsn === isn) {
      this.#close(known, "reused");
      const { newIsn } = known;
      const reopened = this.#add(view, false, known);
      reopened.clientIsn = newIsn;
      this.#established(reopened, view);
      return;
    }
    if (known !== undefined && known.state !== "opening" && known.clientIsn === isn) return; // sent again
    if (known?.state === "open") {
      this.#skip("unexpected-syn", view);
      return;
    }
    const answers = known?.state === "opening" && !known.isFromClient(view);
    const connection = answers ? known : this.#add(view, false, known);
    if (answers) this.#table.touch(connection, this.#timeMs);
    this.#established(connection, view);
  }

  /**
   * The SYN-ACK tells where both directions start; the server's word on the client's start decides. Whether bytes in the SYN that it does
   * not acknowledge are kept or dropped is the server's own affair, so that such a connection is one joined late.
   */
  #established(connection: Connection, view: PacketView): void {
    const { clientIsn, synData, flow } = connection;
    const early = synData?.length ?? 0;
    const sawSyn = clientIsn !== undefined && view.ack === (clientIsn + 1 + early) >>> 0;
    connection.synData = undefined;
    connection.clientIsn = (view.ack - 1) >>> 0;
    connection.up.start(sawSyn ? view.ack - early : view.ack);
    connection.down.start(view.seq + 1);
    this.#open(connection, !sawSyn);
    if (sawSyn && synData !== undefined) {
      connection.up.delivered(synData);
      this.#sink.data(flow, "client-to-server", synData, this.#timeMs, this.#frame);
      connection.up.acknowledge(view.ack, this.#timeMs);
    }
    this.#payload(connection, "server-to-client", view, (view.seq + 1) >>> 0);
  }

  #open(connection: Connection, joinedLate: boolean): void {
    this.#table.setState(connection, "open");
    this.#sink.open(connection.flow, joinedLate, this.#timeMs, this.#frame);
  }

  #payload(connection: Connection, direction: Direction, view: PacketView, seq: number): void {
    const half = connection.half(direction);
    const length = view.end - view.dataAt;
    const isFin = (view.flags & FIN) !== 0;
    if (length > 0) {
      if (connection.state === "opening") this.#open(connection, true);
      const payload = view.bytes.subarray(view.dataAt, view.end);
      if (half.isNext(seq)) {
        half.delivered(payload);
        this.#sink.data(connection.flow, direction, payload, this.#timeMs, this.#frame);
      } else {
        this.#outOfOrder(connection, direction, view, seq, payload);
      }
    }
    if (isFin) half.fin((seq + length) >>> 0, this.#timeMs);
    if (connection.up.isSuspect || connection.down.isSuspect) this.#gaps.judge(connection, this.#timeMs, this.#frame);
    if (connection.up.finished && connection.down.finished) this.#close(connection, "fin");
  }

  #outOfOrder(connection: Connection, direction: Direction, view: PacketView, seq: number, payload: Buffer): void {
    const { flow } = connection;
    const { delivered, differingBytes, outside } = connection
      .half(direction)
      .accept(seq, payload, this.#timeMs, this.#frame);
    if (outside) this.#skip("out-of-window", view);
    if (differingBytes > 0) this.#sink.overlap(flow, direction, differingBytes, this.#timeMs, this.#frame);
    for (const bytes of delivered) this.#sink.data(flow, direction, bytes, this.#timeMs, this.#frame);
  }

  #rst(connection: Connection, direction: Direction, view: PacketView): void {
    if (resetIsPlausible(connection.half(direction), view.seq, connection.state)) this.#close(connection, "rst");
    else this.#skip("unexpected-rst", view);
  }

  #close(connection: Connection, reason: CloseReason): void {
    const { flow, state } = connection;
    this.#table.setState(connection, "closed");
    if (state !== "open") return;
    this.#gaps.close(connection, this.#timeMs, this.#frame);
    connection.up.forget();
    connection.down.forget();
    this.#sink.close(flow, reason, this.#timeMs, this.#frame);
  }

  #remove(connection: Connection): void {
    this.#gaps.forget(connection);
    this.#table.remove(connection);
  }

  #skip(reason: SkipReason, view: PacketView): void {
    this.#sink.skipped(reason, srcIpOf(view), dstIpOf(view), null, this.#timeMs, this.#frame);
  }

  #takesChecksum(connection: Connection, view: PacketView): boolean {
    const takes = connection.takesChecksum(view);
    if (takes && view.unfilled) this.#unfilled += 1;
    if (!takes) {
      const error = wireError("PK_TCP_CHECKSUM", 0, "RFC 9293 §3.1");
      this.#sink.skipped("malformed", srcIpOf(view), dstIpOf(view), error, this.#timeMs, this.#frame);
    }
    return takes;
  }

  #guessFromClient(view: PacketView): boolean {
    const toServer = this.#serverPorts.has(view.dstPort);
    const fromServer = this.#serverPorts.has(view.srcPort);
    return toServer === fromServer ? view.dstPort <= view.srcPort : toServer;
  }

  #add(view: PacketView, fromClient: boolean, known: Connection | undefined): Connection {
    const src: Endpoint = { mac: srcMacOf(view), ip: srcIpOf(view), port: view.srcPort };
    const dst: Endpoint = { mac: dstMacOf(view), ip: dstIpOf(view), port: view.dstPort };
    const id = this.#nextId;
    this.#nextId += 1;
    const flow: Flow = fromClient ? { id, client: src, server: dst } : { id, client: dst, server: src };
    if (known !== undefined) this.#gaps.forget(known);
    else if (this.#table.size >= this.#limits.maxFlows) this.#evict();
    const connection = this.#table.add(view, flow, fromClient, known, this.#timeMs);
    connection.takesChecksum(view);
    // In the place of a known connection the segment was counted as one of that.
    if (known === undefined && view.unfilled) this.#unfilled += 1;
    return connection;
  }

  /** Makes room: closed connections first, then ones that never opened (a SYN flood), then the longest silent. */
  #evict(): void {
    for (const state of STATES) {
      const oldest = this.#table.oldest(state);
      if (oldest === undefined) continue;
      this.#close(oldest, "evicted");
      this.#remove(oldest);
      return;
    }
  }
}
