import type { ModbusTable, OpcUaType, Protocol } from "#specs/plant.ts";
import { OPCUA_TYPES } from "#specs/plant.ts";
import { decodeRequest, type MbapFrame, MbapFramer, type ModbusRequest, RequestTable } from "#wire/modbus/index.ts";
import { VALUE_ATTRIBUTE_ID } from "#wire/opcua/attribute-id.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import { decodeSymmetricChunk } from "#wire/opcua/message-chunk.ts";
import { decodeRequest as decodeUaRequest, type UaRequest } from "#wire/opcua/request.ts";
import { decodeResponse as decodeUaResponse } from "#wire/opcua/response.ts";
import type { DataValue } from "#wire/opcua/variant.ts";
import { type Direction, type Flow, type ReassemblyEvent, TcpReassembler } from "#wire/packet/index.ts";
import type { CapturedFrame } from "#wire/pcap/index.ts";
import { LEARN_LIMITS, Overflow } from "./limits.ts";

const EXCEPTION_BIT = 0x80;
const MAX_PENDING = 64;
const MAX_FLOWS = 4096;

/** One address of a server that answered for it. */
export interface FoundPoint {
  readonly server: string;
  readonly written: boolean;
  readonly binding:
    | { readonly kind: "modbus"; readonly unit: number; readonly table: ModbusTable; readonly address: number }
    | { readonly kind: "opcua"; readonly nodeId: string; readonly type: OpcUaType };
}

/** Who spoke to whom. */
export interface FoundLink {
  readonly client: string;
  readonly server: string;
  readonly protocol: Protocol;
}

interface Listener {
  data(direction: Direction, bytes: Buffer, timeMs: number): void;
}

/**
 * The first look through captures where no plant is given: which addresses speak as clients and servers, and which registers and nodes
 * the servers answered for. What a server refuses does not exist. Connections that are joined late or lose bytes are left out here.
 */
export class Survey {
  readonly links = new Map<string, FoundLink>();
  readonly points = new Map<string, FoundPoint>();
  readonly overflow = new Overflow();
  readonly #ports: ReadonlyMap<number, Protocol>;
  readonly #reassembler: TcpReassembler;
  readonly #listeners = new Map<number, Listener>();

  constructor(ports: ReadonlyMap<number, Protocol>, verifyChecksums = false) {
    this.#ports = ports;
    this.#reassembler = new TcpReassembler({ serverPorts: [...ports.keys()], verifyChecksums, maxFlows: MAX_FLOWS });
  }

  frame(frame: CapturedFrame): void {
    for (const event of this.#reassembler.push(frame.frame, frame.timeMs, frame)) this.#event(event);
  }

  #event(event: ReassemblyEvent): void {
    switch (event.kind) {
      case "open":
        if (!event.joinedLate) this.#open(event.flow);
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

  #open({ id, client, server }: Flow): void {
    const protocol = this.#ports.get(server.port);
    if (protocol === undefined) return;
    const saw: Saw = (binding, written) => this.#point(client.ip, server.ip, protocol, binding, written);
    this.#listeners.set(id, protocol === "modbus" ? new ModbusListener(saw) : new UaListener(saw));
  }

  #point(client: string, server: string, protocol: Protocol, binding: FoundPoint["binding"], written: boolean): void {
    const link = `${client} ${server} ${protocol}`;
    this.overflow.get("services", this.links, link, () => ({ client, server, protocol }));
    const place =
      binding.kind === "modbus" ? `${binding.unit} ${binding.table} ${binding.address}` : `node ${binding.nodeId}`;
    const key = `${server} ${place}`;
    const known = this.points.get(key);
    if (known === undefined && this.points.size >= LEARN_LIMITS.tags) return this.overflow.add("tags");
    if (known === undefined || (written && !known.written)) this.points.set(key, { server, written, binding });
  }
}

type Saw = (binding: FoundPoint["binding"], written: boolean) => void;

class ModbusListener implements Listener {
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

class UaListener implements Listener {
  readonly #up = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  readonly #down = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  readonly #pending = new Map<number, UaRequest>();
  readonly #saw: Saw;
  #failed = false;

  constructor(saw: Saw) {
    this.#saw = saw;
  }

  data(direction: Direction, bytes: Buffer): void {
    const isUp = direction === "client-to-server";
    const { framer, assembler } = isUp ? this.#up : this.#down;
    for (const frame of framer.push(bytes)) if (!this.#failed) this.#frame(frame, assembler, isUp);
  }

  #frame(frame: UacpFrame, assembler: MessageAssembler, isUp: boolean): void {
    if (frame.type !== "MSG") return;
    const chunk = decodeSymmetricChunk(frame.bytes);
    const assembly = chunk.ok ? assembler.push(chunk.value) : chunk;
    if (!assembly.ok) this.#failed = true;
    else if (assembly.value.kind === "message") this.#message(assembly.value.requestId, assembly.value.body, isUp);
  }

  #message(requestId: number, body: Buffer, isUp: boolean): void {
    if (isUp) {
      const request = decodeUaRequest(body);
      if (!request.ok) this.#failed = true;
      else if (this.#pending.size < MAX_PENDING) this.#pending.set(requestId, request.value);
      return;
    }
    const request = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    const response = decodeUaResponse(body);
    if (request === undefined || !response.ok) return;
    if (request.service === "Read" && response.value.service === "Read") {
      const { results } = response.value;
      for (const [n, node] of request.nodesToRead.entries()) this.#node(node, results[n], false);
    } else if (request.service === "Write" && response.value.service === "Write") {
      const { results } = response.value;
      for (const [n, node] of request.nodesToWrite.entries()) if (results[n] === 0) this.#node(node, node.value, true);
    }
  }

  #node(
    { nodeId, attributeId }: { readonly nodeId: { readonly text: string }; readonly attributeId: number },
    data: DataValue | undefined,
    written: boolean,
  ): void {
    const type = OPCUA_TYPES.find((name) => name === data?.value?.type);
    if (attributeId === VALUE_ATTRIBUTE_ID && type !== undefined && data?.value?.isArray === false)
      this.#saw({ kind: "opcua", nodeId: nodeId.text, type }, written);
  }
}
