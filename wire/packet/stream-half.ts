import { ByteHistory } from "./byte-history.ts";
import type { BlindReason, ReassemblyLimits } from "./flow.ts";

/** What a segment did to its direction. */
export interface Accepted {
  /** bytes that are now in order */
  readonly delivered: readonly Buffer[];
  readonly differingBytes: number;
  /** the segment was implausibly far away and was dropped */
  readonly outside: boolean;
}

/** Bytes held behind gaps by all directions of a reassembler. */
export interface HeldBudget {
  bytes: number;
  readonly max: number;
}

interface Held {
  readonly seq: number;
  readonly bytes: Buffer;
}

const NOTHING: Accepted = { delivered: [], differingBytes: 0, outside: false };
const OUTSIDE: Accepted = { ...NOTHING, outside: true };

/** So many implausible segments in a row mean that it is we who lost the thread. */
const MAX_OUTSIDE_RUN = 16;

/** Distance from `b` to `a` in sequence space, -2^31..2^31-1. @see RFC 9293 §3.4 */
export const sequenceDistance = (a: number, b: number): number => (a - b) | 0;
const advance = (seq: number, bytes: number): number => (seq + bytes) >>> 0;

/**
 * One direction of a TCP connection: puts segments in order, each byte once, first one wins.
 * INVARIANT (blind): once blind, a direction never delivers again.
 */
export class StreamHalf {
  readonly #limits: ReassemblyLimits;
  readonly #budget: HeldBudget;
  readonly #history: ByteHistory;
  /** sequence number of the next byte to deliver; undefined until known */
  #next: number | undefined;
  /** segments behind a gap, in order, not overlapping */
  #held: Held[] = [];
  #heldBytes = 0;
  /** the highest acknowledgement of the other side */
  #acknowledged: number | undefined;
  #gapSinceMs: number | undefined;
  #finSeq: number | undefined;
  #blind = false;
  #sawFinBlind = false;
  #outsideRun = 0;

  constructor(limits: ReassemblyLimits, budget: HeldBudget) {
    this.#limits = limits;
    this.#budget = budget;
    this.#history = new ByteHistory(limits.historyBytes);
  }

  get next(): number | undefined {
    return this.#next;
  }

  get blind(): boolean {
    return this.#blind;
  }

  /** True when bytes are known to be missing. */
  get hasGap(): boolean {
    return !this.#blind && this.#gapSinceMs !== undefined;
  }

  /** True when `judge` may have something to say. */
  get isSuspect(): boolean {
    return this.#gapSinceMs !== undefined || this.#outsideRun > 0;
  }

  /** True when the FIN and all before it were seen. */
  get finished(): boolean {
    return this.#sawFinBlind || (this.#finSeq !== undefined && this.#finSeq === this.#next);
  }

  /** Sets the first sequence number, as a handshake tells it. */
  start(seq: number): void {
    this.#next = seq >>> 0;
  }

  /** The common case: nothing is missing, and `seq` is what comes next. The caller then delivers the payload, and says so with
   *  `delivered`. */
  isNext(seq: number): boolean {
    return seq === this.#next && this.#gapSinceMs === undefined && this.#finSeq === undefined && !this.#blind;
  }

  delivered(payload: Buffer): void {
    this.#outsideRun = 0;
    this.#history.append(payload);
    this.#next = advance(this.#next ?? 0, payload.length);
  }

  /** Takes a segment's payload. */
  accept(seq: number, payload: Buffer, timeMs: number): Accepted {
    if (this.#blind || payload.length === 0) return NOTHING;
    this.#next ??= seq;
    const offset = sequenceDistance(seq, this.#next);
    const reach = this.#limits.windowBytes;
    if (offset > reach || offset < -reach || this.finished) {
      if (offset + payload.length > 0) this.#outsideRun += 1;
      return OUTSIDE;
    }
    this.#outsideRun = 0;
    const stale = Math.min(payload.length, Math.max(0, -offset));
    // A keep-alive probe carries one byte of any content before the next; its receiver has that byte. RFC 9293 §3.8.4
    const isProbe = payload.length === 1 && offset === -1 && this.#acknowledged === this.#next;
    let differingBytes = stale > 0 && !isProbe ? this.#history.countDiffering(payload.subarray(0, stale), -offset) : 0;
    const fresh = payload.subarray(stale);
    const delivered: Buffer[] = [];
    if (fresh.length > 0) {
      if (offset <= 0 && this.#held.length === 0) this.#deliver(fresh, delivered);
      else differingBytes += this.#insert(advance(seq, stale), fresh);
      this.#drain(delivered);
    }
    this.#watchGap(timeMs);
    return { delivered, differingBytes, outside: false };
  }

  /** Takes a FIN that follows the byte before `seq`. */
  fin(seq: number, timeMs: number): void {
    if (this.#blind) this.#sawFinBlind = true;
    this.#next ??= seq;
    const offset = sequenceDistance(seq, this.#next);
    if (offset >= 0 && offset <= this.#limits.windowBytes) this.#finSeq ??= seq >>> 0;
    this.#watchGap(timeMs);
  }

  /** Takes the other side's acknowledgement: bytes it has and we have not are a gap. */
  acknowledge(ack: number, timeMs: number): void {
    if (this.#next === undefined || this.#blind) return;
    const offset = sequenceDistance(ack, this.#next);
    if (offset > this.#limits.windowBytes) return;
    if (this.#acknowledged === undefined || sequenceDistance(ack, this.#acknowledged) > 0) this.#acknowledged = ack;
    if (offset > 0) this.#watchGap(timeMs);
  }

  /** Turns the direction blind if a bound is broken; answers why, the first time only. */
  judge(timeMs: number): BlindReason | undefined {
    if (this.#blind) return undefined;
    const { maxHeldBytes, maxHeldSegments, gapTimeoutMs } = this.#limits;
    const tooMany = this.#heldBytes > maxHeldBytes || this.#held.length > maxHeldSegments;
    const tooManyOfAll = this.#heldBytes > 0 && this.#budget.bytes > this.#budget.max;
    if (tooMany || tooManyOfAll) return this.#goBlind("out-of-order-limit");
    const gapTooOld = this.#gapSinceMs !== undefined && timeMs - this.#gapSinceMs > gapTimeoutMs;
    if (gapTooOld || this.#outsideRun > MAX_OUTSIDE_RUN) return this.#goBlind("gap");
    return undefined;
  }

  /** At the end of the connection a gap that is still open stays open. */
  finalJudgement(): BlindReason | undefined {
    return this.hasGap ? this.#goBlind("gap") : undefined;
  }

  /** Gives the memory back; where the direction ended is still known. */
  forget(): void {
    this.#hold(-this.#heldBytes);
    this.#held = [];
    this.#history.forget();
  }

  #goBlind(reason: BlindReason): BlindReason {
    this.#blind = true;
    this.forget();
    this.#gapSinceMs = undefined;
    return reason;
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#budget.bytes += bytes;
  }

  #deliver(bytes: Buffer, delivered: Buffer[]): void {
    delivered.push(bytes);
    this.#history.append(bytes);
    this.#next = advance(this.#next ?? 0, bytes.length);
  }

  #drain(delivered: Buffer[]): void {
    for (let first = this.#held[0]; first !== undefined && first.seq === this.#next; first = this.#held[0]) {
      this.#held.shift();
      this.#hold(-first.bytes.length);
      this.#deliver(first.bytes, delivered);
    }
  }

  /** Holds the parts of a segment that no earlier segment covers; counts covered bytes that differ. */
  #insert(seq: number, bytes: Buffer): number {
    const pieces: Held[] = [];
    let differing = 0;
    let at = 0;
    const hold = (end: number): void => {
      // A copy, so that a held segment does not keep a whole capture chunk alive.
      if (end > at) pieces.push({ seq: advance(seq, at), bytes: Buffer.from(bytes.subarray(at, end)) });
    };
    for (const held of this.#held) {
      const start = sequenceDistance(held.seq, seq);
      const end = start + held.bytes.length;
      if (end <= at) continue;
      if (start >= bytes.length) break;
      hold(start);
      const from = Math.max(at, start);
      const to = Math.min(bytes.length, end);
      for (let i = from; i < to; i += 1) if (bytes[i] !== held.bytes[i - start]) differing += 1;
      at = to;
    }
    hold(bytes.length);
    if (pieces.length === 0) return differing;
    this.#held = [...this.#held, ...pieces].sort((a, b) => sequenceDistance(a.seq, b.seq));
    for (const piece of pieces) this.#hold(piece.bytes.length);
    return differing;
  }

  #watchGap(timeMs: number): void {
    const next = this.#next;
    if (next === undefined || this.#blind) return;
    // The FIN takes one sequence number that carries no byte.
    const finAck = this.#finSeq === next ? 1 : 0;
    const acknowledgedAhead = this.#acknowledged !== undefined && sequenceDistance(this.#acknowledged, next) > finAck;
    if (this.#held.length > 0 || acknowledgedAhead) this.#gapSinceMs ??= timeMs;
    else this.#gapSinceMs = undefined;
  }
}
