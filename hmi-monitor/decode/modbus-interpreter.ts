import { ok, type Result } from "#specs/result.ts";
import {
  decodeRequest,
  decodeResponse,
  EXCEPTION_BIT,
  MBAP_FRAMING,
  type ModbusFrame,
  type ModbusFraming,
  type ModbusRequest,
  type ModbusResponse,
  rtuFraming,
} from "#wire/modbus/index.ts";
import type { Direction } from "#wire/packet/index.ts";
import type { WireError } from "#wire/wire-error.ts";
import { ascii } from "./ascii.ts";
import { type Interpreter, sentenceOf, type Unread } from "./dialogue.ts";
import { impliedRequest } from "./implied-request.ts";
import type { JsonBytes } from "./json-bytes.ts";
import type { Lines } from "./lines.ts";
import { modbusRequestFields, modbusResponseFields } from "./modbus-fields.ts";
import { requestRemains, responseRemains } from "./modbus-remains.ts";
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
import type { Moment } from "./moments.ts";
import type { Cutter } from "./stream-reader.ts";
import { NO_TRANSACTION, type Waiting, WaitingRequests } from "./waiting-requests.ts";

const RTU_FRAMING = rtuFraming();
const NS_PER_S = 1_000_000_000;

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

/** Messages of a Modbus connection, each response with the request it answers. */
export class ModbusInterpreter implements Interpreter<ModbusFrame> {
  readonly protocol = "modbus";
  readonly #lines: Lines;
  readonly #unread: Unread;
  readonly #framing: ModbusFraming;
  readonly #waiting: WaitingRequests;

  constructor(rtu: boolean, lines: Lines, unread: Unread) {
    this.#lines = lines;
    this.#unread = unread;
    this.#waiting = new WaitingRequests(unread);
    this.#framing = rtu ? RTU_FRAMING : MBAP_FRAMING;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  isFromServer(): boolean {
    return false;
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
    this.#waiting.add(transactionOf(adu), {
      request: "read",
      functionCode: functionOf(adu),
      unit: unitOf(adu),
      frame: at.number,
      seconds: secondsOf(at),
      address: addressOf(adu),
      quantity: quantityOf(adu),
    });
    return true;
  }

  #skimResponse(adu: Buffer, head: Uint8Array, at: Moment): boolean {
    if (!isReadAnswer(adu)) return false;
    const transaction = transactionOf(adu);
    const waiting = this.#waiting.only(transaction, unitOf(adu));
    if (waiting?.request !== "read" || waiting.functionCode !== functionOf(adu)) return false;
    if (!answersRead(adu, waiting.quantity)) return false;
    this.#waiting.remove(transaction, waiting.unit);
    const json = this.#lines.begin(at, head);
    headerFields(json, adu);
    valueFields(json, adu, waiting.quantity);
    requestFields(json, waiting);
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
    if (request.ok) {
      modbusRequestFields(json, request.value);
      this.#lines.end();
    } else {
      requestRemains(json, frame.pdu);
      this.#undecoded(json, frame, request.error);
    }
    if (this.#framing.isBroadcast(frame.unitId)) return;
    const waiting = request.ok ? waitingFor(request.value, frame, at) : malformed(frame, at);
    this.#waiting.add(frame.transactionId ?? NO_TRANSACTION, waiting);
  }

  /** A message is one frame. */
  unfinished(): number {
    return 0;
  }

  lost(direction: Direction): void {
    if (direction === "server-to-client") this.#waiting.answersLost();
  }

  #response(json: JsonBytes, frame: ModbusFrame): void {
    const { pdu } = frame;
    const functionCode = (pdu[0] ?? 0) & ~EXCEPTION_BIT;
    const transaction = frame.transactionId ?? NO_TRANSACTION;
    const fits = (one: Waiting): boolean => answerTo(one, pdu).ok;
    const waiting = this.#waiting.answered(transaction, frame.unitId, functionCode, fits);
    if (waiting === undefined) this.#unread.unsolicited += 1;
    const response = answerTo(waiting, pdu);
    if (response.ok) modbusResponseFields(json, response.value);
    else responseRemains(json, pdu, waiting?.request === "read" ? waiting.quantity : undefined);
    if (waiting === undefined) json.raw(KEY.unsolicited);
    else requestFields(json, waiting);
    if (response.ok) this.#lines.end();
    else this.#undecoded(json, frame, response.error);
  }

  #undecoded(json: JsonBytes, frame: ModbusFrame, error: WireError): void {
    json.raw(KEY.pdu).text(frame.pdu.toString("hex"));
    this.#lines.error(error.code, sentenceOf(error));
  }
}

function requestFields(json: JsonBytes, { request, functionCode, frame, address, quantity }: Waiting): void {
  json.raw(KEY.request).int(frame);
  if (request === "read" || (functionCode === READ_WRITE && request !== "malformed"))
    json.raw(KEY.address).int(address).raw(KEY.quantity).int(quantity);
  else if (functionCode === READ_FIFO && request !== "malformed") json.raw(KEY.address).int(address);
  json.raw(KEY.close);
}

/** A response, by the request that it answers; undefined: by what it must have been asked, the same where that was malformed. */
function answerTo(waiting: Waiting | undefined, pdu: Buffer): Result<ModbusResponse, WireError> {
  const request = waiting === undefined ? impliedRequest(pdu) : requestOf(waiting, pdu);
  return request.ok ? decodeResponse(pdu, request.value) : request;
}

function requestOf(
  { request, functionCode, address, quantity }: Waiting,
  pdu: Buffer,
): Result<ModbusRequest, WireError> {
  if (request === "malformed") return impliedRequest(pdu);
  if (request !== "read") return ok(request);
  return decodeRequest(Buffer.from([functionCode, address >> 8, address & 0xff, quantity >> 8, quantity & 0xff]));
}

function malformed({ unitId: unit, pdu }: ModbusFrame, at: Moment): Waiting {
  const functionCode = (pdu[0] ?? 0) & ~EXCEPTION_BIT;
  const when = { frame: at.number, seconds: secondsOf(at) };
  return { request: "malformed", functionCode, unit, ...when, address: 0, quantity: 0 };
}

function waitingFor(request: ModbusRequest, { unitId: unit, pdu }: ModbusFrame, at: Moment): Waiting {
  const common = { functionCode: request.functionCode, unit, frame: at.number, seconds: secondsOf(at) };
  switch (request.kind) {
    case "read-coils":
    case "read-discrete-inputs":
    case "read-holding-registers":
    case "read-input-registers": {
      const { address, quantity } = request;
      return { ...common, request: "read", address, quantity };
    }
    case "read-write-multiple-registers": {
      const { readAddress: address, readQuantity: quantity } = request;
      return { ...common, request, address, quantity };
    }
    case "read-fifo-queue":
      return { ...common, request, address: request.address, quantity: 0 };
    default:
      return { ...common, request: "data" in request ? ownRequest(pdu) : request, address: 0, quantity: 0 };
  }
}

const secondsOf = ({ seconds, nanoseconds }: Moment): number => seconds + nanoseconds / NS_PER_S;

/** The request once more, of bytes that stay when the capture has been read on. */
function ownRequest(pdu: Buffer): ModbusRequest {
  const request = decodeRequest(Buffer.from(pdu));
  if (!request.ok) throw new Error("invariant: the same bytes were decoded before");
  return request.value;
}
