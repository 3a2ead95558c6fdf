import type { Party } from "#point/observe/modbus.ts";
import { ModbusImage, type RegisterWrite } from "#point/observe/modbus-image.ts";
import { registersWritten } from "#point/observe/modbus-registers.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged, Point } from "#point/point.ts";
import { withheldWhole } from "#point/receipt.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import {
  decodeResponse,
  type ExceptionName,
  encodeException,
  MBAP_FRAMING,
  type ModbusFrame,
  type ModbusFramer,
  type ModbusFraming,
} from "#wire/modbus/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import { actionFor, BAD_ANSWER, DEFAULT_DENY_ACTIONS, type DenyActions, NO_ANSWER } from "./actions.ts";
import { judgeModbus, type ModbusContext } from "./modbus-judge.ts";
import { ANSWER_TIMEOUT_MS, MAX_LATE, MAX_PENDING, MAX_WITHHELD, PARTIAL_FRAME_TIMEOUT_MS } from "./modbus-limits.ts";
import { ModbusNotices } from "./modbus-notices.ts";
import type { ModbusSessionOptions } from "./modbus-options.ts";
import { ModbusOutcomes } from "./modbus-outcomes.ts";
import { mayWrite, misfit, NOTHING, readRequest, type Slot } from "./modbus-slot.ts";
import { ModbusSlots } from "./modbus-slots.ts";
import type { Session, SessionOutput } from "./session.ts";

/**
 * The data path of one Modbus connection: framer → decoder → judgement → exactly the bytes that were decoded → server; back:
 * framer → pairing → response decoder → client. After the first bad byte of a side nothing more of it is read.
 */
export class ModbusSession implements Session {
  readonly #tags: ModbusTags;
  readonly #context: ModbusContext;
  readonly #output: SessionOutput;
  readonly #framing: ModbusFraming;
  readonly #actions: DenyActions;
  readonly #image: ModbusImage;
  readonly #notices: ModbusNotices;
  readonly #outcomes: ModbusOutcomes;
  readonly #maxPending: number;
  readonly #requests: ModbusFramer;
  readonly #responses: ModbusFramer;
  readonly #slots = new ModbusSlots();
  /** Frames not looked at yet, all of one read: bounded by the size of a read. */
  readonly #waiting: ModbusFrame[] = [];
  /** Transaction identifiers that were answered in the server's place for want of time. At most `MAX_LATE`. */
  readonly #late = new Set<number>();
  #withheld = 0;
  #partialSinceMs: number | undefined;
  #nowMs = 0;
  #ended = false;

  constructor(
    point: Point,
    tags: ModbusTags,
    party: Party,
    output: SessionOutput,
    {
      framing = MBAP_FRAMING,
      actions = DEFAULT_DENY_ACTIONS,
      image = new ModbusImage(tags),
    }: ModbusSessionOptions = {},
  ) {
    this.#tags = tags;
    this.#output = output;
    this.#framing = framing;
    this.#actions = actions;
    this.#image = image;
    this.#context = { point, tags, party, image };
    this.#outcomes = new ModbusOutcomes(this.#context);
    this.#notices = new ModbusNotices(point, party);
    this.#maxPending = Math.min(MAX_PENDING, framing.maxPending);
    this.#requests = framing.requests();
    this.#responses = framing.responses();
  }

  get wantsMore(): boolean {
    return this.#waiting.length === 0;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#slots.length === 0;
  }

  get unsettledSinceMs(): number | undefined {
    return this.#slots.oldest?.judged[0]?.atMs;
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
    const { state } = this.#responses;
    if (!this.#ended && state.kind === "failed") this.#lostServer(describeWireError(state.error));
    this.#work(realMs);
  }

  expire(realMs: number): void {
    if (this.#ended) return;
    // As long as requests wait, the client is not read: the end of a frame may have come long ago.
    if (this.#waiting.length > 0 && this.#partialSinceMs !== undefined) this.#partialSinceMs = realMs;
    if (this.#partialSinceMs !== undefined && realMs - this.#partialSinceMs > PARTIAL_FRAME_TIMEOUT_MS) {
      this.#malformed(`a frame stayed incomplete for ${PARTIAL_FRAME_TIMEOUT_MS / 1000} s`);
      return;
    }
    for (const slot of this.#slots.unanswered()) if (realMs - slot.sinceMs > ANSWER_TIMEOUT_MS) this.#tooLate(slot);
    this.#flush();
    const lost = this.#late.size > MAX_LATE || (this.#late.size > 0 && this.#framing.kind === "rtu");
    if (lost) this.#end(`the server did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
    else this.#work(realMs);
  }

  /** What was forwarded and never answered is reported as just that, and a client that is still there is told. */
  closed(): void {
    this.#waiting.length = 0;
    if (this.#ended) return;
    for (const slot of this.#slots.unanswered()) this.#standIn(slot, NO_ANSWER);
    this.#flush();
    this.#release();
  }

  readonly #resume = (): void => {
    try {
      this.#work(this.#nowMs);
    } catch (error) {
      // Another connection's answer leads here: that one must not end for what goes wrong in this one.
      this.#end(`the filter itself failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  #work(realMs: number): void {
    this.#nowMs = realMs;
    while (!this.#ended && this.#slots.length < this.#maxPending) {
      const frame = this.#waiting[0];
      if (frame === undefined) break;
      // A transaction identifier in use again could not be told apart in the answer: it waits until the first is answered.
      if (this.#slots.pending(frame) !== undefined) return;
      if (this.#late.has(frame.transactionId ?? 0)) {
        return this.#end("a transaction identifier is used again whose first answer may still come");
      }
      // A largest step counts from the present value: while a write is under way, nobody knows it.
      if (mayWrite(frame) && this.#slots.writeUnderWay) return;
      if (!this.#request(frame, realMs)) return;
    }
    if (!this.#ended && this.#waiting.length === 0 && this.#requests.state.kind === "failed") {
      this.#malformed(describeWireError(this.#requests.state.error));
    }
  }

  /** @returns false: its turn has not come */
  #request(frame: ModbusFrame, realMs: number): boolean {
    const read = readRequest(frame.pdu);
    if (!read.ok) {
      this.#malformed(read.error);
      return false;
    }
    const request = read.value;
    const write = registersWritten(frame.unitId, request);
    if (write !== undefined && !this.#image.mayBegin(write)) {
      this.#image.whenFree(this.#resume);
      return false;
    }
    this.#waiting.shift();
    const { judged, words } = judgeModbus(this.#context, frame.unitId, request);
    const blocked = judged.find(isBlocked);
    const slot: Slot = {
      frame,
      request,
      judged: blocked === undefined ? judged : withheldWhole(judged),
      sinceMs: realMs,
      mark: this.#image.mark(),
      write: undefined,
      words,
      answer: undefined,
    };
    if (blocked !== undefined) this.#deny(slot, blocked);
    else this.#forward(slot, write);
    this.#flush();
    return !this.#ended;
  }

  #deny(slot: Slot, { verdict }: Judged): void {
    this.#outcomes.settle(slot, "denied");
    const action = verdict.verdict === "deny" ? actionFor(this.#actions, verdict.reason) : this.#actions.internal;
    switch (action.kind) {
      case "close":
        return this.#end(verdict.verdict === "deny" ? verdict.says : "the message was denied");
      case "drop":
        slot.answer = NOTHING;
        break;
      case "exception":
        slot.answer = this.#exception(slot.frame, action.code);
        break;
      default: {
        const never: never = action;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
    this.#slots.push(slot);
  }

  /** Sent first and noted after: nothing else happens in between, and the server can begin. */
  #forward(slot: Slot, write: RegisterWrite | undefined): void {
    this.#slots.push(slot);
    this.#output.toServer(slot.frame.bytes);
    this.#outcomes.forwarded(slot, write);
    if (!this.#framing.isBroadcast(slot.frame.unitId)) return;
    slot.answer = NOTHING;
    this.#outcomes.settle(slot, "forwarded");
  }

  #answered(frame: ModbusFrame): void {
    const slot = this.#slots.pending(frame);
    if (slot === undefined || slot.frame.unitId !== frame.unitId) {
      if (slot === undefined && this.#late.delete(frame.transactionId ?? 0)) return;
      const which = frame.transactionId === undefined ? "an answer" : `transaction ${frame.transactionId}`;
      return this.#withhold("UNSOLICITED", `${which} of unit ${frame.unitId} answers no request`);
    }
    const response = decodeResponse(frame.pdu, slot.request);
    const says = response.ok ? misfit(this.#tags, slot.request, response.value) : describeWireError(response.error);
    if (!response.ok || says !== undefined) {
      this.#standIn(slot, BAD_ANSWER);
      this.#withhold("MALFORMED", says ?? "");
      return this.#flush();
    }
    const passes = this.#outcomes.mayTell(slot, response.value);
    slot.answer = passes ? frame.bytes : this.#exception(slot.frame, NO_ANSWER);
    this.#flush();
    this.#outcomes.answered(slot, frame, response.value, passes);
  }

  #flush(): void {
    this.#slots.flush(this.#output);
  }

  #tooLate(slot: Slot): void {
    this.#late.add(slot.frame.transactionId ?? 0);
    this.#standIn(slot, NO_ANSWER);
  }

  /** Answered in the server's place. Whether the server has done it, or will, is not known. */
  #standIn(slot: Slot, name: ExceptionName): void {
    slot.answer = this.#exception(slot.frame, name);
    this.#outcomes.settle(slot, "forwarded");
  }

  #exception(frame: ModbusFrame, exception: ExceptionName | number): Buffer {
    if (this.#framing.isBroadcast(frame.unitId)) return NOTHING;
    return this.#framing.answer(frame, encodeException(frame.pdu[0] ?? 0, exception));
  }

  #malformed(says: string): void {
    this.#notices.client("MALFORMED", `${says}; the connection is closed and nothing after it was forwarded`);
    this.#end(says);
  }

  /** One answer does not reach the client; the connection goes on, unless that has become a habit. */
  #withhold(code: ReasonCode, says: string): void {
    this.#withheld += 1;
    const last = this.#withheld > MAX_WITHHELD;
    const end = last ? ` as the last of ${this.#withheld}, and the connection closed` : "";
    this.#notices.server(code, `${says}; it was withheld${end}`);
    if (last) this.#end(says);
  }

  /** Where the next answer of the server would begin is not known any more. */
  #lostServer(says: string): void {
    this.#notices.server("MALFORMED", `${says}; it was withheld and the connection closed`);
    for (const slot of this.#slots.unanswered()) this.#standIn(slot, BAD_ANSWER);
    this.#flush();
    this.#end(says);
  }

  #end(says: string): void {
    if (this.#ended) return;
    this.#release();
    this.#output.close(says);
  }

  #release(): void {
    this.#ended = true;
    this.#waiting.length = 0;
    this.#image.waitsNoMore(this.#resume);
    for (const slot of this.#slots.unanswered()) this.#outcomes.settle(slot, "forwarded");
    this.#slots.clear();
  }
}

const isBlocked = ({ action }: Judged): boolean => action === "blocked";
