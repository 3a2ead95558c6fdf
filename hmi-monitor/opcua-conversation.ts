import { X509Certificate } from "node:crypto";
import type { Party } from "#point/observe/modbus.ts";
import { isGoodUaAnswer } from "#point/observe/opcua.ts";
import type { UaNames } from "#point/observe/opcua-names.ts";
import type { Judged, Point } from "#point/point.ts";
import { changesState } from "#specs/mask.ts";
import { durationInWords } from "#specs/words.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import { type AsymmetricHeader, decodeAsymmetricHeader, decodeSymmetricChunk } from "#wire/opcua/message-chunk.ts";
import { decodeRequest, type UaRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { securityPolicyName } from "#wire/opcua/security-policy.ts";
import type { Direction } from "#wire/packet/index.ts";
import { describeWireError, type WireError } from "#wire/wire-error.ts";
import type { Blind, Conversation, Unfollowed } from "./conversation.ts";
import type { UaClients } from "./opcua-clients.ts";
import { type ChannelSecurity, CLEAR, securityOf } from "./opcua-security.ts";
import { UaTold } from "./opcua-told.ts";

/** Requests remembered until their answers come; Publish requests wait by design. */
export const MAX_PENDING = 256;
/** Plant ms after which a command without an answer is said to have none; a method may take its time. */
export const ANSWER_MS = 60_000;
/** Longest part of a certificate's subject that is told. */
const MAX_SUBJECT = 160;

interface Pending {
  readonly request: UaRequest;
  readonly judged: readonly Judged[];
  readonly timeMs: number;
  /** it was said that nobody answered it */
  missed: boolean;
}

/** What of the server a conversation shares with the others to it. */
export interface UaServer {
  readonly names: UaNames;
  readonly clients: UaClients;
}

/**
 * Judges what an HMI asks of an OPC UA server, and what it is told, where that can be read: on SecurityPolicy None, and in mode Sign, whose
 * signatures the server verifies. What is encrypted makes the conversation blind.
 */
export class UaConversation implements Conversation {
  readonly #point: Point;
  readonly #server: UaServer;
  readonly #party: Party;
  readonly #unfollowed: Unfollowed;
  #up = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  #down = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  readonly #pending = new Map<number, Pending>();
  readonly #told = new UaTold();
  /** The opening of a secured channel, as far as it is not encrypted. */
  #opening: AsymmetricHeader | undefined;
  /** Known from the first message on. */
  #security: ChannelSecurity | undefined;
  #blind: Blind | undefined;

  constructor(point: Point, server: UaServer, party: Party, unfollowed: Unfollowed) {
    this.#point = point;
    this.#server = server;
    this.#party = party;
    this.#unfollowed = unfollowed;
  }

  get blind(): Blind | undefined {
    return this.#blind;
  }

  data(direction: Direction, bytes: Buffer, timeMs: number): void {
    const up = direction === "client-to-server";
    const { framer, assembler } = up ? this.#up : this.#down;
    for (const frame of framer.push(bytes)) if (this.#blind === undefined) this.#frame(frame, assembler, up, timeMs);
    if (framer.failed !== undefined) this.#blind ??= unreadable(framer.failed);
  }

  /** Sessions, subscriptions and the names of nodes outlast it. */
  lost(): void {
    for (const { request } of this.#pending.values()) this.#server.names.unanswered(request);
    this.#pending.clear();
    this.#told.lost();
    if (this.#blind?.isForGood === false) this.#blind = undefined;
    this.#up = { framer: new UacpFramer(), assembler: new MessageAssembler() };
    this.#down = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  }

  look(timeMs: number): void {
    for (const pending of this.#pending.values()) if (timeMs - pending.timeMs > ANSWER_MS) this.#unanswered(pending);
    const { source, target } = this.#party;
    for (const { id, withinMs } of this.#told.silent(timeMs)) {
      const says = `subscription ${id} has told nothing for ${durationInWords(withinMs)}, not even a keep-alive, though it is asked`;
      this.#point.notice({
        code: "PERIOD_MISSED",
        severity: "detection",
        locus: [],
        source: target,
        target: source ?? "",
        says,
      });
    }
    if (!this.#point.judgesReports) return;
    for (const reading of this.#told.shown((id) => this.#server.names.subscriptions.shown(id))) {
      const suspect = this.#point.stillShows(this.#party, reading, timeMs);
      if (this.#told.isNews(reading.tag, suspect !== undefined) && suspect !== undefined) this.#point.notice(suspect);
    }
  }

  closed(): void {
    for (const pending of this.#pending.values()) this.#unanswered(pending);
    this.#pending.clear();
    this.#server.names.left(this);
  }

  #frame(frame: UacpFrame, assembler: MessageAssembler, up: boolean, timeMs: number): void {
    if (frame.type === "OPN") return this.#openChannel(frame);
    if (frame.type === "RHE") this.#blind = REVERSED;
    if (frame.type !== "MSG") return;
    this.#security ??= securityOf(frame, this.#opening?.securityPolicyUri);
    const security = this.#security ?? CLEAR;
    if (security.kind === "encrypted") {
      const says = this.#opening === undefined ? "its channel is encrypted" : securedSays(this.#opening);
      this.#blind = { says, isForGood: true };
      return;
    }
    const chunk = decodeSymmetricChunk(frame.bytes, security.signatureBytes);
    const assembly = chunk.ok ? assembler.push(chunk.value) : chunk;
    if (!assembly.ok) {
      this.#blind = unreadable(assembly.error);
      return;
    }
    if (assembly.value.kind === "aborted" && !up) this.#gaveUp(assembly.value.requestId, timeMs);
    if (assembly.value.kind !== "message") return;
    const { requestId, body } = assembly.value;
    if (up) this.#request(requestId, body, timeMs);
    else this.#response(requestId, body, timeMs);
  }

  #openChannel(frame: UacpFrame): void {
    const header = decodeAsymmetricHeader(frame.bytes);
    if (!header.ok) {
      this.#blind = unreadable(header.error);
      return;
    }
    // A channel keeps its policy when it is renewed; an answer carries the server's certificate.
    const before = this.#opening?.securityPolicyUri;
    if (before === undefined) this.#opening = header.value;
    else if (before !== header.value.securityPolicyUri) this.#blind = POLICY_CHANGED;
  }

  #request(requestId: number, body: Buffer, timeMs: number): void {
    const decoded = decodeRequest(body);
    if (!decoded.ok) {
      this.#blind = unreadable(decoded.error);
      return;
    }
    const { names } = this.#server;
    const request = names.resolved(decoded.value);
    const judged = names.observe(this.#partyOf(request), request, this).map((o) => this.#point.judge(o, timeMs));
    for (const j of judged) {
      this.#point.forwarded(j, timeMs);
      this.#point.report(j, "forwarded");
    }
    // What finds no room is not followed: its nodes and handles are judged as those they look like, which no rule names.
    if (this.#pending.size >= MAX_PENDING || !names.takes(request)) return this.#point.countLost(1);
    names.asked(request, this);
    this.#told.asked(request, timeMs);
    this.#pending.set(requestId, { request, judged, timeMs, missed: false });
  }

  /** Nobody answered: the server may never have heard it. Its answer is taken all the same if it comes later: a method may take its time. */
  #unanswered(pending: Pending): void {
    if (pending.missed) return;
    pending.missed = true;
    if (pending.judged.some(({ observation }) => changesState(observation.operation))) this.#unfollowed.notAnswered(1);
  }

  /** The sender's address with who is behind it, where the sender is a device that is known. */
  #partyOf(request: UaRequest): Party {
    if (this.#party.source === undefined) return this.#party;
    const who = this.#server.clients.describe(request, this.#server.names.users, this);
    return who === "" ? this.#party : { ...this.#party, sourceAddress: `${who}@${this.#party.sourceAddress}` };
  }

  #response(requestId: number, body: Buffer, timeMs: number): void {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    if (pending === undefined) return this.#unfollowed.notPaired(1);
    const { request, judged } = pending;
    const response = decodeResponse(body);
    if (!response.ok) {
      this.#server.names.unanswered(request);
      this.#blind = { says: `an answer cannot be read (${describeWireError(response.error)})`, isForGood: false };
      return;
    }
    const outcome = isGoodUaAnswer(response.value) ? "answered-ok" : "answered-error";
    for (const j of judged) this.#point.answered(j, outcome, timeMs);
    const { names, clients } = this.#server;
    const told = names.values(request, response.value);
    names.answered(request, response.value, this);
    clients.answered(request, response.value);
    this.#told.answered(request, response.value, told, timeMs);
    this.#point.told(this.#party, told, timeMs);
  }

  #gaveUp(requestId: number, timeMs: number): void {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    if (pending === undefined) return;
    this.#server.names.unanswered(pending.request);
    for (const j of pending.judged) this.#point.answered(j, "answered-error", timeMs);
  }
}

const POLICY_CHANGED: Blind = { says: "the policy of its channel was changed", isForGood: true };

/** Who asks and who answers is the other way round there. */
const REVERSED: Blind = {
  says: "the server opened it (ReverseHello), and connections of a server are not read on a mirror",
  isForGood: true,
};

/** Of one message. */
function unreadable(error: WireError): Blind {
  return { says: describeWireError(error), isForGood: false };
}

/** What a mirror shows of an encrypted channel: its policy, and the certificate of who opened it. */
function securedSays({ securityPolicyUri, senderCertificate }: AsymmetricHeader): string {
  const subject = senderCertificate === null ? undefined : subjectOf(senderCertificate);
  const who = subject === undefined ? "" : `, with the certificate of ${subject}`;
  return `its channel is encrypted by ${securityPolicyName(securityPolicyUri)}${who}: a mirror shows nothing of what is asked in it`;
}

function subjectOf(der: Buffer): string | undefined {
  try {
    return new X509Certificate(der).subject.split("\n").reverse().join(", ").slice(0, MAX_SUBJECT);
  } catch {
    return "a certificate that cannot be read";
  }
}
