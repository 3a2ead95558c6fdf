import type { ModbusRequest } from "#wire/modbus/index.ts";
import type { Unread } from "./dialogue.ts";

/** Requests of one connection that may wait for answers: four times what the standard lets a client have open (§4.2.2: 16). */
const MAX_WAITING = 64;
/**
 * A client that uses a transaction again after more than so long, in s, asks again. One that does so at once has both open, against
 * MODBUS Messaging on TCP/IP V1.0b §4.2 ("unique"); servers answer those in their order.
 */
const RETRY_S = 0.25;
/** Stands for the transaction of RTU, where one request waits at a time. */
export const NO_TRANSACTION = -1;

/** A request that waits. */
export interface Waiting {
  /** `read`: of one of the four tables, for which the numbers are enough; `malformed`: nobody knows what its answer must be like */
  readonly request: ModbusRequest | "read" | "malformed";
  readonly functionCode: number;
  readonly unit: number;
  readonly frame: number;
  /** when it was seen, in s */
  readonly seconds: number;
  readonly address: number;
  readonly quantity: number;
}

interface Entry {
  readonly waiting: Waiting;
  /** a later one of the same unit and transaction */
  next: Entry | undefined;
}

/** The requests of a connection that wait for their answers, each with its unit and transaction. */
export class WaitingRequests {
  readonly #unread: Unread;
  /** the first of each unit and transaction, oldest first */
  readonly #entries = new Map<number, Entry>();
  #size = 0;

  constructor(unread: Unread) {
    this.#unread = unread;
  }

  get size(): number {
    return this.#size;
  }

  add(transaction: number, waiting: Waiting): void {
    const key = keyOf(transaction, waiting.unit);
    const entry: Entry = { waiting, next: undefined };
    const last = lastOf(this.#entries.get(key));
    const isRetry = transaction === NO_TRANSACTION || waiting.seconds - (last?.waiting.seconds ?? 0) > RETRY_S;
    if (last !== undefined && isRetry) this.#giveUp(key);
    if (this.#size >= MAX_WAITING) {
      for (const oldest of this.#entries.keys()) {
        this.#giveUp(oldest);
        break;
      }
    }
    const before = lastOf(this.#entries.get(key));
    if (before === undefined) this.#entries.set(key, entry);
    else before.next = entry;
    this.#size += 1;
  }

  /** The request that waits with a unit and transaction, if it is the only one. */
  only(transaction: number, unit: number): Waiting | undefined {
    const entry = this.#entries.get(keyOf(transaction, unit));
    return entry === undefined || entry.next !== undefined ? undefined : entry.waiting;
  }

  /** Takes away the only one that waits. */
  remove(transaction: number, unit: number): void {
    if (this.#entries.delete(keyOf(transaction, unit))) this.#size -= 1;
  }

  /**
   * Takes away the request that an answer of a function answers: the oldest that it `fits`, else the oldest of its function. Those before it have been
   * given up. A request of another function goes on waiting.
   */
  answered(
    transaction: number,
    unit: number,
    functionCode: number,
    fits: (waiting: Waiting) => boolean,
  ): Waiting | undefined {
    const key = keyOf(transaction, unit);
    const first = this.#entries.get(key);
    let found: Entry | undefined;
    for (let entry = first; entry !== undefined; entry = entry.next) {
      if (entry.waiting.functionCode !== functionCode || entry.waiting.unit !== unit) continue;
      found ??= entry;
      if (!fits(entry.waiting)) continue;
      found = entry;
      break;
    }
    if (found === undefined) return undefined;
    let given = -1;
    for (let entry = first; entry !== found.next && entry !== undefined; entry = entry.next) given += 1;
    this.#unread.unanswered += given;
    this.#size -= given + 1;
    if (found.next === undefined) this.#entries.delete(key);
    else this.#entries.set(key, found.next);
    return found.waiting;
  }

  /** Answers are missing from the capture: of several with the same transaction only the last may still wait. */
  answersLost(): void {
    for (const [key, first] of this.#entries) {
      const last = lastOf(first);
      if (last === undefined || last === first) continue;
      this.#giveUp(key);
      this.#entries.set(key, last);
      this.#unread.unanswered -= 1;
      this.#size += 1;
    }
  }

  #giveUp(key: number): void {
    for (let entry = this.#entries.get(key); entry !== undefined; entry = entry.next) {
      this.#unread.unanswered += 1;
      this.#size -= 1;
    }
    this.#entries.delete(key);
  }
}

/** RTU: any unit, since one request waits at a time. */
function keyOf(transaction: number, unit: number): number {
  return transaction === NO_TRANSACTION ? NO_TRANSACTION : transaction * 256 + unit;
}

function lastOf(first: Entry | undefined): Entry | undefined {
  let last = first;
  while (last?.next !== undefined) last = last.next;
  return last;
}
