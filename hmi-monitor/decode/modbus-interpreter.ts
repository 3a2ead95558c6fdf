import { ok, type Result } from "#specs/result.ts";
import {
  decodeRequest,
  decodeResponse,
  EXCEPTION_BIT,
  MBAP_FRAMING,
  type ModbusFrame,
  type ModbusFraming,
  type ModbusRequest,
  rtuFraming,
} from "#wire/modbus/index.ts";
import type { Direction } from "#wire/packet/index.ts";
import type { WireError } from "#wire/wire-error.ts";
import { type Interpreter, type Moment, sentenceOf, type Unread } from "./dialogue.ts";
import { impliedRequest } from "./implied-request.ts";
import { ascii, type JsonBytes } from "./json-bytes.ts";
import type { Lines } from "./lines.ts";
import { modbusRequestFields, modbusResponseFields } from "./modbus-fields.ts";
import {
  addressOf,
  answersRead,
  functionOf,
  headerFields,
  isPlainRead,
  isReadAnswer,
  quantityOf,
  readFields,
  transactionOf,
  unitOf,
  valueFields,
} from "./modbus-skim.ts";
import type { Cutter } from "./stream-reader.ts";

const RTU_FRAMING = rtuFraming();

/** Requests of one connection that may wait for answers: four times what the standard lets a client have open (§4.2.2: 16). */
const MAX_PENDING = 64;
/** Stands for the transaction of RTU, where one request waits at a time. */
const NO_TRANSACTION = -1;
/** Function codes whose answers are given the addresses of their requests, besides the reads of the four tables. */
const READ_WRITE = 23;
const READ_FIFO = 24;

const KEY = {
  transaction: ascii(',"transaction":'),
  unit: ascii(',"unit":'),
  function: ascii(',"function":'),
  request: ascii(',"request":{"frame":'),
  address: ascii(',"address":'),
  quantity: ascii(',"quantity":'),
  close: ascii("}"),
  unsolicited: ascii(',"unsolicited":true'),
  pdu: ascii(',"pdu":'),
} as const;

/** A request that waits. Of reads of the four tables the numbers are enough; of others the whole is kept. */
interface Pending {
  readonly request: ModbusRequest | undefined;
  readonly functionCode: number;
  readonly unit: number;
  readonly frame: number;
  readonly address: number;
  readonly quantity: number;
}

/** Messages of a Modbus connection, each response with the request it answers. */
export class ModbusInterpreter implements Interpreter<ModbusFrame> {
  readonly protocol = "modbus";
  readonly #lines: Lines;
  readonly #unread: Unread;
  readonly #framing: ModbusFraming;
  /** oldest first */
  readonly #pending = new Map<number, Pending>();

  constructor(rtu: boolean, lines: Lines, unread: Unread) {
    this.#lines = lines;
    this.#unread = unread;
    this.#framing = rtu ? RTU_FRAMING : MBAP_FRAMING;
  }

  get waiting(): number {
    return this.#pending.size;
  }

  cutter(direction: Direction): Cutter<ModbusFrame> {
    const framer = direction === "client-to-server" ? this.#framing.requests() : this.#framing.responses();
    return {
      push: (chunk) => framer.push(chunk),
      get failure() {
        return framer.state.kind === "failed" ? framer.state.error : undefined;
      },
      get pending() {
        return framer.pendingBytes;
      },
    };
  }

  skim(up: boolean, adu: Buffer, head: Uint8Array, at: Moment): boolean {
    if (this.#framing.kind === "rtu") return false;
    return up ? this.#skimRequest(adu, head, at) : this.#skimResponse(adu, head, at);
  }

  #skimRequest(adu: Buffer, head: Uint8Array, at: Moment): boolean {
    if (!isPlainRead(adu)) return false;
    const json = this.#lines.begin(at, head);
    headerFields(json, adu);
    readFields(json, adu);
    this.#lines.end();
    this.#remember(transactionOf(adu), {
      request: undefined,
      functionCode: functionOf(adu),
      unit: unitOf(adu),
      frame: at.number,
      address: addressOf(adu),
      quantity: quantityOf(adu),
    });
    return true;
  }

  #skimResponse(adu: Buffer, head: Uint8Array, at: Moment): boolean {
    if (!isReadAnswer(adu)) return false;
    const transaction = transactionOf(adu);
    const pending = this.#pending.get(transaction);
    if (pending === undefined || pending.unit !== unitOf(adu) || pending.functionCode !== functionOf(adu)) return false;
    if (!answersRead(adu, pending.quantity)) return false;
    this.#pending.delete(transaction);
    const json = this.#lines.begin(at, head);
    headerFields(json, adu);
    valueFields(json, adu, pending.quantity);
    requestFields(json, pending);
    this.#lines.end();
    return true;
  }

  message(direction: Direction, frame: ModbusFrame, head: Uint8Array, at: Moment): void {
    const json = this.#lines.begin(at, head);
    if (frame.transactionId !== undefined) json.raw(KEY.transaction).int(frame.transactionId);
    json
      .raw(KEY.unit)
      .int(frame.unitId)
      .raw(KEY.function)
      .int((frame.pdu[0] ?? 0) & ~EXCEPTION_BIT);
    if (direction === "client-to-server") this.#request(json, frame, at);
    else this.#response(json, frame);
  }

  #request(json: JsonBytes, frame: ModbusFrame, at: Moment): void {
    const request = decodeRequest(frame.pdu);
    if (!request.ok) {
      this.#undecoded(json, frame, request.error);
      return;
    }
    modbusRequestFields(json, request.value);
    this.#lines.end();
    if (this.#framing.isBroadcast(frame.unitId)) return;
    this.#remember(frame.transactionId ?? NO_TRANSACTION, pendingOf(request.value, frame, at.number));
  }

  #response(json: JsonBytes, frame: ModbusFrame): void {
    const pending = this.#answered(frame);
    const request = pending === undefined ? impliedRequest(frame.pdu) : requestOf(pending);
    const response = request.ok ? decodeResponse(frame.pdu, request.value) : request;
    if (!response.ok) {
      this.#undecoded(json, frame, response.error);
      return;
    }
    modbusResponseFields(json, response.value);
    if (pending === undefined) {
      this.#unread.unsolicited += 1;
      json.raw(KEY.unsolicited);
    } else requestFields(json, pending);
    this.#lines.end();
  }

  #remember(transaction: number, pending: Pending): void {
    const waiting = this.#pending;
    // A client that uses a transaction again, or asks again over RTU, has given up on the request before.
    if (waiting.delete(transaction)) this.#unread.unanswered += 1;
    if (waiting.size >= MAX_PENDING) {
      for (const oldest of waiting.keys()) {
        waiting.delete(oldest);
        break;
      }
      this.#unread.unanswered += 1;
    }
    waiting.set(transaction, pending);
  }

  /** The request that a response answers; one of another unit or function goes on waiting. */
  #answered(frame: ModbusFrame): Pending | undefined {
    const transaction = frame.transactionId ?? NO_TRANSACTION;
    const pending = this.#pending.get(transaction);
    if (pending === undefined || pending.unit !== frame.unitId) return undefined;
    if (pending.functionCode !== ((frame.pdu[0] ?? 0) & ~EXCEPTION_BIT)) return undefined;
    this.#pending.delete(transaction);
    return pending;
  }

  #undecoded(json: JsonBytes, frame: ModbusFrame, error: WireError): void {
    json.raw(KEY.pdu).text(frame.pdu.toString("hex"));
    this.#lines.error(error.code, sentenceOf(error));
  }
}

function requestFields(json: JsonBytes, { request, functionCode, frame, address, quantity }: Pending): void {
  json.raw(KEY.request).int(frame);
  if (request === undefined || functionCode === READ_WRITE)
    json.raw(KEY.address).int(address).raw(KEY.quantity).int(quantity);
  else if (functionCode === READ_FIFO) json.raw(KEY.address).int(address);
  json.raw(KEY.close);
}

function pendingOf(request: ModbusRequest, { unitId: unit, pdu }: ModbusFrame, frame: number): Pending {
  const { functionCode } = request;
  switch (request.kind) {
    case "read-coils":
    case "read-discrete-inputs":
    case "read-holding-registers":
    case "read-input-registers": {
      const { address, quantity } = request;
      return { request: undefined, functionCode, unit, frame, address, quantity };
    }
    case "read-write-multiple-registers": {
      const { readAddress: address, readQuantity: quantity } = request;
      return { request, functionCode, unit, frame, address, quantity };
    }
    case "read-fifo-queue":
      return { request, functionCode, unit, frame, address: request.address, quantity: 0 };
    default: {
      const kept = "data" in request ? ownRequest(pdu) : request;
      return { request: kept, functionCode, unit, frame, address: 0, quantity: 0 };
    }
  }
}

function requestOf({ request, functionCode, address, quantity }: Pending): Result<ModbusRequest, WireError> {
  if (request !== undefined) return ok(request);
  return decodeRequest(Buffer.from([functionCode, address >> 8, address & 0xff, quantity >> 8, quantity & 0xff]));
}

/** The request once more, of bytes that stay when the capture has been read on. */
function ownRequest(pdu: Buffer): ModbusRequest {
  const request = decodeRequest(Buffer.from(pdu));
  if (!request.ok) throw new Error("invariant: the same bytes were decoded before");
  return request.value;
}
