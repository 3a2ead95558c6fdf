import { Guard } from "#plc-guard/guard.ts";
import type { OrderMessage, PositionMessage } from "#point/bus.ts";
import type { OrderAnswer } from "#point/phase-holder.ts";
import type { TagId } from "#specs/ids.ts";
import type { ScanInputs, ScanResult } from "./scan-cycle.ts";

/**
 * What reached the guard from its agent between two scans. Calls are kept with their arguments, real times included, so that a
 * replay makes the same ones.
 */
export type GuardEvent =
  | { readonly order: OrderMessage; readonly atMs: number }
  | { readonly adopt: PositionMessage; readonly atMs: number }
  | { readonly others: Readonly<Record<string, number>>; readonly atMs: number }
  | { readonly restore: string; readonly atMs: number }
  | { readonly renew: number; readonly realMs: number }
  | { readonly leaseBegan: true; readonly realMs: number }
  | { readonly leaseEnded: true; readonly realMs: number };

/** Events held between two scans; scans come ten times a second, so this is far more than an agent sends. */
const MAX_EVENTS = 1000;

/** A guard that remembers what its agent told it since the last scan, for the scan log. It decides exactly as `Guard` does. */
export class RecordedGuard extends Guard {
  #events: GuardEvent[] = [];
  #dropped = 0;
  /** The lease runs: it was renewed, or the look at a phase that nobody vouched for yet has begun it. */
  #leased = false;

  override order(message: OrderMessage, atMs: number): OrderAnswer | undefined {
    this.#keep({ order: message, atMs });
    return super.order(message, atMs);
  }

  override adopt(message: PositionMessage, atMs: number): boolean {
    this.#keep({ adopt: message, atMs });
    return super.adopt(message, atMs);
  }

  override observeOthers(atMs: number, tags: ReadonlyMap<TagId, number>): void {
    this.#keep({ others: Object.fromEntries(tags), atMs });
    super.observeOthers(atMs, tags);
  }

  override restore(text: string, atMs: number): boolean {
    this.#keep({ restore: text, atMs });
    return super.restore(text, atMs);
  }

  override renew(leaseMs: number, realMs: number): void {
    this.#leased = true;
    this.#keep({ renew: leaseMs, realMs });
    super.renew(leaseMs, realMs);
  }

  override checkLease(realMs: number): boolean {
    if (!this.#leased && this.status().state === "in-force") {
      this.#leased = true;
      this.#keep({ leaseBegan: true, realMs });
    }
    const ended = super.checkLease(realMs);
    if (ended) this.#keep({ leaseEnded: true, realMs });
    return ended;
  }

  /** Hands over what came since the last call. */
  takeEvents(): readonly GuardEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Events that did not fit; a log with any cannot be replayed from there on. */
  get dropped(): number {
    return this.#dropped;
  }

  #keep(event: GuardEvent): void {
    if (this.#events.length < MAX_EVENTS) this.#events.push(event);
    else this.#dropped += 1;
  }
}

/** Makes one recorded call again. */
export function applyEvent(
  guard: Guard,
  event: GuardEvent,
  tags: (record: Readonly<Record<string, number>>) => ReadonlyMap<TagId, number>,
): void {
  if ("order" in event) guard.order(event.order, event.atMs);
  else if ("adopt" in event) guard.adopt(event.adopt, event.atMs);
  else if ("others" in event) guard.observeOthers(event.atMs, tags(event.others));
  else if ("restore" in event) guard.restore(event.restore, event.atMs);
  else if ("renew" in event) guard.renew(event.renew, event.realMs);
  else guard.checkLease(event.realMs);
}

/** One line of a PLC's scan log: what went in, and what came out. */
export interface ScanRecord {
  readonly scan: number;
  readonly atMs: number;
  readonly dtMs: number;
  readonly field: Readonly<Record<string, number>>;
  readonly writes: Readonly<Record<string, number>>;
  readonly forces: Readonly<Record<string, number>>;
  readonly guard: readonly GuardEvent[];
  readonly out: ScanOutcome;
  /** First scan after a start only: what the program took up from before it lost its power. */
  readonly retained?: Readonly<Record<string, number>>;
}

export interface ScanOutcome {
  readonly accepted: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, number>>;
}

export function scanLine(
  inputs: ScanInputs,
  guard: readonly GuardEvent[],
  result: ScanResult<unknown>,
  retained?: ScanRecord["retained"],
): string {
  const record: ScanRecord = {
    scan: inputs.scan,
    atMs: inputs.atMs,
    dtMs: inputs.dtMs,
    field: Object.fromEntries(inputs.field),
    writes: Object.fromEntries(inputs.writes),
    forces: Object.fromEntries(inputs.forces),
    guard,
    out: outcomeOf(result),
    ...(retained === undefined ? {} : { retained }),
  };
  return JSON.stringify(record);
}

export function outcomeOf(result: ScanResult<unknown>): ScanOutcome {
  return {
    accepted: Object.fromEntries(result.accepted),
    outputs: Object.fromEntries(result.outputs),
    tags: Object.fromEntries(result.tags),
  };
}
