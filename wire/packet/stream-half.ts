import { ByteHistory } from "./byte-history.ts";
import type { BlindReason, ReassemblyLimits } from "./flow.ts";
import { type Held, type HeldBudget, HeldSegments } from "./held-segments.ts";
import { advance, sequenceDistance } from "./sequence.ts";

/** What a segment did to its direction. */
export interface Accepted {
  /** bytes that are now in order */
  readonly delivered: readonly Buffer[];
  readonly differingBytes: number;
  /** the segment was implausibly far away and was dropped */
  readonly outside: boolean;
}

const NOTHING: Accepted = { delivered: [], differingBytes: 0, outside: false };
const OUTSIDE: Accepted = { ...NOTHING, outside: true };

/** So many implausible segments in a row mean that it is we who lost the thread. */
const MAX_OUTSIDE_RUN = 16;

/**
 * One direction of a TCP connection: puts segments in order, each byte once, first one wins.
 * INVARIANT (blind): once blind, a direction never delivers again. With `afterGap: "resume"` none becomes so.
 */
export class StreamHalf {
  readonly #limits: ReassemblyLimits;
  readonly #budget: HeldBudget;
  readonly #history: ByteHistory;
  readonly #held: HeldSegments;
  /** how much of what is not acknowledged is remembered; 0: it is not asked whether it is */
  readonly #unacknowledgedBytes: number;
  /** sequence number of the first byte that was delivered without a hole since */
  #from: number | undefined;
  /** the handshake told where that is */
  #fromHandshake = false;
  /** sequence number of the next byte to deliver; undefined until known */
  #next: number | undefined;
  /** the highest acknowledgement of the other side */
  #acknowledged: number | undefined;
  #gapSinceMs: number | undefined;
  #finSeq: number | undefined;
  /** bytes came behind a FIN: it cannot have been one, or they are nothing */
  #wasNoEnd = false;
  #blind = false;
  #sawFinBlind = false;
  #outsideRun = 0;
  /** what lay behind the gap that was given up last */
  #resumed: readonly Held[] = [];

  constructor(limits: ReassemblyLimits, budget: HeldBudget, unacknowledgedBytes: number) {
    this.#limits = limits;
    this.#budget = budget;
    this.#unacknowledgedBytes = unacknowledgedBytes;
    this.#history = new ByteHistory(limits.historyBytes);
    this.#held = new HeldSegments(budget);
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

  /** Since when bytes are known to be missing; undefined: none are. */
  get gapSinceMs(): number | undefined {
    return this.#blind ? undefined : this.#gapSinceMs;
  }

  /** True when `judge` may have something to say. */
  get isSuspect(): boolean {
    return this.#gapSinceMs !== undefined || this.#outsideRun > 0;
  }

  /** True when the FIN and all before it were seen. */
  get finished(): boolean {
    return this.#sawFinBlind || (this.#finSeq !== undefined && this.#finSeq === this.#next);
  }

  /** Sets the first sequence number, as a handshake tells it: what was sent before that is no part of the connection. */
  start(seq: number): void {
    this.#startAnew();
    this.#next = seq >>> 0;
    this.#from = this.#next;
    this.#fromHandshake = true;
    this.#acknowledged = this.#next;
  }

  /** What ends at `end` was sent before, and its receiver has it as far as that is asked. */
  isOld(end: number): boolean {
    if (this.#next === undefined || sequenceDistance(end, this.#next) > 0) return false;
    if (this.#unacknowledgedBytes === 0 || this.#acknowledged === undefined) return true;
    return sequenceDistance(end, this.#acknowledged) <= 0;
  }

  /** Nothing more of it can be trusted. With `afterGap: "resume"` it goes on all the same. */
  doubt(): void {
    if (this.#limits.afterGap === "blind") this.#goBlind("urgent");
  }

  /** The common case: nothing is missing, and `seq` is what comes next. The caller then delivers the payload, and says so with
   *  `delivered`. */
  isNext(seq: number): boolean {
    return seq === this.#next && this.#gapSinceMs === undefined && this.#finSeq === undefined && !this.#blind;
  }

  delivered(payload: Buffer): void {
    this.#outsideRun = 0;
    this.#remember(payload);
    this.#next = advance(this.#next ?? 0, payload.length);
  }

  /** Takes a segment's payload. */
  accept(seq: number, payload: Buffer, timeMs: number, frame: number): Accepted {
    if (this.#blind || payload.length === 0) return NOTHING;
    this.#next ??= seq;
    this.#from ??= this.#next;
    const offset = sequenceDistance(seq, this.#next);
    const isFresh = offset + payload.length > 0;
    const reach = this.#limits.windowBytes;
    if (offset > reach || offset < -reach) {
      if (isFresh) this.#outsideRun += 1;
      return OUTSIDE;
    }
    if (this.finished && isFresh) return this.#behindFin(offset, { seq, bytes: payload, timeMs, frame });
    this.#outsideRun = 0;
    const stale = Math.min(payload.length, Math.max(0, -offset));
    // A keep-alive probe carries one byte of any content before the next; its receiver has that byte. RFC 9293 §3.8.4
    const isProbe = payload.length === 1 && offset === -1 && this.#acknowledged === this.#next;
    let differingBytes = stale > 0 && !isProbe ? this.#differing(payload.subarray(0, stale), offset) : 0;
    const fresh = payload.subarray(stale);
    const delivered: Buffer[] = [];
    if (fresh.length > 0) {
      if (offset <= 0 && this.#held.count === 0) this.#deliver(fresh, delivered);
      else differingBytes += this.#held.insert({ seq: advance(seq, stale), bytes: fresh, timeMs, frame });
      this.#drain(delivered);
    }
    this.#watchGap(timeMs);
    return { delivered, differingBytes, outside: false };
  }

  /** Nothing follows a FIN that its receiver took. Where bytes do before it acknowledged that, they may be what it takes. */
  #behindFin(offset: number, { seq, bytes, timeMs, frame }: Held): Accepted {
    if (this.#acknowledged === advance(this.#next ?? 0, 1)) {
      // A keep-alive probe takes the place of the FIN, with one byte of any content. RFC 9293 §3.8.4
      if (offset === 0 && bytes.length === 1) return NOTHING;
      this.#outsideRun += 1;
      return OUTSIDE;
    }
    const stale = Math.max(0, -offset);
    const differingBytes = stale > 0 ? this.#differing(bytes.subarray(0, stale), offset) : 0;
    this.#finSeq = undefined;
    this.#wasNoEnd = true;
    this.#held.insert({ seq: advance(seq, stale), bytes: bytes.subarray(stale), timeMs, frame });
    this.#watchGap(timeMs);
    return { ...NOTHING, differingBytes };
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

  /** Gives up a gap if a bound is broken, and answers why; where the direction turns blind, the first time only. */
  judge(timeMs: number): BlindReason | undefined {
    if (this.#blind) return undefined;
    const { maxHeldBytes, maxHeldSegments, gapTimeoutMs } = this.#limits;
    const tooMany = this.#held.bytes > maxHeldBytes || this.#held.count > maxHeldSegments;
    if (tooMany || this.#held.isOverBudget) return this.#giveUp("out-of-order-limit", timeMs);
    const gapTooOld = this.#gapSinceMs !== undefined && timeMs - this.#gapSinceMs > gapTimeoutMs;
    const isLost = this.#wasNoEnd || this.#outsideRun > MAX_OUTSIDE_RUN;
    if (gapTooOld || isLost || this.#isMissed) return this.#giveUp("gap", timeMs);
    return undefined;
  }

  /** At the end of the connection a gap that is still open stays open. */
  finalJudgement(timeMs: number): BlindReason | undefined {
    return this.hasGap ? this.#giveUp("gap", timeMs) : undefined;
  }

  /** What is delivered after a gap was given up: each piece as it came, without a hole between them. */
  takeResumed(): readonly Held[] {
    const resumed = this.#resumed;
    this.#resumed = [];
    return resumed;
  }

  /** Gives the memory back; where the direction ended is still known. */
  forget(): void {
    this.#held.forget();
    this.#forgetHistory();
  }

  /** The receiver has what is missing: it is the capture that missed it, and it will not be sent again. */
  get #isMissed(): boolean {
    const { first } = this.#held;
    if (this.#limits.afterGap === "blind" || first === undefined || this.#acknowledged === undefined) return false;
    return sequenceDistance(this.#acknowledged, first.seq) >= 0;
  }

  #giveUp(reason: BlindReason, timeMs: number): BlindReason {
    if (this.#limits.afterGap === "blind") return this.#goBlind(reason);
    // It was we who lost the thread: the next segment tells where it is.
    if (this.#outsideRun > MAX_OUTSIDE_RUN) this.#startAnew();
    else this.#skipGap();
    this.#wasNoEnd = false;
    // Behind a second gap it has waited since it came.
    this.#gapSinceMs = this.#held.sinceMs;
    this.#watchGap(timeMs);
    return reason;
  }

  /** Goes on at the first byte behind the gap. */
  #skipGap(): void {
    this.#forgetHistory();
    const { first } = this.#held;
    const ahead = this.#acknowledged;
    const end = this.#finSeq;
    if (first !== undefined) this.#next = first.seq;
    else if (ahead !== undefined && end !== undefined && sequenceDistance(ahead, end) > 0) {
      this.#next = end;
      // Nothing comes after the FIN, whatever is acknowledged.
      this.#acknowledged = advance(end, 1);
    } else this.#next = ahead;
    this.#from = this.#next;
    this.#fromHandshake = false;
    const pieces: Held[] = [];
    for (let piece = this.#held.takeAt(this.#next); piece !== undefined; piece = this.#held.takeAt(this.#next)) {
      this.#deliver(piece.bytes, []);
      pieces.push(piece);
    }
    this.#resumed = pieces;
  }

  /** Where the direction stands is to be told anew. */
  #startAnew(): void {
    this.forget();
    this.#next = undefined;
    this.#from = undefined;
    this.#fromHandshake = false;
    this.#acknowledged = undefined;
    this.#gapSinceMs = undefined;
    this.#finSeq = undefined;
    this.#wasNoEnd = false;
    this.#outsideRun = 0;
  }

  #goBlind(reason: BlindReason): BlindReason {
    this.#blind = true;
    this.forget();
    this.#gapSinceMs = undefined;
    return reason;
  }

  /** How many bytes of a segment that was sent before, `offset` from the next, are others, or may be. */
  #differing(bytes: Buffer, offset: number): number {
    const next = this.#next ?? 0;
    const unknownTo = Math.min(offset + bytes.length, -this.#history.known);
    const from = sequenceDistance(this.#from ?? next, next);
    const beforeStart = this.#fromHandshake ? Math.max(0, Math.min(unknownTo, from) - offset) : 0;
    const isAsked = this.#unacknowledgedBytes > 0 && this.#acknowledged !== undefined;
    const acknowledged = isAsked ? sequenceDistance(this.#acknowledged ?? next, next) : 0;
    const unproven = Math.max(0, unknownTo - Math.max(offset, from, acknowledged));
    return this.#history.countDiffering(bytes, -offset) + beforeStart + unproven;
  }

  /** What is not acknowledged is remembered further back, since it may be replaced. */
  #remember(bytes: Buffer): void {
    const { historyBytes } = this.#limits;
    if (this.#unacknowledgedBytes > 0 && this.#acknowledged !== undefined) {
      const inFlight = sequenceDistance(this.#next ?? 0, this.#acknowledged) + bytes.length;
      if (inFlight > historyBytes) this.#widen(inFlight);
    }
    this.#history.append(bytes);
  }

  #widen(inFlight: number): void {
    const { historyBytes } = this.#limits;
    const before = this.#history.excess;
    if (inFlight <= historyBytes + before || historyBytes === 0) return;
    const size = Math.min(historyBytes + this.#unacknowledgedBytes, 2 * inFlight);
    if (this.#budget.bytes + size - historyBytes - before > this.#budget.max / 2) return;
    this.#history.reserve(size);
    this.#budget.bytes += this.#history.excess - before;
  }

  #forgetHistory(): void {
    this.#budget.bytes -= this.#history.excess;
    this.#history.forget();
  }

  #deliver(bytes: Buffer, delivered: Buffer[]): void {
    delivered.push(bytes);
    this.#remember(bytes);
    this.#next = advance(this.#next ?? 0, bytes.length);
  }

  #drain(delivered: Buffer[]): void {
    for (let first = this.#held.takeAt(this.#next); first !== undefined; first = this.#held.takeAt(this.#next))
      this.#deliver(first.bytes, delivered);
  }

  #watchGap(timeMs: number): void {
    const next = this.#next;
    if (next === undefined || this.#blind) return;
    // The FIN takes one sequence number that carries no byte.
    const finAck = this.#finSeq === next ? 1 : 0;
    const acknowledgedAhead = this.#acknowledged !== undefined && sequenceDistance(this.#acknowledged, next) > finAck;
    if (this.#held.count > 0 || acknowledgedAhead) this.#gapSinceMs ??= timeMs;
    else this.#gapSinceMs = undefined;
  }
}
