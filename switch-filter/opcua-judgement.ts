import type { Party } from "#point/observe/modbus.ts";
import { isGoodUaAnswer } from "#point/observe/opcua.ts";
import type { UaNames } from "#point/observe/opcua-names.ts";
import type { Judged, Point } from "#point/point.ts";
import { withheldWhole } from "#point/receipt.ts";
import type { Outcome } from "#specs/decide/observation.ts";
import { REASONS } from "#specs/decide/reasons.ts";
import { decodeRequest, type UaRequest } from "#wire/opcua/request.ts";
import { decodeResponse, type UaResponse } from "#wire/opcua/response.ts";
import { encodeServiceFault } from "#wire/opcua/services/service-fault.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import { describeWireError } from "#wire/wire-error.ts";
import { encodeRefusal, refusedBody } from "./opcua-refusal.ts";

/** Requests that may wait for their answers on one channel; Publish requests wait by design. */
export const MAX_PENDING = 128;
/** Real ms a server may take for any answer but that to Publish. */
export const ANSWER_TIMEOUT_MS = 15_000;

/** What becomes of a request. */
export type RequestRuling =
  /** undefined: it could not be decoded, and passes in monitor mode. */
  | { readonly kind: "forward"; readonly request: UaRequest | undefined }
  /** It was denied; this is the answer in the server's place, where one can be given. */
  | { readonly kind: "refuse"; readonly body: Buffer; readonly says: string }
  /** It is no message that may come at this place at all. */
  | { readonly kind: "close"; readonly says: string };

/** What becomes of an answer. */
export type AnswerRuling =
  | { readonly kind: "forward"; readonly response: UaResponse | undefined }
  /** A rule withholds the readings in it: never an invented value. */
  | { readonly kind: "withhold"; readonly body: Buffer; readonly says: string }
  | { readonly kind: "close"; readonly says: string };

interface Pending {
  readonly request: UaRequest | undefined;
  readonly judged: readonly Judged[];
  readonly sinceMs: number;
  /** False: its names are more than can be followed; it passes in monitor mode. */
  readonly follows: boolean;
}

/** Judges the messages of one channel, whichever way their bytes were secured. */
export class UaJudgement {
  readonly #point: Point;
  readonly #names: UaNames;
  readonly #party: Party;
  readonly #malformed: (says: string) => void;
  readonly #pending = new Map<number, Pending>();

  /** `malformed` is told of a request that cannot be decoded. */
  constructor(point: Point, names: UaNames, party: Party, malformed: (says: string) => void) {
    this.#point = point;
    this.#names = names;
    this.#party = party;
    this.#malformed = malformed;
  }

  /** Asked anew each time: the link's mode may be another with the next bundle. */
  get #enforces(): boolean {
    return this.#point.enforces(this.#party.link);
  }

  /** Plant time of the oldest request that may change something and is not answered yet. */
  get unsettledSinceMs(): number | undefined {
    for (const { judged } of this.#pending.values()) {
      const changing = judged.find((j) => j.observation.operation === "write" || j.observation.operation === "call");
      if (changing !== undefined) return changing.atMs;
    }
    return undefined;
  }

  request(requestId: number, body: Buffer, realMs: number): RequestRuling {
    const decoded = decodeRequest(body);
    if (!decoded.ok) {
      this.#malformed(describeWireError(decoded.error));
      if (this.#enforces) return refused(body, "BadDecodingError", describeWireError(decoded.error));
      return this.#forward(requestId, body, { request: undefined, judged: [], sinceMs: realMs, follows: true });
    }
    const { service } = decoded.value;
    if (service === "OpenSecureChannel" || service === "CloseSecureChannel")
      return { kind: "close", says: `${service} came in a MSG chunk` };
    const request = this.#names.resolved(decoded.value);
    const judged = this.#names.observe(this.#party, request, this).map((o) => this.#point.judge(o));
    const pending: Pending = { request, judged, sinceMs: realMs, follows: this.#names.takes(request) };
    const blocked = judged.find((j) => j.action === "blocked");
    if (blocked === undefined) return this.#forward(requestId, body, pending);
    this.#settle({ ...pending, judged: withheldWhole(judged) }, "denied");
    const says = blocked.verdict.verdict === "deny" ? blocked.verdict.says : "";
    return { kind: "refuse", body: encodeRefusal(request, blocked, Date.now()), says };
  }

  /** A request that no rule is about passes, and its answer is held against it. */
  unjudged(requestId: number, body: Buffer, realMs: number): RequestRuling {
    const decoded = decodeRequest(body);
    if (!decoded.ok) return refused(body, "BadDecodingError", describeWireError(decoded.error));
    return this.#forward(requestId, body, { request: decoded.value, judged: [], sinceMs: realMs, follows: true });
  }

  answer(requestId: number, body: Buffer): AnswerRuling {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return { kind: "close", says: `message ${requestId} answers no request` };
    this.#pending.delete(requestId);
    const { request, follows } = pending;
    if (request === undefined) return { kind: "forward", response: undefined };
    const decoded = decodeResponse(body);
    if (!decoded.ok) return { kind: "close", says: describeWireError(decoded.error) };
    const response = decoded.value;
    if (response.service !== request.service && response.service !== "ServiceFault")
      return { kind: "close", says: `${request.service} was answered by ${response.service}` };
    this.#settle(pending, isGoodUaAnswer(response) ? "answered-ok" : "answered-error");
    const told = this.#names.values(request, response);
    if (follows) this.#names.answered(request, response, this);
    if (this.#point.told(this.#party, told)) return { kind: "forward", response };
    const requestHandle = request.header?.requestHandle ?? 0;
    const statusCode = STATUS_CODES.BadDataUnavailable;
    return {
      kind: "withhold",
      body: encodeServiceFault({ requestHandle, statusCode, timestamp: Date.now() }),
      says: "a reading in it was withheld",
    };
  }

  /** The server gave up on an answer. False: it answers no request. */
  aborted(requestId: number): boolean {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return false;
    this.#pending.delete(requestId);
    this.#settle(pending, "answered-error");
    return this.#point.enforces(this.#party.link);
  }

  /** Publish requests wait for as long as the client's keep-alive says; nothing else does. */
  isOverdue(realMs: number): boolean {
    for (const { request, sinceMs } of this.#pending.values())
      if (request?.service !== "Publish" && realMs - sinceMs > ANSWER_TIMEOUT_MS) return true;
    return false;
  }

  /** The connection has gone. */
  closed(): void {
    for (const pending of this.#pending.values()) this.#settle(pending, "forwarded");
    this.#pending.clear();
    this.#names.left(this);
  }

  #forward(requestId: number, body: Buffer, pending: Pending): RequestRuling {
    const { request, follows } = pending;
    if (this.#pending.size >= MAX_PENDING || this.#pending.has(requestId) || (!follows && this.#enforces)) {
      for (const judged of pending.judged) this.#point.settle(overloaded(judged), "denied");
      return refused(body, "BadTooManyOperations", "too many requests, aliases or monitored items");
    }
    for (const j of pending.judged) this.#point.forwarded(j);
    if (request !== undefined && follows) this.#names.asked(request, this);
    this.#pending.set(requestId, pending);
    return { kind: "forward", request };
  }

  #settle(pending: Pending, outcome: Outcome): void {
    for (const judged of pending.judged) this.#point.settle(judged, outcome);
  }
}

/** Nothing speaks against it but that there is no room for it. */
function overloaded(judged: Judged): Judged {
  const { message, target } = judged.observation;
  const says = `${message} of ${target}: ${REASONS.OVERLOADED}`;
  const none = { verdict: "deny", reason: "OVERLOADED", rule: undefined, item: -1, mode: "enforce", says } as const;
  return { ...judged, action: "blocked", verdict: judged.verdict.verdict === "deny" ? judged.verdict : none };
}

function refused(request: Buffer, status: keyof typeof STATUS_CODES, says: string): RequestRuling {
  return { kind: "refuse", body: refusedBody(request, status), says };
}
