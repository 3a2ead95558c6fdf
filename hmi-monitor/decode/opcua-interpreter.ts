import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import {
  type AsymmetricHeader,
  CHUNK_OVERHEAD_BYTES,
  decodeAsymmetricChunk,
  decodeAsymmetricHeader,
  decodeSymmetricChunk,
  type SymmetricChunk,
} from "#wire/opcua/message-chunk.ts";
import { decodeRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { SECURITY_POLICY_NONE, securityPolicyName } from "#wire/opcua/security-policy.ts";
import type { Direction } from "#wire/packet/index.ts";
import type { WireError } from "#wire/wire-error.ts";
import { type ChannelSecurity, CLEAR, securityOf } from "../opcua-security.ts";
import { ascii } from "./ascii.ts";
import type { Counts } from "./counts.ts";
import { type Interpreter, sentenceOf } from "./dialogue.ts";
import type { JsonBytes } from "./json-bytes.ts";
import type { Lines } from "./lines.ts";
import type { Moment } from "./moments.ts";
import { connectionFields, statusFields } from "./opcua-connection-fields.ts";
import { uaRequestFields } from "./opcua-request-fields.ts";
import { uaResponseFields } from "./opcua-response-fields.ts";
import { canSkim, skimmed } from "./opcua-skim.ts";
import { uaText } from "./opcua-values.ts";
import type { Cutter } from "./stream-reader.ts";

/** Largest message that is put together, and largest chunk: memory follows the bytes that come. */
const MAX_MESSAGE_BYTES = 4_194_304;
const MAX_CHUNK_BYTES = MAX_MESSAGE_BYTES;
const MESSAGE_BOUNDS = { maxMessageBytes: MAX_MESSAGE_BYTES, maxChunkCount: 512 };
/** Requests of one connection that may wait for answers: Publish requests wait by the dozen. */
const MAX_PENDING = 1024;

const KEY = {
  messageType: ascii(',"messageType":'),
  channelId: ascii(',"secureChannelId":'),
  tokenId: ascii(',"tokenId":'),
  sequenceNumber: ascii(',"sequenceNumber":'),
  requestId: ascii(',"requestId":'),
  chunks: ascii(',"chunks":'),
  chunkType: ascii(',"chunkType":'),
  service: ascii(',"service":'),
  encrypted: ascii(',"encrypted":true,"bytes":'),
  securityMode: ascii(',"securityMode":'),
  securityPolicy: ascii(',"securityPolicy":'),
  request: ascii(',"request":{"frame":'),
  close: ascii("}"),
  unsolicited: ascii(',"unsolicited":true'),
  reason: ascii(',"reason":'),
  aborted: ascii(',"aborted":true'),
} as const;

/** How a ReverseHello begins, §7.1.2.6. */
const REVERSE = Buffer.from("RHE");
/** The first word of a chunk that is a whole message. */
const MSG_FINAL = Buffer.from("MSGF").readUInt32LE();

/** Offsets in a MSG or CLO chunk, OPC 10000-6 v1.05 §6.7.2. */
const FIELD = { TYPE: 0, SIZE: 4, CHANNEL: 8, TOKEN: 12, SEQUENCE: 16, REQUEST: 20 } as const;

/** Chunks of one direction on their way to a message. */
interface Joining {
  readonly assembler: MessageAssembler;
  /** there are chunks of a message that is not complete */
  readonly open: boolean;
}

function joining(): Joining {
  return { assembler: new MessageAssembler(MESSAGE_BOUNDS), open: false };
}

/** Messages of an OPC UA connection. What is encrypted is a line too, and says so. */
export class OpcuaInterpreter implements Interpreter<UacpFrame> {
  readonly protocol = "opcua";
  readonly #lines: Lines;
  readonly #counts: Counts;
  #up = joining();
  #down = joining();
  /** undefined: the channel was opened before the capture began */
  #policy: string | undefined;
  #security: ChannelSecurity | undefined;
  #keys: { readonly channelId: number; readonly tokenId: number; readonly bytes: Uint8Array } | undefined;
  /** frames of requests that wait for their answers, by request id, oldest first */
  readonly #pending = new Map<number, number>();

  constructor(lines: Lines, counts: Counts) {
    this.#lines = lines;
    this.#counts = counts;
  }

  get waiting(): number {
    return this.#pending.size;
  }

  isFromServer(bytes: Buffer): boolean {
    return bytes.subarray(0, REVERSE.length).equals(REVERSE);
  }

  cutter(): Cutter<UacpFrame> {
    const framer = new UacpFramer({ maxChunkBytes: MAX_CHUNK_BYTES });
    return {
      push: (chunk) => framer.push(chunk),
      get failure() {
        return framer.failed;
      },
      get pending() {
        return framer.buffered;
      },
    };
  }

  skim(up: boolean, segment: Buffer, head: Uint8Array, at: Moment): boolean {
    // One whole MSG chunk on a channel without security, and no other message on its way.
    if (this.#security?.kind !== "clear" || (up ? this.#up.open : this.#down.open)) return false;
    const { length } = segment;
    if (length < CHUNK_OVERHEAD_BYTES || length > MAX_CHUNK_BYTES) return false;
    if (segment.readUInt32LE(FIELD.TYPE) !== MSG_FINAL || segment.readUInt32LE(FIELD.SIZE) !== length) return false;
    if (!canSkim(up, segment, CHUNK_OVERHEAD_BYTES)) return false;
    const json = this.#lines.begin(at, head).raw(this.#channelKeys(segment));
    const requestId = segment.readUInt32LE(FIELD.REQUEST);
    json.int(segment.readUInt32LE(FIELD.SEQUENCE)).raw(KEY.requestId).int(requestId);
    skimmed(json);
    if (up) this.#remember(requestId, at.number);
    else this.#answered(json, requestId);
    this.#lines.end();
    return true;
  }

  /** What the lines of a channel have in common, up to the sequence number. */
  #channelKeys(chunk: Buffer): Uint8Array {
    const channelId = chunk.readUInt32LE(FIELD.CHANNEL);
    const tokenId = chunk.readUInt32LE(FIELD.TOKEN);
    if (this.#keys?.channelId !== channelId || this.#keys.tokenId !== tokenId) {
      const text = `,"messageType":"MSG","secureChannelId":${channelId},"tokenId":${tokenId},"sequenceNumber":`;
      this.#keys = { channelId, tokenId, bytes: ascii(text) };
    }
    return this.#keys.bytes;
  }

  message(direction: Direction, frame: UacpFrame, head: Uint8Array, at: Moment): void {
    if (frame.type === "MSG" || frame.type === "CLO") {
      this.#symmetric(direction, frame, head, at);
      return;
    }
    const json = this.#lines.begin(at, head).raw(KEY.messageType).text(frame.type);
    const error = frame.type === "OPN" ? this.#open(json, direction, frame, at) : connectionFields(json, frame);
    if (error === undefined) this.#lines.end();
    else this.#lines.error(error.code, sentenceOf(error));
  }

  unfinished(direction: Direction): number {
    return (direction === "client-to-server" ? this.#up : this.#down).assembler.buffered;
  }

  lost(direction: Direction): void {
    if (direction === "client-to-server") this.#up = joining();
    else this.#down = joining();
  }

  #symmetric(direction: Direction, frame: UacpFrame, head: Uint8Array, at: Moment): void {
    const security = this.#securityOf(frame);
    if (security.kind === "encrypted") {
      this.#encrypted(frame, head, at);
      return;
    }
    const up = direction === "client-to-server";
    const chunk = decodeSymmetricChunk(frame.bytes, security.signatureBytes);
    if (!chunk.ok) {
      const json = this.#lines.begin(at, head).raw(KEY.messageType).text(frame.type);
      json.raw(KEY.channelId).int(frame.bytes.readUInt32LE(FIELD.CHANNEL));
      this.#lines.error(chunk.error.code, sentenceOf(chunk.error));
      return;
    }
    this.#assemble(up, chunk.value, security, head, at);
  }

  #assemble(up: boolean, chunk: SymmetricChunk, security: ChannelSecurity, head: Uint8Array, at: Moment): void {
    const { assembler, open } = up ? this.#up : this.#down;
    const assembly = assembler.push(chunk);
    const pending = assembly.ok && assembly.value.kind === "pending";
    // Each message stands alone here: that one cannot be joined makes the next no less readable.
    const next = assembly.ok ? { assembler, open: pending } : joining();
    if (up) this.#up = next;
    else this.#down = next;
    if (pending) return;
    if (!assembly.ok && open && assembly.error.code === "UA_SEQUENCE") {
      // The chunks of a message that another one interrupts.
      this.#begin(chunk, head, at);
      this.#lines.error(assembly.error.code, sentenceOf(assembly.error));
      this.#assemble(up, chunk, security, head, at);
      return;
    }
    const json = this.#begin(chunk, head, at);
    json.raw(KEY.sequenceNumber).int(chunk.sequenceNumber).raw(KEY.requestId).int(chunk.requestId);
    if (!assembly.ok) {
      this.#lines.error(assembly.error.code, sentenceOf(assembly.error));
      return;
    }
    if (assembly.value.kind === "aborted") {
      statusFields(json.raw(KEY.aborted), assembly.value.error);
      uaText(json.raw(KEY.reason), assembly.value.reason);
      this.#lines.end();
      return;
    }
    if (assembly.value.kind !== "message") return;
    if (assembly.value.chunkCount > 1) json.raw(KEY.chunks).int(assembly.value.chunkCount);
    if (security.kind === "signed") json.raw(KEY.securityMode).text("Sign");
    const error = this.#body(json, up, assembly.value.body, chunk.requestId, at);
    if (error === undefined) this.#lines.end();
    else this.#lines.error(error.code, sentenceOf(error));
  }

  #begin({ type, channelId, tokenId }: SymmetricChunk, head: Uint8Array, at: Moment): JsonBytes {
    const json = this.#lines.begin(at, head).raw(KEY.messageType).text(type);
    return json.raw(KEY.channelId).int(channelId).raw(KEY.tokenId).int(tokenId);
  }

  /** Service and fields of a body; answers why it cannot be read. */
  #body(json: JsonBytes, up: boolean, body: Buffer, requestId: number, at: Moment): WireError | undefined {
    if (up) {
      const request = decodeRequest(body);
      if (!request.ok) return request.error;
      json.raw(KEY.service).text(request.value.service);
      uaRequestFields(json, request.value);
      this.#remember(requestId, at.number);
      return undefined;
    }
    const response = decodeResponse(body);
    if (!response.ok) return response.error;
    json.raw(KEY.service).text(response.value.service);
    uaResponseFields(json, response.value);
    this.#answered(json, requestId);
    return undefined;
  }

  #answered(json: JsonBytes, requestId: number): void {
    const asked = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    if (asked !== undefined) json.raw(KEY.request).int(asked).raw(KEY.close);
    else {
      this.#counts.unread.unsolicited += 1;
      json.raw(KEY.unsolicited);
    }
  }

  #remember(requestId: number, frame: number): void {
    const waiting = this.#pending;
    if (waiting.delete(requestId)) this.#counts.unread.unanswered += 1;
    if (waiting.size >= MAX_PENDING) {
      for (const oldest of waiting.keys()) {
        waiting.delete(oldest);
        break;
      }
      this.#counts.unread.unanswered += 1;
    }
    waiting.set(requestId, frame);
  }

  #open(json: JsonBytes, direction: Direction, frame: UacpFrame, at: Moment): WireError | undefined {
    const header = decodeAsymmetricHeader(frame.bytes);
    if (!header.ok) return header.error;
    this.#take(header.value);
    json.raw(KEY.channelId).int(header.value.channelId);
    json.raw(KEY.securityPolicy).text(securityPolicyName(header.value.securityPolicyUri));
    if (header.value.securityPolicyUri !== SECURITY_POLICY_NONE) {
      // §6.7.4: OPN is always encrypted where there is a policy, in mode Sign too.
      this.#counts.encrypted += 1;
      json.raw(KEY.encrypted).int(header.value.payload.length);
      return undefined;
    }
    const chunk = decodeAsymmetricChunk(frame.bytes);
    if (!chunk.ok) return chunk.error;
    json.raw(KEY.sequenceNumber).int(chunk.value.sequenceNumber).raw(KEY.requestId).int(chunk.value.requestId);
    return this.#body(json, direction === "client-to-server", chunk.value.body, chunk.value.requestId, at);
  }

  #take(header: AsymmetricHeader): void {
    if (this.#policy !== header.securityPolicyUri) this.#security = undefined;
    this.#policy = header.securityPolicyUri;
  }

  #securityOf(frame: UacpFrame): ChannelSecurity {
    this.#security ??= securityOf(frame, this.#policy);
    return this.#security ?? CLEAR;
  }

  #encrypted(frame: UacpFrame, head: Uint8Array, at: Moment): void {
    const { bytes } = frame;
    this.#counts.encrypted += 1;
    const json = this.#lines.begin(at, head).raw(KEY.messageType).text(frame.type);
    json.raw(KEY.channelId).int(bytes.readUInt32LE(FIELD.CHANNEL));
    json.raw(KEY.tokenId).int(bytes.readUInt32LE(FIELD.TOKEN));
    if (frame.chunkType !== "F") json.raw(KEY.chunkType).text(frame.chunkType);
    json.raw(KEY.securityMode).text("SignAndEncrypt");
    if (this.#policy !== undefined) json.raw(KEY.securityPolicy).text(securityPolicyName(this.#policy));
    json.raw(KEY.encrypted).int(bytes.length - FIELD.SEQUENCE);
    this.#lines.end();
  }
}
