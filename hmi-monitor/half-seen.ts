import type { LateConversation } from "./late-join.ts";

/** Ms of capture time for which a connection of which a part is missing makes the whole layer blind: one that says nothing more must not for good. */
export const JOIN_VISIBLE_MS = 10_000;

/**
 * Ms of capture time for which it makes the layer blind at least. The frames that show the hole and those that show where to go on often come
 * in one heap: the coordinator must hear of it all the same, or it would take the command in the hole for one that was never sent.
 */
export const LEAST_VISIBLE_MS = 1000;

/** The connections of which a part was not seen, and that are not read yet. Bounded by the connections that are followed. */
export class HalfSeen {
  readonly #late = new Map<number, LateConversation>();
  /** Since when, the oldest first, as long as they make the layer blind. */
  readonly #since = new Map<number, number>();
  #lastMs = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#late.size;
  }

  add(id: number, late: LateConversation, timeMs: number): void {
    this.#late.set(id, late);
    this.#since.delete(id);
    this.#since.set(id, timeMs);
    this.#lastMs = timeMs;
  }

  /** @returns how many bytes of it were not read, if it has just come to be read; else undefined */
  joined(id: number): number | undefined {
    const state = this.#late.get(id)?.state;
    return state?.kind === "joined" ? this.leave(id) : undefined;
  }

  /** @returns how many bytes of it were not read */
  leave(id: number): number {
    const bytes = this.#late.get(id)?.state.unparsedBytes ?? 0;
    this.#late.delete(id);
    this.#since.delete(id);
    return bytes;
  }

  /** `blind until …`, as long as there are such. */
  blindUntil(nowMs: number): string | undefined {
    for (const [id, sinceMs] of this.#since) {
      if (nowMs - sinceMs <= JOIN_VISIBLE_MS) break;
      this.#since.delete(id);
    }
    const { size } = this.#since;
    if (size === 0) {
      const isFresh = nowMs >= this.#lastMs && nowMs - this.#lastMs < LEAST_VISIBLE_MS;
      return isFresh ? "a part of a connection was not seen a moment ago" : undefined;
    }
    const which = size === 1 ? "a connection" : `${size} connections`;
    return `blind until a request and its answer fit in ${which} of which a part was not seen`;
  }
}
