/** A set of small whole numbers, one bit each: which of the rules hold in a position. 32-bit words, so that reading makes no number object. */
export type Bits = Int32Array;

export function emptyBits(size: number): Bits {
  return new Int32Array((size + 31) >>> 5);
}

export function addBit(bits: Bits, n: number): void {
  bits[n >>> 5] = (bits[n >>> 5] ?? 0) | (1 << (n & 31));
}

export function hasBit(bits: Bits, n: number): boolean {
  return ((bits[n >>> 5] ?? 0) & (1 << (n & 31))) !== 0;
}
