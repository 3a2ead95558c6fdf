import type { Party } from "#point/observe/modbus.ts";
import { isGoodUaAnswer, observeUa, type UaTags, valuesInUaAnswer } from "#point/observe/opcua.ts";
import type { Judged, Point } from "#point/point.ts";
import type { Outcome } from "#specs/decide/observation.ts";
import { rewriteRequestUrls, rewriteResponseUrls } from "#wire/opcua/endpoint-rewrite.ts";
import type { UacpFrame } from "#wire/opcua/framer.ts";
import {
  decodeAsymmetricChunk,
  decodeAsymmetricHeader,
  decodeSymmetricChunk,
  rewriteSequenceNumber,
} from "#wire/opcua/message-chunk.ts";
import { encodeMessage } from "#wire/opcua/message-splitter.ts";
import { type ChannelBounds, lowerSizes, negotiate } from "#wire/opcua/negotiation.ts";
import { decodeRequest, peekRequestHeader, type UaRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { SECURITY_POLICY_NONE, securityPolicyName } from "#wire/opcua/security-policy.ts";
import { encodeServiceFault } from "#wire/opcua/services/service-fault.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import {
  decodeAcknowledge,
  decodeErrorMessage,
  decodeHello,
  encodeAcknowledge,
  encodeErrorMessage,
  encodeHello,
  type Hello,
} from "#wire/opcua/uacp-messages.ts";
import { describeWireError, type WireError } from "#wire/wire-error.ts";
import { BOUNDS, Direction } from "./opcua-direction.ts";
import type { Session, SessionOutput } from "./session.ts";

/** Requests that may wait for their answers on one channel; Publish requests wait by design. */
export const MAX_PENDING = 128;
/** Real ms until the channel must be open, and that a message may stay incomplete. */
export const PARTIAL_TIMEOUT_MS = 10_000;
/** Real ms a server may take for any answer but that to Publish. */
export const ANSWER_TIMEOUT_MS = 15_000;

export interface UaUrls {
  /** Where clients reach the server: through this filter. */
  readonly filter: string;
  /** What the server calls itself. */
  readonly server: string;
}

interface Pending {
  /** undefined: it could not be decoded, and passed in monitor mode. */
  readonly request: UaRequest | undefined;
  readonly judged: readonly Judged[];
  readonly sinceMs: number;
}

/** How far the connection is: only the message that is due may come. */
type Stage = "new" | "hello" | "acknowledged" | "opening" | "open" | "renewing" | "closing";

/**
 * The data path of one OPC UA connection on SecurityPolicy None: framer → chunk → message → service decoder → judgement → the
 * same body under our own sequence numbers; a denied service is answered by a ServiceFault with the client's request handle.
 * Any other security policy is refused: this layer cannot look into it.
 */
export class UaSession implements Session {
  readonly #point: Point;
  readonly #tags: UaTags;
  readonly #party: Party;
  readonly #urls: UaUrls;
  readonly #output: SessionOutput;
  readonly #up = new Direction();
  readonly #down = new Direction();
  readonly #pending = new Map<number, Pending>();
  readonly #enforces: boolean;
  #stage: Stage = "new";
  #hello: Hello | undefined;
  /** Real time at which the connection was first looked at, and that of the present call. */
  #startedMs: number | undefined;
  #nowMs = 0;
  /** Monitor mode, and a channel that cannot be looked into: its frames pass as they come. */
  #opaque = false;
  /** As the server has opened it; the token is that of the client's last message. */
  readonly #channel = { channelId: 0, tokenId: 0 };
  #ended = false;

  constructor(point: Point, tags: UaTags, party: Party, urls: UaUrls, output: SessionOutput) {
    this.#point = point;
    this.#tags = tags;
    this.#party = party;
    this.#urls = urls;
    this.#output = output;
    this.#enforces = point.enforces(party.link);
  }

  get wantsMore(): boolean {
    return true;
  }

  get unsettledSinceMs(): number | undefined {
    for (const { judged } of this.#pending.values()) {
      const changing = judged.find((j) => j.observation.operation === "write" || j.observation.operation === "call");
      if (changing !== undefined) return changing.atMs;
    }
    return undefined;
  }

  fromClient(chunk: Buffer, realMs: number): void {
    if (this.#ended) return;
    this.#nowMs = realMs;
    this.#startedMs ??= realMs;
    for (const frame of this.#up.push(chunk, realMs)) if (!this.#ended) this.#clientFrame(frame);
    if (!this.#ended && this.#up.framer.failed !== undefined) this.#clientFault(this.#up.framer.failed);
  }

  fromServer(chunk: Buffer, realMs: number): void {
    if (this.#ended) return;
    this.#nowMs = realMs;
    for (const frame of this.#down.push(chunk, realMs)) if (!this.#ended) this.#serverFrame(frame);
    if (!this.#ended && this.#down.framer.failed !== undefined) this.#serverFault(this.#down.framer.failed);
  }

  /** Publish requests wait for as long as the client's keep-alive says; nothing else does. */
  expire(realMs: number): void {
    if (this.#ended) return;
    this.#startedMs ??= realMs;
    if (isBeforeOpen(this.#stage) && realMs - this.#startedMs > PARTIAL_TIMEOUT_MS)
      return this.#end(`no channel was opened within ${PARTIAL_TIMEOUT_MS / 1000} s`, "BadTimeout");
    if (realMs - (this.#up.partialSinceMs ?? realMs) > PARTIAL_TIMEOUT_MS)
      return this.#refuse(`a message stayed incomplete for ${PARTIAL_TIMEOUT_MS / 1000} s`, "BadTimeout");
    if (realMs - (this.#down.partialSinceMs ?? realMs) > PARTIAL_TIMEOUT_MS)
      return this.#badAnswer(`a message stayed incomplete for ${PARTIAL_TIMEOUT_MS / 1000} s`);
    for (const { request, sinceMs } of this.#pending.values()) {
      if (request?.service === "Publish" || realMs - sinceMs <= ANSWER_TIMEOUT_MS) continue;
      return this.#end(`the server did not answer within ${ANSWER_TIMEOUT_MS / 1000} s`, "BadTimeout");
    }
  }

  closed(): void {
    this.#ended = true;
    for (const pending of this.#pending.values()) this.#settle(pending, "forwarded");
    this.#pending.clear();
  }

  #clientFrame(frame: UacpFrame): void {
    if (this.#opaque) return this.#output.toServer(frame.bytes);
    switch (frame.type) {
      case "HEL":
        return this.#stage === "new" ? this.#greet(frame) : this.#outOfPlace(frame);
      case "OPN":
        return this.#stage === "acknowledged" || this.#stage === "open"
          ? this.#openChannel(frame)
          : this.#outOfPlace(frame);
      case "MSG":
      case "CLO":
        return isOpen(this.#stage) ? this.#clientChunk(frame) : this.#outOfPlace(frame);
      default:
        return this.#outOfPlace(frame);
    }
  }

  #outOfPlace(frame: UacpFrame): void {
    this.#refuse(`a client may not send ${frame.type} here`, "BadTcpMessageTypeInvalid");
  }

  #greet(frame: UacpFrame): void {
    const hello = decodeHello(frame.bytes);
    if (!hello.ok) return this.#clientFault(hello.error);
    this.#hello = lowerSizes(hello.value, BOUNDS);
    this.#stage = "hello";
    this.#output.toServer(encodeHello({ ...this.#hello, endpointUrl: this.#urls.server }));
  }

  #openChannel(frame: UacpFrame): void {
    const header = decodeAsymmetricHeader(frame.bytes);
    if (!header.ok) return this.#clientFault(header.error);
    if (header.value.securityPolicyUri !== SECURITY_POLICY_NONE)
      return this.#encrypted(frame, securityPolicyName(header.value.securityPolicyUri));
    const chunk = decodeAsymmetricChunk(frame.bytes);
    if (!chunk.ok) return this.#clientFault(chunk.error);
    if (!this.#up.follows(chunk.value.sequenceNumber))
      return this.#refuse("sequence number out of order", "BadSequenceNumberInvalid");
    if (!this.#carries(chunk.value.body, "OpenSecureChannel")) return;
    this.#stage = this.#stage === "open" ? "renewing" : "opening";
    this.#forwardRenumbered(frame, this.#up, (bytes) => this.#output.toServer(bytes));
  }

  /** False, and the connection refused: an OPN or CLO chunk carries some other service than its own. */
  #carries(body: Buffer, service: "OpenSecureChannel" | "CloseSecureChannel"): boolean {
    const request = decodeRequest(body);
    if (!request.ok) this.#clientFault(request.error);
    else if (request.value.service === service) return true;
    else this.#refuse(`a chunk of ${service} carries service ${request.value.service}`, "BadTcpMessageTypeInvalid");
    return false;
  }

  #encrypted(frame: UacpFrame, policy: string): void {
    const what = this.#enforces ? "so the channel was refused" : "so in monitor mode it passes unjudged";
    this.#point.notice({
      code: "SECURITY_POLICY",
      severity: "detection",
      locus: this.#party.source === undefined ? ["unknown-device"] : [],
      source: this.#party.source ?? this.#party.sourceAddress,
      target: this.#party.target,
      says: `${this.#party.sourceAddress} asked for security policy ${policy}; this filter can look into None only, ${what}`,
    });
    if (this.#enforces) return this.#end(`security policy ${policy}`, "BadSecurityPolicyRejected");
    this.#opaque = true;
    this.#stage = "open";
    this.#output.toServer(frame.bytes);
  }

  #clientChunk(frame: UacpFrame): void {
    const chunk = decodeSymmetricChunk(frame.bytes);
    if (!chunk.ok) return this.#clientFault(chunk.error);
    if (chunk.value.channelId !== this.#channel.channelId) {
      return this.#refuse(`secure channel ${chunk.value.channelId} was not opened here`, "BadTcpSecureChannelUnknown");
    }
    this.#channel.tokenId = chunk.value.tokenId;
    if (!this.#up.follows(chunk.value.sequenceNumber))
      return this.#refuse("sequence number out of order", "BadSequenceNumberInvalid");
    const assembly = this.#up.assembler.push(chunk.value);
    if (!assembly.ok) return this.#clientFault(assembly.error);
    if (assembly.value.kind !== "message") return;
    const { requestId, body } = assembly.value;
    if (frame.type === "MSG") return this.#request(requestId, body);
    if (!this.#carries(body, "CloseSecureChannel")) return;
    this.#stage = "closing";
    this.#forwardRenumbered(frame, this.#up, (bytes) => this.#output.toServer(bytes));
  }

  #request(requestId: number, body: Buffer): void {
    const decoded = decodeRequest(body);
    if (!decoded.ok) {
      this.#malformedNotice(describeWireError(decoded.error), this.#enforces);
      if (this.#enforces) return this.#fault(requestId, body, STATUS_CODES.BadDecodingError);
      return this.#forward(requestId, body, { request: undefined, judged: [], sinceMs: this.#nowMs });
    }
    const { service } = decoded.value;
    if (service === "OpenSecureChannel" || service === "CloseSecureChannel")
      return this.#refuse(`${service} came in a MSG chunk`, "BadTcpMessageTypeInvalid");
    const judged = observeUa(this.#party, this.#tags, decoded.value).map((o) => this.#point.judge(o));
    const pending: Pending = { request: decoded.value, judged, sinceMs: this.#nowMs };
    const blocked = judged.some((j) => j.action === "blocked");
    if (blocked) {
      this.#settle(pending, "denied");
      return this.#fault(requestId, body, STATUS_CODES.BadUserAccessDenied);
    }
    this.#forward(requestId, body, pending);
  }

  #forward(requestId: number, body: Buffer, pending: Pending): void {
    if (this.#pending.size >= MAX_PENDING || this.#pending.has(requestId)) {
      this.#settle(pending, "denied");
      return this.#fault(requestId, body, STATUS_CODES.BadTooManyOperations);
    }
    const outgoing = rewriteRequestUrls(body, this.#urls.server);
    for (const j of pending.judged) this.#point.forwarded(j);
    this.#pending.set(requestId, pending);
    this.#send(this.#up, requestId, outgoing.ok ? outgoing.value.body : body, (bytes) => this.#output.toServer(bytes));
  }

  #serverFrame(frame: UacpFrame): void {
    if (this.#opaque) return this.#output.toClient(frame.bytes);
    switch (frame.type) {
      case "ACK":
        return this.#acknowledged(frame);
      case "ERR": {
        const error = decodeErrorMessage(frame.bytes);
        return error.ok ? this.#output.toClient(frame.bytes) : this.#serverFault(error.error);
      }
      case "OPN":
        return this.#opened(frame);
      case "MSG":
        return isBeforeOpen(this.#stage)
          ? this.#badAnswer("MSG on a channel that is not open")
          : this.#serverChunk(frame);
      default:
        return this.#badAnswer(`a server may not send ${frame.type}`);
    }
  }

  #opened(frame: UacpFrame): void {
    if (this.#stage !== "opening" && this.#stage !== "renewing") return this.#badAnswer("OPN answers no request");
    const chunk = decodeAsymmetricChunk(frame.bytes);
    if (!chunk.ok) return this.#serverFault(chunk.error);
    const response = decodeResponse(chunk.value.body);
    if (!response.ok) return this.#serverFault(response.error);
    const { service } = response.value;
    if (service !== "OpenSecureChannel" && service !== "ServiceFault")
      return this.#badAnswer(`a chunk of OpenSecureChannel carries an answer of service ${service}`);
    this.#down.follows(chunk.value.sequenceNumber);
    this.#stage = "open";
    this.#channel.channelId = chunk.value.channelId;
    this.#forwardRenumbered(frame, this.#down, (bytes) => this.#output.toClient(bytes));
  }

  #acknowledged(frame: UacpFrame): void {
    const acknowledge = decodeAcknowledge(frame.bytes);
    if (!acknowledge.ok) return this.#serverFault(acknowledge.error);
    if (this.#hello === undefined || this.#stage !== "hello") return this.#badAnswer("ACK without HEL");
    const bounds = negotiate(this.#hello, acknowledge.value, BOUNDS);
    if (!bounds.ok) return this.#serverFault(bounds.error);
    this.#stage = "acknowledged";
    this.#limit(this.#up, bounds.value.clientToServer);
    this.#limit(this.#down, bounds.value.serverToClient);
    this.#output.toClient(encodeAcknowledge(lowerSizes(acknowledge.value, BOUNDS)));
  }

  #limit(direction: Direction, bounds: ChannelBounds): void {
    direction.bounds = bounds;
    direction.framer.lowerMaxChunkBytes(bounds.maxChunkBytes);
    direction.assembler.lower(bounds);
  }

  #serverChunk(frame: UacpFrame): void {
    const chunk = decodeSymmetricChunk(frame.bytes);
    if (!chunk.ok) return this.#serverFault(chunk.error);
    if (!this.#down.follows(chunk.value.sequenceNumber)) return this.#badAnswer("sequence number out of order");
    const assembly = this.#down.assembler.push(chunk.value);
    if (!assembly.ok) return this.#serverFault(assembly.error);
    if (assembly.value.kind === "pending") return;
    const { requestId } = assembly.value;
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return this.#badAnswer(`message ${requestId} answers no request`);
    this.#pending.delete(requestId);
    if (assembly.value.kind === "aborted") {
      this.#settle(pending, "answered-error");
      return this.#forwardRenumbered(frame, this.#down, (bytes) => this.#output.toClient(bytes));
    }
    this.#answer(requestId, pending, assembly.value.body);
  }

  #answer(requestId: number, pending: Pending, body: Buffer): void {
    const { request } = pending;
    if (request === undefined) return this.#send(this.#down, requestId, body, (bytes) => this.#output.toClient(bytes));
    const response = decodeResponse(body);
    if (!response.ok) return this.#serverFault(response.error);
    const { service } = response.value;
    if (service !== request.service && service !== "ServiceFault")
      return this.#badAnswer(`${request.service} was answered by ${service}`);
    this.#settle(pending, isGoodUaAnswer(response.value) ? "answered-ok" : "answered-error");
    if (!this.#point.told(this.#party, valuesInUaAnswer(this.#tags, request, response.value))) {
      return this.#withhold(requestId, request);
    }
    // Whatever URL the server hands out must lead back through this filter.
    const outgoing = rewriteResponseUrls(body, this.#urls.filter);
    if (!outgoing.ok) return this.#serverFault(outgoing.error);
    this.#send(this.#down, requestId, outgoing.value.body, (bytes) => this.#output.toClient(bytes));
  }

  /** In place of readings that a rule withholds: never an invented value. */
  #withhold(requestId: number, { header }: UaRequest): void {
    const requestHandle = header?.requestHandle ?? 0;
    const body = encodeServiceFault({
      requestHandle,
      statusCode: STATUS_CODES.BadDataUnavailable,
      timestamp: Date.now(),
    });
    this.#send(this.#down, requestId, body, (bytes) => this.#output.toClient(bytes));
  }

  #fault(requestId: number, request: Buffer, statusCode: number): void {
    const requestHandle = peekRequestHeader(request)?.requestHandle ?? 0;
    const body = encodeServiceFault({ requestHandle, statusCode, timestamp: Date.now() });
    this.#send(this.#down, requestId, body, (bytes) => this.#output.toClient(bytes));
  }

  #send(direction: Direction, requestId: number, body: Buffer, put: (bytes: Buffer) => void): void {
    const { maxChunkBytes, maxChunkCount } = direction.bounds;
    const message = encodeMessage({
      ...this.#channel,
      requestId,
      sequenceNumber: direction.next(),
      body,
      maxChunkBytes,
      maxChunkCount,
    });
    if (!message.ok) return this.#refuse(describeWireError(message.error), "BadTcpMessageTooLarge");
    message.value.chunks.forEach((bytes, i) => {
      if (i > 0) direction.next();
      put(bytes);
    });
  }

  #forwardRenumbered(frame: UacpFrame, direction: Direction, put: (bytes: Buffer) => void): void {
    const bytes = rewriteSequenceNumber(frame.bytes, direction.next());
    if (bytes.ok) put(bytes.value);
    else this.#clientFault(bytes.error);
  }

  #settle(pending: Pending, outcome: Outcome): void {
    for (const judged of pending.judged) this.#point.settle(judged, outcome);
  }

  #clientFault(error: WireError): void {
    this.#refuse(describeWireError(error), "BadTcpInternalError");
  }

  #refuse(says: string, status: keyof typeof STATUS_CODES): void {
    this.#malformedNotice(says);
    this.#end(says, status);
  }

  #malformedNotice(says: string, withheld = true): void {
    this.#point.notice({
      code: "MALFORMED",
      severity: "detection",
      locus: this.#party.source === undefined ? ["unknown-device"] : [],
      source: this.#party.source ?? this.#party.sourceAddress,
      target: this.#party.target,
      says: `${this.#party.sourceAddress}: ${says}; it ${withheld ? "was not forwarded" : "passed unjudged in monitor mode"}`,
    });
  }

  #serverFault(error: WireError): void {
    this.#badAnswer(describeWireError(error));
  }

  #badAnswer(says: string): void {
    this.#point.notice({
      code: "MALFORMED",
      severity: "detection",
      locus: ["path-switch-plc"],
      source: this.#party.target,
      target: this.#party.sourceAddress,
      says: `answer of ${this.#party.target}: ${says}; it was withheld and the connection closed`,
    });
    this.#end(says, "BadTcpInternalError");
  }

  #end(says: string, status: keyof typeof STATUS_CODES): void {
    if (this.#ended) return;
    this.closed();
    this.#output.toClient(encodeErrorMessage({ error: STATUS_CODES[status], reason: says }));
    this.#output.close(says);
  }
}

/** From the answer to the first OPN until CLO; the channel stays usable while it is renewed. */
function isOpen(stage: Stage): boolean {
  return stage === "open" || stage === "renewing";
}

function isBeforeOpen(stage: Stage): boolean {
  return !isOpen(stage) && stage !== "closing";
}
