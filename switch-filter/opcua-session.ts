import type { Party } from "#point/observe/modbus.ts";
import { isGoodUaAnswer, observeUa, type UaTags, valuesInUaAnswer } from "#point/observe/opcua.ts";
import type { Judged, Point } from "#point/point.ts";
import type { Outcome } from "#specs/decide/observation.ts";
import { rewriteRequestUrls, rewriteResponseUrls } from "#wire/opcua/endpoint-rewrite.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
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
import { followsSequenceNumber, nextSequenceNumber } from "#wire/opcua/sequence-number.ts";
import { encodeServiceFault } from "#wire/opcua/services/service-fault.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import {
  decodeAcknowledge,
  decodeHello,
  encodeAcknowledge,
  encodeErrorMessage,
  encodeHello,
  type Hello,
} from "#wire/opcua/uacp-messages.ts";
import { describeWireError, type WireError } from "#wire/wire-error.ts";
import type { Session, SessionOutput } from "./session.ts";

/** Bounds of both directions; sizes in bytes. A peer that asks for more is told these. */
export const BOUNDS: ChannelBounds = { maxChunkBytes: 65_536, maxMessageBytes: 1_048_576, maxChunkCount: 64 };
/** Requests that may wait for their answers on one channel; Publish requests wait by design. */
export const MAX_PENDING = 128;

export interface UaUrls {
  /** Where clients reach the server: through this filter. */
  readonly filter: string;
  /** What the server calls itself. */
  readonly server: string;
}

interface Pending {
  readonly request: UaRequest;
  readonly judged: readonly Judged[];
}

/** One direction of the channel: frames in, messages out, and the sequence numbers of both ends. */
class Direction {
  readonly framer = new UacpFramer({ maxChunkBytes: BOUNDS.maxChunkBytes });
  readonly assembler = new MessageAssembler({
    maxMessageBytes: BOUNDS.maxMessageBytes,
    maxChunkCount: BOUNDS.maxChunkCount,
  });
  /** What the receiver takes. */
  bounds: ChannelBounds = BOUNDS;
  #received: number | undefined;
  #sent = 0;

  /** False: the sender's numbers do not follow each other. */
  follows(sequenceNumber: number): boolean {
    const fits = this.#received === undefined || followsSequenceNumber(this.#received, sequenceNumber);
    this.#received = sequenceNumber;
    return fits;
  }

  /** The number of the next chunk to the receiver: an injected or withheld message shifts it against the sender's. */
  next(): number {
    this.#sent = nextSequenceNumber(this.#sent);
    return this.#sent;
  }
}

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
  #hello: Hello | undefined;
  /** As the server has opened it; the token is that of the client's last message. */
  readonly #channel = { channelId: 0, tokenId: 0 };
  #ended = false;

  constructor(point: Point, tags: UaTags, party: Party, urls: UaUrls, output: SessionOutput) {
    this.#point = point;
    this.#tags = tags;
    this.#party = party;
    this.#urls = urls;
    this.#output = output;
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

  fromClient(chunk: Buffer): void {
    for (const frame of this.#up.framer.push(chunk)) if (!this.#ended) this.#clientFrame(frame);
    if (!this.#ended && this.#up.framer.failed !== undefined) this.#clientFault(this.#up.framer.failed);
  }

  fromServer(chunk: Buffer): void {
    for (const frame of this.#down.framer.push(chunk)) if (!this.#ended) this.#serverFrame(frame);
    if (!this.#ended && this.#down.framer.failed !== undefined) this.#serverFault(this.#down.framer.failed);
  }

  expire(): void {
    // Publish requests wait for as long as the client's keep-alive says: the channel's own lifetime bounds them.
  }

  closed(): void {
    this.#ended = true;
    for (const pending of this.#pending.values()) this.#settle(pending, "forwarded");
    this.#pending.clear();
  }

  #clientFrame(frame: UacpFrame): void {
    switch (frame.type) {
      case "HEL": {
        const hello = decodeHello(frame.bytes);
        if (!hello.ok) return this.#clientFault(hello.error);
        this.#hello = lowerSizes(hello.value, BOUNDS);
        return this.#output.toServer(encodeHello({ ...this.#hello, endpointUrl: this.#urls.server }));
      }
      case "OPN":
        return this.#openChannel(frame);
      case "MSG":
      case "CLO":
        return this.#clientChunk(frame);
      default:
        return this.#refuse(`a client may not send ${frame.type}`, "BadTcpMessageTypeInvalid");
    }
  }

  #openChannel(frame: UacpFrame): void {
    const header = decodeAsymmetricHeader(frame.bytes);
    if (!header.ok) return this.#clientFault(header.error);
    if (header.value.securityPolicyUri !== SECURITY_POLICY_NONE) {
      const policy = securityPolicyName(header.value.securityPolicyUri);
      this.#point.notice({
        code: "SECURITY_POLICY",
        severity: "detection",
        locus: this.#party.source === undefined ? ["unknown-device"] : [],
        source: this.#party.source ?? this.#party.sourceAddress,
        target: this.#party.target,
        says: `${this.#party.sourceAddress} asked for security policy ${policy}; this filter can look into None only, so the channel was refused`,
      });
      return this.#end(`security policy ${policy}`, "BadSecurityPolicyRejected");
    }
    const chunk = decodeAsymmetricChunk(frame.bytes);
    if (!chunk.ok) return this.#clientFault(chunk.error);
    if (!this.#up.follows(chunk.value.sequenceNumber))
      return this.#refuse("sequence number out of order", "BadSequenceNumberInvalid");
    this.#forwardRenumbered(frame, this.#up, (bytes) => this.#output.toServer(bytes));
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
    if (frame.type === "CLO") return this.#forwardRenumbered(frame, this.#up, (bytes) => this.#output.toServer(bytes));
    this.#request(requestId, body);
  }

  #request(requestId: number, body: Buffer): void {
    const decoded = decodeRequest(body);
    if (!decoded.ok) {
      this.#malformedNotice(describeWireError(decoded.error));
      return this.#fault(requestId, body, STATUS_CODES.BadDecodingError);
    }
    const judged = observeUa(this.#party, this.#tags, decoded.value).map((o) => this.#point.judge(o));
    const pending: Pending = { request: decoded.value, judged };
    const blocked = judged.some((j) => j.action === "blocked");
    if (blocked) {
      this.#settle(pending, "denied");
      return this.#fault(requestId, body, STATUS_CODES.BadUserAccessDenied);
    }
    if (this.#pending.size >= MAX_PENDING || this.#pending.has(requestId)) {
      return this.#fault(requestId, body, STATUS_CODES.BadTooManyOperations);
    }
    const outgoing = rewriteRequestUrls(body, this.#urls.server);
    for (const j of judged) this.#point.forwarded(j);
    this.#pending.set(requestId, pending);
    this.#send(this.#up, requestId, outgoing.ok ? outgoing.value.body : body, (bytes) => this.#output.toServer(bytes));
  }

  #serverFrame(frame: UacpFrame): void {
    switch (frame.type) {
      case "ACK":
        return this.#acknowledged(frame);
      case "ERR":
        return this.#output.toClient(frame.bytes);
      case "OPN": {
        const chunk = decodeAsymmetricChunk(frame.bytes);
        if (!chunk.ok) return this.#serverFault(chunk.error);
        this.#down.follows(chunk.value.sequenceNumber);
        this.#channel.channelId = chunk.value.channelId;
        return this.#forwardRenumbered(frame, this.#down, (bytes) => this.#output.toClient(bytes));
      }
      case "MSG":
        return this.#serverChunk(frame);
      default:
        return this.#badAnswer(`a server may not send ${frame.type}`);
    }
  }

  #acknowledged(frame: UacpFrame): void {
    const acknowledge = decodeAcknowledge(frame.bytes);
    if (!acknowledge.ok) return this.#serverFault(acknowledge.error);
    if (this.#hello === undefined) return this.#badAnswer("ACK without HEL");
    const bounds = negotiate(this.#hello, acknowledge.value, BOUNDS);
    if (!bounds.ok) return this.#serverFault(bounds.error);
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
    const response = decodeResponse(body);
    if (!response.ok) return this.#serverFault(response.error);
    this.#settle(pending, isGoodUaAnswer(response.value) ? "answered-ok" : "answered-error");
    for (const { tag, value } of valuesInUaAnswer(this.#tags, pending.request, response.value))
      this.#point.sawTag(tag, value);
    this.#point.sawTags();
    // Whatever URL the server hands out must lead back through this filter.
    const outgoing = rewriteResponseUrls(body, this.#urls.filter);
    if (!outgoing.ok) return this.#serverFault(outgoing.error);
    this.#send(this.#down, requestId, outgoing.value.body, (bytes) => this.#output.toClient(bytes));
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

  #malformedNotice(says: string): void {
    this.#point.notice({
      code: "MALFORMED",
      severity: "detection",
      locus: this.#party.source === undefined ? ["unknown-device"] : [],
      source: this.#party.source ?? this.#party.sourceAddress,
      target: this.#party.target,
      says: `${this.#party.sourceAddress}: ${says}; it was not forwarded`,
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
