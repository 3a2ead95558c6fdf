import type { ModbusTable, OpcUaType, Protocol } from "#specs/plant.ts";
import { decodeRequest, type MbapFrame, MbapFramer, type ModbusRequest, RequestTable } from "#wire/modbus/index.ts";
import {
  type ChecksumRule,
  type Direction,
  type Flow,
  type ReassemblyEvent,
  TcpReassembler,
} from "#wire/packet/index.ts";
import type { CapturedFrame } from "#wire/pcap/index.ts";
import type { Conversation } from "../conversation.ts";
import { LateConversation } from "../late-join.ts";
import { modbusPlace } from "../modbus-place.ts";
import { LEARN_LIMITS, Overflow } from "./limits.ts";
import { UaListener } from "./survey-opcua.ts";

const EXCEPTION_BIT = 0x80;
const MAX_PENDING = 64;
const MAX_FLOWS = 4096;
/** Server, object and node. */
const LONGEST_PLACE = 1200;

/** One address of a server that answered for it. */
export interface FoundPoint {
  readonly server: string;
  readonly written: boolean;
  readonly binding:
    | { readonly kind: "modbus"; readonly unit: number; readonly table: ModbusTable; readonly address: number }
    | { readonly kind: "opcua"; readonly nodeId: string; readonly type: OpcUaType }
    /** With how many input arguments it was called at the most. */
    | { readonly kind: "method"; readonly objectId: string; readonly nodeId: string; readonly count: number };
}

/** Who spoke to whom. */
export interface FoundLink {
  readonly client: string;
  readonly server: string;
  readonly protocol: Protocol;
}

/** Hears one connection. */
export interface Listener {
  data(direction: Direction, bytes: Buffer, timeMs: number): void;
}

/**
 * The first look through captures where no plant is given: which addresses speak as clients and servers, and which registers and nodes
 * the servers answered for. What a server refuses does not exist. A Modbus connection whose beginning was not captured is heard from where
 * an answer confirms a request; one of OPC UA is not, since what its nodes are called for short was agreed before. What comes after lost bytes
 * is left out here.
 */
export class Survey {
  readonly links = new Map<string, FoundLink>();
  readonly points = new Map<string, FoundPoint>();
  readonly overflow = new Overflow();
  /** Connections to the servers' ports, and of these the ones that began before the capture; of those that show nothing no link is made. */
  connections = 0;
  joinedLate = 0;
  readonly #ports: ReadonlyMap<number, Protocol>;
  readonly #reassembler: TcpReassembler;
  readonly #listeners = new Map<number, Listener>();

  constructor(ports: ReadonlyMap<number, Protocol>, verifyChecksums: ChecksumRule = "auto") {
    this.#ports = ports;
    this.#reassembler = new TcpReassembler({ serverPorts: [...ports.keys()], verifyChecksums, maxFlows: MAX_FLOWS });
  }

  frame(frame: CapturedFrame): void {
    for (const event of this.#reassembler.push(frame.frame, frame.timeMs, frame)) this.#event(event);
  }

  #event(event: ReassemblyEvent): void {
    switch (event.kind) {
      case "open":
        this.#open(event.flow, event.joinedLate);
        return;
      case "data":
        this.#listeners.get(event.flow.id)?.data(event.direction, event.bytes, event.timeMs);
        return;
      case "blind":
      case "close":
        this.#listeners.delete(event.flow.id);
        return;
      default:
      // What is skipped or sent twice names no address.
    }
  }

  #open({ id, client, server }: Flow, joinedLate: boolean): void {
    const protocol = this.#ports.get(server.port);
    if (protocol === undefined) return;
    this.connections += 1;
    if (joinedLate) this.joinedLate += 1;
    const saw: Saw = (binding, written) => this.#point(client.ip, server.ip, protocol, binding, written);
    if (protocol === "modbus") {
      const listener = new ModbusListener(saw);
      this.#listeners.set(id, joinedLate ? new LateConversation(listener, modbusPlace) : listener);
    } else if (!joinedLate) this.#listeners.set(id, new UaListener(saw, this.overflow));
  }

  #point(client: string, server: string, protocol: Protocol, binding: FoundPoint["binding"], written: boolean): void {
    const link = `${client} ${server} ${protocol}`;
    this.overflow.get("services", this.links, link, () => ({ client, server, protocol }));
    const key = `${server} ${placeOf(binding)}`;
    if (key.length > LONGEST_PLACE) return this.overflow.add("tags");
    const known = this.points.get(key);
    if (known === undefined && this.points.size >= LEARN_LIMITS.tags) return this.overflow.add("tags");
    const more = known?.binding.kind === "method" && binding.kind === "method" && binding.count > known.binding.count;
    if (known === undefined || (written && !known.written) || more) this.points.set(key, { server, written, binding });
  }
}

function placeOf(binding: FoundPoint["binding"]): string {
  switch (binding.kind) {
    case "modbus":
      return `${binding.unit} ${binding.table} ${binding.address}`;
    case "opcua":
      return `node ${binding.nodeId}`;
    case "method":
      return `method ${binding.nodeId} of ${binding.objectId}`;
    default: {
      const never: never = binding;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

/** Something that a server answered for. */
export type Saw = (binding: FoundPoint["binding"], written: boolean) => void;

class ModbusListener implements Listener, Conversation {
  readonly blind = undefined;
  readonly #requests = new MbapFramer();
  readonly #responses = new MbapFramer();
  readonly #pending = new RequestTable({ limit: MAX_PENDING });
  readonly #saw: Saw;

  constructor(saw: Saw) {
    this.#saw = saw;
  }

  data(direction: Direction, bytes: Buffer, timeMs: number): void {
    const framer = direction === "client-to-server" ? this.#requests : this.#responses;
    for (const frame of framer.push(bytes)) {
      if (direction === "client-to-server") this.#request(frame, timeMs);
      else this.#response(frame);
    }
  }

  /** Not called: it is left alone once bytes are lost. */
  lost(): void {}
  look(): void {}
  closed(): void {}

  #request(frame: MbapFrame, timeMs: number): void {
    const request = decodeRequest(frame.pdu);
    this.#pending.expire(timeMs - 10_000);
    if (request.ok) this.#pending.add(frame, request.value, timeMs, undefined);
  }

  #response(frame: MbapFrame): void {
    const paired = this.#pending.match(frame);
    if (!paired.ok || ((frame.pdu[0] ?? EXCEPTION_BIT) & EXCEPTION_BIT) !== 0) return;
    for (const { table, address, quantity, written } of rangesOf(paired.value.request))
      for (let n = 0; n < quantity; n += 1)
        this.#saw({ kind: "modbus", unit: frame.unitId, table, address: address + n }, written);
  }
}

interface Range {
  readonly table: ModbusTable;
  readonly address: number;
  readonly quantity: number;
  readonly written: boolean;
}

function rangesOf(request: ModbusRequest): readonly Range[] {
  const read = (table: ModbusTable, { address, quantity }: { address: number; quantity: number }): Range[] => [
    { table, address, quantity, written: false },
  ];
  const write = (table: ModbusTable, address: number, quantity: number): Range[] => [
    { table, address, quantity, written: true },
  ];
  switch (request.kind) {
    case "read-coils":
      return read("coil", request);
    case "read-discrete-inputs":
      return read("discrete-input", request);
    case "read-holding-registers":
      return read("holding-register", request);
    case "read-input-registers":
      return read("input-register", request);
    case "write-single-coil":
      return write("coil", request.address, 1);
    case "write-multiple-coils":
      return write("coil", request.address, request.values.length);
    case "write-single-register":
    case "mask-write-register":
      return write("holding-register", request.address, 1);
    case "write-multiple-registers":
      return write("holding-register", request.address, request.values.length);
    case "read-write-multiple-registers":
      return [
        ...write("holding-register", request.writeAddress, request.values.length),
        ...read("holding-register", { address: request.readAddress, quantity: request.readQuantity }),
      ];
    default:
      return [];
  }
}
