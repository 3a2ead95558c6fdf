import type { WireError } from "#wire/wire-error.ts";

/** A message as it was sent. */
export interface Whole {
  readonly bytes: Buffer;
}

/** What cuts one direction of a connection into messages, and stops for good at the first bad one. */
export interface Cutter<Message extends Whole> {
  push(chunk: Buffer): readonly Message[];
  readonly failure: WireError | undefined;
  /** bytes held of a message that is not complete yet */
  readonly pending: number;
}

/** What became of a segment's bytes. */
export interface Cut<Message extends Whole> {
  readonly messages: readonly Message[];
  /** the framing was lost with these bytes */
  readonly lost: WireError | undefined;
  /** bytes that belong to no message */
  readonly unread: number;
  /** the framing was found again with these bytes */
  readonly found: boolean;
}

const NONE: readonly never[] = [];

/**
 * One direction of a connection. Where the framing is not known (the capture begins within the connection, or a message was malformed)
 * it is taken up only at a segment that is, from its first byte to its last, a chain of whole well-formed messages: senders begin
 * segments with messages, and bytes in the middle of one seldom look so. Everything until then is counted and not guessed at.
 */
export class StreamReader<Message extends Whole> {
  readonly #make: () => Cutter<Message>;
  /** made when it is needed: most messages are read where they lie */
  #cutter: Cutter<Message> | undefined;
  #known: boolean;
  #atMessage: boolean;

  constructor(make: () => Cutter<Message>, joinedLate: boolean) {
    this.#make = make;
    this.#known = !joinedLate;
    this.#atMessage = this.#known;
  }

  /** Whether the next byte is the first of a message. */
  get atMessage(): boolean {
    return this.#atMessage;
  }

  push(bytes: Buffer): Cut<Message> {
    if (!this.#known) return this.#seek(bytes);
    this.#cutter ??= this.#make();
    const cutter = this.#cutter;
    const held = cutter.pending;
    const messages = cutter.push(bytes);
    const failure = cutter.failure;
    this.#atMessage = failure === undefined && cutter.pending === 0;
    if (failure === undefined) return { messages, lost: undefined, unread: 0, found: false };
    this.#known = false;
    const read = messages.reduce((sum, message) => sum + message.bytes.length, 0);
    return { messages, lost: failure, unread: held + bytes.length - read, found: false };
  }

  /** Bytes that can become no message any more; the direction has ended, or goes on behind a gap. */
  lose(): number {
    const held = this.#cutter?.pending ?? 0;
    this.#known = false;
    this.#atMessage = false;
    this.#cutter = undefined;
    return held;
  }

  #seek(bytes: Buffer): Cut<Message> {
    const probe = this.#make();
    const messages = probe.push(bytes);
    const whole = probe.failure === undefined && probe.pending === 0 && messages.length > 0;
    if (!whole) return { messages: NONE, lost: undefined, unread: bytes.length, found: false };
    this.#cutter = probe;
    this.#known = true;
    this.#atMessage = true;
    return { messages, lost: undefined, unread: 0, found: true };
  }
}
