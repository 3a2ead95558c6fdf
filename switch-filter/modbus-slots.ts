import type { ModbusFrame } from "#wire/modbus/index.ts";
import { mayWrite, type Slot } from "./modbus-slot.ts";
import type { SessionOutput } from "./session.ts";

/** The requests of one connection that are under way or answered out of turn, in their order. */
export class ModbusSlots {
  readonly #slots: Slot[] = [];

  get length(): number {
    return this.#slots.length;
  }

  push(slot: Slot): void {
    this.#slots.push(slot);
  }

  /** The request of an identifier that waits for its answer. RTU knows no identifiers: there, the one that waits. */
  pending({ transactionId }: ModbusFrame): Slot | undefined {
    for (const slot of this.#slots) {
      if (slot.answer === undefined && slot.frame.transactionId === transactionId) return slot;
    }
    return undefined;
  }

  /** Those that wait, oldest first. */
  unanswered(): readonly Slot[] {
    return this.#slots.filter(({ answer }) => answer === undefined);
  }

  get oldest(): Slot | undefined {
    return this.#slots.find(({ answer }) => answer === undefined);
  }

  get writeUnderWay(): boolean {
    return this.#slots.some(({ answer, frame }) => answer === undefined && mayWrite(frame));
  }

  /** Takes out what is ready, from the oldest request on. */
  flush(output: Pick<SessionOutput, "toClient">): void {
    for (let head = this.#slots[0]; head?.answer !== undefined; head = this.#slots[0]) {
      if (head.answer.length > 0) output.toClient(head.answer);
      this.#slots.shift();
    }
  }

  clear(): void {
    this.#slots.length = 0;
  }
}
