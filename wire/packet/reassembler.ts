import { type Connection, connectionKey, directionOf, newConnection, opposite } from "./connection.ts";
import {
  type CloseReason,
  DEFAULT_REASSEMBLY_LIMITS,
  type Direction,
  type Endpoint,
  type Flow,
  type ReassemblyEvent,
  type ReassemblyLimits,
  type SkipReason,
} from "./flow.ts";
import { type StreamHalf, sequenceDistance } from "./stream-half.ts";
import { TCP_FLAG } from "./tcp.ts";
import { decodeTcpFrame, type TcpFrame } from "./tcp-frame.ts";

/** Options of a reassembler: its bounds, and how it reads frames. */
export interface ReassemblerOptions extends Partial<ReassemblyLimits> {
  /** Skip frames with wrong checksums, which the receiver would drop; default true. Turn off for captures taken on the
   *  sending host itself, where the network card fills in checksums after the capture. */
  readonly verifyChecksums?: boolean;
  /** ports that belong to servers, to tell the sides of a flow joined late; default 502 and 4840, else the lower port */
  readonly serverPorts?: readonly number[];
}

/** Counters since the start. */
export interface ReassemblerStats {
  readonly frames: number;
  readonly segments: number;
  /** neither TCP nor an IPv4 fragment: ARP, LLDP, UDP, IPv6 … */
  readonly other: number;
  readonly fragments: number;
  readonly malformed: number;
  /** connections in the table */
  readonly flows: number;
}

const DEFAULT_SERVER_PORTS: readonly number[] = [502, 4840];
const has = (frame: TcpFrame, flag: number): boolean => (frame.flags & flag) !== 0;

/**
 * Passive TCP reassembly: captured frames in, events out. Asks no clock; `timeMs` is the capture time.
 * Every table is bounded. What cannot be seen is reported (`blind`, `joinedLate`, `skipped`), never guessed.
 * @see RFC 9293
 */
export class TcpReassembler {
  readonly #limits: ReassemblyLimits;
  readonly #verifyChecksums: boolean;
  readonly #serverPorts: ReadonlySet<number>;
  /** least recently active first */
  readonly #table = new Map<string, Connection>();
  readonly #count = { frames: 0, segments: 0, other: 0, fragments: 0, malformed: 0 };
  #nextId = 1;
  #events: ReassemblyEvent[] = [];

  constructor(options: ReassemblerOptions = {}) {
    const { verifyChecksums, serverPorts, ...limits } = options;
    this.#limits = { ...DEFAULT_REASSEMBLY_LIMITS, ...limits };
    this.#verifyChecksums = verifyChecksums ?? true;
    this.#serverPorts = new Set(serverPorts ?? DEFAULT_SERVER_PORTS);
  }

  get stats(): ReassemblerStats {
    return { ...this.#count, flows: this.#table.size };
  }

  /** Takes one captured Ethernet frame; returns what it caused, in order. */
  push(bytes: Buffer, timeMs: number): readonly ReassemblyEvent[] {
    this.#count.frames += 1;
    const decoded = decodeTcpFrame(bytes, { verifyChecksums: this.#verifyChecksums });
    if (!decoded.ok) {
      this.#count.malformed += 1;
      return [{ kind: "skipped", reason: "malformed", srcIp: null, dstIp: null, error: decoded.error, timeMs }];
    }
    switch (decoded.value.kind) {
      case "other":
        this.#count.other += 1;
        return [];
      case "fragment": {
        this.#count.fragments += 1;
        const { srcIp, dstIp } = decoded.value;
        return [{ kind: "skipped", reason: "fragment", srcIp, dstIp, error: null, timeMs }];
      }
      case "tcp":
        this.#count.segments += 1;
        this.#segment(decoded.value.frame, timeMs);
        return this.#take();
    }
  }

  /** Lets time pass: gaps that stay too long turn blind, silent connections are forgotten. Call about once a second. */
  tick(timeMs: number): readonly ReassemblyEvent[] {
    for (const [key, connection] of this.#table) {
      this.#judge(connection, timeMs);
      if (timeMs - connection.lastSeenMs > this.#limits.idleTimeoutMs) {
        this.#close(connection, "idle", timeMs);
        this.#table.delete(key);
      }
    }
    return this.#take();
  }

  #take(): readonly ReassemblyEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #segment(frame: TcpFrame, timeMs: number): void {
    const key = connectionKey(frame);
    const known = this.#table.get(key);
    if (has(frame, TCP_FLAG.SYN)) {
      if (has(frame, TCP_FLAG.ACK)) this.#synAck(frame, key, known, timeMs);
      else this.#syn(frame, key, known, timeMs);
      return;
    }
    // A bare ACK, FIN or RST of an unknown connection is the tail of one that is over.
    if (known === undefined && frame.payload.length === 0) return;
    const connection = this.#continues(known, frame) ?? this.#add(key, this.#guessFlow(frame), timeMs);
    this.#touch(key, connection, timeMs);
    const direction = directionOf(connection.flow, frame);
    if (has(frame, TCP_FLAG.RST)) {
      this.#rst(connection, direction, frame, timeMs);
    } else if (connection.state !== "closed") {
      if (has(frame, TCP_FLAG.ACK)) connection.halves[opposite(direction)].acknowledge(frame.ack, timeMs);
      this.#payload(connection, direction, frame, frame.seq, timeMs);
    }
  }

  /** The known connection, unless it is closed and the frame carries bytes past its end. */
  #continues(known: Connection | undefined, frame: TcpFrame): Connection | undefined {
    if (known === undefined || known.state !== "closed" || frame.payload.length === 0) return known;
    const end = known.halves[directionOf(known.flow, frame)].next;
    const isOld = end !== undefined && sequenceDistance(frame.seq + frame.payload.length, end) <= 0;
    return isOld ? known : undefined;
  }

  #syn(frame: TcpFrame, key: string, known: Connection | undefined, timeMs: number): void {
    if (known?.state === "open") {
      // RFC 9293 §3.10.7.4: the server challenges it. Only its SYN-ACK proves that a new connection began.
      if (frame.seq === known.clientIsn) return;
      known.newIsn = frame.seq;
      this.#skip("unexpected-syn", frame, timeMs);
      return;
    }
    const isRetry = known?.state === "opening" && directionOf(known.flow, frame) === "client-to-server";
    const connection = isRetry ? known : this.#add(key, this.#flow(frame, true), timeMs);
    this.#touch(key, connection, timeMs);
    connection.clientIsn = frame.seq;
    connection.halves["client-to-server"].start(frame.seq + 1);
    this.#payload(connection, "client-to-server", frame, (frame.seq + 1) >>> 0, timeMs);
  }

  #synAck(frame: TcpFrame, key: string, known: Connection | undefined, timeMs: number): void {
    const isn = (frame.ack - 1) >>> 0;
    if (known?.state === "open" && known.newIsn === isn) {
      this.#close(known, "reused", timeMs);
      this.#established(this.#add(key, this.#flow(frame, false), timeMs), frame, true, timeMs);
      return;
    }
    if (known !== undefined && known.state !== "opening" && known.clientIsn === isn) return; // sent again
    if (known?.state === "open") {
      this.#skip("unexpected-syn", frame, timeMs);
      return;
    }
    const answers = known?.state === "opening" && directionOf(known.flow, frame) === "server-to-client";
    const connection = answers ? known : this.#add(key, this.#flow(frame, false), timeMs);
    this.#touch(key, connection, timeMs);
    this.#established(connection, frame, answers && connection.clientIsn === isn, timeMs);
  }

  /** The SYN-ACK tells where both directions start; the server's word on the client's start decides. */
  #established(connection: Connection, synAck: TcpFrame, sawSyn: boolean, timeMs: number): void {
    connection.clientIsn = (synAck.ack - 1) >>> 0;
    connection.halves["client-to-server"].start(synAck.ack);
    connection.halves["server-to-client"].start(synAck.seq + 1);
    this.#open(connection, !sawSyn, timeMs);
    this.#payload(connection, "server-to-client", synAck, (synAck.seq + 1) >>> 0, timeMs);
  }

  #open(connection: Connection, joinedLate: boolean, timeMs: number): void {
    connection.state = "open";
    this.#events.push({ kind: "open", flow: connection.flow, joinedLate, timeMs });
  }

  #payload(connection: Connection, direction: Direction, frame: TcpFrame, seq: number, timeMs: number): void {
    const half = connection.halves[direction];
    const { flow } = connection;
    if (frame.payload.length > 0 && connection.state === "opening") this.#open(connection, true, timeMs);
    const { delivered, differingBytes, outside } = half.accept(seq, frame.payload, timeMs);
    if (outside) this.#skip("out-of-window", frame, timeMs);
    if (differingBytes > 0) this.#events.push({ kind: "overlap", flow, direction, differingBytes, timeMs });
    for (const bytes of delivered) this.#events.push({ kind: "data", flow, direction, bytes, timeMs });
    if (has(frame, TCP_FLAG.FIN)) half.fin((seq + frame.payload.length) >>> 0, timeMs);
    this.#judge(connection, timeMs);
    const { "client-to-server": up, "server-to-client": down } = connection.halves;
    if (up.finished && down.finished) this.#close(connection, "fin", timeMs);
  }

  #rst(connection: Connection, direction: Direction, frame: TcpFrame, timeMs: number): void {
    if (resetIsPlausible(connection.halves[direction], frame.seq, connection.state)) {
      this.#close(connection, "rst", timeMs);
    } else {
      this.#skip("unexpected-rst", frame, timeMs);
    }
  }

  #judge(connection: Connection, timeMs: number): void {
    if (connection.state !== "open") return;
    for (const direction of ["client-to-server", "server-to-client"] as const) {
      const reason = connection.halves[direction].judge(timeMs);
      if (reason !== undefined) this.#events.push({ kind: "blind", flow: connection.flow, direction, reason, timeMs });
    }
  }

  #close(connection: Connection, reason: CloseReason, timeMs: number): void {
    const { flow, state } = connection;
    connection.state = "closed";
    if (state !== "open") return;
    for (const direction of ["client-to-server", "server-to-client"] as const) {
      const blind = connection.halves[direction].finalJudgement();
      if (blind !== undefined) this.#events.push({ kind: "blind", flow, direction, reason: blind, timeMs });
    }
    this.#events.push({ kind: "close", flow, reason, timeMs });
  }

  #skip(reason: SkipReason, frame: TcpFrame, timeMs: number): void {
    this.#events.push({ kind: "skipped", reason, srcIp: frame.srcIp, dstIp: frame.dstIp, error: null, timeMs });
  }

  #guessFlow(frame: TcpFrame): Flow {
    const toServer = this.#serverPorts.has(frame.dstPort);
    const fromServer = this.#serverPorts.has(frame.srcPort);
    return this.#flow(frame, toServer === fromServer ? frame.dstPort <= frame.srcPort : toServer);
  }

  #flow(frame: TcpFrame, fromClient: boolean): Flow {
    const src: Endpoint = { mac: frame.srcMac, ip: frame.srcIp, port: frame.srcPort };
    const dst: Endpoint = { mac: frame.dstMac, ip: frame.dstIp, port: frame.dstPort };
    const id = this.#nextId;
    this.#nextId += 1;
    return fromClient ? { id, client: src, server: dst } : { id, client: dst, server: src };
  }

  #touch(key: string, connection: Connection, timeMs: number): void {
    connection.lastSeenMs = timeMs;
    this.#table.delete(key);
    this.#table.set(key, connection);
  }

  #add(key: string, flow: Flow, timeMs: number): Connection {
    if (!this.#table.has(key) && this.#table.size >= this.#limits.maxFlows) this.#evict(timeMs);
    const connection = newConnection(flow, this.#limits, timeMs);
    this.#touch(key, connection, timeMs);
    return connection;
  }

  /** Makes room: closed connections first, then ones that never opened (a SYN flood), then the longest silent. */
  #evict(timeMs: number): void {
    for (const state of ["closed", "opening", "open"] as const) {
      for (const [key, connection] of this.#table) {
        if (connection.state !== state) continue;
        this.#close(connection, "evicted", timeMs);
        this.#table.delete(key);
        return;
      }
    }
  }
}

/** RFC 5961 §3.2: a receiver resets only on the exact next sequence number. Where we lost the thread ourselves we
 *  cannot tell, and take the RST for good: what follows would be reported as a flow joined late. */
function resetIsPlausible(half: StreamHalf, seq: number, state: Connection["state"]): boolean {
  if (state !== "open" || half.next === undefined || half.blind || half.hasGap) return true;
  const offset = sequenceDistance(seq, half.next);
  return offset === 0 || (half.finished && offset === 1);
}
