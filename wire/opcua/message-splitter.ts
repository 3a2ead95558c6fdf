/** Cuts a message body into chunks on SecurityPolicy None (OPC 10000-6 v1.05 §6.7.2.2). */
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { CHUNK_OVERHEAD_BYTES, encodeMsgChunk } from "./message-chunk.ts";
import { nextSequenceNumber } from "./sequence-number.ts";

const SPEC = "OPC 10000-6 v1.05 §6.7.2.2";

export interface MessageFields {
  readonly channelId: number;
  readonly tokenId: number;
  readonly requestId: number;
  /** Number of the first chunk; the others follow. */
  readonly sequenceNumber: number;
  readonly body: Buffer;
  /** Largest chunk the receiver takes, in bytes; at least 25. */
  readonly maxChunkBytes: number;
  /** Most chunks the receiver takes. */
  readonly maxChunkCount: number;
}

export interface EncodedMessage {
  readonly chunks: readonly Buffer[];
  /** Number for the chunk after these. */
  readonly nextSequenceNumber: number;
}

/** The chunks of a message, the last one final; refuses a body that needs more chunks than the receiver takes. */
export function encodeMessage(fields: MessageFields): Result<EncodedMessage, WireError> {
  const { body, channelId, tokenId, requestId } = fields;
  const room = fields.maxChunkBytes - CHUNK_OVERHEAD_BYTES;
  const count = Math.max(1, Math.ceil(body.length / room));
  if (room < 1 || count > fields.maxChunkCount) return err(wireError("UA_TOO_MANY_CHUNKS", 0, SPEC));
  const chunks: Buffer[] = [];
  let sequenceNumber = fields.sequenceNumber;
  for (let i = 0; i < count; i += 1) {
    const part = body.subarray(i * room, (i + 1) * room);
    const chunkType = i === count - 1 ? "F" : "C";
    chunks.push(encodeMsgChunk({ channelId, tokenId, requestId, sequenceNumber, body: part, chunkType }));
    sequenceNumber = nextSequenceNumber(sequenceNumber);
  }
  return ok({ chunks, nextSequenceNumber: sequenceNumber });
}
