/**
 * Joins the chunks of one direction of an unencrypted SecureChannel into messages (OPC 10000-6 v1.05 §6.7.2, §6.7.3).
 *
 * Chunks of two messages never alternate: the chunks of a message carry consecutive sequence numbers here, because a
 * reader that joined them otherwise could be shown another message than the server. No known stack sends them so.
 */
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { BinaryReader } from "./binary-reader.ts";
import { DEFAULT_DECODE_LIMITS } from "./decode-limits.ts";
import type { SymmetricChunk } from "./message-chunk.ts";
import { MAX_REASON_BYTES } from "./uacp-header.ts";

const SPEC = "OPC 10000-6 v1.05 §6.7.2.2";
const SPEC_SEQUENCE = "OPC 10000-6 v1.05 §6.7.2.4";
const REQUEST_ID_OFFSET = 20;
const SIZE_OFFSET = 4;

export interface AssemblerOptions {
  /** Largest message body, in bytes. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /** Most chunks in one message. Default 64. */
  readonly maxChunkCount?: number;
}

const DEFAULT_MAX_MESSAGE_BYTES = 1_048_576;
const DEFAULT_MAX_CHUNK_COUNT = 64;

/** What a chunk led to. */
export type Assembly =
  | { readonly kind: "pending"; readonly requestId: number }
  | { readonly kind: "message"; readonly requestId: number; readonly body: Buffer; readonly chunkCount: number }
  /** The sender gave up on the message (chunk type A); its parts are dropped. */
  | { readonly kind: "aborted"; readonly requestId: number; readonly error: number; readonly reason: string | null };

export class MessageAssembler {
  #maxMessageBytes: number;
  #maxChunkCount: number;
  #requestId: number | undefined;
  #parts: Buffer[] = [];
  #bytes = 0;
  #failed: WireError | undefined;

  constructor(options: AssemblerOptions = {}) {
    this.#maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.#maxChunkCount = options.maxChunkCount ?? DEFAULT_MAX_CHUNK_COUNT;
  }

  /** Why the assembler stopped; after it, every chunk gets the same refusal. */
  get failed(): WireError | undefined {
    return this.#failed;
  }

  /** Bytes held of a message that is not complete yet. */
  get buffered(): number {
    return this.#bytes;
  }

  /** Takes over smaller bounds after HEL/ACK; larger ones are ignored. */
  lower(bounds: { readonly maxMessageBytes: number; readonly maxChunkCount: number }): void {
    this.#maxMessageBytes = Math.min(this.#maxMessageBytes, bounds.maxMessageBytes);
    this.#maxChunkCount = Math.min(this.#maxChunkCount, bounds.maxChunkCount);
  }

  push(chunk: SymmetricChunk): Result<Assembly, WireError> {
    const refusal = this.#failed ?? this.#refusal(chunk);
    if (refusal !== undefined) {
      this.#drop();
      this.#failed = refusal;
      return err(refusal);
    }
    if (chunk.chunkType === "A") return this.#abort(chunk);
    this.#parts.push(chunk.body);
    this.#bytes += chunk.body.length;
    if (chunk.chunkType === "C") {
      this.#requestId = chunk.requestId;
      return ok({ kind: "pending", requestId: chunk.requestId });
    }
    return ok(this.#take(chunk.requestId));
  }

  #refusal(chunk: SymmetricChunk): WireError | undefined {
    if (this.#requestId !== undefined && (this.#requestId !== chunk.requestId || chunk.type !== "MSG")) {
      return wireError("UA_SEQUENCE", REQUEST_ID_OFFSET, SPEC_SEQUENCE);
    }
    if (chunk.chunkType === "A") return undefined;
    if (this.#parts.length + 1 > this.#maxChunkCount) return wireError("UA_TOO_MANY_CHUNKS", SIZE_OFFSET, SPEC);
    if (this.#bytes + chunk.body.length > this.#maxMessageBytes)
      return wireError("UA_MESSAGE_TOO_LARGE", SIZE_OFFSET, SPEC);
    return undefined;
  }

  #take(requestId: number): Assembly {
    const [first] = this.#parts;
    const chunkCount = this.#parts.length;
    const body = first !== undefined && chunkCount === 1 ? first : Buffer.concat(this.#parts);
    this.#drop();
    return { kind: "message", requestId, body, chunkCount };
  }

  /** The body of an abort chunk is that of an ERR message: status code and reason (§6.7.3). */
  #abort(chunk: SymmetricChunk): Result<Assembly, WireError> {
    this.#drop();
    const reader = new BinaryReader(chunk.body, { ...DEFAULT_DECODE_LIMITS, maxStringBytes: MAX_REASON_BYTES });
    const error = reader.u32();
    const aborted = reader.finish({
      kind: "aborted",
      requestId: chunk.requestId,
      error,
      reason: reader.string(),
    } as const);
    if (!aborted.ok) this.#failed = aborted.error;
    return aborted;
  }

  #drop(): void {
    this.#parts = [];
    this.#bytes = 0;
    this.#requestId = undefined;
  }
}
