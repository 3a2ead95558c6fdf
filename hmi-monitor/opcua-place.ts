import { UacpFramer } from "#wire/opcua/framer.ts";
import { decodeAsymmetricChunk, decodeSymmetricChunk } from "#wire/opcua/message-chunk.ts";
import { decodeRequest } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { followsSequenceNumber } from "#wire/opcua/sequence-number.ts";
import type { Direction } from "#wire/packet/index.ts";
import type { Segment } from "./conversation.ts";
import { LIKELY_SIGNATURE_BYTES } from "./opcua-security.ts";

/** Chunks of one direction whose sequence numbers must follow each other before the direction is taken for read. */
export const CHUNKS_TO_JOIN = 2;

/** In the clear, or signed. */
const SIGNATURES = [0, LIKELY_SIGNATURE_BYTES] as const;

interface Chunk {
  readonly channelId: number;
  readonly sequenceNumber: number;
  /** Whether a message that is whole in this chunk can be decoded. */
  readonly isMessage: () => boolean;
}

/**
 * Where an OPC UA connection that was joined late can be read from: in each direction a segment from which everything is whole chunks
 * of one SecureChannel, their sequence numbers following (OPC 10000-6 v1.05 §6.7.2.4), and the first of them a whole message, with or
 * without a signature behind it. In an encrypted channel the sequence number is encrypted too, and there is no such place.
 */
export function uaPlace(held: readonly Segment[]): readonly Segment[] | undefined {
  const up = placeIn(held, "client-to-server");
  if (up === undefined) return undefined;
  const down = placeIn(held, "server-to-client");
  if (down === undefined) return undefined;
  return held.filter(({ direction }, n) => n >= (direction === "client-to-server" ? up : down));
}

function placeIn(held: readonly Segment[], direction: Direction): number | undefined {
  for (let at = 0; at < held.length; at += 1)
    if (held[at]?.direction === direction && SIGNATURES.some((bytes) => follows(held, at, direction, bytes))) return at;
  return undefined;
}

function follows(held: readonly Segment[], from: number, direction: Direction, signatureBytes: number): boolean {
  const framer = new UacpFramer();
  let before: Chunk | undefined;
  let count = 0;
  for (const segment of held.slice(from)) {
    if (segment.direction !== direction) continue;
    for (const { bytes } of framer.push(segment.bytes)) {
      const chunk = readChunk(bytes, direction, signatureBytes);
      if (chunk === undefined || !mayFollow(before, chunk)) return false;
      before = chunk;
      count += 1;
    }
    if (framer.failed !== undefined) return false;
  }
  return count >= CHUNKS_TO_JOIN;
}

function mayFollow(before: Chunk | undefined, { channelId, sequenceNumber, isMessage }: Chunk): boolean {
  if (before === undefined) return isMessage();
  return before.channelId === channelId && followsSequenceNumber(before.sequenceNumber, sequenceNumber);
}

function readChunk(bytes: Buffer, direction: Direction, signatureBytes: number): Chunk | undefined {
  const symmetric = decodeSymmetricChunk(bytes, signatureBytes);
  if (!symmetric.ok) {
    const open = decodeAsymmetricChunk(bytes);
    return open.ok ? { ...open.value, isMessage: () => true } : undefined;
  }
  const { channelId, sequenceNumber, chunkType, body } = symmetric.value;
  const decode = direction === "client-to-server" ? decodeRequest : decodeResponse;
  return { channelId, sequenceNumber, isMessage: () => chunkType === "F" && decode(body).ok };
}
