/*
 * Big-endian numbers out of bytes that are known to be there. Buffer's own readers check the place again each time, and a million frames a
 * second leave no time for that.
 */

/** Two bytes, 0..65535. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Four bytes with a sign, -2^31..2^31-1; `>>> 0` makes it 0..2^32-1. */
export function i32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
