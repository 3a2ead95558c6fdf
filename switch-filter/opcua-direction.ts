import { type UacpFrame, UacpFramer } from "#wire/opcua/framer.ts";
import { MessageAssembler } from "#wire/opcua/message-assembler.ts";
import type { ChannelBounds } from "#wire/opcua/negotiation.ts";
import { followsSequenceNumber, nextSequenceNumber } from "#wire/opcua/sequence-number.ts";

/** Bounds of both directions; sizes in bytes. A peer that asks for more is told these. */
export const BOUNDS: ChannelBounds = { maxChunkBytes: 65_536, maxMessageBytes: 1_048_576, maxChunkCount: 64 };

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

  /** The number of the next chunk to the receiver: an injected or withheld message shifts it against the sender's. */
  next(): number {
    this.#sent = nextSequenceNumber(this.#sent);
    return this.#sent;
  }
}
