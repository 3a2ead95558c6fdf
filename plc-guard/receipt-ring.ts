import type { ReceiptMessage } from "#point/bus.ts";

/** Receipts that wait for the agent. A PLC that was cut off for long keeps the newest. */
const MAX_WAITING_RECEIPTS = 512;

/** Bounded queue of receipts: when it is full the oldest one goes, and is counted. */
export class ReceiptRing {
  readonly #limit: number;
  readonly #waiting: ReceiptMessage[] = [];
  #lost = 0;

  /** @param limit receipts kept, at least 1 */
  constructor(limit = MAX_WAITING_RECEIPTS) {
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new RangeError(`receipt limit ${limit} is not a whole number from 1`);
    this.#limit = limit;
  }

  /** Receipts given up because nobody took them in time. */
  get lost(): number {
    return this.#lost;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  put(receipt: ReceiptMessage): void {
    if (this.#waiting.length >= this.#limit) {
      this.#waiting.shift();
      this.#lost += 1;
    }
    this.#waiting.push(receipt);
  }

  /** Hands over what waits, oldest first, and forgets it. */
  take(): readonly ReceiptMessage[] {
    return this.#waiting.splice(0);
  }
}
