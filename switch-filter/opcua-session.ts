import type { Party } from "#point/observe/modbus.ts";
import type { Point } from "#point/point.ts";
import type { UacpFrame } from "#wire/opcua/framer.ts";
import { decodeAsymmetricHeader } from "#wire/opcua/message-chunk.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { decodeErrorMessage } from "#wire/opcua/uacp-messages.ts";
import { isBeyondDiscovery, ONLY_DISCOVERY, otherService, type UaChannel } from "./opcua-channel.ts";
import { Direction, OUT_OF_ORDER } from "./opcua-direction.ts";
import { UaExits } from "./opcua-exits.ts";
import { UaGreeting } from "./opcua-greeting.ts";
import { UaJudgement } from "./opcua-judgement.ts";
import { UaNotices } from "./opcua-notices.ts";
import { refusedBody } from "./opcua-refusal.ts";
import { UaSealed } from "./opcua-sealed.ts";
import { UaSender } from "./opcua-sender.ts";
import { chooseWay, type UaServer } from "./opcua-way.ts";
import type { Session, SessionOutput } from "./session.ts";

/** Real ms until the channel must be open, and that a message may stay incomplete. */
export const PARTIAL_TIMEOUT_MS = 10_000;

/** How far the connection is: only the message that is due may come. */
type Stage = "new" | "hello" | "acknowledged" | "opening" | "open" | "renewing" | "closing";

/**
 * The data path of one OPC UA connection whose messages this filter can read and write: framer → chunk → message → judgement → the same
 * body under our own sequence numbers; what is denied is answered here. A channel whose keys others hold is handed to {@link UaSealed}.
 */
export class UaSession implements Session {
  readonly #point: Point;
  readonly #server: UaServer;
  readonly #party: Party;
  readonly #output: SessionOutput;
  readonly #exits: UaExits;
  readonly #greeting: UaGreeting;
  readonly #judgement: UaJudgement;
  readonly #up = new Direction();
  readonly #down = new Direction();
  #stage: Stage = "new";
  #channel: UaChannel | undefined;
  #sender: UaSender | undefined;
  #judges = true;
  #sealed: UaSealed | undefined;
  /** Real time at which the connection was first looked at, and that of the present call. */
  #startedMs: number | undefined;
  #nowMs = 0;

  constructor(point: Point, server: UaServer, party: Party, output: SessionOutput) {
    this.#point = point;
    this.#server = server;
    this.#party = party;
    this.#output = output;
    const notices = new UaNotices(point, party);
    const enforces = point.enforces(party.link);
    this.#judgement = new UaJudgement(point, server.names, party, (says) => notices.malformed(says, enforces));
    this.#greeting = new UaGreeting(server.urls.server);
    this.#exits = new UaExits(notices, output, () => {
      this.#sealed?.closed();
      this.#judgement.closed();
    });
  }

  get wantsMore(): boolean {
    return true;
  }

  get unsettledSinceMs(): number | undefined {
    return this.#judgement.unsettledSinceMs;
  }

  fromClient(bytes: Buffer, realMs: number): void {
    if (this.#exits.ended) return;
    this.#nowMs = realMs;
    this.#startedMs ??= realMs;
    for (const frame of this.#up.push(bytes, realMs)) if (!this.#exits.ended) this.#clientFrame(frame);
    if (!this.#exits.ended && this.#up.framer.failed !== undefined) this.#exits.clientFault(this.#up.framer.failed);
  }

  fromServer(bytes: Buffer, realMs: number): void {
    if (this.#exits.ended) return;
    this.#nowMs = realMs;
    for (const frame of this.#down.push(bytes, realMs)) if (!this.#exits.ended) this.#serverFrame(frame);
    if (!this.#exits.ended && this.#down.framer.failed !== undefined) this.#exits.serverFault(this.#down.framer.failed);
  }

  expire(realMs: number): void {
    if (this.#exits.ended) return;
    this.#startedMs ??= realMs;
    const isLate = (sinceMs: number | undefined): boolean => realMs - (sinceMs ?? realMs) > PARTIAL_TIMEOUT_MS;
    const late = `${PARTIAL_TIMEOUT_MS / 1000} s`;
    if (isBeforeOpen(this.#stage) && isLate(this.#startedMs))
      return this.#exits.end({ says: `no channel was opened within ${late}`, status: "BadTimeout" });
    if (isLate(this.#up.partialSinceMs))
      return this.#exits.refuse({ says: `a message stayed incomplete for ${late}`, status: "BadTimeout" });
    if (isLate(this.#down.partialSinceMs)) return this.#exits.badAnswer(`a message stayed incomplete for ${late}`);
    if (this.#judgement.isOverdue(realMs))
      this.#exits.end({ says: "the server did not answer in time", status: "BadTimeout" });
  }

  closed(): void {
    this.#exits.closed();
  }

  #clientFrame(frame: UacpFrame): void {
    if (this.#sealed !== undefined) return this.#sealed.clientFrame(frame, this.#nowMs);
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
    this.#exits.refuse({ says: `a client may not send ${frame.type} here`, status: "BadTcpMessageTypeInvalid" });
  }

  #greet(frame: UacpFrame): void {
    const hello = this.#greeting.hello(frame.bytes);
    if (!hello.ok) return this.#exits.clientFault(hello.error);
    this.#stage = "hello";
    this.#output.toServer(hello.value);
  }

  #openChannel(frame: UacpFrame): void {
    const channel = this.#channel ?? this.#chooseChannel(frame);
    if (channel === undefined) return;
    const chunk = channel.openRequest(frame.bytes);
    if (!chunk.ok) return this.#exits.refuse(chunk.error);
    if (!this.#up.follows(chunk.value.sequenceNumber)) return this.#exits.refuse(OUT_OF_ORDER);
    const wrong = otherService(chunk.value.body, "OpenSecureChannel");
    if (wrong !== undefined) return this.#exits.refuse(wrong);
    const opening = channel.openToServer(this.#up.next());
    if (!opening.ok) return this.#exits.refuse(opening.error);
    this.#stage = this.#stage === "open" ? "renewing" : "opening";
    this.#output.toServer(opening.value);
  }

  /** By the policy that the client's first OPN asks for; undefined: it was refused, or is not ours to read. */
  #chooseChannel(frame: UacpFrame): UaChannel | undefined {
    const header = decodeAsymmetricHeader(frame.bytes);
    if (!header.ok) return void this.#exits.clientFault(header.error);
    const way = chooseWay(this.#point, this.#server, this.#party, header.value, Date.now());
    switch (way.kind) {
      case "channel":
        this.#channel = way.channel;
        this.#sender = new UaSender(way.channel, this.#up, this.#output);
        this.#judges = way.judges;
        if (way.says !== undefined) this.#exits.notices.security("info", way.says);
        return way.channel;
      case "sealed":
        this.#stage = "open";
        this.#sealed = new UaSealed({
          way,
          header: header.value,
          judgement: this.#judgement,
          exits: this.#exits,
          output: this.#output,
          up: this.#up,
          down: this.#down,
        });
        return void this.#sealed.clientFrame(frame, this.#nowMs);
      case "refused":
        this.#exits.notices.security("detection", way.says);
        return void this.#exits.end({ says: way.says, status: way.status });
      default: {
        const never: never = way;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  #clientChunk(frame: UacpFrame): void {
    const plain = this.#channel?.fromClient(frame.bytes);
    if (plain === undefined || this.#sender === undefined) return this.#outOfPlace(frame);
    if (!plain.ok) return this.#exits.refuse(plain.error);
    const taken = this.#up.take(plain.value, this.#sender.channelId);
    if (!taken.ok) return this.#exits.refuse(taken.error);
    this.#sender.tokenId = taken.value.tokenId;
    const { assembly } = taken.value;
    if (assembly.kind !== "message") return;
    const { requestId, body } = assembly;
    if (frame.type === "MSG") return this.#request(requestId, body);
    const wrong = otherService(body, "CloseSecureChannel");
    if (wrong !== undefined) return this.#exits.refuse(wrong);
    this.#stage = "closing";
    this.#renumbered(this.#up, plain.value);
  }

  /** What is judged is what goes on: the body is rewritten before. */
  #request(requestId: number, received: Buffer): void {
    const outgoing = this.#channel?.requestBody(requestId, received);
    if (outgoing?.ok !== true || isBeyondDiscovery(this.#channel, received)) {
      const { status, says } = outgoing?.ok === false ? outgoing.error : ONLY_DISCOVERY;
      this.#exits.notices.security("detection", says);
      return this.#send(this.#down, requestId, refusedBody(received, status));
    }
    const ruling = this.#judges
      ? this.#judgement.request(requestId, outgoing.value, this.#nowMs)
      : this.#judgement.unjudged(requestId, outgoing.value, this.#nowMs);
    if (ruling.kind !== "forward") this.#channel?.dropped(requestId);
    switch (ruling.kind) {
      case "forward":
        return this.#send(this.#up, requestId, outgoing.value);
      case "refuse":
        return this.#send(this.#down, requestId, ruling.body);
      case "close":
        return this.#exits.refuse({ says: ruling.says, status: "BadTcpMessageTypeInvalid" });
      default: {
        const never: never = ruling;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  #serverFrame(frame: UacpFrame): void {
    if (frame.type === "ERR") {
      const error = decodeErrorMessage(frame.bytes);
      return error.ok ? this.#output.toClient(frame.bytes) : this.#exits.serverFault(error.error);
    }
    if (this.#sealed !== undefined) return this.#sealed.serverFrame(frame);
    switch (frame.type) {
      case "ACK":
        return this.#acknowledged(frame);
      case "OPN":
        return this.#opened(frame);
      case "MSG":
        return isBeforeOpen(this.#stage)
          ? this.#exits.badAnswer("MSG on a channel that is not open")
          : this.#serverChunk(frame);
      default:
        return this.#exits.badAnswer(`a server may not send ${frame.type}`);
    }
  }

  #acknowledged(frame: UacpFrame): void {
    const due = this.#stage === "hello" ? this.#greeting.acknowledge(frame.bytes, this.#up, this.#down) : undefined;
    if (due === undefined) return this.#exits.badAnswer("ACK without HEL");
    if (!due.ok) return this.#exits.serverFault(due.error);
    this.#stage = "acknowledged";
    this.#output.toClient(due.value);
  }

  #opened(frame: UacpFrame): void {
    const isDue = this.#stage === "opening" || this.#stage === "renewing";
    const chunk = isDue ? this.#channel?.openResponse(frame.bytes) : undefined;
    if (this.#channel === undefined || this.#sender === undefined || chunk === undefined)
      return this.#exits.badAnswer("OPN answers no request");
    if (!chunk.ok) return this.#exits.badAnswer(chunk.error.says);
    const response = decodeResponse(chunk.value.body);
    if (!response.ok) return this.#exits.serverFault(response.error);
    const { service } = response.value;
    if (service !== "OpenSecureChannel" && service !== "ServiceFault")
      return this.#exits.badAnswer(`a chunk of OpenSecureChannel carries an answer of service ${service}`);
    this.#down.follows(chunk.value.sequenceNumber);
    const opened = this.#channel.openToClient(this.#down.next());
    if (!opened.ok) return this.#exits.badAnswer(opened.error.says);
    this.#stage = "open";
    this.#sender.channelId = chunk.value.channelId;
    this.#output.toClient(opened.value);
  }

  #serverChunk(frame: UacpFrame): void {
    const plain = this.#channel?.fromServer(frame.bytes);
    if (plain?.ok !== true) return this.#exits.badAnswer(plain?.error.says ?? "MSG on a channel that is not open");
    const taken = this.#down.take(plain.value, undefined);
    if (!taken.ok) return this.#exits.badAnswer(taken.error.says);
    const { assembly } = taken.value;
    if (assembly.kind === "pending") return;
    const { requestId } = assembly;
    if (assembly.kind === "message") return this.#answer(requestId, assembly.body);
    if (!this.#judgement.aborted(requestId)) return this.#exits.badAnswer(`message ${requestId} answers no request`);
    this.#channel?.dropped(requestId);
    this.#renumbered(this.#down, plain.value);
  }

  #answer(requestId: number, body: Buffer): void {
    const ruling = this.#judgement.answer(requestId, body);
    if (ruling.kind === "close") return this.#exits.badAnswer(ruling.says);
    if (ruling.kind === "withhold") return this.#send(this.#down, requestId, ruling.body);
    const service = ruling.response?.service;
    const named = service === "unknown" || service === "ServiceFault" ? undefined : service;
    const outgoing = this.#channel?.responseBody(requestId, named, body);
    if (outgoing?.ok !== true) return this.#exits.badAnswer(outgoing?.error.says ?? "the channel is not open");
    this.#send(this.#down, requestId, outgoing.value);
  }

  #send(direction: Direction, requestId: number, body: Buffer): void {
    const refusal = this.#sender?.send(direction, requestId, body);
    if (refusal !== undefined) this.#exits.refuse(refusal);
  }

  #renumbered(direction: Direction, chunk: Buffer): void {
    const refusal = this.#sender?.renumbered(direction, chunk);
    if (refusal !== undefined) this.#exits.refuse(refusal);
  }
}

/** From the answer to the first OPN until CLO; the channel stays usable while it is renewed. */
function isOpen(stage: Stage): boolean {
  return stage === "open" || stage === "renewing";
}

function isBeforeOpen(stage: Stage): boolean {
  return !isOpen(stage) && stage !== "closing";
}
