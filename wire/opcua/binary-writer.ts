/**
 * Writer of the OPC UA Binary encoding (OPC 10000-6 v1.05 §5.2), for the few messages that Sekisho itself sends.
 * Its input comes from our own code, so a value out of range is our fault and throws (Node's RangeError).
 */

const TICKS_PER_MS = 10_000n;
const EPOCH_DIFFERENCE_MS = 11_644_473_600_000n;
const INITIAL_BYTES = 256;
const NULL_LENGTH = -1;

export class BinaryWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(initialBytes: number = INITIAL_BYTES) {
    this.#bytes = Buffer.allocUnsafe(initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written, as a buffer of its own. */
  toBuffer(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  u8(value: number): this {
    const at = this.#reserve(1);
    this.#bytes.writeUInt8(value, at);
    return this;
  }

  u16(value: number): this {
    const at = this.#reserve(2);
    this.#bytes.writeUInt16LE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32LE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.#reserve(4);
    this.#bytes.writeInt32LE(value, at);
    return this;
  }

  i64(value: bigint): this {
    const at = this.#reserve(8);
    this.#bytes.writeBigInt64LE(value, at);
    return this;
  }

  f64(value: number): this {
    const at = this.#reserve(8);
    this.#bytes.writeDoubleLE(value, at);
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  /** DateTime from milliseconds since 1970-01-01 UTC; parts of a millisecond are cut off. */
  dateTimeMs(ms: number): this {
    return this.i64((BigInt(Math.trunc(ms)) + EPOCH_DIFFERENCE_MS) * TICKS_PER_MS);
  }

  string(value: string | null): this {
    return this.byteString(value === null ? null : Buffer.from(value, "utf8"));
  }

  byteString(value: Buffer | null): this {
    if (value === null) return this.i32(NULL_LENGTH);
    return this.i32(value.length).raw(value);
  }

  raw(value: Buffer): this {
    const at = this.#reserve(value.length);
    value.copy(this.#bytes, at);
    return this;
  }

  array<T>(values: readonly T[], element: (writer: BinaryWriter, value: T) => void): this {
    this.i32(values.length);
    for (const value of values) element(this, value);
    return this;
  }

  /** Makes room first: `#bytes` may be another buffer afterwards. Returns where to write. */
  #reserve(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }
}
