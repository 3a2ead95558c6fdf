import { encodeMsgChunk } from "#wire/opcua/message-chunk.ts";
import { between, chance, type Draw, pick } from "../support/random-plant-draw.ts";
import { COMMAND_BODIES, OTHER_BODIES } from "./opcua-golden.ts";

/** OPC UA messages and chunks, well-formed and not, for the same seed always the same. */
const EDGES = [0, 1, 2, 0x0d, 0x3f, 0x7f, 0x80, 0xfe, 0xff];
const LENGTHS = [-2, -1, 0, 1, 2, 0xff, 0xffff, 0x10_000, 0x7fff_ffff];
const CHUNK_HEADER_BYTES = 24;
const AT = { CHUNK_TYPE: 3, SIZE: 4, CHANNEL: 8, TOKEN: 12, SEQUENCE: 16, REQUEST: 20 } as const;

export function drawBody(draw: Draw): Buffer {
  const body = chance(draw, 70) ? pick(draw, COMMAND_BODIES) : pick(draw, OTHER_BODIES);
  if (!chance(draw, 25)) return body;
  let changed = body;
  for (let i = between(draw, 1, 3); i > 0; i -= 1) changed = mutateBody(draw, changed);
  return changed;
}

/** A byte, a length or a count changed, bytes put in, left out or doubled, or one body behind another. */
function mutateBody(draw: Draw, body: Buffer): Buffer {
  const at = between(draw, 0, Math.max(0, body.length - 1));
  switch (between(draw, 0, 7)) {
    case 0:
      return changedByte(body, at, (body[at] ?? 0) ^ (1 << between(draw, 0, 7)));
    case 1:
      return changedByte(body, at, pick(draw, EDGES));
    case 2:
      return Buffer.concat([body.subarray(0, at), Buffer.from([pick(draw, EDGES)]), body.subarray(at)]);
    case 3:
      return Buffer.concat([body.subarray(0, at), body.subarray(at + between(draw, 1, 4))]);
    case 4:
      return body.subarray(0, at);
    case 5:
      return lengthChanged(draw, body);
    case 6:
      return Buffer.concat([body, pick(draw, COMMAND_BODIES)]);
    default:
      return Buffer.concat([body.subarray(0, at), pick(draw, COMMAND_BODIES).subarray(at)]);
  }
}

function changedByte(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  if (at < changed.length) changed[at] = value;
  return changed;
}

/** Some place that looks like the length of a string or the size of an array says another one. */
function lengthChanged(draw: Draw, body: Buffer): Buffer {
  const places: number[] = [];
  for (let at = 0; at + 4 <= body.length; at += 1) if (body.readUInt32LE(at) < 64) places.push(at);
  if (places.length === 0) return body;
  const changed = Buffer.from(body);
  changed.writeInt32LE(pick(draw, LENGTHS), pick(draw, places));
  return changed;
}

/** Who writes chunks: the ids of its channel, and the number of the next. */
export interface ChunkIds {
  readonly channelId: number;
  readonly tokenId: number;
  next(): number;
}

/** The chunks of a message, mostly one. */
export function drawChunks(draw: Draw, ids: ChunkIds, requestId: number, body: Buffer): readonly Buffer[] {
  const parts = chance(draw, 20) ? between(draw, 2, 5) : 1;
  const size = Math.max(1, Math.ceil(body.length / parts));
  const { channelId, tokenId } = ids;
  const chunks = Array.from({ length: parts }, (_, i) =>
    encodeMsgChunk({
      channelId,
      tokenId,
      sequenceNumber: ids.next(),
      requestId,
      body: body.subarray(i * size, (i + 1) * size),
      chunkType: i === parts - 1 ? "F" : "C",
    }),
  );
  return chance(draw, 6) ? mutateChunks(draw, chunks) : chunks;
}

/** Chunks doubled, left out or exchanged, or one whose header says something else. */
function mutateChunks(draw: Draw, chunks: readonly Buffer[]): readonly Buffer[] {
  const i = between(draw, 0, chunks.length - 1);
  const chunk = chunks[i] ?? Buffer.alloc(CHUNK_HEADER_BYTES);
  const replaced = (other: Buffer): readonly Buffer[] => chunks.with(i, other);
  switch (between(draw, 0, 5)) {
    case 0:
      return chunks.toSpliced(i, 0, chunk);
    case 1:
      return chunks.toSpliced(i, 1);
    case 2:
      return chunks.toReversed();
    case 3:
      return replaced(changedByte(chunk, AT.CHUNK_TYPE, pick(draw, [..."FCAX"]).charCodeAt(0)));
    case 4: {
      const changed = Buffer.from(chunk);
      const at = pick(draw, [AT.SIZE, AT.CHANNEL, AT.TOKEN, AT.SEQUENCE, AT.REQUEST]);
      changed.writeUInt32LE((changed.readUInt32LE(at) + pick(draw, [-1, 1, 2, 255])) >>> 0, at);
      return replaced(changed);
    }
    default:
      return replaced(changedByte(chunk, between(draw, 0, CHUNK_HEADER_BYTES - 1), pick(draw, EDGES)));
  }
}

/** The stream in pieces. */
export function drawPieces(draw: Draw, bytes: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = chance(draw, 30) ? between(draw, 1, 40) : bytes.length;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Now and then a byte of a whole stream is another. */
export function meddled(draw: Draw, bytes: Buffer): Buffer {
  if (bytes.length === 0 || !chance(draw, 2)) return bytes;
  return changedByte(bytes, between(draw, 0, bytes.length - 1), pick(draw, EDGES));
}
