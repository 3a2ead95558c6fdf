import type { DeviceId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import {
  encodeFrame,
  encodeRequest,
  encodeResponse,
  type ModbusRequest,
  type ModbusResponse,
  transactionId,
  unitId,
} from "#wire/modbus/index.ts";
import { buildTcpFrame, TCP_FLAG } from "#wire/packet/index.ts";
import { encodePcapHeader, encodePcapRecord } from "#wire/pcap/index.ts";
import { toRaw } from "../plc/register-map.ts";
import type { PlantMessage, TrafficSink } from "./message.ts";
import { readOf, writeOf } from "./observed-traffic.ts";

const PORT = 502;
const FIRST_CLIENT_PORT = 40_000;
/** Ms from a request to its answer. */
const ANSWER_MS = 0.5;

interface Connection {
  readonly client: string;
  readonly server: string;
  readonly clientPort: number;
  up: number;
  down: number;
  transaction: number;
}

/**
 * The Modbus part of the traffic as a classic pcap file, and the phases as a file of marks. As with an operator station that has no OPC UA,
 * what it would write over OPC UA goes over Modbus; its polls of nodes are left out.
 */
export class TrafficCapture implements TrafficSink {
  readonly #plant: Plant;
  /** Epoch ms of plant time 0. */
  readonly #baseMs: number;
  readonly #take: (bytes: Buffer) => void;
  readonly #connections = new Map<string, Connection>();
  #marks = "";

  constructor(plant: Plant, baseMs: number, take: (bytes: Buffer) => void) {
    this.#plant = plant;
    this.#baseMs = baseMs;
    this.#take = take;
    take(encodePcapHeader());
  }

  /** Lines of a phase file. */
  get marks(): string {
    return this.#marks;
  }

  enterPhase(phase: string, atMs: number): void {
    this.#marks += `${new Date(this.#baseMs + atMs).toISOString()} ${phase}\n`;
  }

  message(message: PlantMessage): void {
    switch (message.kind) {
      case "node-poll":
        return;
      case "poll": {
        const request = readOf(message.block);
        const { tags } = message.block;
        const raw = message.values.map((value, n) => {
          const tag = tags[n];
          return tag === undefined ? 0 : toRaw(tag, value);
        });
        return this.#exchange(message, message.block.unit, request, answerTo(request, raw));
      }
      case "write": {
        const request = writeOf(message.tag, message.value);
        return this.#exchange(message, message.tag.modbus?.unit ?? 0, request, answerTo(request, []));
      }
      default: {
        const never: never = message;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  #exchange(message: PlantMessage, unit: number, request: ModbusRequest, response: ModbusResponse): void {
    const connection = this.#connection(message.from, message.to, message.atMs);
    connection.transaction = (connection.transaction + 1) & 0xffff;
    const header = { transactionId: transactionId(connection.transaction), unitId: unitId(unit) };
    this.#segment(
      connection,
      true,
      TCP_FLAG.ACK | TCP_FLAG.PSH,
      encodeFrame(header, encodeRequest(request)),
      message.atMs,
    );
    const answer = encodeFrame(header, encodeResponse(response));
    this.#segment(connection, false, TCP_FLAG.ACK | TCP_FLAG.PSH, answer, message.atMs + ANSWER_MS);
  }

  #connection(from: DeviceId, to: DeviceId, atMs: number): Connection {
    const key = `${from} ${to}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const address = (id: DeviceId) => this.#plant.devices.find((device) => device.id === id)?.addresses[0] ?? "";
    const clientPort = FIRST_CLIENT_PORT + this.#connections.size;
    const made = { client: address(from), server: address(to), clientPort, up: 1000, down: 5000, transaction: 0 };
    this.#connections.set(key, made);
    for (const [up, flags] of HANDSHAKE) this.#segment(made, up, flags, Buffer.alloc(0), atMs - 1);
    return made;
  }

  #segment(connection: Connection, up: boolean, flags: number, payload: Buffer, atMs: number): void {
    const { client, server, clientPort } = connection;
    const [seq, ack] = up ? [connection.up, connection.down] : [connection.down, connection.up];
    const frame = buildTcpFrame({
      ...{ srcMac: "02:00:00:00:00:01", dstMac: "02:00:00:00:00:02", flags, payload, seq },
      ack: (flags & TCP_FLAG.ACK) === 0 ? 0 : ack,
      ...(up
        ? { srcIp: client, dstIp: server, srcPort: clientPort, dstPort: PORT }
        : { srcIp: server, dstIp: client, srcPort: PORT, dstPort: clientPort }),
    });
    const used = payload.length + ((flags & TCP_FLAG.SYN) === 0 ? 0 : 1);
    if (up) connection.up = (connection.up + used) >>> 0;
    else connection.down = (connection.down + used) >>> 0;
    this.#take(encodePcapRecord(this.#baseMs + atMs, frame));
  }
}

const HANDSHAKE = [
  [true, TCP_FLAG.SYN],
  [false, TCP_FLAG.SYN | TCP_FLAG.ACK],
  [true, TCP_FLAG.ACK],
] as const;

function answerTo(request: ModbusRequest, raw: readonly number[]): ModbusResponse {
  switch (request.kind) {
    case "read-coils":
      return { kind: request.kind, functionCode: 1, values: bits(request.quantity, raw) };
    case "read-discrete-inputs":
      return { kind: request.kind, functionCode: 2, values: bits(request.quantity, raw) };
    case "read-holding-registers":
      return { kind: request.kind, functionCode: 3, values: raw };
    case "read-input-registers":
      return { kind: request.kind, functionCode: 4, values: raw };
    case "write-single-coil":
    case "write-single-register":
      return request;
    default:
      throw new Error(`unreachable: the plant's stations send no ${request.kind}`);
  }
}

function bits(quantity: number, raw: readonly number[]): readonly boolean[] {
  return Array.from({ length: quantity }, (_, n) => raw[n] === 1);
}
