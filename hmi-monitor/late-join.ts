import type { Blind, Conversation, Segment } from "./conversation.ts";

/** Segments held while the first place is looked for from which a connection can be read. */
export const MAX_JOIN_SEGMENTS = 32;
/** Bytes of them. A message of OPC UA is larger than all that Modbus asks in a second. */
export const MAX_JOIN_BYTES = 128 * 1024;
/** So often what is held is looked through; a connection in which nothing fits by then is not one of this protocol, or is encrypted. */
export const MAX_JOIN_TRIES = 200;

/** Says from where on held segments can be read: they are cut down to that; undefined: not yet. Pure. */
export type FindPlace = (held: readonly Segment[]) => readonly Segment[] | undefined;

const NEVER_READ: Blind = {
  says: "nothing in it shows where a message begins; it may be encrypted",
  isForGood: true,
};

/** What became of a connection of which a part was not seen. */
export type JoinState =
  | { readonly kind: "looking"; readonly unparsedBytes: number }
  /** Read on from there; what was before is counted. */
  | { readonly kind: "joined"; readonly unparsedBytes: number }
  | { readonly kind: "given-up"; readonly unparsedBytes: number };

/**
 * A connection whose beginning, or a stretch of which, was not seen or could not be read. What comes is held until its own content confirms
 * a place where a message begins, and is judged from that place on, with the times at which it came. A stretch in the middle of a message is never taken for one.
 */
export class LateConversation implements Conversation {
  readonly #inner: Conversation;
  readonly #find: FindPlace;
  #held: Segment[] = [];
  #heldBytes = 0;
  #dropped = 0;
  #tries = 0;
  #kind: JoinState["kind"] = "looking";

  constructor(inner: Conversation, find: FindPlace) {
    this.#inner = inner;
    this.#find = find;
  }

  get state(): JoinState {
    const unparsedBytes = this.#dropped + (this.#kind === "joined" ? 0 : this.#heldBytes);
    return { kind: this.#kind, unparsedBytes };
  }

  get blind(): Blind | undefined {
    if (this.#kind === "given-up") return NEVER_READ;
    return this.#kind === "joined" ? this.#inner.blind : undefined;
  }

  data(direction: Segment["direction"], bytes: Buffer, timeMs: number): void {
    if (this.#kind === "joined") return this.#inner.data(direction, bytes, timeMs);
    if (this.#kind === "given-up") return;
    // A copy, so that a held segment does not keep a whole capture chunk alive.
    this.#held.push({ direction, bytes: Buffer.from(bytes), timeMs });
    this.#heldBytes += bytes.length;
    this.#makeRoom();
    const from = this.#find(this.#held);
    if (from === undefined) {
      this.#tries += 1;
      if (this.#tries >= MAX_JOIN_TRIES) this.#kind = "given-up";
      return;
    }
    this.#begin(from);
  }

  /** What is held may end where the hole begins: it is looked for anew, and not more often for that. */
  lost(timeMs: number): void {
    if (this.#kind === "given-up") return;
    this.#dropped = this.#kind === "joined" ? 0 : this.#dropped + this.#heldBytes;
    this.#kind = "looking";
    this.#held = [];
    this.#heldBytes = 0;
    this.#inner.lost(timeMs);
  }

  look(timeMs: number): void {
    if (this.#kind === "joined") this.#inner.look(timeMs);
  }

  closed(timeMs: number): void {
    this.#inner.closed(timeMs);
  }

  #begin(from: readonly Segment[]): void {
    this.#dropped += this.#heldBytes - bytesOf(from);
    this.#kind = "joined";
    this.#tries = 0;
    this.#held = [];
    this.#heldBytes = 0;
    for (const { direction, bytes, timeMs } of from) this.#inner.data(direction, bytes, timeMs);
  }

  #makeRoom(): void {
    while (this.#held.length > MAX_JOIN_SEGMENTS || this.#heldBytes > MAX_JOIN_BYTES) {
      const first = this.#held.shift();
      if (first === undefined) return;
      this.#heldBytes -= first.bytes.length;
      this.#dropped += first.bytes.length;
    }
  }
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
