import type { HeldPhase } from "./held-phase.ts";

/** Former phases that are kept. More words than this within the mirror's delay are not a plant's. */
export const MAX_FORMER = 16;

/** How late a layer sees that stands in nobody's way, and how closely two clocks agree. Plant ms. */
export interface Lateness {
  /** A frame is judged at most this long after it was captured. */
  readonly mirrorDelayMs: number;
  /** So near to the end of a phase, what it allowed is still, or what comes after already, allowed. */
  readonly skewMs: number;
}

interface Former {
  readonly held: HeldPhase;
  /** The last instant at which it was in force. */
  readonly endedMs: number;
}

/**
 * What was in force before, for a layer that judges by the time at which a frame was captured. It stays as long as a frame of its time may
 * still be under way, and no longer: a mirror whose clock is slow is not judged by it for good.
 */
export class FormerPhases {
  readonly #former: Former[] = [];
  readonly #lateness: Lateness;

  constructor(lateness: Lateness) {
    this.#lateness = lateness;
  }

  get size(): number {
    return this.#former.length;
  }

  /** @param endedMs capture time of a frame that would be captured now */
  ended(held: HeldPhase, endedMs: number): void {
    const after = this.#former.at(-1)?.endedMs ?? endedMs;
    this.#former.push({ held, endedMs: Math.max(after, endedMs) });
    if (this.#former.length > MAX_FORMER) this.#former.shift();
  }

  /** No frame of the time of those that ended so long ago can come any more. */
  forget(nowMs: number): void {
    const untilMs = nowMs - this.#lateness.mirrorDelayMs - this.#lateness.skewMs;
    while ((this.#former[0]?.endedMs ?? untilMs) < untilMs) this.#former.shift();
  }

  /** What was in force at that time; undefined: what is in force now. */
  at(captureMs: number): HeldPhase | undefined {
    return this.#former.find(({ endedMs }) => captureMs <= endedMs)?.held;
  }

  /** The others in force so near to that time that a frame may be of theirs, the present one included. Mostly there is none. */
  near(captureMs: number, present: HeldPhase): readonly HeldPhase[] {
    const { skewMs } = this.#lateness;
    const near: HeldPhase[] = [];
    let beganMs = Number.NEGATIVE_INFINITY;
    for (const { held, endedMs } of [...this.#former, { held: present, endedMs: Number.POSITIVE_INFINITY }]) {
      const isAt = beganMs < captureMs && captureMs <= endedMs;
      if (!isAt && beganMs < captureMs + skewMs && endedMs > captureMs - skewMs) near.push(held);
      beganMs = endedMs;
    }
    return near;
  }
}
