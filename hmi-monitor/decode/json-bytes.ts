import {
  ascii,
  BACKSLASH,
  CLOSE_BRACKET,
  COMMA,
  EQUALS,
  FIRST_PRINTABLE,
  LAST_ASCII,
  MINUS,
  OPEN_BRACKET,
  POINT,
  QUOTE,
  SEMICOLON,
  ZERO,
} from "./ascii.ts";
import { putDigits, shortestFloat32 } from "./decimal-digits.ts";

/**
 * JSON written as bytes, by hand: a capture has millions of numbers and names, and a string for each of them would be most of the work.
 * Whoever writes keeps the commas and brackets right; the tests parse every line.
 */

/** Bytes of one block of output. */
export const BLOCK_BYTES = 1 << 18;
/** Fixed parts of a line between two calls of `reserve`. */
const MARGIN_BYTES = 64;

/** A call to copy costs as much as so many bytes do one by one. */
const COPIED_BYTES = 32;

/** `i` and `s`, the kinds of identifier in the text of a NodeId, and how its namespace begins. */
const NUMERIC_ID = 0x69;
const TEXT_ID = 0x73;
const NAMESPACE = ascii("ns=");
const MILLION = 1_000_000;
const FIFTEEN_DIGITS = 1e15;

/** Digits of the largest whole number that is written without an exponent. */
const MAX_DIGITS = 24;

/** Takes a block; when it returns, the bytes are used for something else. */
export type TakesBlock = (bytes: Buffer) => void;

export class JsonBytes {
  readonly #take: TakesBlock;
  #bytes: Buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #at = 0;

  constructor(take: TakesBlock) {
    this.#take = take;
  }

  /** Hands on what there is. Called between lines, so that a block ends with a whole one. */
  flush(): void {
    if (this.#at === 0) return;
    this.#take(this.#bytes.subarray(0, this.#at));
    if (this.#bytes.length > BLOCK_BYTES) this.#bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#at = 0;
  }

  /** Bytes that wait for `flush`. */
  get waiting(): number {
    return this.#at;
  }

  raw(text: Uint8Array): this {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    const length = text.length;
    const at = this.#at;
    if (length > COPIED_BYTES) bytes.set(text, at);
    else for (let i = 0; i < length; i += 1) bytes[at + i] = text[i] ?? 0;
    this.#at = at + length;
    return this;
  }

  /** A whole number of at most 2^53 - 1 in absolute value. */
  int(value: number): this {
    this.#reserve(MAX_DIGITS + 1);
    if (value < 0) {
      this.#bytes[this.#at] = MINUS;
      this.#at = putDigits(this.#bytes, this.#at + 1, -value);
    } else this.#at = putDigits(this.#bytes, this.#at, value);
    return this;
  }

  /** A whole number with so many digits, zeros before it. */
  digits(value: number, count: number): this {
    this.#reserve(count);
    const bytes = this.#bytes;
    let rest = value;
    for (let i = this.#at + count - 1; i >= this.#at; i -= 1) {
      const tenth = (rest / 10) | 0;
      bytes[i] = ZERO + rest - 10 * tenth;
      rest = tenth;
    }
    this.#at += count;
    return this;
  }

  /** A double: the shortest decimal that reads as it. JSON has no infinities; they and what is no number are written as text. */
  float(value: number): this {
    const ppm = Math.round(value * MILLION);
    // A decimal of at most fifteen digits that reads as the double is the shortest one: no other so short reads as it.
    if (ppm < FIFTEEN_DIGITS && ppm > -FIFTEEN_DIGITS && ppm / MILLION === value && !Object.is(value, -0))
      return this.#millionths(ppm);
    if (!Number.isFinite(value)) return this.#latin(`"${value}"`);
    return this.#latin(Object.is(value, -0) ? "-0" : String(value));
  }

  /** A single-precision number, which a double would write with digits that it never had. */
  float32(value: number): this {
    const ppm = Math.round(value * MILLION);
    if (ppm / MILLION === value || !Number.isFinite(value)) return this.float(value);
    return this.float(shortestFloat32(value));
  }

  /** Millionths as a decimal, without zeros at the end. */
  #millionths(ppm: number): this {
    const size = Math.abs(ppm);
    const whole = Math.floor(size / MILLION);
    if (ppm < 0) this.#put(MINUS);
    this.int(whole);
    let rest = size - whole * MILLION;
    if (rest === 0) return this;
    let count = 6;
    while (rest % 10 === 0) {
      rest = (rest / 10) | 0;
      count -= 1;
    }
    return this.#put(POINT).digits(rest, count);
  }

  /** A JSON string of ASCII that needs no escapes, as it is on the wire. */
  plain(from: Uint8Array, start: number, end: number): this {
    return this.#put(QUOTE).#rest(from, start, end);
  }

  /** ASCII and the quote behind it. */
  #rest(from: Uint8Array, start: number, end: number): this {
    this.#reserve(end - start + 1);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = start; i < end; i += 1) {
      bytes[at] = from[i] ?? 0;
      at += 1;
    }
    bytes[at] = QUOTE;
    this.#at = at + 1;
    return this;
  }

  /** A NodeId with a number, as a JSON string: `"ns=2;i=85"`. */
  nodeNumber(namespace: number, identifier: number): this {
    return this.#nodeStart(namespace, NUMERIC_ID).int(identifier).#put(QUOTE);
  }

  /** A NodeId with text of ASCII that needs no escapes, as a JSON string: `"ns=2;s=Pump"`. */
  nodeText(namespace: number, from: Uint8Array, start: number, end: number): this {
    return this.#nodeStart(namespace, TEXT_ID).#rest(from, start, end);
  }

  #nodeStart(namespace: number, kind: number): this {
    this.#put(QUOTE);
    if (namespace !== 0) this.raw(NAMESPACE).int(namespace).#put(SEMICOLON);
    return this.#put(kind).#put(EQUALS);
  }

  #put(byte: number): this {
    this.#reserve(1);
    this.#bytes[this.#at] = byte;
    this.#at += 1;
    return this;
  }

  /** A JSON string. */
  text(value: string): this {
    const length = value.length;
    this.#reserve(length + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at] = QUOTE;
    at += 1;
    for (let i = 0; i < length; i += 1) {
      const code = value.charCodeAt(i);
      if (code < FIRST_PRINTABLE || code > LAST_ASCII || code === QUOTE || code === BACKSLASH)
        return this.#utf8(JSON.stringify(value));
      bytes[at] = code;
      at += 1;
    }
    bytes[at] = QUOTE;
    this.#at = at + 1;
    return this;
  }

  /** `[1,2,3]`; whole numbers from 0. */
  ints(values: readonly number[]): this {
    this.#reserve(2 + values.length * (MAX_DIGITS + 1));
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at] = OPEN_BRACKET;
    at += 1;
    for (let i = 0; i < values.length; i += 1) {
      if (i > 0) {
        bytes[at] = COMMA;
        at += 1;
      }
      at = putDigits(bytes, at, values[i] ?? 0);
    }
    bytes[at] = CLOSE_BRACKET;
    this.#at = at + 1;
    return this;
  }

  /** `[1,0,1]`: bits as Modbus numbers them are easier to add up and to compare than words for them. */
  bits(values: readonly boolean[]): this {
    this.#reserve(2 + 2 * values.length);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at] = OPEN_BRACKET;
    at += 1;
    for (let i = 0; i < values.length; i += 1) {
      bytes[at] = values[i] === true ? ZERO + 1 : ZERO;
      bytes[at + 1] = COMMA;
      at += 2;
    }
    if (values.length > 0) at -= 1;
    bytes[at] = CLOSE_BRACKET;
    this.#at = at + 1;
    return this;
  }

  /** As `ints`, of big-endian 16-bit words. */
  words(from: Uint8Array, start: number, count: number): this {
    this.#reserve(2 + count * 6);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at] = OPEN_BRACKET;
    at += 1;
    for (let i = 0; i < count; i += 1) {
      if (i > 0) {
        bytes[at] = COMMA;
        at += 1;
      }
      const where = start + 2 * i;
      at = putDigits(bytes, at, ((from[where] ?? 0) << 8) | (from[where + 1] ?? 0));
    }
    bytes[at] = CLOSE_BRACKET;
    this.#at = at + 1;
    return this;
  }

  /** As `bits`, of bits that lie in bytes, the least significant of the first byte first. At least one. */
  packedBits(from: Uint8Array, start: number, count: number): this {
    this.#reserve(2 + 2 * count);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at] = OPEN_BRACKET;
    for (let i = 0; i < count; i += 1) {
      bytes[at + 1] = ZERO + (((from[start + (i >> 3)] ?? 0) >> (i & 7)) & 1);
      bytes[at + 2] = COMMA;
      at += 2;
    }
    bytes[at] = CLOSE_BRACKET;
    this.#at = at + 1;
    return this;
  }

  #latin(text: string): this {
    this.#reserve(text.length);
    this.#at += this.#bytes.write(text, this.#at, "latin1");
    return this;
  }

  #utf8(text: string): this {
    const bytes = Buffer.from(text, "utf8");
    this.#reserve(bytes.length);
    this.#at += bytes.copy(this.#bytes, this.#at);
    return this;
  }

  #reserve(count: number): void {
    if (this.#at + count + MARGIN_BYTES > this.#bytes.length) this.#grow(count);
  }

  /** A line may be longer than a block; blocks end with whole lines, so the block grows. */
  #grow(count: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + count + MARGIN_BYTES));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
