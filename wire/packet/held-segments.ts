import { advance, sequenceDistance } from "./sequence.ts";

/** Bytes held by all directions of a reassembler. */
export interface HeldBudget {
  bytes: number;
  readonly max: number;
}

/** Bytes behind a gap, and when they came. */
export interface Held {
  readonly seq: number;
  readonly bytes: Buffer;
  readonly timeMs: number;
  readonly frame: number;
}

/** Segments of one direction behind a gap: in order, each byte once, the first one wins. */
export class HeldSegments {
  readonly #budget: HeldBudget;
  #segments: Held[] = [];
  #bytes = 0;

  constructor(budget: HeldBudget) {
    this.#budget = budget;
  }

  get first(): Held | undefined {
    return this.#segments[0];
  }

  get count(): number {
    return this.#segments.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** When the first of them came; undefined: nothing is held. */
  get sinceMs(): number | undefined {
    return this.#segments.length === 0 ? undefined : Math.min(...this.#segments.map(({ timeMs }) => timeMs));
  }

  /** All directions together hold more than they may, and this one is among them. */
  get isOverBudget(): boolean {
    return this.#bytes > 0 && this.#budget.bytes > this.#budget.max;
  }

  /** Takes out the first segment if it begins there. */
  takeAt(seq: number | undefined): Held | undefined {
    const [first] = this.#segments;
    if (first === undefined || first.seq !== seq) return undefined;
    this.#segments.shift();
    this.#count(-first.bytes.length);
    return first;
  }

  /** Holds the parts of a segment that no earlier one covers. @returns how many of the covered bytes are others */
  insert({ seq, bytes, timeMs, frame }: Held): number {
    const pieces: Held[] = [];
    let differing = 0;
    let at = 0;
    const hold = (end: number): void => {
      // A copy, so that a held segment does not keep a whole capture chunk alive.
      if (end > at) pieces.push({ seq: advance(seq, at), bytes: Buffer.from(bytes.subarray(at, end)), timeMs, frame });
    };
    for (const held of this.#segments) {
      const start = sequenceDistance(held.seq, seq);
      const end = start + held.bytes.length;
      if (end <= at) continue;
      if (start >= bytes.length) break;
      hold(start);
      const from = Math.max(at, start);
      const to = Math.min(bytes.length, end);
      for (let i = from; i < to; i += 1) if (bytes[i] !== held.bytes[i - start]) differing += 1;
      at = to;
    }
    hold(bytes.length);
    if (pieces.length === 0) return differing;
    this.#segments = [...this.#segments, ...pieces].sort((a, b) => sequenceDistance(a.seq, b.seq));
    for (const piece of pieces) this.#count(piece.bytes.length);
    return differing;
  }

  forget(): void {
    this.#count(-this.#bytes);
    this.#segments = [];
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.bytes += bytes;
  }
}
