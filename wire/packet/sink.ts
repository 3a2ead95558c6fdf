import type { WireError } from "../wire-error.ts";
import type { BlindReason, CloseReason, Direction, Flow, ReassemblyEvent, SkipReason } from "./flow.ts";

/**
 * Hears what a reassembler saw, call by call: the same as `ReassemblyEvent`, without an object for each. `timeMs` and `frame` are
 * the capture time and number of the frame that completed it.
 */
export interface ReassemblySink {
  open(flow: Flow, joinedLate: boolean, timeMs: number, frame: number): void;
  /** `bytes` are a view; copy what must outlive the call by long. */
  data(flow: Flow, direction: Direction, bytes: Buffer, timeMs: number, frame: number): void;
  overlap(flow: Flow, direction: Direction, differingBytes: number, timeMs: number, frame: number): void;
  blind(flow: Flow, direction: Direction, reason: BlindReason, timeMs: number, frame: number): void;
  close(flow: Flow, reason: CloseReason, timeMs: number, frame: number): void;
  skipped(
    reason: SkipReason,
    srcIp: string | null,
    dstIp: string | null,
    error: WireError | null,
    timeMs: number,
    frame: number,
  ): void;
}

/** Keeps calls as events. */
export class EventList implements ReassemblySink {
  #events: ReassemblyEvent[] = [];

  take(): readonly ReassemblyEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  open(flow: Flow, joinedLate: boolean, timeMs: number, frame: number): void {
    this.#events.push({ kind: "open", flow, joinedLate, timeMs, frame });
  }
  data(flow: Flow, direction: Direction, bytes: Buffer, timeMs: number, frame: number): void {
    this.#events.push({ kind: "data", flow, direction, bytes, timeMs, frame });
  }
  overlap(flow: Flow, direction: Direction, differingBytes: number, timeMs: number, frame: number): void {
    this.#events.push({ kind: "overlap", flow, direction, differingBytes, timeMs, frame });
  }
  blind(flow: Flow, direction: Direction, reason: BlindReason, timeMs: number, frame: number): void {
    this.#events.push({ kind: "blind", flow, direction, reason, timeMs, frame });
  }
  close(flow: Flow, reason: CloseReason, timeMs: number, frame: number): void {
    this.#events.push({ kind: "close", flow, reason, timeMs, frame });
  }
  skipped(
    reason: SkipReason,
    srcIp: string | null,
    dstIp: string | null,
    error: WireError | null,
    timeMs: number,
    frame: number,
  ): void {
    this.#events.push({ kind: "skipped", reason, srcIp, dstIp, error, timeMs, frame });
  }
}
