import { ZERO } from "./ascii.ts";

/** Decimals as bytes. */

const MAX_INT32 = 0x7fff_ffff;

/** Writes the digits of a whole number from 0; returns where they end. */
export function putDigits(bytes: Uint8Array, from: number, value: number): number {
  if (value > MAX_INT32) {
    const text = String(value);
    for (let i = 0; i < text.length; i += 1) bytes[from + i] = text.charCodeAt(i);
    return from + text.length;
  }
  let rest = value | 0;
  const end =
    from + (rest < 10 ? 1 : rest < 100 ? 2 : rest < 1000 ? 3 : rest < 10_000 ? 4 : rest < 100_000 ? 5 : many(rest));
  let at = end - 1;
  // `| 0` keeps the division one of whole numbers.
  while (rest > 9) {
    const tenth = (rest / 10) | 0;
    bytes[at] = ZERO + rest - 10 * tenth;
    rest = tenth;
    at -= 1;
  }
  bytes[at] = ZERO + rest;
  return end;
}

function many(value: number): number {
  return value < 1e6 ? 6 : value < 1e7 ? 7 : value < 1e8 ? 8 : value < 1e9 ? 9 : 10;
}

/** The shortest decimal that a single-precision number reads as, as a double; `value` is one, and finite. */
export function shortestFloat32(value: number): number {
  for (let digits = 6; digits < 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}
