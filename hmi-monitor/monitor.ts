import type { Party } from "#point/observe/modbus.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { UaTags } from "#point/observe/opcua.ts";
import type { Point } from "#point/point.ts";
import { deviceAt, linkOf } from "#specs/addresses.ts";
import type { DeviceId } from "#specs/ids.ts";
import type { Plant, Protocol } from "#specs/plant.ts";
import { decodeLldpFrame, type Flow, type ReassemblyEvent, TcpReassembler } from "#wire/packet/index.ts";
import type { PcapRecord } from "#wire/pcap/index.ts";
import type { Conversation } from "./conversation.ts";
import { ModbusConversation } from "./modbus-conversation.ts";
import { UaConversation } from "./opcua-conversation.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Which TCP port of a server speaks which protocol. */
export type ProtocolPorts = ReadonlyMap<number, Protocol>;

/**
 * Turns captured frames into judged commands: frame → TCP stream → message → observation → verdict. Asks no clock; what cannot be
 * seen is said. INVARIANT (no guess): after a gap or a byte that cannot be read, nothing more of that connection is judged.
 */
export class Monitor {
  readonly #point: Point;
  #plant: Plant;
  readonly #ports: ProtocolPorts;
  readonly #reassembler: TcpReassembler;
  readonly #conversations = new Map<number, Conversation>();
  /** Who speaks in each of them. The same objects for as long as they last; another plant changes them. */
  readonly #parties = new Map<number, { readonly flow: Flow; readonly party: Writable<Party> }>();
  readonly #modbusTags = new Map<DeviceId, ModbusTags>();
  readonly #uaTags = new Map<DeviceId, UaTags>();
  #seenUpToMs = 0;
  #framesSinceStart = 0;
  #announced: { readonly theirs: number; readonly ours: number } | undefined;

  constructor(point: Point, plant: Plant, ports: ProtocolPorts) {
    this.#point = point;
    this.#plant = plant;
    this.#ports = ports;
    this.#reassembler = new TcpReassembler({ serverPorts: [...ports.keys()] });
  }

  /**
   * From now on the plant is this one; conversations go on where they are. One whose server is another device now is not judged any more:
   * what it asked of the one before would be mistaken for something else.
   */
  take(plant: Plant): void {
    this.#plant = plant;
    for (const tags of this.#modbusTags.values()) tags.take(plant);
    for (const tags of this.#uaTags.values()) tags.take(plant);
    for (const [id, { flow, party }] of this.#parties) {
      const now = this.#partyOf(flow);
      if (now?.target === party.target) Object.assign(party, now);
      else {
        this.#conversations.set(id, UNREADABLE);
        this.#parties.delete(id);
        this.#blindTo(flow, "its server is another device in the present bundle");
      }
    }
  }

  /** Capture time up to which everything that was mirrored has been judged. */
  get seenUpToMs(): number {
    return this.#seenUpToMs;
  }

  /** True: the frame was the mirror's own announcement, so that everything before it has been judged. */
  frame(record: PcapRecord): boolean {
    const announcement = decodeLldpFrame(record.frame);
    if (announcement.ok) {
      this.#checkLoss(announcement.value.mirroredFrames);
      for (const event of this.#reassembler.tick(record.timeMs)) this.#event(event);
    } else {
      for (const event of this.#reassembler.push(record.frame, record.timeMs)) this.#event(event);
    }
    this.#framesSinceStart += 1;
    this.#seenUpToMs = Math.max(this.#seenUpToMs, record.timeMs);
    return announcement.ok;
  }

  /**
   * The capture was interrupted. Connections go on where they were: their sequence numbers tell whether bytes are missing, and a
   * new start in the middle of a message would be a guess.
   */
  interrupted(): void {
    this.#announced = undefined;
  }

  /** The mirror says how many frames it sent; a difference against ours is loss between it and us. */
  #checkLoss(theirs: number): void {
    const ours = this.#framesSinceStart;
    const before = this.#announced;
    this.#announced = { theirs, ours };
    if (before === undefined) return;
    const lost = theirs - before.theirs - (ours - before.ours);
    if (lost <= 0) return;
    this.#point.countLost(lost);
    this.#point.notice({
      code: "TAP_BLIND",
      severity: "info",
      locus: [],
      source: "",
      target: "",
      says: `${lost} mirrored frames were lost`,
    });
  }

  #event(event: ReassemblyEvent): void {
    switch (event.kind) {
      case "open":
        this.#open(event.flow);
        return;
      case "data": {
        const conversation = this.#conversations.get(event.flow.id) ?? this.#open(event.flow);
        if (conversation === undefined || conversation.blind !== undefined) return;
        conversation.data(event.direction, event.bytes, event.timeMs);
        if (conversation.blind !== undefined) this.#blindTo(event.flow, conversation.blind);
        return;
      }
      case "blind":
        this.#conversations.set(event.flow.id, UNREADABLE);
        this.#parties.delete(event.flow.id);
        this.#blindTo(event.flow, `bytes are missing from the mirror (${event.reason})`);
        return;
      case "close":
        this.#conversations.delete(event.flow.id);
        this.#parties.delete(event.flow.id);
        return;
      case "overlap":
        this.#blindTo(
          event.flow,
          `${event.differingBytes} bytes were sent twice with different content; the first were judged`,
        );
        return;
      case "skipped":
        this.#point.countLost(1);
        return;
      default: {
        const never: never = event;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  #open(flow: Flow): Conversation | undefined {
    const conversation = this.#conversationFor(flow);
    if (conversation !== undefined) this.#conversations.set(flow.id, conversation);
    return conversation;
  }

  #conversationFor(flow: Flow): Conversation | undefined {
    const party = this.#partyOf(flow);
    if (party === undefined) return undefined;
    this.#parties.set(flow.id, { flow, party });
    const { target } = party;
    if (this.#ports.get(flow.server.port) === "opcua")
      return new UaConversation(this.#point, this.#uaTagsOf(target), party);
    return new ModbusConversation(this.#point, this.#modbusTagsOf(target), party);
  }

  /** undefined: nobody here knows its server, or what it speaks. */
  #partyOf({ client, server: { ip, port } }: Flow): Writable<Party> | undefined {
    const protocol = this.#ports.get(port);
    const target = deviceAt(this.#plant, ip, port)?.id;
    if (protocol === undefined || target === undefined) return undefined;
    const source = deviceAt(this.#plant, client.ip, client.port)?.id;
    const link = source === undefined ? undefined : linkOf(this.#plant, source, target, protocol)?.id;
    return { source, sourceAddress: `${client.ip}:${client.port}`, target, link };
  }

  #modbusTagsOf(server: DeviceId): ModbusTags {
    const tags = this.#modbusTags.get(server) ?? new ModbusTags(this.#plant, server);
    this.#modbusTags.set(server, tags);
    return tags;
  }

  #uaTagsOf(server: DeviceId): UaTags {
    const tags = this.#uaTags.get(server) ?? new UaTags(this.#plant, server);
    this.#uaTags.set(server, tags);
    return tags;
  }

  #blindTo(flow: Flow, says: string): void {
    const { client, server } = flow;
    const where = `${client.ip}:${client.port} → ${server.ip}:${server.port}`;
    this.#point.notice({
      code: "TAP_BLIND",
      severity: "info",
      locus: [],
      source: `${client.ip}:${client.port}`,
      target: server.ip,
      says: `${where}: ${says}`,
    });
  }
}

/** Stands for a connection of which bytes are missing. */
const UNREADABLE: Conversation = { blind: "bytes are missing from the mirror", data: () => undefined };
