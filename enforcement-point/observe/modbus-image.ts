import type { ModbusTags } from "./modbus-tags.ts";

/**
 * Plant ms for which a register is taken to hold what it was last seen to hold. The control program of the server may change a
 * register at any time, so this is how far a mask write may be off.
 */
export const IMAGE_FRESH_MS = 2000;

interface Register {
  /** undefined: nobody knows. */
  word: number | undefined;
  seenAtMs: number;
  /** Writes under way: 0 none, above 0 so many plain ones, -1 one by mask, which must be alone. */
  writers: number;
  /** Of those, several were under way at once, and nobody knows which came last. */
  overlapped: boolean;
  /** When a write of it began or ended last, on the image's own count. */
  touched: number;
}

/** The holding registers that one request writes. */
export interface RegisterWrite {
  readonly kind: "plain" | "mask";
  readonly unit: number;
  readonly address: number;
  readonly quantity: number;
}

/**
 * What the holding registers of one server were last seen to hold, as words of the wire: a mask write changes what is there, so only
 * who knows what is there can say what it writes. Registers that belong to no tag are not kept: memory follows from the plant.
 *
 * INVARIANT (masks are alone): while a mask write of a register is under way no other write of it is, and the other way round; else
 * what was judged would not be what is written.
 */
export class ModbusImage {
  readonly #registers = new Map<number, Register>();
  readonly #waiting = new Set<() => void>();
  #count = 0;

  constructor(tags: ModbusTags) {
    this.take(tags);
  }

  /** The tags are others now. What a register holds is what it holds, and a write under way is waited for, whatever its tag. */
  take(tags: ModbusTags): void {
    const wanted = new Set(tags.holdingRegisters().map(({ unit, address }) => key(unit, address)));
    for (const [at, { writers }] of this.#registers) if (writers === 0 && !wanted.has(at)) this.#registers.delete(at);
    for (const at of wanted) {
      if (this.#registers.has(at)) continue;
      this.#registers.set(at, { word: undefined, seenAtMs: 0, writers: 0, overlapped: false, touched: this.#count });
    }
  }

  /** undefined: not seen, not of late, or being written. */
  present(unit: number, address: number, nowMs: number): number | undefined {
    const register = this.#registers.get(key(unit, address));
    if (register === undefined || register.writers !== 0) return undefined;
    return nowMs - register.seenAtMs > IMAGE_FRESH_MS ? undefined : register.word;
  }

  /** To be taken when a read is sent, and given to `saw` with its answer. */
  mark(): number {
    return this.#count;
  }

  /** What was read. Of registers that were written since the read was sent, nothing is learned: it may be from before. */
  saw(unit: number, address: number, words: readonly number[], mark: number, nowMs: number): void {
    for (const [i, word] of words.entries()) {
      const register = this.#registers.get(key(unit, address + i));
      if (register === undefined || register.writers !== 0 || register.touched > mark) continue;
      register.word = word;
      register.seenAtMs = nowMs;
    }
  }

  /** Whether a write may be sent now. If not, ask again when `whenFree` calls. */
  mayBegin(write: RegisterWrite): boolean {
    const of = this.#of(write);
    return of.every(({ writers }) => (write.kind === "mask" ? writers === 0 : writers >= 0));
  }

  begin(write: RegisterWrite): void {
    this.#count += 1;
    for (const register of this.#of(write)) {
      register.overlapped ||= register.writers !== 0;
      register.writers = write.kind === "mask" ? -1 : register.writers + 1;
      register.touched = this.#count;
    }
  }

  /** @param words what the write has put there; undefined: nobody knows */
  end(write: RegisterWrite, words: readonly number[] | undefined, nowMs: number): void {
    this.#count += 1;
    for (let i = 0; i < write.quantity; i += 1) {
      const register = this.#registers.get(key(write.unit, write.address + i));
      if (register === undefined) continue;
      register.writers = write.kind === "mask" ? 0 : Math.max(0, register.writers - 1);
      register.word = register.overlapped ? undefined : words?.[i];
      register.seenAtMs = nowMs;
      register.touched = this.#count;
      if (register.writers === 0) register.overlapped = false;
    }
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /** They are written by somebody who was not asked to wait: nobody knows what is there until they are read. */
  lost(write: RegisterWrite): void {
    this.#count += 1;
    for (const register of this.#of(write)) {
      register.word = undefined;
      register.touched = this.#count;
      register.overlapped ||= register.writers !== 0;
    }
  }

  /** Calls once, after a write has ended. The same function waits once. */
  whenFree(resume: () => void): void {
    this.#waiting.add(resume);
  }

  /** The one who waited has gone. */
  waitsNoMore(resume: () => void): void {
    this.#waiting.delete(resume);
  }

  #of({ unit, address, quantity }: RegisterWrite): readonly Register[] {
    const found: Register[] = [];
    for (let i = 0; i < quantity; i += 1) {
      const register = this.#registers.get(key(unit, address + i));
      if (register !== undefined) found.push(register);
    }
    return found;
  }
}

function key(unit: number, address: number): number {
  return unit * 0x1_0000 + address;
}
