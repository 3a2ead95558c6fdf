import type { Point } from "#point/point.ts";
import type { Plant } from "#specs/plant.ts";
import {
  type ChecksumRule,
  type Direction,
  type Flow,
  type ReassemblySink,
  TcpReassembler,
} from "#wire/packet/index.ts";
import type { CapturedFrame } from "#wire/pcap/index.ts";
import type { Conversation } from "./conversation.ts";
import { HalfSeen } from "./half-seen.ts";
import { type FindPlace, LateConversation } from "./late-join.ts";
import { MirrorLoss } from "./mirror-loss.ts";
import { ModbusConversation } from "./modbus-conversation.ts";
import { modbusPlace } from "./modbus-place.ts";
import { UaConversation } from "./opcua-conversation.ts";
import { uaPlace } from "./opcua-place.ts";
import { type KnownParty, Parties, type ProtocolPorts } from "./parties.ts";
import { Servers } from "./servers.ts";
import { type Unread, UnreadCount } from "./unread.ts";

/** A frame as every source of frames gives it. */
export type SeenFrame = Pick<CapturedFrame, "timeMs" | "frame" | "originalLength"> &
  Partial<Pick<CapturedFrame, "linkType" | "number">>;

export interface MonitorOptions {
  /** The switch that mirrors announces itself, and counts what it mirrors; default true. Elsewhere nobody may claim to be it. */
  readonly announcements?: boolean;
  /** What becomes of frames whose checksums are wrong; default true: they are passed over, as their receiver does. */
  readonly verifyChecksums?: ChecksumRule;
}

const FRAGMENTS_SAY = "fragments of a datagram came with two contents, and receivers differ in which they take";
const URGENT_SAYS =
  "bytes in it are marked urgent, and servers differ in which of them they read: nothing more of it is judged";

/** A connection between parties that the plant names. */
interface Followed {
  readonly flow: Flow;
  readonly party: KnownParty;
  /** undefined: nothing more of it is read. */
  conversation: Conversation | undefined;
}

/**
 * Turns captured frames into judged commands: frame → TCP stream → message → observation → verdict. Asks no clock; what cannot be
 * seen is said and counted. INVARIANT (no guess): after a gap, or a byte that cannot be read, nothing of that connection is judged before its
 * own content confirms where a message begins.
 */
export class Monitor {
  readonly #point: Point;
  /** It is not the one with which connections were opened: of strangers it is asked anew whether they are. */
  #isOtherPlant = false;
  readonly #parties: Parties;
  readonly #announcements: boolean;
  readonly #reassembler: TcpReassembler;
  /** By flow; bounded by the flows of the reassembler. */
  readonly #followed = new Map<number, Followed>();
  readonly #halfSeen = new HalfSeen();
  readonly #servers: Servers;
  readonly #unread = new UnreadCount();
  #seenUpToMs = 0;
  #loss = new MirrorLoss();

  constructor(point: Point, plant: Plant, ports: ProtocolPorts, options: MonitorOptions = {}) {
    const { announcements = true, verifyChecksums = true } = options;
    this.#point = point;
    this.#parties = new Parties(plant, ports);
    this.#announcements = announcements;
    this.#servers = new Servers(plant);
    this.#reassembler = new TcpReassembler(
      { serverPorts: [...ports.keys()], verifyChecksums, afterGap: "resume" },
      this.#sink(),
    );
  }

  /**
   * From now on the plant is this one; conversations go on where they are. One whose server is another device now is not judged any more:
   * what it asked of the one before would be mistaken for something else. One whose server is named only now is joined late.
   */
  take(plant: Plant): void {
    this.#parties.take(plant);
    this.#isOtherPlant = true;
    this.#servers.take(plant);
    for (const followed of this.#followed.values()) {
      const now = this.#parties.of(followed.flow);
      if (now?.target === followed.party.target) Object.assign(followed.party, now);
      else if (followed.conversation !== undefined)
        this.#goBlind(followed, "its server is another device in the present bundle", this.#seenUpToMs);
    }
  }

  /** Capture time up to which everything that was mirrored has been judged. What is behind a gap that may still close waits. */
  get seenUpToMs(): number {
    return Math.min(this.#seenUpToMs, this.#reassembler.gapSinceMs ?? Number.POSITIVE_INFINITY);
  }

  /** What was captured and could not be judged. */
  get unread(): Readonly<Unread> {
    return this.#unread.count;
  }

  /** Says that checksums were wrong throughout and taken for all that, if so. */
  get checksumNote(): string | undefined {
    return this.#reassembler.checksumNote;
  }

  /** Connections that are followed. */
  get size(): number {
    return this.#followed.size;
  }

  /** `blind until …`, as long as connections of which a part is missing are not read yet. */
  blindUntil(nowMs: number): string | undefined {
    return this.#halfSeen.blindUntil(nowMs);
  }

  /** True: the frame was the mirror's own announcement, so that everything before it has been judged. */
  frame(record: SeenFrame): boolean {
    const { timeMs } = record;
    const lost = this.#announcements ? this.#loss.frame(record.frame) : undefined;
    if (lost === undefined) this.#reassembler.push(record.frame, timeMs, record);
    else {
      if (lost > 0) this.lost(lost, `${lost} mirrored frames were lost`);
      this.tick(timeMs);
    }
    this.#seenUpToMs = Math.max(this.#seenUpToMs, timeMs);
    return lost !== undefined;
  }

  /** Lets time pass: what has been missing for too long stays missing. Call about once a second. */
  tick(timeMs: number): void {
    this.#reassembler.tick(timeMs);
    const says = this.#unread.report(timeMs);
    if (says !== undefined) this.#notice("", "", says);
  }

  /** What should have come by now, and has not? Call about once a second, with the time up to which everything has been judged. */
  look(timeMs: number): void {
    for (const { conversation } of this.#followed.values()) conversation?.look(timeMs);
  }

  /** The capture is over: what has not come by now never will, and everything that was counted is said. */
  end(timeMs: number): void {
    this.#reassembler.end();
    for (const id of [...this.#followed.keys()]) this.#close(id, timeMs);
    const says = this.#unread.report(Number.POSITIVE_INFINITY);
    if (says !== undefined) this.#notice("", "", says);
  }

  /** Nothing was captured up to then that has not come here. */
  quietUpTo(timeMs: number): void {
    this.#seenUpToMs = Math.max(this.#seenUpToMs, timeMs);
  }

  /** So many frames were captured, or should have been, and never came here. */
  lost(frames: number, says: string): void {
    this.#point.countLost(frames);
    this.#notice("", "", says);
  }

  /**
   * The capture was interrupted. Connections go on where they were: their sequence numbers tell whether bytes are missing, and a
   * new start in the middle of a message would be a guess.
   */
  interrupted(): void {
    this.#loss = new MirrorLoss();
  }

  /** What the reassembler saw. */
  #sink(): ReassemblySink {
    return {
      open: (flow, joinedLate, timeMs) => this.#open(flow, joinedLate, timeMs),
      data: (flow, direction, bytes, timeMs) => this.#data(flow, direction, bytes, timeMs),
      blind: (flow, _direction, reason, timeMs) => {
        const followed = this.#followed.get(flow.id);
        if (followed?.conversation === undefined) return;
        if (reason === "urgent") this.#goBlind(followed, URGENT_SAYS, timeMs);
        else {
          this.#unread.count.gaps += 1;
          this.#lookOn(followed, followed.conversation, timeMs, `bytes are missing from the mirror (${reason})`);
        }
      },
      close: (flow, _reason, timeMs) => this.#close(flow.id, timeMs),
      overlap: (flow, _direction, differingBytes) => {
        const says = `${differingBytes} bytes were sent twice with different content; the first were judged`;
        this.#blindTo(flow, says);
      },
      skipped: (reason, srcIp, dstIp) => {
        if (reason === "fragment-overlap")
          this.#notice(srcIp ?? "", dstIp ?? "", `${srcIp} → ${dstIp}: ${FRAGMENTS_SAY}`);
        this.#unread.count.frames += 1;
        this.#point.countLost(1);
      },
    };
  }

  #data(flow: Flow, direction: Direction, bytes: Buffer, timeMs: number): void {
    const followed = this.#followed.get(flow.id) ?? this.#noStranger(flow, timeMs);
    if (followed === undefined) {
      this.#unread.count.strangerBytes += bytes.length;
      return;
    }
    const { conversation } = followed;
    if (conversation === undefined) {
      this.#unread.count.bytes += bytes.length;
      return;
    }
    conversation.data(direction, bytes, timeMs);
    if (this.#halfSeen.size > 0) this.#lookAtLate(followed);
    const { blind } = conversation;
    if (blind === undefined) return;
    if (blind.isForGood) return this.#goBlind(followed, blind.says, timeMs);
    this.#unread.count.unreadable += 1;
    this.#unread.count.bytes += bytes.length;
    this.#lookOn(followed, conversation, timeMs, blind.says);
  }

  /** It is looked through for a place to go on from, as one that was there before. */
  #lookOn(followed: Followed, conversation: Conversation, timeMs: number, says: string): void {
    const { flow } = followed;
    const late =
      conversation instanceof LateConversation ? conversation : new LateConversation(conversation, this.#placeIn(flow));
    late.lost(timeMs);
    followed.conversation = late;
    this.#look(late, flow, timeMs, says);
  }

  #look(late: LateConversation, flow: Flow, timeMs: number, says: string): void {
    this.#halfSeen.add(flow.id, late, timeMs);
    this.#blindTo(
      flow,
      `${says}: blind until ${this.#parties.speakUa(flow) ? "chunks follow each other" : "a request and its answer fit"}`,
    );
  }

  /** Says it once when a connection of which a part was not seen is read. */
  #lookAtLate({ flow }: Followed): void {
    const bytes = this.#halfSeen.joined(flow.id);
    if (bytes === undefined) return;
    this.#unread.count.resynchronised += 1;
    this.#unread.count.bytes += bytes;
    this.#blindTo(flow, `judged from now on; ${bytes} bytes before that were not`);
  }

  #open(flow: Flow, joinedLate: boolean, timeMs: number): void {
    const party = this.#parties.of(flow);
    if (party === undefined) return;
    const inner = this.#conversationFor(flow, party);
    const followed: Followed = { flow, party, conversation: inner };
    this.#followed.set(flow.id, followed);
    if (!joinedLate) return;
    const late = new LateConversation(inner, this.#placeIn(flow));
    followed.conversation = late;
    this.#unread.count.joinedLate += 1;
    this.#look(late, flow, timeMs, "joined late");
  }

  /** A connection that was there before its server was named, if another bundle names it now. */
  #noStranger(flow: Flow, timeMs: number): Followed | undefined {
    if (!this.#isOtherPlant) return undefined;
    this.#open(flow, true, timeMs);
    return this.#followed.get(flow.id);
  }

  #placeIn(flow: Flow): FindPlace {
    return this.#parties.speakUa(flow) ? uaPlace : modbusPlace;
  }

  #close(id: number, timeMs: number): void {
    const followed = this.#followed.get(id);
    if (followed === undefined) return;
    followed.conversation?.closed(timeMs);
    this.#unread.count.bytes += this.#halfSeen.leave(id);
    this.#followed.delete(id);
  }

  #goBlind(followed: Followed, says: string, timeMs: number): void {
    followed.conversation?.closed(timeMs);
    this.#unread.count.bytes += this.#halfSeen.leave(followed.flow.id);
    followed.conversation = undefined;
    this.#unread.count.blind += 1;
    this.#blindTo(followed.flow, says);
  }

  #conversationFor(flow: Flow, party: KnownParty): Conversation {
    const unfollowed = this.#unread.ofConversation((says) => this.#blindTo(flow, says));
    return this.#parties.speakUa(flow)
      ? new UaConversation(this.#point, this.#servers.opcua(party.target), party, unfollowed)
      : new ModbusConversation(this.#point, this.#servers.modbus(party.target), party, unfollowed);
  }

  #blindTo({ client, server }: Flow, says: string): void {
    const from = `${client.ip}:${client.port}`;
    this.#notice(from, server.ip, `${from} → ${server.ip}:${server.port}: ${says}`);
  }

  #notice(source: string, target: string, says: string): void {
    this.#point.notice({ code: "TAP_BLIND", severity: "info", locus: [], source, target, says });
  }
}
