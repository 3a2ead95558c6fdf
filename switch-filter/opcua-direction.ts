import { err, ok, type Result } from "#specs/result.ts";
import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { type Assembly, MessageAssembler } from "#wire/opcua/message-assembler.ts";
import { decodeSymmetricChunk } from "#wire/opcua/message-chunk.ts";
import { encodeMessage } from "#wire/opcua/message-splitter.ts";
import type { ChannelBounds } from "#wire/opcua/negotiation.ts";
import { followsSequenceNumber, nextSequenceNumber } from "#wire/opcua/sequence-number.ts";
import { type Refusal, read } from "./opcua-channel.ts";

/** Bounds of both directions; sizes in bytes. A peer that asks for more is told these. */
export const BOUNDS: ChannelBounds = { maxChunkBytes: 65_536, maxMessageBytes: 1_048_576, maxChunkCount: 64 };

export const OUT_OF_ORDER: Refusal = { status: "BadSequenceNumberInvalid", says: "sequence number out of order" };

/** What a chunk led to, and under which channel and token it came. */
export interface Taken {
  readonly channelId: number;
  readonly tokenId: number;
  readonly assembly: Assembly;
}

/** One direction of the channel: frames in, messages out, and the sequence numbers of both ends. */
export class Direction {
  readonly framer = new UacpFramer({ maxChunkBytes: BOUNDS.maxChunkBytes });
  readonly assembler = new MessageAssembler({
    maxMessageBytes: BOUNDS.maxMessageBytes,
    maxChunkCount: BOUNDS.maxChunkCount,
  });
  /** What the receiver takes. */
  bounds: ChannelBounds = BOUNDS;
  #partialSinceMs: number | undefined;
  #received: number | undefined;
  #sent = 0;

  /** False: the sender's numbers do not follow each other. */
  follows(sequenceNumber: number): boolean {
    const fits = this.#received === undefined || followsSequenceNumber(this.#received, sequenceNumber);
    this.#received = sequenceNumber;
    return fits;
  }

  /** A chunk passed whose number cannot be read: the next one has the number after it. */
  unseen(): void {
    if (this.#received !== undefined) this.#received = nextSequenceNumber(this.#received);
  }

  /** Takes the next bytes; returns the chunks they complete, and minds how long the last has been incomplete. */
  push(bytes: Buffer, realMs: number): readonly UacpFrame[] {
    const frames = this.framer.push(bytes);
    // The time is that of one message: a busy peer whose segments end within chunks is not a slow one.
    if (frames.some(({ chunkType }) => chunkType !== "C")) this.#partialSinceMs = undefined;
    if (this.framer.buffered > 0 || frames.at(-1)?.chunkType === "C") this.#partialSinceMs ??= realMs;
    return frames;
  }

  /** Real ms since which a message has been incomplete. */
  get partialSinceMs(): number | undefined {
    return this.#partialSinceMs;
  }

  /**
   * Takes a whole MSG or CLO chunk that can be read, and joins it to those before.
   *
   * @param channelId that it must belong to; undefined: any
   */
  take(chunk: Buffer, channelId: number | undefined, signatureBytes = 0): Result<Taken, Refusal> {
    const decoded = decodeSymmetricChunk(chunk, signatureBytes);
    if (!decoded.ok) return read(decoded);
    const { tokenId, sequenceNumber } = decoded.value;
    if (channelId !== undefined && decoded.value.channelId !== channelId) {
      const says = `secure channel ${decoded.value.channelId} was not opened here`;
      return err({ status: "BadTcpSecureChannelUnknown", says });
    }
    if (!this.follows(sequenceNumber)) return err(OUT_OF_ORDER);
    const assembly = this.assembler.push(decoded.value);
    return assembly.ok ? ok({ channelId: decoded.value.channelId, tokenId, assembly: assembly.value }) : read(assembly);
  }

  /** A message as chunks under our own numbers, of what the receiver takes less what securing each will add. */
  chunksOf(
    ids: { readonly channelId: number; readonly tokenId: number },
    requestId: number,
    body: Buffer,
    added: number,
  ) {
    const { maxChunkBytes, maxChunkCount } = this.bounds;
    const sequenceNumber = this.next();
    const limits = { maxChunkBytes: maxChunkBytes - added, maxChunkCount };
    const message = encodeMessage({ ...ids, ...limits, requestId, sequenceNumber, body });
    if (message.ok) for (let i = 1; i < message.value.chunks.length; i += 1) this.next();
    return message;
  }

  /** The number of the next chunk to the receiver: an injected or withheld message shifts it against the sender's. */
  next(): number {
    this.#sent = nextSequenceNumber(this.#sent);
    return this.#sent;
  }
}
