import { observeModbus, type Party, showValues, valuesInAnswer } from "#point/observe/modbus.ts";
import type { ModbusImage, RegisterWrite } from "#point/observe/modbus-image.ts";
import { namedReason } from "#point/observe/modbus-mask.ts";
import { registersRead, registersWritten, wordsWritten } from "#point/observe/modbus-registers.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged, Point } from "#point/point.ts";
import type { TagId } from "#specs/ids.ts";
import { changesState } from "#specs/mask.ts";
import {
  decodeRequest,
  decodeResponse,
  type MbapFrame,
  MbapFramer,
  type ModbusRequest,
  type ModbusResponse,
  type PairedRequest,
  RequestTable,
} from "#wire/modbus/index.ts";
import type { Direction } from "#wire/packet/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import type { Blind, Conversation, Unfollowed } from "./conversation.ts";

/** Requests remembered until their answers come; more than a relay would let wait, since a monitor cannot hold anyone back. */
export const MAX_PENDING = 64;
/** Plant ms after which a request without an answer is forgotten. */
export const FORGET_MS = 10_000;

/**
 * Plant ms after which a client that uses a transaction identifier again has given up on the request before: it takes the next answer for
 * that of the new one. One that does so at once has both open, against MODBUS Messaging on TCP/IP V1.0b §4.2 ("unique").
 */
export const GIVEN_UP_MS = 250;

const FUNCTION = { READ_COILS: 1, READ_INPUT_REGISTERS: 4 } as const;
/** Function code, address, quantity. MODBUS AP V1.1b3 §6.1 to §6.4 */
const READ_BYTES = 5;

/** A request on its way, as far as it matters when its answer comes. */
interface Waiting {
  readonly judged: readonly Judged[];
  /** Where the image of the registers stood when it was seen. */
  readonly mark: number;
  /** The registers it writes, where nothing else is writing them in a way that cannot be followed. */
  readonly write: RegisterWrite | undefined;
  /** What it puts there; undefined: it depends on what nobody knows. */
  readonly words: readonly number[] | undefined;
}

/** What of the server a conversation shares with the others to it. */
export interface ModbusServer {
  readonly tags: ModbusTags;
  readonly image: ModbusImage;
}

/**
 * Judges what an HMI asks of a Modbus server, and learns tag values from what it is told. One request is one command, however many
 * registers it writes: function 23 is its write and its read, function 22 is the write that it comes to.
 */
export class ModbusConversation implements Conversation {
  readonly #point: Point;
  readonly #server: ModbusServer;
  readonly #party: Party;
  #requests = new MbapFramer();
  #responses = new MbapFramer();
  readonly #pending = new RequestTable<Waiting>({ limit: MAX_PENDING });
  readonly #unfollowed: Unfollowed;
  #nowMs = 0;
  #unreadable: string | undefined;

  constructor(point: Point, server: ModbusServer, party: Party, unfollowed: Unfollowed) {
    this.#point = point;
    this.#server = server;
    this.#party = party;
    this.#unfollowed = unfollowed;
  }

  get blind(): Blind | undefined {
    return this.#unreadable === undefined ? undefined : { says: this.#unreadable, isForGood: false };
  }

  data(direction: Direction, bytes: Buffer, timeMs: number): void {
    const framer = direction === "client-to-server" ? this.#requests : this.#responses;
    for (const frame of framer.push(bytes)) {
      if (this.#unreadable !== undefined) return;
      if (direction === "client-to-server") this.#request(frame, timeMs);
      else this.#response(frame, timeMs);
    }
    if (framer.state.kind === "failed") this.#unreadable ??= describeWireError(framer.state.error);
  }

  lost(timeMs: number): void {
    // Their answers may be what is missing.
    for (const { context } of this.#pending.drain()) this.#unknown(context, timeMs);
    this.#requests = new MbapFramer();
    this.#responses = new MbapFramer();
    this.#unreadable = undefined;
  }

  /** A server says nothing that it is not asked; who asks too seldom is missed by the rules. */
  look(timeMs: number): void {
    for (const { context } of this.#pending.expire(timeMs - FORGET_MS)) this.#unanswered(context, timeMs);
  }

  closed(timeMs: number): void {
    for (const { context } of this.#pending.drain()) this.#unanswered(context, timeMs);
  }

  #request(frame: MbapFrame, timeMs: number): void {
    const request = decodeRequest(frame.pdu);
    if (!request.ok) {
      const says = describeWireError(request.error);
      if (isPlainRead(frame.pdu)) this.#unfollowed.notRead(says);
      else this.#unreadable = says;
      return;
    }
    this.look(timeMs);
    const before = this.#pending.giveUp(frame.transactionId, timeMs - GIVEN_UP_MS);
    if (before !== undefined) this.#unanswered(before.context, timeMs);
    const { judged, words } = this.#judge(frame.unitId, request.value, timeMs);
    for (const j of judged) {
      this.#point.forwarded(j, timeMs);
      this.#point.report(j, "forwarded");
    }
    const mark = this.#server.image.mark();
    const waiting: Waiting = { judged, mark, write: this.#begin(frame.unitId, request.value), words };
    // A full table or a reused transaction identifier costs the pairing of that one answer, and what is known of its registers.
    if (!this.#pending.add(frame, request.value, timeMs, waiting).ok) this.#unknown(waiting, timeMs);
  }

  /** By what the registers hold at this moment; a mask write of what nobody knows is one of no value, and is said to be so. */
  #judge(unit: number, request: ModbusRequest, timeMs: number): Pick<Waiting, "judged" | "words"> {
    const { tags, image } = this.#server;
    const present = (of: number, address: number) => image.present(of, address, timeMs);
    const judged = observeModbus(this.#party, tags, unit, request, present).map((observation) =>
      namedReason(this.#point.judge(observation, timeMs), request),
    );
    return { judged, words: wordsWritten(request, (address) => present(unit, address)) };
  }

  /** Nobody can be asked to wait: a write that meets another in a way that cannot be followed leaves its registers unknown. */
  #begin(unit: number, request: ModbusRequest): RegisterWrite | undefined {
    const write = registersWritten(unit, request);
    if (write === undefined) return undefined;
    const { image } = this.#server;
    if (image.mayBegin(write)) {
      image.begin(write);
      return write;
    }
    image.lost(write);
    return undefined;
  }

  #response(frame: MbapFrame, timeMs: number): void {
    const paired = this.#pending.match(frame);
    if (!paired.ok) return this.#unfollowed.notPaired(1);
    const { request, context } = paired.value;
    const response = decodeResponse(frame.pdu, request);
    if (!response.ok) {
      // Where the next one begins is not in doubt, and what this one shows is known to nobody.
      this.#unknown(context, timeMs);
      return this.#unfollowed.notRead(`an answer cannot be read (${describeWireError(response.error)})`);
    }
    this.#answered(frame, paired.value, response.value, timeMs);
  }

  #answered(
    frame: MbapFrame,
    { request, context }: PairedRequest<Waiting>,
    response: ModbusResponse,
    timeMs: number,
  ): void {
    const { tags, image } = this.#server;
    const succeeded = response.kind !== "exception";
    const outcome = succeeded ? "answered-ok" : "answered-error";
    for (const judged of context.judged) this.#point.answered(judged, outcome, timeMs);
    if (context.write !== undefined) image.end(context.write, succeeded ? context.words : undefined, timeMs);
    if (!succeeded) return;
    const read = registersRead(request, response);
    if (read !== undefined) image.saw(frame.unitId, read.address, read.words, context.mark, timeMs);
    if (this.#point.judgesReports) {
      this.#point.told(this.#party, valuesInAnswer(tags, frame.unitId, request, response), timeMs);
      return;
    }
    this.#nowMs = timeMs;
    showValues(tags, frame.unitId, request, frame.pdu, this.#see);
    this.#point.sawTags(timeMs);
  }

  readonly #see = (tag: TagId, value: number): void => this.#point.sawTag(tag, value, this.#nowMs);

  /** Nobody answered: the server may never have heard it. */
  #unanswered(waiting: Waiting, timeMs: number): void {
    if (waiting.judged.some(({ observation }) => changesState(observation.operation))) this.#unfollowed.notAnswered(1);
    this.#unknown(waiting, timeMs);
  }

  /** Whether the server has done it, or will, is not known: nor is what its registers hold. */
  #unknown({ write }: Waiting, timeMs: number): void {
    if (write !== undefined) this.#server.image.end(write, undefined, timeMs);
  }
}

/**
 * A read that has the length of a read: it changes nothing, whatever the server makes of it, and every server sees the next request begin
 * behind it. So asks an HMI that is set up wrongly, at each poll.
 */
function isPlainRead(pdu: Buffer): boolean {
  const functionCode = pdu[0] ?? 0;
  return (
    functionCode >= FUNCTION.READ_COILS && functionCode <= FUNCTION.READ_INPUT_REGISTERS && pdu.length === READ_BYTES
  );
}
