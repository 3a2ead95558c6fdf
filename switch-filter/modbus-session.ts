import { observeModbus, type Party, valuesInAnswer } from "#point/observe/modbus.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged, Point } from "#point/point.ts";
import type { Outcome, Verdict } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import {
  decodeRequest,
  decodeResponse,
  type ExceptionName,
  encodeException,
  encodeFrame,
  type MbapFrame,
  MbapFramer,
  type ModbusRequest,
} from "#wire/modbus/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import type { Session, SessionOutput } from "./session.ts";

/** Requests that may wait for their answers on one connection; further ones wait unread. @see MODBUS Messaging on TCP/IP V1.0b §4.2.2 */
export const MAX_PENDING = 16;
/** Real ms a server may take to answer, and a frame may stay incomplete. */
export const ANSWER_TIMEOUT_MS = 5000;
export const PARTIAL_FRAME_TIMEOUT_MS = 10_000;

/** One request on its way: replies keep the order of the requests, also around a denied one. */
interface Slot {
  readonly frame: MbapFrame;
  readonly request: ModbusRequest;
  readonly judged: readonly Judged[];
  readonly sinceMs: number;
  /** The bytes for the client, once known. */
  answer: Buffer | undefined;
}

/**
 * The data path of one Modbus connection: framer → decoder → judgement → exactly the bytes that were decoded → server; back:
 * framer → pairing → response decoder → client. After the first bad byte nothing more of the connection is read.
 */
export class ModbusSession implements Session {
  readonly #point: Point;
  readonly #tags: ModbusTags;
  readonly #party: Party;
  readonly #output: SessionOutput;
  readonly #requests = new MbapFramer();
  readonly #responses = new MbapFramer();
  readonly #slots: Slot[] = [];
  /** Frames not looked at yet, all of one read: bounded by the size of a read. */
  readonly #waiting: MbapFrame[] = [];
  #partialSinceMs: number | undefined;
  #ended = false;

  constructor(point: Point, tags: ModbusTags, party: Party, output: SessionOutput) {
    this.#point = point;
    this.#tags = tags;
    this.#party = party;
    this.#output = output;
  }

  get wantsMore(): boolean {
    return this.#waiting.length === 0;
  }

  get unsettledSinceMs(): number | undefined {
    for (const slot of this.#slots) if (slot.answer === undefined) return slot.judged[0]?.atMs;
    return undefined;
  }

  fromClient(chunk: Buffer, realMs: number): void {
    if (this.#ended) return;
    const frames = this.#requests.push(chunk);
    for (const frame of frames) this.#waiting.push(frame);
    // The time is that of one frame: a busy client whose segments end within frames is not a slow one.
    if (frames.length > 0) this.#partialSinceMs = undefined;
    if (this.#requests.pendingBytes > 0) this.#partialSinceMs ??= realMs;
    this.#work(realMs);
  }

  fromServer(chunk: Buffer, realMs: number): void {
    if (this.#ended) return;
    for (const frame of this.#responses.push(chunk)) {
      if (!this.#ended) this.#answered(frame);
    }
    if (this.#responses.state.kind === "failed")
      this.#badAnswer("MALFORMED", describeWireError(this.#responses.state.error));
    this.#work(realMs);
  }

  expire(realMs: number): void {
    if (this.#ended) return;
    if (this.#partialSinceMs !== undefined && realMs - this.#partialSinceMs > PARTIAL_FRAME_TIMEOUT_MS) {
      this.#malformed(`a frame stayed incomplete for ${PARTIAL_FRAME_TIMEOUT_MS / 1000} s`);
      return;
    }
    const late = this.#slots.find((slot) => slot.answer === undefined && realMs - slot.sinceMs > ANSWER_TIMEOUT_MS);
    if (late !== undefined) this.#end(`the server did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
  }

  /** What was forwarded and never answered is reported as just that. */
  closed(): void {
    this.#ended = true;
    for (const slot of this.#slots.splice(0)) if (slot.answer === undefined) this.#settle(slot, "forwarded");
    this.#waiting.length = 0;
  }

  #work(realMs: number): void {
    while (!this.#ended && this.#slots.length < MAX_PENDING) {
      const frame = this.#waiting[0];
      if (frame === undefined) break;
      // A transaction identifier in use again could not be told apart in the answer: it waits until the first is answered.
      if (this.#pending(frame.transactionId) !== undefined) return;
      // A largest step counts from the present value: while a write is under way, nobody knows it.
      if (mayWrite(frame) && this.#slots.some((slot) => slot.answer === undefined && mayWrite(slot.frame))) return;
      this.#waiting.shift();
      this.#request(frame, realMs);
    }
    if (!this.#ended && this.#waiting.length === 0 && this.#requests.state.kind === "failed") {
      this.#malformed(describeWireError(this.#requests.state.error));
    }
  }

  #pending(transactionId: number): Slot | undefined {
    return this.#slots.find((slot) => slot.answer === undefined && slot.frame.transactionId === transactionId);
  }

  #request(frame: MbapFrame, realMs: number): void {
    const functionCode = frame.pdu[0] ?? 0;
    const decoded = decodeRequest(frame.pdu);
    if (!decoded.ok) return this.#malformed(describeWireError(decoded.error));
    // "The function codes 1..255 decimal are valid, 128-255 are reserved for exception responses", 0 is not valid: §4.1.
    if (functionCode === 0 || functionCode > 127)
      return this.#malformed(`function code ${functionCode} is not one of a request`);
    const judged = observeModbus(this.#party, this.#tags, frame.unitId, decoded.value).map((o) => this.#point.judge(o));
    const slot: Slot = { frame, request: decoded.value, judged, sinceMs: realMs, answer: undefined };
    const blocked = judged.find((j) => j.action === "blocked");
    if (blocked !== undefined) {
      slot.answer = exception(frame, exceptionFor(blocked.verdict));
      this.#settle(slot, "denied");
    }
    this.#slots.push(slot);
    if (slot.answer === undefined) {
      for (const j of judged) this.#point.forwarded(j);
      this.#output.toServer(frame.bytes);
    }
    this.#flush();
  }

  #answered(frame: MbapFrame): void {
    const slot = this.#pending(frame.transactionId);
    if (slot === undefined || slot.frame.unitId !== frame.unitId) {
      return this.#badAnswer(
        "UNSOLICITED",
        `transaction ${frame.transactionId} of unit ${frame.unitId} answers no request`,
      );
    }
    const response = decodeResponse(frame.pdu, slot.request);
    if (!response.ok) return this.#badAnswer("MALFORMED", describeWireError(response.error));
    this.#settle(slot, response.value.kind === "exception" ? "answered-error" : "answered-ok");
    const passes = this.#point.told(
      this.#party,
      valuesInAnswer(this.#tags, frame.unitId, slot.request, response.value),
    );
    // Never an invented value: "the gateway got no response from the target device", MODBUS AP V1.1b3 §7.
    slot.answer = passes ? frame.bytes : exception(slot.frame, "gateway-target-failed-to-respond");
    this.#flush();
  }

  /** Sends what is ready, from the oldest request on. */
  #flush(): void {
    for (let head = this.#slots[0]; head?.answer !== undefined; head = this.#slots[0]) {
      this.#output.toClient(head.answer);
      this.#slots.shift();
    }
  }

  #settle(slot: Slot, outcome: Outcome): void {
    for (const judged of slot.judged) this.#point.settle(judged, outcome);
  }

  #malformed(says: string): void {
    this.#point.notice({
      code: "MALFORMED",
      severity: "detection",
      locus: this.#party.source === undefined ? ["unknown-device"] : [],
      source: this.#party.source ?? this.#party.sourceAddress,
      target: this.#party.target,
      says: `${this.#party.sourceAddress}: ${says}; the connection is closed and nothing after it was forwarded`,
    });
    this.#end(says);
  }

  #badAnswer(code: ReasonCode, says: string): void {
    this.#point.notice({
      code,
      severity: "detection",
      locus: ["path-switch-plc"],
      source: this.#party.target,
      target: this.#party.sourceAddress,
      says: `answer of ${this.#party.target}: ${says}; it was withheld and the connection closed`,
    });
    this.#end(says);
  }

  #end(says: string): void {
    if (this.#ended) return;
    this.closed();
    this.#output.close(says);
  }
}

/** Anything but the four plain reads. */
function mayWrite(frame: MbapFrame): boolean {
  const functionCode = frame.pdu[0] ?? 0;
  return functionCode < 1 || functionCode > 4;
}

function exception(frame: MbapFrame, name: ExceptionName): Buffer {
  return encodeFrame(frame, encodeException(frame.pdu[0] ?? 0, name));
}

/** 01 for function, phase, role and order, 02 for address, 03 for value: a documented departure from V1.1b3 §7. */
function exceptionFor(verdict: Verdict): ExceptionName {
  if (verdict.verdict === "allow") return "server-device-failure";
  switch (verdict.reason) {
    case "TAG_UNKNOWN":
    case "TAG_PARTIAL":
      return "illegal-data-address";
    case "VALUE_ABOVE":
    case "VALUE_BELOW":
    case "VALUE_NOT_LISTED":
    case "STEP_TOO_LARGE":
    case "TYPE_MISMATCH":
      return "illegal-data-value";
    default:
      return "illegal-function";
  }
}
