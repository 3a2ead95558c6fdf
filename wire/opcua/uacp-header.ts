/** The 8 bytes that start every chunk: type, chunk type, size (OPC 10000-6 v1.05 §6.7.2.2, §7.1.2.2). */
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";

const SPEC = "OPC 10000-6 v1.05 §7.1.2.2";
const SPEC_SECURE = "OPC 10000-6 v1.05 §6.7.2.2";

export const HEADER = { TYPE: 0, CHUNK_TYPE: 3, SIZE: 4, END: 8 } as const;

/** HEL, ACK, ERR, RHE open a connection; OPN, MSG, CLO are chunks of a SecureChannel. */
export type MessageType = "HEL" | "ACK" | "ERR" | "RHE" | "OPN" | "MSG" | "CLO";

/** F: final chunk, C: more follow, A: the message is aborted. */
export type ChunkType = "F" | "C" | "A";

export interface UacpHeader {
  readonly type: MessageType;
  readonly chunkType: ChunkType;
  /** Bytes of the chunk, this header included. */
  readonly size: number;
}

/** URLs are below 4,096 bytes, reasons not above 4,096 (OPC 10000-6 v1.05 §7.1.2.3, §7.1.2.5). */
export const MAX_URL_BYTES = 4_095;
export const MAX_REASON_BYTES = 4_096;

const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** Smallest and largest size each type can have by its fields, null strings counted as 4 bytes. */
const SIZES: Readonly<Record<MessageType, { readonly min: number; readonly max: number }>> = {
  HEL: { min: 32, max: 32 + MAX_URL_BYTES },
  ACK: { min: 28, max: 28 },
  ERR: { min: 16, max: 16 + MAX_REASON_BYTES },
  RHE: { min: 16, max: 16 + 2 * MAX_URL_BYTES },
  OPN: { min: 32, max: UNBOUNDED },
  MSG: { min: 24, max: UNBOUNDED },
  CLO: { min: 24, max: UNBOUNDED },
};

/** The three characters of each type as the low bytes of the header's first word, and the fourth as its high byte. */
const word = (text: string): number => Buffer.from(text.padEnd(4, "\0"), "latin1").readUInt32LE();
const TYPE_BITS = 0x00ff_ffff;
const CHUNK_TYPE_SHIFT = 24;
const TYPES: ReadonlyMap<number, MessageType> = new Map(
  (["MSG", "OPN", "CLO", "HEL", "ACK", "ERR", "RHE"] as const).map((type) => [word(type), type]),
);
const CHUNK_TYPES: ReadonlyMap<number, ChunkType> = new Map(
  (["F", "C", "A"] as const).map((chunkType) => [word(chunkType), chunkType]),
);

/**
 * Decodes the header at the start of `bytes`; bytes after it are not looked at.
 * Types before size, so that a peer that speaks another protocol is told so.
 */
export function decodeUacpHeader(bytes: Buffer, maxChunkBytes: number): Result<UacpHeader, WireError> {
  if (bytes.length < HEADER.END) return err(wireError("UA_SIZE", bytes.length, SPEC));
  const first = bytes.readUInt32LE(HEADER.TYPE);
  const type = TYPES.get(first & TYPE_BITS);
  if (type === undefined) return err(wireError("UA_MESSAGE_TYPE", HEADER.TYPE, SPEC));
  const chunkType = CHUNK_TYPES.get(first >>> CHUNK_TYPE_SHIFT);
  // §6.7.2.2: only MSG is ever split or aborted; every other type is one final chunk.
  if (chunkType === undefined || (type !== "MSG" && chunkType !== "F")) {
    return err(wireError("UA_CHUNK_TYPE", HEADER.CHUNK_TYPE, SPEC_SECURE));
  }
  const size = bytes.readUInt32LE(HEADER.SIZE);
  if (size > maxChunkBytes) return err(wireError("UA_CHUNK_TOO_LARGE", HEADER.SIZE, SPEC));
  if (size < SIZES[type].min || size > SIZES[type].max) return err(wireError("UA_SIZE", HEADER.SIZE, SPEC));
  return ok({ type, chunkType, size });
}

/** Fills in the header of a chunk whose bytes are otherwise complete. */
export function writeUacpHeader(bytes: Buffer, type: MessageType, chunkType: ChunkType): void {
  bytes.write(type + chunkType, HEADER.TYPE, "latin1");
  bytes.writeUInt32LE(bytes.length, HEADER.SIZE);
}
