const FIRST_BYTES = 64;

/** The last bytes that one direction delivered, to compare retransmissions with. A ring that grows with what it holds up to its
 *  bound, so that a silent connection costs nothing. */
export class ByteHistory {
  readonly #bound: number;
  #ring: Buffer | undefined;
  #total = 0;

  /** `bound` in bytes; 0 remembers nothing. */
  constructor(bound: number) {
    this.#bound = bound;
  }

  /** How many of the last bytes are known. */
  get known(): number {
    return Math.min(this.#total, this.#ring?.length ?? 0);
  }

  /** What its memory takes beyond the bound. */
  get excess(): number {
    return Math.max(0, (this.#ring?.length ?? 0) - this.#bound);
  }

  append(bytes: Buffer): void {
    const length = bytes.length;
    if (this.#bound === 0) return;
    const ring = this.#room(length);
    const size = ring.length;
    const skipped = Math.max(0, length - size);
    let at = (this.#total + skipped) % size;
    if (length <= FIRST_BYTES) {
      // Copying a few bytes costs less than asking for it.
      for (let i = skipped; i < length; i += 1) {
        ring[at] = bytes[i] ?? 0;
        at = at + 1 === size ? 0 : at + 1;
      }
    } else {
      const first = bytes.copy(ring, at, skipped);
      bytes.copy(ring, 0, skipped + first);
    }
    this.#total += length;
  }

  /** Counts the bytes that differ from what was delivered `back` bytes before the end; bytes no longer remembered
   *  count as equal. `bytes` must not reach past the end of the history. */
  countDiffering(bytes: Buffer, back: number): number {
    const ring = this.#ring;
    if (ring === undefined) return 0;
    const size = ring.length;
    let differing = 0;
    for (let i = Math.max(0, back - this.known); i < bytes.length; i += 1) {
      if (ring[(this.#total - back + i) % size] !== bytes[i]) differing += 1;
    }
    return differing;
  }

  /** Makes room for so many bytes in all, beyond the bound; it stays until `forget`. */
  reserve(bytes: number): void {
    const ring = this.#ring;
    if (ring !== undefined && ring.length >= bytes) return;
    const grown = Buffer.allocUnsafeSlow(bytes);
    if (ring === undefined) {
      this.#ring = grown;
      return;
    }
    const { known } = this;
    const start = (this.#total - known) % ring.length;
    const first = ring.copy(grown, 0, start, Math.min(ring.length, start + known));
    ring.copy(grown, first, 0, known - first);
    this.#ring = grown;
    this.#total = known;
  }

  /** Gives the memory back. */
  forget(): void {
    this.#ring = undefined;
    this.#total = 0;
  }

  /** The ring, grown while it is below its bound and would lose bytes. */
  #room(length: number): Buffer {
    const ring = this.#ring;
    if (ring === undefined) {
      this.#ring = Buffer.allocUnsafeSlow(Math.min(this.#bound, Math.max(FIRST_BYTES, 2 * length)));
      return this.#ring;
    }
    const size = ring.length;
    if (size >= this.#bound || this.#total + length <= size) return ring;
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#bound, Math.max(2 * size, 2 * length)));
    // Below its bound a ring grows before it would turn around, so that it begins at its start.
    ring.copy(grown, 0, 0, this.#total);
    this.#ring = grown;
    return grown;
  }
}
