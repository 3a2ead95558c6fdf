import type { Party } from "#point/observe/modbus.ts";
import type { Point } from "#point/point.ts";
import type { UaWay } from "#specs/plant.ts";
import type { UacpFrame } from "#wire/opcua/framer.ts";
import { decodeErrorMessage } from "#wire/opcua/uacp-messages.ts";
import { isBeyondDiscovery, ONLY_DISCOVERY, otherService, type Refusal } from "./opcua-channel.ts";
import { Direction } from "./opcua-direction.ts";
import { UaExits } from "./opcua-exits.ts";
import { UaJudgement } from "./opcua-judgement.ts";
import { UaNotices } from "./opcua-notices.ts";
import { type OpenChannel, UaOpening } from "./opcua-opening.ts";
import { refusedBody } from "./opcua-refusal.ts";
import type { UaServer } from "./opcua-way.ts";
import type { Session, SessionOutput } from "./session.ts";

/** Real ms until the channel must be open, and that a message may stay incomplete. */
export const PARTIAL_TIMEOUT_MS = 10_000;

/**
 * The data path of one OPC UA connection whose messages this filter can read and write: framer → chunk → message → judgement → the same
 * body under our own sequence numbers; what is denied is answered here. How it came to have a channel is
 * in {@link UaOpening}; a channel whose keys others hold is handed to {@link UaSealed}.
 */
export class UaSession implements Session {
  readonly #output: SessionOutput;
  readonly #enforces: () => boolean;
  readonly #exits: UaExits;
  readonly #judgement: UaJudgement;
  readonly #opening: UaOpening;
  readonly #up = new Direction();
  readonly #down = new Direction();
  /** Real time at which the connection was first looked at, and that of the present call. */
  #startedMs: number | undefined;
  #nowMs = 0;

  constructor(point: Point, server: UaServer, party: Party, output: SessionOutput) {
    this.#output = output;
    this.#enforces = () => point.enforces(party.link);
    const notices = new UaNotices(point, party);
    const malformed = (says: string) => notices.malformed(says, this.#enforces());
    this.#judgement = new UaJudgement(point, server.names, party, malformed);
    this.#exits = new UaExits(notices, output, () => {
      this.#opening.sealed?.closed();
      this.#judgement.closed();
    });
    this.#opening = new UaOpening({
      point,
      server,
      party,
      judgement: this.#judgement,
      exits: this.#exits,
      output,
      up: this.#up,
      down: this.#down,
    });
  }

  get wantsMore(): boolean {
    return true;
  }

  get unsettledSinceMs(): number | undefined {
    return this.#judgement.unsettledSinceMs;
  }

  /** How its channel was opened; undefined: not yet, or to find endpoints alone. */
  get way(): UaWay | undefined {
    return this.#opening.way;
  }

  /** Nobody judges what passes here: it cannot be looked into, or its link was declared opaque when the channel was opened. */
  get passesUnseen(): boolean {
    return this.#opening.sealed?.passesUnseen ?? this.#opening.open?.judges === false;
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
    if (this.#opening.isBeforeOpen && isLate(this.#startedMs))
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
    const { sealed, open, isOpen } = this.#opening;
    if (sealed !== undefined) return sealed.clientFrame(frame, this.#nowMs);
    if ((frame.type === "MSG" || frame.type === "CLO") && isOpen && open !== undefined)
      return this.#clientChunk(frame, open);
    this.#opening.fromClient(frame, this.#nowMs);
  }

  #clientChunk(frame: UacpFrame, open: OpenChannel): void {
    const plain = open.channel.fromClient(frame.bytes);
    if (!plain.ok) return this.#exits.refuse(plain.error);
    const taken = this.#up.take(plain.value, open.sender.channelId);
    if (!taken.ok) return this.#exits.refuse(taken.error);
    open.sender.tokenId = taken.value.tokenId;
    const { assembly } = taken.value;
    if (assembly.kind !== "message") return;
    const { requestId, body } = assembly;
    if (frame.type === "MSG")
      return this.#request(open, requestId, body, assembly.chunkCount === 1 ? plain.value : undefined);
    const wrong = otherService(body, "CloseSecureChannel");
    if (wrong !== undefined) return this.#exits.refuse(wrong);
    this.#opening.closing();
    this.#sent(open.sender.renumbered(this.#up, plain.value));
  }

  /** What is judged is what goes on: the body is rewritten before. `chunk` is all of the message, where it came in one. */
  #request(open: OpenChannel, requestId: number, received: Buffer, chunk: Buffer | undefined): void {
    const { channel, sender } = open;
    const outgoing = channel.requestBody(requestId, received);
    const isBeyond = isBeyondDiscovery(channel, received);
    if (!outgoing.ok || (isBeyond && this.#enforces())) {
      const { status, says } = outgoing.ok ? ONLY_DISCOVERY : outgoing.error;
      this.#exits.notices.security("detection", says);
      return this.#sent(sender.send(this.#down, requestId, refusedBody(received, status)));
    }
    if (isBeyond) this.#opening.usedInTheClear();
    const ruling = open.judges
      ? this.#judgement.request(requestId, outgoing.value, this.#nowMs)
      : this.#judgement.unjudged(requestId, outgoing.value, this.#nowMs);
    if (ruling.kind !== "forward") channel.dropped(requestId);
    switch (ruling.kind) {
      case "forward":
        return outgoing.value === received && chunk !== undefined
          ? this.#sent(sender.renumbered(this.#up, chunk))
          : this.#sent(sender.send(this.#up, requestId, outgoing.value));
      case "refuse":
        return this.#sent(sender.send(this.#down, requestId, ruling.body));
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
    const { sealed, open, isBeforeOpen } = this.#opening;
    if (sealed !== undefined) return sealed.serverFrame(frame);
    switch (frame.type) {
      case "ACK":
        return this.#opening.acknowledged(frame);
      case "OPN":
        return this.#opening.opened(frame);
      case "MSG":
        return isBeforeOpen || open === undefined
          ? this.#exits.badAnswer("MSG on a channel that is not open")
          : this.#serverChunk(frame, open);
      default:
        return this.#exits.badAnswer(`a server may not send ${frame.type}`);
    }
  }

  #serverChunk(frame: UacpFrame, open: OpenChannel): void {
    const { channel, sender } = open;
    const plain = channel.fromServer(frame.bytes);
    if (!plain.ok) return this.#exits.badAnswer(plain.error.says);
    const taken = this.#down.take(plain.value, undefined);
    if (!taken.ok) return this.#exits.badAnswer(taken.error.says);
    const { assembly } = taken.value;
    if (assembly.kind === "pending") return;
    const { requestId } = assembly;
    if (assembly.kind === "message") {
      const isWhole = assembly.chunkCount === 1 && sender.isAsSent(taken.value);
      return this.#answer(open, requestId, assembly.body, isWhole ? plain.value : undefined);
    }
    if (!this.#judgement.aborted(requestId)) return this.#exits.badAnswer(`message ${requestId} answers no request`);
    channel.dropped(requestId);
    this.#sent(sender.renumbered(this.#down, plain.value));
  }

  #answer({ channel, sender }: OpenChannel, requestId: number, body: Buffer, chunk: Buffer | undefined): void {
    const ruling = this.#judgement.answer(requestId, body);
    if (ruling.kind === "close") return this.#exits.badAnswer(ruling.says);
    if (ruling.kind === "withhold") return this.#sent(sender.send(this.#down, requestId, ruling.body));
    const service = ruling.response?.service;
    const named = service === "unknown" || service === "ServiceFault" ? undefined : service;
    const outgoing = channel.responseBody(requestId, named, body);
    if (!outgoing.ok) return this.#exits.badAnswer(outgoing.error.says);
    if (outgoing.value === body && chunk !== undefined) this.#sent(sender.renumbered(this.#down, chunk));
    else this.#sent(sender.send(this.#down, requestId, outgoing.value));
  }

  /** The receiver did not take a message so large. */
  #sent(refusal: Refusal | undefined): void {
    if (refusal !== undefined) this.#exits.refuse(refusal);
  }
}
