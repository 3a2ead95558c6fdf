const NS_PER_SECOND = 1_000_000_000;
/** Largest units per second for which the long division below is exact: remainder × 2^16 must stay below 2^53. */
const MAX_EXACT_UNITS = 2 ** 37;
const TWO_16 = 0x10000;
const TWO_32 = 0x100000000;

/**
 * How an interface counts time: units of 10^-n or 2^-n seconds since the epoch, plus whole seconds. One object is reused: `read`
 * leaves its answer in `seconds` and `nanoseconds`. @see draft-ietf-opsawg-pcapng §4.2 if_tsresol, if_tsoffset
 */
export class TimeScale {
  readonly #unitsPerSecond: bigint;
  /** the same as a number; 0 where that is not exact */
  readonly #units: number;
  readonly #offsetSeconds: number;
  seconds = 0;
  nanoseconds = 0;

  /** `resolution` is the byte of if_tsresol, default 6 (µs): the top bit tells powers of two. */
  constructor(resolution = 6, offsetSeconds = 0) {
    const exponent = BigInt(resolution & 0x7f);
    this.#unitsPerSecond = (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent;
    this.#units = this.#unitsPerSecond <= BigInt(MAX_EXACT_UNITS) ? Number(this.#unitsPerSecond) : 0;
    this.#offsetSeconds = offsetSeconds;
  }

  /** Takes a time stamp of 64 bits; what is finer than a nanosecond is cut off. */
  read(high: number, low: number): void {
    const units = this.#units;
    if (units === 0) {
      this.#readBig(high, low);
      return;
    }
    // Long division by 16-bit digits, exact in doubles.
    const r0 = high % units;
    const d1 = r0 * TWO_16 + (low >>> 16);
    const r1 = d1 % units;
    const d2 = r1 * TWO_16 + (low & 0xffff);
    const rest = d2 % units;
    const quotient = ((high - r0) / units) * TWO_32 + ((d1 - r1) / units) * TWO_16 + (d2 - rest) / units;
    this.seconds = quotient + this.#offsetSeconds;
    // A power of ten up to ns divides evenly; the others lose less than a nanosecond.
    this.nanoseconds =
      units <= NS_PER_SECOND && NS_PER_SECOND % units === 0
        ? rest * (NS_PER_SECOND / units)
        : Number((BigInt(rest) * BigInt(NS_PER_SECOND)) / this.#unitsPerSecond);
  }

  #readBig(high: number, low: number): void {
    const stamp = (BigInt(high) << 32n) | BigInt(low);
    this.seconds = Number(stamp / this.#unitsPerSecond) + this.#offsetSeconds;
    this.nanoseconds = Number(((stamp % this.#unitsPerSecond) * BigInt(NS_PER_SECOND)) / this.#unitsPerSecond);
  }
}
