import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { EXCEPTION_BIT } from "./exception.ts";
import { MBAP_FIELD, type MbapFrame, type MbapHeader } from "./mbap.ts";
import type { ModbusRequest } from "./request.ts";

const SPEC = "MODBUS Messaging on TCP/IP V1.0b §4.2";

/** Default number of requests that may be pending on one connection.
 *  @see MODBUS Messaging on TCP/IP V1.0b §4.2.2, NumberMaxOfClientTransaction, "1 to 16" */
export const DEFAULT_PENDING_LIMIT = 16;

/** A request that waits for its response, with whatever the caller wants back. */
export interface PendingRequest<T> extends MbapHeader {
  readonly request: ModbusRequest;
  /** when the request was seen, on the caller's clock, in ms */
  readonly timeMs: number;
  readonly context: T;
}

/** The request a response answers. */
export interface PairedRequest<T> extends PendingRequest<T> {
  /** true when an older request is still pending: allowed by the standard, and worth knowing */
  readonly outOfOrder: boolean;
}

const NONE: readonly never[] = [];

/**
 * Bounded table of the pending requests of one connection; pairs responses by transaction identifier.
 *
 * A failed `match` leaves its request pending, so that a forged response cannot consume the true one's place; a relay
 * closes the connection on any error, a passive monitor reports it and later calls `expire`.
 */
export class RequestTable<T = undefined> {
  readonly #pending = new Map<number, PendingRequest<T>>();
  readonly #limit: number;

  constructor(options: { readonly limit?: number } = {}) {
    this.#limit = options.limit ?? DEFAULT_PENDING_LIMIT;
    if (!Number.isInteger(this.#limit) || this.#limit < 1) {
      throw new RangeError(`pending limit ${this.#limit} is not a whole number from 1`);
    }
  }

  /** Requests waiting for their responses. */
  get size(): number {
    return this.#pending.size;
  }

  /** Remembers a request; refuses `MB_DUPLICATE_TRANSACTION` and `MB_TABLE_FULL`. */
  add(header: MbapHeader, request: ModbusRequest, timeMs: number, context: T): Result<undefined, WireError> {
    if (this.#pending.has(header.transactionId)) {
      return err(wireError("MB_DUPLICATE_TRANSACTION", MBAP_FIELD.TRANSACTION, SPEC));
    }
    if (this.#pending.size >= this.#limit) return err(wireError("MB_TABLE_FULL", MBAP_FIELD.TRANSACTION, SPEC));
    const { transactionId, unitId } = header;
    this.#pending.set(transactionId, { transactionId, unitId, request, timeMs, context });
    return ok(undefined);
  }

  /** Finds and removes the request that a response answers. Refuses `MB_UNSOLICITED`, `MB_PAIR_UNIT` and
   *  `MB_PAIR_FUNCTION`; offsets are within the ADU. The PDU itself is for `decodeResponse` to judge. */
  match(response: MbapFrame): Result<PairedRequest<T>, WireError> {
    const pending = this.#pending.get(response.transactionId);
    if (pending === undefined) return err(wireError("MB_UNSOLICITED", MBAP_FIELD.TRANSACTION, SPEC));
    if (pending.unitId !== response.unitId) return err(wireError("MB_PAIR_UNIT", MBAP_FIELD.UNIT, SPEC));
    const functionCode = response.pdu[0];
    const asked = pending.request.functionCode;
    if (functionCode !== asked && functionCode !== (asked | EXCEPTION_BIT)) {
      return err(wireError("MB_PAIR_FUNCTION", MBAP_FIELD.PDU, SPEC));
    }
    const oldest = this.#pending.keys().next().value;
    this.#pending.delete(response.transactionId);
    return ok({ ...pending, outOfOrder: oldest !== response.transactionId });
  }

  /** Removes and returns the request of an identifier if it was seen before `beforeMs`: its client uses the identifier again. */
  giveUp(transactionId: number, beforeMs: number): PendingRequest<T> | undefined {
    const pending = this.#pending.get(transactionId);
    if (pending === undefined || pending.timeMs >= beforeMs) return undefined;
    this.#pending.delete(transactionId);
    return pending;
  }

  /** Removes and returns the requests seen before `beforeMs`, oldest first: they got no response. */
  expire(beforeMs: number): readonly PendingRequest<T>[] {
    // Asked at every request, and nearly always about none.
    let expired: PendingRequest<T>[] | undefined;
    for (const pending of this.#pending.values()) {
      if (pending.timeMs >= beforeMs) continue;
      expired ??= [];
      expired.push(pending);
      this.#pending.delete(pending.transactionId);
    }
    return expired ?? NONE;
  }

  /** Removes and returns all pending requests, oldest first; for the end of a connection. */
  drain(): readonly PendingRequest<T>[] {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    return all;
  }
}
