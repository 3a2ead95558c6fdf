import type { Unfollowed } from "./conversation.ts";

/** What was captured and could not be judged, since the start. */
export interface Unread {
  /** Connections whose beginning was not seen. */
  joinedLate: number;
  /** Times that bytes were missing in a connection. */
  gaps: number;
  /** Messages that could not be read. */
  unreadable: number;
  /** Of all three, how often a place was found from which it is read. */
  resynchronised: number;
  /** Connections of which nothing more is read. */
  blind: number;
  /** Bytes in connections that are blind, or were while a place to begin was looked for. */
  bytes: number;
  /** Bytes to and from servers that the plant does not name. */
  strangerBytes: number;
  /** Frames that are damaged, cut, or in a place where no connection is. */
  frames: number;
  /** Answers to no request that was seen. */
  answers: number;
  /** Commands that were judged, and whose answer was never seen. */
  unanswered: number;
}

const NOTHING: Unread = {
  joinedLate: 0,
  gaps: 0,
  unreadable: 0,
  resynchronised: 0,
  blind: 0,
  bytes: 0,
  strangerBytes: 0,
  frames: 0,
  answers: 0,
  unanswered: 0,
};

/** Ms between two reports of what was not judged. */
export const REPORT_MS = 10_000;

/** How each such report begins. */
export const UNREAD_SAYS = "not judged since the last such notice";

/** How one ends that tells of answers which never came. */
export const UNANSWERED_SAYS = "commands got no answer: they may not have been carried out";

/** Counts it, and says now and then what has come to it. */
export class UnreadCount {
  readonly count: Unread = { ...NOTHING };
  #said: Unread = NOTHING;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  /** What one conversation could not follow. The first message of it that was not read is said, so that a poll set up wrongly is not said at each round. */
  ofConversation(say: (says: string) => void): Unfollowed {
    const { count } = this;
    let isSaid = false;
    return {
      notPaired(answers) {
        count.answers += answers;
      },
      notAnswered(commands) {
        count.unanswered += commands;
      },
      notRead(says) {
        count.unreadable += 1;
        if (!isSaid) say(`${says}: it was not judged; further ones of this connection are counted`);
        isSaid = true;
      },
    };
  }

  /** What has been counted since it was said last, in one sentence; undefined: nothing, or it was said a moment ago. */
  report(nowMs: number): string | undefined {
    if (nowMs - this.#saidAtMs < REPORT_MS) return undefined;
    const parts = PARTS.flatMap(([key, what]) => {
      const n = this.count[key] - this.#said[key];
      return n > 0 ? `${n} ${what}` : [];
    });
    const unanswered = this.count.unanswered - this.#said.unanswered;
    if (parts.length === 0 && unanswered === 0) return undefined;
    this.#saidAtMs = nowMs;
    this.#said = { ...this.count };
    const unjudged = parts.length === 0 ? [] : [`${UNREAD_SAYS}: ${parts.join(", ")}`];
    const unknown = unanswered === 0 ? [] : [`${unanswered} ${UNANSWERED_SAYS}`];
    return [...unjudged, ...unknown].join("; ");
  }
}

const PARTS: readonly (readonly [keyof Unread, string])[] = [
  ["bytes", "bytes in connections that are blind"],
  ["unreadable", "messages that cannot be read"],
  ["strangerBytes", "bytes of servers that the plant does not name"],
  ["frames", "frames that are damaged, cut or out of place"],
  ["answers", "answers to no request that was seen"],
];
