import { type Party, valuesInAnswer } from "#point/observe/modbus.ts";
import { ModbusImage } from "#point/observe/modbus-image.ts";
import { registersRead, registersWritten } from "#point/observe/modbus-registers.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged, Point } from "#point/point.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import {
  decodeRequest,
  decodeResponse,
  MBAP_FRAMING,
  type MbapFrame,
  type ModbusFrame,
  type ModbusFramer,
  type ModbusFraming,
  RequestTable,
  type TransactionId,
  transactionId,
} from "#wire/modbus/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import { judgeModbus, type ModbusContext } from "./modbus-judge.ts";
import { ANSWER_TIMEOUT_MS } from "./modbus-limits.ts";
import { ModbusNotices } from "./modbus-notices.ts";
import type { Session, SessionOutput } from "./session.ts";

/** Requests remembered until their answers come. Nobody is held back here, so a client may have more under way. */
const MAX_WATCHED = 64;

/** A request, and where the image of the registers stood when it was seen. */
interface Watched {
  readonly judged: readonly Judged[];
  readonly mark: number;
}

/**
 * A Modbus connection in monitor mode: every byte passes as it came, and is judged beside. Nothing is blocked, delayed or
 * closed; after the first byte that cannot be read the rest passes unjudged, which is said once.
 */
export class ModbusWatch implements Session {
  readonly wantsMore = true;
  readonly #point: Point;
  readonly #tags: ModbusTags;
  readonly #party: Party;
  readonly #context: ModbusContext;
  readonly #output: SessionOutput;
  readonly #framing: ModbusFraming;
  readonly #image: ModbusImage;
  readonly #notices: ModbusNotices;
  readonly #requests: ModbusFramer;
  readonly #responses: ModbusFramer;
  /** By the time they were seen, real ms. */
  readonly #pending = new RequestTable<Watched>({ limit: MAX_WATCHED });
  /** In the order of their requests; at most as many as are remembered. */
  readonly #unsettled = new Set<Watched>();
  /** RTU: numbers in the place of transaction identifiers, of the requests that wait, and the last one given. */
  readonly #order: number[] = [];
  #asked = 0;
  /** Answers that may still come and can no longer be paired. */
  #unpaired = 0;
  #blind = false;

  constructor(
    point: Point,
    tags: ModbusTags,
    party: Party,
    output: SessionOutput,
    {
      framing = MBAP_FRAMING,
      image = new ModbusImage(tags),
    }: { readonly framing?: ModbusFraming; readonly image?: ModbusImage } = {},
  ) {
    this.#point = point;
    this.#tags = tags;
    this.#party = party;
    this.#output = output;
    this.#framing = framing;
    this.#image = image;
    this.#context = { point, tags, party, image };
    this.#notices = new ModbusNotices(point, party);
    this.#requests = framing.requests();
    this.#responses = framing.responses();
  }

  get unsettledSinceMs(): number | undefined {
    const [oldest] = this.#unsettled;
    return oldest?.judged[0]?.atMs;
  }

  fromClient(chunk: Buffer, realMs: number): void {
    for (const frame of this.#blind ? [] : this.#requests.push(chunk)) if (!this.#blind) this.#request(frame, realMs);
    if (this.#requests.state.kind === "failed")
      this.#goBlind("MALFORMED", describeWireError(this.#requests.state.error));
    this.#output.toServer(chunk);
  }

  fromServer(chunk: Buffer): void {
    for (const frame of this.#blind ? [] : this.#responses.push(chunk)) if (!this.#blind) this.#response(frame);
    if (this.#responses.state.kind === "failed") {
      this.#goBlind("MALFORMED", describeWireError(this.#responses.state.error));
    }
    this.#output.toClient(chunk);
  }

  expire(realMs: number): void {
    const expired = this.#pending.expire(realMs - ANSWER_TIMEOUT_MS);
    this.#order.splice(0, this.#order.length === 0 ? 0 : expired.length);
    this.#giveUp(expired.map(({ context }) => context));
  }

  closed(): void {
    this.#blind = true;
    this.#giveUp(this.#pending.drain().map(({ context }) => context));
  }

  #request(frame: ModbusFrame, realMs: number): void {
    const request = decodeRequest(frame.pdu);
    if (!request.ok) return this.#goBlind("MALFORMED", describeWireError(request.error));
    const { judged } = judgeModbus(this.#context, frame.unitId, request.value);
    for (const j of judged) this.#point.forwarded(j);
    this.#forget(frame, request.value);
    const watched = { judged, mark: this.#image.mark() };
    if (this.#framing.isBroadcast(frame.unitId)) return this.#settle(watched, "forwarded");
    const at = { transactionId: frame.transactionId ?? this.#number(), unitId: frame.unitId };
    // A full table or a transaction identifier in use costs the pairing of that one answer.
    if (this.#pending.add(at, request.value, realMs, watched).ok) {
      this.#unsettled.add(watched);
      if (frame.transactionId === undefined) this.#order.push(at.transactionId);
    } else this.#giveUp([watched]);
  }

  #number(): TransactionId {
    this.#asked = (this.#asked + 1) & 0xffff;
    return transactionId(this.#asked);
  }

  /** What a write leaves, nobody holds back until it is known here: the next read says. */
  #forget(frame: ModbusFrame, request: Parameters<typeof registersWritten>[1]): void {
    const write = registersWritten(frame.unitId, request);
    if (write !== undefined) this.#image.lost(write);
  }

  #response(frame: ModbusFrame): void {
    const paired = this.#pending.match(this.#numbered(frame));
    if (!paired.ok) return this.#unsolicited(describeWireError(paired.error));
    const { request, context } = paired.value;
    const response = decodeResponse(frame.pdu, request);
    if (!response.ok) {
      this.#giveUp([context]);
      return this.#goBlind("MALFORMED", describeWireError(response.error));
    }
    const read = registersRead(request, response.value);
    if (read !== undefined) {
      this.#image.saw(frame.unitId, read.address, read.words, context.mark, this.#point.options.clock.now());
    }
    this.#unsettled.delete(context);
    this.#settle(context, response.value.kind === "exception" ? "answered-error" : "answered-ok");
    this.#point.told(this.#party, valuesInAnswer(this.#tags, frame.unitId, request, response.value));
  }

  /** Over RTU the answers come in the order of the requests; where none waits, the number is that of none. */
  #numbered(frame: ModbusFrame): MbapFrame {
    const number = frame.transactionId ?? transactionId(this.#order.shift() ?? this.#asked);
    return { ...frame, transactionId: number };
  }

  #giveUp(given: readonly Watched[]): void {
    this.#unpaired += given.length;
    for (const watched of given) {
      this.#unsettled.delete(watched);
      this.#settle(watched, "forwarded");
    }
  }

  #settle({ judged }: Watched, outcome: "forwarded" | "answered-ok" | "answered-error"): void {
    for (const j of judged) this.#point.settle(j, outcome);
  }

  #unsolicited(says: string): void {
    if (this.#unpaired > 0) this.#unpaired -= 1;
    else this.#notices.client("UNSOLICITED", says);
  }

  #goBlind(code: ReasonCode, says: string): void {
    if (this.#blind) return;
    this.closed();
    this.#notices.client(code, `${says}; in monitor mode the connection goes on, unjudged from here`);
  }
}
