import type { ReceiptMessage } from "#point/bus.ts";
import type { TagId } from "#specs/ids.ts";

/** Plant ms for which the plant may still show what a forbidden value did, after an allowed one has taken its place. */
export const AFTERMATH_MS = 120_000;

/**
 * Which variables hold a value that a rule forbade and that passed all the same: in monitor mode nothing is stopped. As long as one does,
 * and for a while after, a controller that puts out what no rule allows shows the consequence of that command, not a fault of its own.
 * Bounded by the tags there are.
 */
export class Taint {
  readonly #tainted = new Set<TagId>();
  #clearedMs = Number.NEGATIVE_INFINITY;

  /** A write as the switch layer saw it, with its outcome. */
  add(receipt: ReceiptMessage): void {
    if (receipt.operation !== "write" || receipt.action !== "forwarded" || receipt.outcome === "answered-error") return;
    for (const { tag } of receipt.items) {
      if (tag === null) continue;
      if (receipt.verdict === "deny") this.#tainted.add(tag);
      else if (this.#tainted.delete(tag)) this.#clearedMs = Math.max(this.#clearedMs, receipt.atMs);
    }
  }

  explains(atMs: number): boolean {
    return this.#tainted.size > 0 || atMs - this.#clearedMs <= AFTERMATH_MS;
  }
}
