import { observeModbus, type Party, valuesInAnswer } from "#point/observe/modbus.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged, Point } from "#point/point.ts";
import { decodeRequest, decodeResponse, type MbapFrame, MbapFramer, RequestTable } from "#wire/modbus/index.ts";
import type { Direction } from "#wire/packet/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import type { Conversation } from "./conversation.ts";

/** Requests remembered until their answers come; more than a relay would let wait, since a monitor cannot hold anyone back. */
const MAX_PENDING = 64;
/** Plant ms after which a request without an answer is forgotten. */
const FORGET_MS = 10_000;

/** Judges what an HMI asks of a Modbus server, and learns tag values from what it is told. */
export class ModbusConversation implements Conversation {
  readonly #point: Point;
  readonly #tags: ModbusTags;
  readonly #party: Party;
  readonly #requests = new MbapFramer();
  readonly #responses = new MbapFramer();
  readonly #pending = new RequestTable<readonly Judged[]>({ limit: MAX_PENDING });
  #blind: string | undefined;

  constructor(point: Point, tags: ModbusTags, party: Party) {
    this.#point = point;
    this.#tags = tags;
    this.#party = party;
  }

  get blind(): string | undefined {
    return this.#blind;
  }

  data(direction: Direction, bytes: Buffer, timeMs: number): void {
    const framer = direction === "client-to-server" ? this.#requests : this.#responses;
    for (const frame of framer.push(bytes)) {
      if (this.#blind !== undefined) return;
      if (direction === "client-to-server") this.#request(frame, timeMs);
      else this.#response(frame, timeMs);
    }
    if (framer.state.kind === "failed") this.#blind ??= describeWireError(framer.state.error);
  }

  #request(frame: MbapFrame, timeMs: number): void {
    const request = decodeRequest(frame.pdu);
    if (!request.ok) {
      this.#blind = describeWireError(request.error);
      return;
    }
    this.#pending.expire(timeMs - FORGET_MS);
    const judged = observeModbus(this.#party, this.#tags, frame.unitId, request.value).map((o) =>
      this.#point.judge(o, timeMs),
    );
    for (const j of judged) {
      this.#point.forwarded(j);
      this.#point.report(j, "forwarded");
    }
    // A full table or a reused transaction identifier only costs the pairing of that one answer.
    this.#pending.add(frame, request.value, timeMs, judged);
  }

  #response(frame: MbapFrame, timeMs: number): void {
    const paired = this.#pending.match(frame);
    if (!paired.ok) return;
    const response = decodeResponse(frame.pdu, paired.value.request);
    if (!response.ok) return;
    const outcome = response.value.kind === "exception" ? "answered-error" : "answered-ok";
    for (const judged of paired.value.context) this.#point.answered(judged, outcome);
    const values = valuesInAnswer(this.#tags, frame.unitId, paired.value.request, response.value);
    this.#point.told(this.#party, values, timeMs);
  }
}
