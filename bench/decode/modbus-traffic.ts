import type { Random } from "#sim/random.ts";
import { random } from "#sim/random.ts";
import {
  coilAddress,
  encodeFrame,
  encodeRequest,
  encodeResponse,
  holdingRegisterAddress,
  inputRegisterAddress,
  type ModbusRequest,
  type ModbusResponse,
  transactionId,
  unitId,
} from "#wire/modbus/index.ts";
import { CaptureFile, Conversation, type Station } from "./capture-file.ts";

export interface TrafficSize {
  readonly packets: number;
  /** TCP connections that are open at once */
  readonly flows: number;
}

/** µs between a request and its answer, and between two rounds of a station. */
const ANSWER_US = 1500;
const ROUND_US = 100;

interface Poller {
  readonly conversation: Conversation;
  readonly orders: readonly Exchange[];
  transaction: number;
}

interface Exchange {
  readonly unit: number;
  readonly request: Buffer;
  /** some, so that values change */
  readonly responses: readonly Buffer[];
}

/**
 * Operator stations that poll controllers, as a mirror port shows them: each connection reads a few blocks round after round (holding
 * and input registers mostly, coils, the sizes uneven), one exchange in sixteen writes, one in two hundred is an exception. After
 * each answer the client's TCP acknowledges by itself, since its next request is later than a delayed acknowledgement.
 * The same size gives the same bytes.
 */
export function writeModbusCapture(path: string, size: TrafficSize): void {
  const rng = random(502, "modbus");
  const file = new CaptureFile(path);
  const pollers = Array.from({ length: size.flows }, (_, i) => poller(file, rng, i));
  for (const { conversation } of pollers) conversation.open();
  for (let turn = 0; file.packets < size.packets; turn += 1) {
    const who = pollers[turn % pollers.length];
    if (who === undefined) break;
    who.transaction = (who.transaction + 1) & 0xffff;
    const exchange = who.orders[Math.floor(rng() * who.orders.length)];
    const response = exchange?.responses[who.transaction % exchange.responses.length];
    if (exchange === undefined || response === undefined) break;
    const header = { transactionId: transactionId(who.transaction), unitId: unitId(exchange.unit) };
    who.conversation.data("client", encodeFrame(header, exchange.request));
    file.wait(ANSWER_US * rng());
    who.conversation.data("server", encodeFrame(header, response));
    file.wait(ROUND_US * rng());
    who.conversation.acknowledge("client");
  }
  file.close();
}

function poller(file: CaptureFile, rng: Random, i: number): Poller {
  const client = station(Math.floor(i / 250), 1 + (i % 250), 49_152 + (i % 16_000));
  const server = station(128 + (i % 64), 10 + (i % 40), 502);
  const conversation = new Conversation(file, client, server, Math.floor(rng() * 2 ** 32));
  const unit = 1 + (i % 4);
  return { conversation, orders: ORDERS.map((order) => exchangeOf(order(rng), unit, rng)), transaction: i & 0xffff };
}

export function station(net: number, host: number, port: number): Station {
  const hex = (n: number): string => n.toString(16).padStart(2, "0");
  return { mac: `02:00:00:${hex(port & 0xff)}:${hex(net)}:${hex(host)}`, ip: `10.0.${net}.${host}`, port };
}

const whole = (rng: Random, below: number): number => Math.floor(rng() * below);
const words = (rng: Random, count: number): number[] => Array.from({ length: count }, () => whole(rng, 0x1_0000));
const bits = (rng: Random, count: number): boolean[] => Array.from({ length: count }, () => rng() < 0.5);

type Order = (rng: Random) => ModbusRequest;
const holding = (rng: Random) => holdingRegisterAddress(whole(rng, 4000));
const readHolding =
  (quantity: number): Order =>
  (rng) => ({ kind: "read-holding-registers", functionCode: 3, address: holding(rng), quantity });
const readInput =
  (quantity: number): Order =>
  (rng) => ({
    kind: "read-input-registers",
    functionCode: 4,
    address: inputRegisterAddress(whole(rng, 4000)),
    quantity,
  });
const readCoils =
  (quantity: number): Order =>
  (rng) => ({ kind: "read-coils", functionCode: 1, address: coilAddress(whole(rng, 2000)), quantity });

const ORDERS: readonly Order[] = [
  ...[2, 10, 16, 20, 32, 60, 125].map(readHolding),
  ...[4, 8, 16, 32].map(readInput),
  ...[8, 16, 32, 64].map(readCoils),
  (rng) => ({
    kind: "write-multiple-registers",
    functionCode: 16,
    address: holding(rng),
    values: words(rng, 1 + whole(rng, 8)),
  }),
];

/** Answers to one request that are prepared, so that values change from round to round. */
const VARIANTS = 14;

function exchangeOf(request: ModbusRequest, unit: number, rng: Random): Exchange {
  const responses = Array.from({ length: VARIANTS }, (_, i) => encodeResponse(responseTo(request, i, rng)));
  return { unit, request: encodeRequest(request), responses };
}

function responseTo(request: ModbusRequest, variant: number, rng: Random): ModbusResponse {
  if (variant === 0 && rng() < VARIANTS / 200)
    return { kind: "exception", functionCode: request.functionCode, code: 2, name: "illegal-data-address" };
  switch (request.kind) {
    case "read-holding-registers":
      return { kind: request.kind, functionCode: 3, values: words(rng, request.quantity) };
    case "read-input-registers":
      return { kind: request.kind, functionCode: 4, values: words(rng, request.quantity) };
    case "read-coils":
      return { kind: request.kind, functionCode: 1, values: bits(rng, request.quantity) };
    case "write-multiple-registers":
      return { kind: request.kind, functionCode: 16, address: request.address, quantity: request.values.length };
    default:
      throw new Error(`unreachable: no station here sends ${request.kind}`);
  }
}
