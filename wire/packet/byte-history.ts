/** The last bytes that one direction delivered, to compare retransmissions with. A ring; memory starts at first use. */
export class ByteHistory {
  readonly #size: number;
  #ring: Buffer | undefined;
  #total = 0;

  /** `size` in bytes; 0 remembers nothing. */
  constructor(size: number) {
    this.#size = size;
  }

  append(bytes: Buffer): void {
    if (this.#size === 0) return;
    this.#ring ??= Buffer.alloc(this.#size);
    const tail = bytes.subarray(Math.max(0, bytes.length - this.#size));
    const at = (this.#total + bytes.length - tail.length) % this.#size;
    const first = tail.copy(this.#ring, at);
    tail.copy(this.#ring, 0, first);
    this.#total += bytes.length;
  }

  /** Counts the bytes that differ from what was delivered `back` bytes before the end; bytes no longer remembered
   *  count as equal. `bytes` must not reach past the end of the history. */
  countDiffering(bytes: Buffer, back: number): number {
    const ring = this.#ring;
    if (ring === undefined) return 0;
    const known = Math.min(this.#total, this.#size);
    let differing = 0;
    for (let i = Math.max(0, back - known); i < bytes.length; i += 1) {
      const at = (this.#total - back + i) % this.#size;
      if (ring[at] !== bytes[i]) differing += 1;
    }
    return differing;
  }
}
