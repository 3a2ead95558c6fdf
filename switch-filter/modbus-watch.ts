import { observeModbus, type Party, valuesInAnswer } from "#point/observe/modbus.ts";
import type { ModbusTags } from "#point/observe/modbus-tags.ts";
import type { Judged, Point } from "#point/point.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import { decodeRequest, decodeResponse, type MbapFrame, MbapFramer, RequestTable } from "#wire/modbus/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import { ANSWER_TIMEOUT_MS } from "./modbus-session.ts";
import type { Session, SessionOutput } from "./session.ts";

/** Requests remembered until their answers come. Nobody is held back here, so a client may have more under way. */
const MAX_WATCHED = 64;

/**
 * A Modbus connection in monitor mode: every byte passes as it came, and is judged beside. Nothing is blocked, delayed or
 * closed; after the first byte that cannot be read the rest passes unjudged, which is said once.
 */
export class ModbusWatch implements Session {
  readonly wantsMore = true;
  readonly #point: Point;
  readonly #tags: ModbusTags;
  readonly #party: Party;
  readonly #output: SessionOutput;
  readonly #requests = new MbapFramer();
  readonly #responses = new MbapFramer();
  /** By the time they were seen, real ms. */
  readonly #pending = new RequestTable<readonly Judged[]>({ limit: MAX_WATCHED });
  /** In the order of their requests; at most as many as are remembered. */
  readonly #unsettled = new Set<readonly Judged[]>();
  /** Answers that may still come and can no longer be paired. */
  #unpaired = 0;
  #blind = false;

  constructor(point: Point, tags: ModbusTags, party: Party, output: SessionOutput) {
    this.#point = point;
    this.#tags = tags;
    this.#party = party;
    this.#output = output;
  }

  get unsettledSinceMs(): number | undefined {
    const [oldest] = this.#unsettled;
    return oldest?.[0]?.atMs;
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
    this.#giveUp(this.#pending.expire(realMs - ANSWER_TIMEOUT_MS).map(({ context }) => context));
  }

  closed(): void {
    this.#blind = true;
    this.#giveUp(this.#pending.drain().map(({ context }) => context));
  }

  #request(frame: MbapFrame, realMs: number): void {
    const request = decodeRequest(frame.pdu);
    if (!request.ok) return this.#goBlind("MALFORMED", describeWireError(request.error));
    const judged = observeModbus(this.#party, this.#tags, frame.unitId, request.value).map((o) => this.#point.judge(o));
    for (const j of judged) this.#point.forwarded(j);
    // A full table or a transaction identifier in use costs the pairing of that one answer.
    if (this.#pending.add(frame, request.value, realMs, judged).ok) this.#unsettled.add(judged);
    else this.#giveUp([judged]);
  }

  #response(frame: MbapFrame): void {
    const paired = this.#pending.match(frame);
    if (!paired.ok) return this.#unsolicited(describeWireError(paired.error));
    const { request, context } = paired.value;
    const response = decodeResponse(frame.pdu, request);
    if (!response.ok) {
      this.#giveUp([context]);
      return this.#goBlind("MALFORMED", describeWireError(response.error));
    }
    const outcome = response.value.kind === "exception" ? "answered-error" : "answered-ok";
    this.#unsettled.delete(context);
    for (const judged of context) this.#point.settle(judged, outcome);
    this.#point.told(this.#party, valuesInAnswer(this.#tags, frame.unitId, request, response.value));
  }

  #giveUp(given: readonly (readonly Judged[])[]): void {
    this.#unpaired += given.length;
    for (const judged of given) {
      this.#unsettled.delete(judged);
      for (const j of judged) this.#point.settle(j, "forwarded");
    }
  }

  #unsolicited(says: string): void {
    if (this.#unpaired > 0) this.#unpaired -= 1;
    else this.#notice("UNSOLICITED", says);
  }

  #goBlind(code: ReasonCode, says: string): void {
    if (this.#blind) return;
    this.closed();
    this.#notice(code, `${says}; in monitor mode the connection goes on, unjudged from here`);
  }

  #notice(code: ReasonCode, says: string): void {
    this.#point.notice({
      code,
      severity: "detection",
      locus: this.#party.source === undefined ? ["unknown-device"] : [],
      source: this.#party.source ?? this.#party.sourceAddress,
      target: this.#party.target,
      says: `${this.#party.sourceAddress}: ${says}`,
    });
  }
}
