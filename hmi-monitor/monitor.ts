import type { Party } from "#point/observe/modbus.ts";
import type { Point } from "#point/point.ts";
import { deviceAt, linkOf } from "#specs/addresses.ts";
import type { DeviceId } from "#specs/ids.ts";
import type { Plant, Protocol } from "#specs/plant.ts";
import { type Flow, type ReassemblyEvent, TcpReassembler } from "#wire/packet/index.ts";
import type { CapturedFrame } from "#wire/pcap/index.ts";
import type { Conversation } from "./conversation.ts";
import { LateConversation } from "./late-join.ts";
import { MirrorLoss } from "./mirror-loss.ts";
import { ModbusConversation } from "./modbus-conversation.ts";
import { modbusPlace } from "./modbus-place.ts";
import { UaConversation } from "./opcua-conversation.ts";
import { uaPlace } from "./opcua-place.ts";
import { Servers } from "./servers.ts";
import { type Unread, UnreadCount } from "./unread.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Which TCP port of a server speaks which protocol. */
export type ProtocolPorts = ReadonlyMap<number, Protocol>;

/** A frame as any source of frames gives it. */
export type SeenFrame = Pick<CapturedFrame, "timeMs" | "frame" | "originalLength"> &
  Partial<Pick<CapturedFrame, "linkType" | "number">>;

export interface MonitorOptions {
  /** The switch that mirrors announces itself, and counts what it mirrors; default true. Elsewhere nobody may claim to be it. */
  readonly announcements?: boolean;
  /** Refuse frames with wrong checksums; default true. Off where frames are captured on the host that sends them. */
  readonly verifyChecksums?: boolean;
}

/** Ms of capture time for which a connection that was joined late makes the whole layer blind: one that says nothing more must not for good. */
export const JOIN_VISIBLE_MS = 10_000;

/** A connection between parties that the plant names. */
interface Followed {
  readonly flow: Flow;
  readonly party: Writable<Party>;
  /** undefined: nothing more of it is read. */
  conversation: Conversation | undefined;
}

/**
 * Turns captured frames into judged commands: frame → TCP stream → message → observation → verdict. Asks no clock; what cannot be
 * seen is said and counted. INVARIANT (no guess): after a gap or a byte that cannot be read, nothing more of that connection is judged.
 */
export class Monitor {
  readonly #point: Point;
  #plant: Plant;
  readonly #ports: ProtocolPorts;
  readonly #announcements: boolean;
  readonly #reassembler: TcpReassembler;
  /** By flow; bounded by the flows of the reassembler. */
  readonly #followed = new Map<number, Followed>();
  /** Those joined late that are not read yet. */
  readonly #late = new Map<number, LateConversation>();
  /** Of those, when each was opened, the oldest first, as long as they make the layer blind. */
  readonly #looking = new Map<number, number>();
  readonly #servers: Servers;
  readonly #unread = new UnreadCount();
  #seenUpToMs = 0;
  #loss = new MirrorLoss();

  constructor(point: Point, plant: Plant, ports: ProtocolPorts, options: MonitorOptions = {}) {
    const { announcements = true, verifyChecksums = true } = options;
    this.#point = point;
    this.#plant = plant;
    this.#ports = ports;
    this.#announcements = announcements;
    this.#servers = new Servers(plant);
    this.#reassembler = new TcpReassembler({ serverPorts: [...ports.keys()], verifyChecksums });
  }

  /**
   * From now on the plant is this one; conversations go on where they are. One whose server is another device now is not judged any more:
   * what it asked of the one before would be mistaken for something else.
   */
  take(plant: Plant): void {
    this.#plant = plant;
    this.#servers.take(plant);
    for (const followed of this.#followed.values()) {
      const now = this.#partyOf(followed.flow);
      if (now?.target === followed.party.target) Object.assign(followed.party, now);
      else if (followed.conversation !== undefined)
        this.#goBlind(followed, "its server is another device in the present bundle", this.#seenUpToMs);
    }
  }

  /** Capture time up to which everything that was mirrored has been judged. */
  get seenUpToMs(): number {
    return this.#seenUpToMs;
  }

  /** What was captured and could not be judged. */
  get unread(): Readonly<Unread> {
    return this.#unread.count;
  }

  /** Connections that are followed. */
  get size(): number {
    return this.#followed.size;
  }

  /** `blind until …`, as long as connections that were there before are not read yet. */
  blindUntil(nowMs: number): string | undefined {
    for (const [id, openedAtMs] of this.#looking) {
      if (nowMs - openedAtMs <= JOIN_VISIBLE_MS) break;
      this.#looking.delete(id);
    }
    const looking = this.#looking.size;
    if (looking === 0) return undefined;
    const which = looking === 1 ? "a connection that was" : `${looking} connections that were`;
    return `blind until a request and its answer fit in ${which} there before this layer`;
  }

  /** True: the frame was the mirror's own announcement, so that everything before it has been judged. */
  frame(record: SeenFrame): boolean {
    const { timeMs } = record;
    const lost = this.#announcements ? this.#loss.frame(record.frame) : undefined;
    if (lost === undefined) this.#push(record);
    else {
      if (lost > 0) this.lost(lost, `${lost} mirrored frames were lost`);
      this.tick(timeMs);
    }
    this.#seenUpToMs = Math.max(this.#seenUpToMs, timeMs);
    return lost !== undefined;
  }

  /** Lets time pass: what has been missing for too long stays missing. Call about once a second. */
  tick(timeMs: number): void {
    for (const event of this.#reassembler.tick(timeMs)) this.#event(event);
    const says = this.#unread.report(timeMs);
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

  #push(record: SeenFrame): void {
    for (const event of this.#reassembler.push(record.frame, record.timeMs, record)) this.#event(event);
  }

  #event(event: ReassemblyEvent): void {
    switch (event.kind) {
      case "open":
        this.#open(event.flow, event.joinedLate, event.timeMs);
        return;
      case "data":
        this.#data(event);
        return;
      case "blind": {
        const followed = this.#followed.get(event.flow.id);
        const says = `bytes are missing from the mirror (${event.reason})`;
        if (followed?.conversation !== undefined) this.#goBlind(followed, says, event.timeMs);
        return;
      }
      case "close":
        this.#close(event.flow.id, event.timeMs);
        return;
      case "overlap":
        this.#blindTo(
          event.flow,
          `${event.differingBytes} bytes were sent twice with different content; the first were judged`,
        );
        return;
      case "skipped":
        this.#unread.count.frames += 1;
        this.#point.countLost(1);
        return;
      default: {
        const never: never = event;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  #data({ flow, direction, bytes, timeMs }: Extract<ReassemblyEvent, { kind: "data" }>): void {
    const followed = this.#followed.get(flow.id);
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
    this.#lookAtLate(followed);
    if (conversation.blind !== undefined) this.#goBlind(followed, conversation.blind, timeMs);
  }

  /** Says it once when a connection that was joined late is read. */
  #lookAtLate({ flow }: Followed): void {
    const late = this.#late.get(flow.id);
    if (late?.state.kind !== "joined") return;
    this.#late.delete(flow.id);
    this.#looking.delete(flow.id);
    const { unparsedBytes } = late.state;
    this.#unread.count.resynchronised += 1;
    this.#unread.count.bytes += unparsedBytes;
    this.#blindTo(flow, `joined late, and judged from now on; ${unparsedBytes} bytes before that were not`);
  }

  #open(flow: Flow, joinedLate: boolean, timeMs: number): void {
    const party = this.#partyOf(flow);
    if (party === undefined) return;
    const inner = this.#conversationFor(flow, party);
    const followed: Followed = { flow, party, conversation: inner };
    this.#followed.set(flow.id, followed);
    if (!joinedLate) return;
    const isUa = this.#ports.get(flow.server.port) === "opcua";
    const late = new LateConversation(inner, isUa ? uaPlace : modbusPlace);
    followed.conversation = late;
    this.#late.set(flow.id, late);
    this.#looking.set(flow.id, timeMs);
    this.#unread.count.joinedLate += 1;
    this.#blindTo(
      flow,
      `joined late: blind until ${isUa ? "chunks follow each other" : "a request and its answer fit"}`,
    );
  }

  #close(id: number, timeMs: number): void {
    const followed = this.#followed.get(id);
    if (followed === undefined) return;
    followed.conversation?.closed(timeMs);
    this.#leaveUnjoined(id);
    this.#followed.delete(id);
  }

  #goBlind(followed: Followed, says: string, timeMs: number): void {
    followed.conversation?.closed(timeMs);
    this.#leaveUnjoined(followed.flow.id);
    followed.conversation = undefined;
    this.#unread.count.blind += 1;
    this.#blindTo(followed.flow, says);
  }

  /** What was held of a connection that never could be read was not judged. */
  #leaveUnjoined(id: number): void {
    this.#unread.count.bytes += this.#late.get(id)?.state.unparsedBytes ?? 0;
    this.#late.delete(id);
    this.#looking.delete(id);
  }

  #conversationFor(flow: Flow, party: Party): Conversation {
    const notPaired = (answers: number): void => {
      this.#unread.count.answers += answers;
    };
    return this.#ports.get(flow.server.port) === "opcua"
      ? new UaConversation(this.#point, this.#servers.opcua(party.target), party, notPaired)
      : new ModbusConversation(this.#point, this.#servers.modbus(party.target), party, notPaired);
  }

  /** undefined: nobody here knows its server, or what it speaks. */
  #partyOf({ client, server: { ip, port } }: Flow): (Writable<Party> & { target: DeviceId }) | undefined {
    const protocol = this.#ports.get(port);
    const target = deviceAt(this.#plant, ip, port)?.id;
    if (protocol === undefined || target === undefined) return undefined;
    const source = deviceAt(this.#plant, client.ip, client.port)?.id;
    const link = source === undefined ? undefined : linkOf(this.#plant, source, target, protocol)?.id;
    return { source, sourceAddress: `${client.ip}:${client.port}`, target, link };
  }

  #blindTo({ client, server }: Flow, says: string): void {
    const from = `${client.ip}:${client.port}`;
    this.#notice(from, server.ip, `${from} → ${server.ip}:${server.port}: ${says}`);
  }

  #notice(source: string, target: string, says: string): void {
    this.#point.notice({ code: "TAP_BLIND", severity: "info", locus: [], source, target, says });
  }
}
