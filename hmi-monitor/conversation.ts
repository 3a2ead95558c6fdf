import type { Direction } from "#wire/packet/index.ts";

/** One HMI connection as the mirror shows it. Bytes of each direction come in order, each once. */
export interface Conversation {
  data(direction: Direction, bytes: Buffer, timeMs: number): void;
  /** Why it is not read; undefined while it is. */
  readonly blind: Blind | undefined;
  /**
   * Bytes are missing, or could not be read. What comes next begins a message again, in both directions; which that are, somebody else has
   * found out. Who waits for an answer waits no longer.
   */
  lost(timeMs: number): void;
  /** Of a live mirror: what should have been told by now, and has not? Call about once a second. */
  look(timeMs: number): void;
  /** The connection is over, or nothing more of it will be shown: whoever waits for an answer waits no longer. */
  closed(timeMs: number): void;
}

/** Whom a conversation tells of what it could not follow. */
export interface Unfollowed {
  /** Answers to no request that was seen. */
  notPaired(answers: number): void;
  /** Commands whose answer never came. */
  notAnswered(commands: number): void;
  /** One message was not read; those after it are. */
  notRead(says: string): void;
}

/** Why a conversation is not read. */
export interface Blind {
  readonly says: string;
  /** False: one message could not be read, and what comes after it may be. */
  readonly isForGood: boolean;
}

/** Bytes of one direction as they came. */
export interface Segment {
  readonly direction: Direction;
  readonly bytes: Buffer;
  readonly timeMs: number;
}
