import { random } from "#sim/random.ts";
import {
  coilAddress,
  discreteInputAddress,
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

/** µs between a request and its answer, and between two requests. */
const ANSWER_US = 1500;
const ROUND_US = 100;
/** One exchange in so many sets the feed flow: a little slower than the phase allows. */
const WRITES_EVERY = 3200;
/** Blocks that each station reads in turn. */
const POLLS = 4;

interface Order {
  readonly client: Station;
  readonly server: Station;
  readonly unit: number;
  readonly request: ModbusRequest;
  readonly response: ModbusResponse;
}

/** Three stations that poll both PLCs of the water-treatment plant in phase normal, and the operator who changes the feed flow now and then. */
export function writePlantCapture(path: string, packets: number, connections = 64): void {
  const rng = random(21, "plant traffic");
  const file = new CaptureFile(path);
  const stations = ["127.10.1.11", "127.10.1.21", "127.0.0.1"];
  const lines = Array.from({ length: connections }, (_, n) => {
    const first = n % 2 === 0;
    const client = { mac: "02:00:00:00:00:01", ip: stations[n % stations.length] ?? "", port: 49_152 + n };
    const server = { mac: "02:00:00:00:00:02", ip: first ? "127.10.2.1" : "127.10.2.2", port: 502 };
    const polls = first ? pollsOf(client, server, 1, [5, 3, 3, 4]) : pollsOf(client, server, 2, [4, 3, 1, 4]);
    return { conversation: new Conversation(file, client, server, Math.floor(rng() * 2 ** 32)), polls, transaction: n };
  });
  for (const { conversation } of lines) conversation.open();
  // A set-point within its largest step, whose present value has been read.
  const set = [setting(24), setting(27)];
  for (let turn = 0; file.packets < packets; turn += 1) {
    // The first is the operator's, who writes once all has been read.
    const writes = turn >= POLLS * lines.length && turn % WRITES_EVERY === 0;
    const line = lines[writes ? 0 : turn % lines.length];
    if (line === undefined) break;
    const order = writes
      ? set[(turn / WRITES_EVERY) % set.length]
      : line.polls[Math.floor(turn / lines.length) % line.polls.length];
    if (order === undefined) break;
    line.transaction = (line.transaction + 1) & 0xffff;
    const header = { transactionId: transactionId(line.transaction), unitId: unitId(order.unit) };
    line.conversation.data("client", encodeFrame(header, encodeRequest(order.request)));
    file.wait(ANSWER_US * rng());
    line.conversation.data("server", encodeFrame(header, encodeResponse(order.response)));
    file.wait(ROUND_US * rng());
    line.conversation.acknowledge("client");
  }
  file.close();
}

function setting(flow: number): Pick<Order, "unit" | "request" | "response"> {
  const write = {
    kind: "write-single-register",
    functionCode: 6,
    address: holdingRegisterAddress(0),
    value: flow * 10,
  } as const;
  return { unit: 1, request: write, response: write };
}

function pollsOf(
  client: Station,
  server: Station,
  unit: number,
  [coils, statuses, settings, measured]: readonly [number, number, number, number],
): readonly Order[] {
  const first = { client, server, unit };
  const bits = (count: number) => Array.from({ length: count }, (_, n) => n === 1);
  const words = (count: number) => Array.from({ length: count }, (_, n) => 240 + n);
  return [
    {
      ...first,
      request: { kind: "read-input-registers", functionCode: 4, address: inputRegisterAddress(0), quantity: measured },
      response: { kind: "read-input-registers", functionCode: 4, values: words(measured) },
    },
    {
      ...first,
      request: {
        kind: "read-holding-registers",
        functionCode: 3,
        address: holdingRegisterAddress(0),
        quantity: settings,
      },
      response: { kind: "read-holding-registers", functionCode: 3, values: words(settings) },
    },
    {
      ...first,
      request: { kind: "read-coils", functionCode: 1, address: coilAddress(0), quantity: coils },
      response: { kind: "read-coils", functionCode: 1, values: bits(coils) },
    },
    {
      ...first,
      request: {
        kind: "read-discrete-inputs",
        functionCode: 2,
        address: discreteInputAddress(0),
        quantity: statuses,
      },
      response: { kind: "read-discrete-inputs", functionCode: 2, values: bits(statuses) },
    },
  ];
}
