import type { Party } from "#point/observe/modbus.ts";
import { isGoodUaAnswer, observeUa, type UaTags, valuesInUaAnswer } from "#point/observe/opcua.ts";
import type { Judged, Point } from "#point/point.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import { decodeAsymmetricHeader, decodeSymmetricChunk } from "#wire/opcua/message-chunk.ts";
import { decodeRequest, type UaRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { SECURITY_POLICY_NONE, securityPolicyName } from "#wire/opcua/security-policy.ts";
import type { Direction } from "#wire/packet/index.ts";
import { describeWireError } from "#wire/wire-error.ts";
import type { Conversation } from "./conversation.ts";

const MAX_PENDING = 256;

interface Pending {
  readonly request: UaRequest;
  readonly judged: readonly Judged[];
}

/** Judges what an HMI asks of an OPC UA server on SecurityPolicy None; what is encrypted makes the conversation blind. */
export class UaConversation implements Conversation {
  readonly #point: Point;
  readonly #tags: UaTags;
  readonly #party: Party;
  readonly #up = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  readonly #down = { framer: new UacpFramer(), assembler: new MessageAssembler() };
  readonly #pending = new Map<number, Pending>();
  #blind: string | undefined;

  constructor(point: Point, tags: UaTags, party: Party) {
    this.#point = point;
    this.#tags = tags;
    this.#party = party;
  }

  get blind(): string | undefined {
    return this.#blind;
  }

  data(direction: Direction, bytes: Buffer, timeMs: number): void {
    const up = direction === "client-to-server";
    const { framer, assembler } = up ? this.#up : this.#down;
    for (const frame of framer.push(bytes)) if (this.#blind === undefined) this.#frame(frame, assembler, up, timeMs);
    if (framer.failed !== undefined) this.#blind ??= describeWireError(framer.failed);
  }

  #frame(frame: UacpFrame, assembler: MessageAssembler, up: boolean, timeMs: number): void {
    if (frame.type === "OPN") return this.#openChannel(frame);
    if (frame.type !== "MSG") return;
    const chunk = decodeSymmetricChunk(frame.bytes);
    const assembly = chunk.ok ? assembler.push(chunk.value) : chunk;
    if (!assembly.ok) {
      this.#blind = describeWireError(assembly.error);
      return;
    }
    if (assembly.value.kind !== "message") return;
    const { requestId, body } = assembly.value;
    if (up) this.#request(requestId, body, timeMs);
    else this.#response(requestId, body, timeMs);
  }

  #openChannel(frame: UacpFrame): void {
    const header = decodeAsymmetricHeader(frame.bytes);
    if (!header.ok) this.#blind = describeWireError(header.error);
    else if (header.value.securityPolicyUri !== SECURITY_POLICY_NONE) {
      this.#blind = `security policy ${securityPolicyName(header.value.securityPolicyUri)} cannot be looked into from a mirror`;
    }
  }

  #request(requestId: number, body: Buffer, timeMs: number): void {
    const request = decodeRequest(body);
    if (!request.ok) {
      this.#blind = describeWireError(request.error);
      return;
    }
    const judged = observeUa(this.#party, this.#tags, request.value).map((o) => this.#point.judge(o, timeMs));
    for (const j of judged) {
      this.#point.forwarded(j);
      this.#point.report(j, "forwarded");
    }
    if (this.#pending.size < MAX_PENDING) this.#pending.set(requestId, { request: request.value, judged });
  }

  #response(requestId: number, body: Buffer, timeMs: number): void {
    const pending = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    if (pending === undefined) return;
    const response = decodeResponse(body);
    if (!response.ok) return;
    const outcome = isGoodUaAnswer(response.value) ? "answered-ok" : "answered-error";
    for (const judged of pending.judged) this.#point.answered(judged, outcome);
    this.#point.told(this.#party, valuesInUaAnswer(this.#tags, pending.request, response.value), timeMs);
  }
}
