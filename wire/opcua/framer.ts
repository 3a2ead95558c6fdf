/** Cuts a TCP byte stream into chunks (OPC 10000-6 v1.05 §7.1.2.2, §7.2). */
import type { WireError } from "../wire-error.ts";
import { type ChunkType, decodeUacpHeader, HEADER, type MessageType } from "./uacp-header.ts";

/** Largest chunk unless the caller or the negotiation says less, in bytes. */
const DEFAULT_MAX_CHUNK_BYTES = 65_536;
/** Memory that a chunk takes before its bytes have come. */
const FIRST_BYTES = 4096;

/** One complete chunk: exactly the bytes that were received, header included. */
export interface UacpFrame {
  readonly type: MessageType;
  readonly chunkType: ChunkType;
  readonly bytes: Buffer;
}

/** A chunk whose bytes are coming; the buffer follows them, never the size that a header claims. */
interface Partial {
  readonly type: MessageType;
  readonly chunkType: ChunkType;
  readonly size: number;
  bytes: Buffer;
}

export interface UacpFramerOptions {
  /** Largest chunk accepted, in bytes. Default 65,536. */
  readonly maxChunkBytes?: number;
}

/**
 * Collects bytes until a chunk is whole. Holds at most one chunk of `maxChunkBytes`.
 * INVARIANT (dead framer): after the first bad header `failed` is set and no later byte is looked at; a peer that lost
 * its framing could otherwise hide a message inside another.
 */
export class UacpFramer {
  readonly #header = Buffer.alloc(HEADER.END);
  #maxChunkBytes: number;
  #headerLength = 0;
  #partial: Partial | undefined;
  #partialLength = 0;
  #failed: WireError | undefined;

  constructor(options: UacpFramerOptions = {}) {
    this.#maxChunkBytes = options.maxChunkBytes ?? DEFAULT_MAX_CHUNK_BYTES;
  }

  /** Why the framer stopped. The offset counts from the start of the bad chunk. */
  get failed(): WireError | undefined {
    return this.#failed;
  }

  /** Bytes held of a chunk that is not complete yet. */
  get buffered(): number {
    return this.#partial === undefined ? this.#headerLength : this.#partialLength;
  }

  /** Takes over a smaller bound after HEL/ACK; a larger one is ignored. It holds from the next header on. */
  lowerMaxChunkBytes(bytes: number): void {
    this.#maxChunkBytes = Math.min(this.#maxChunkBytes, bytes);
  }

  /** Takes the next bytes of the stream and returns the chunks they complete. Empty once `failed` is set. */
  push(data: Buffer): readonly UacpFrame[] {
    const frames: UacpFrame[] = [];
    let at = 0;
    while (at < data.length && this.#failed === undefined) {
      at += this.#partial === undefined ? this.#takeHeader(data, at) : this.#takeBody(data, at);
      const frame = this.#complete();
      if (frame !== undefined) frames.push(frame);
    }
    return frames;
  }

  #takeHeader(data: Buffer, at: number): number {
    const taken = data.copy(this.#header, this.#headerLength, at);
    this.#headerLength += taken;
    if (this.#headerLength === HEADER.END) this.#open();
    return taken;
  }

  #open(): void {
    const header = decodeUacpHeader(this.#header, this.#maxChunkBytes);
    this.#headerLength = 0;
    if (!header.ok) {
      this.#failed = header.error;
      return;
    }
    const { type, chunkType, size } = header.value;
    const bytes = Buffer.allocUnsafe(Math.min(size, FIRST_BYTES));
    this.#header.copy(bytes);
    this.#partial = { type, chunkType, size, bytes };
    this.#partialLength = HEADER.END;
  }

  #takeBody(data: Buffer, at: number): number {
    const partial = this.#partial;
    if (partial === undefined) return 0;
    const end = Math.min(partial.size, this.#partialLength + data.length - at);
    if (end > partial.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(partial.size, Math.max(end, 2 * partial.bytes.length)));
      partial.bytes.copy(grown, 0, 0, this.#partialLength);
      partial.bytes = grown;
    }
    const taken = data.copy(partial.bytes, this.#partialLength, at);
    this.#partialLength += taken;
    return taken;
  }

  #complete(): UacpFrame | undefined {
    const partial = this.#partial;
    if (partial === undefined || this.#partialLength < partial.size) return undefined;
    this.#partial = undefined;
    this.#partialLength = 0;
    return partial;
  }
}
