import type { ReceiptMessage } from "#point/bus.ts";
import type { VerdictsMessage, VerdictView } from "./page-messages.ts";

/** Receipts kept for a page that is opened later. */
export const MAX_RECENT = 200;
/** Receipts in one message to a page; what comes faster is only counted. */
export const MAX_PER_MESSAGE = 50;

export type VerdictNews = Pick<VerdictsMessage, "verdicts" | "omitted">;

/** Receipts on their way to the pages: the newest of before, and what no page has been told yet. Both bounded, newest first. */
export class VerdictFeed {
  #recent: readonly VerdictView[] = [];
  #news: VerdictView[] = [];
  #omitted = 0;

  add(view: VerdictView): void {
    this.#news.push(view);
    if (this.#news.length <= MAX_PER_MESSAGE) return;
    // The newest are shown: under a flood the list still says what happens now.
    this.#remember(this.#news.splice(0, 1));
    this.#omitted += 1;
  }

  /** What came since the last call; undefined: nothing. */
  take(): VerdictNews | undefined {
    if (this.#news.length === 0) return undefined;
    const verdicts = this.#news.toReversed();
    const omitted = this.#omitted;
    this.#remember(this.#news);
    this.#news = [];
    this.#omitted = 0;
    return { verdicts, omitted };
  }

  /** What has been taken, or was too much to be told. */
  get recent(): readonly VerdictView[] {
    return this.#recent;
  }

  #remember(oldestFirst: readonly VerdictView[]): void {
    this.#recent = [...oldestFirst.toReversed(), ...this.#recent].slice(0, MAX_RECENT);
  }
}

/** A receipt as the page shows it. */
export function verdictView(receipt: ReceiptMessage): VerdictView {
  const { point, layer, seq, atMs, source, sourceAddress, target, operation } = receipt;
  const { message, items, verdict, rule, reason, says, action, select } = receipt;
  return {
    point,
    layer,
    seq,
    atMs,
    source,
    sourceAddress,
    target,
    operation,
    message,
    items,
    verdict,
    rule,
    reason,
    says,
    action,
    ...(select === undefined ? {} : { selectedAtMs: select.atMs }),
  };
}
