import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { TagId } from "#specs/ids.ts";

/** Plant ms in which a deny of the same output by the same rule for the same reason is reported once: a program asks again in
 *  every scan, with a value that may wander. */
const REPEAT_MS = 1000;

interface Reported {
  readonly reason: ReasonCode;
  readonly rule: string | undefined;
  readonly atMs: number;
}

/** Remembers the last reported deny of each output. Bounded by the number of outputs in the plant. */
export class RepeatedDenies {
  readonly #last = new Map<TagId, Reported>();
  #suppressed = 0;

  /** Denies that were counted but not reported. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /** True: it is news, or a second of plant time has gone by since it was last reported. */
  isNews(tag: TagId, deny: Omit<Reported, "atMs">, atMs: number): boolean {
    const last = this.#last.get(tag);
    const same = last !== undefined && last.reason === deny.reason && last.rule === deny.rule;
    if (same && atMs >= last.atMs && atMs - last.atMs < REPEAT_MS) {
      this.#suppressed += 1;
      return false;
    }
    this.#last.set(tag, { ...deny, atMs });
    return true;
  }

  /** The output was allowed again: the next deny is news. */
  forget(tag: TagId): void {
    this.#last.delete(tag);
  }
}
