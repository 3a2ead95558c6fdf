/**
 * Reader of the OPC UA Binary encoding (OPC 10000-6 v1.05 §5.2).
 *
 * The first failure sticks: later reads give zero, empty or null, arrays end, and {@link BinaryReader.finish} returns
 * the failure. So a decoder reads its fields in a straight line, and no exception is needed to leave it.
 */
import { isUtf8 } from "node:buffer";
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, type WireErrorCode, wireError } from "../wire-error.ts";
import { DEFAULT_DECODE_LIMITS, type DecodeLimits } from "./decode-limits.ts";
import { guidText, NULL_GUID } from "./guid.ts";

const SPEC = "OPC 10000-6 v1.05 §5.2.2";
const SPEC_ARRAY = "OPC 10000-6 v1.05 §5.2.5";
const SPEC_DEPTH = "OPC 10000-6 v1.05 §5.1.9";

/** Strings that are looked at byte by byte: for short ones that is faster than to ask for it. */
const SHORT_STRING_BYTES = 64;
const MAX_ASCII = 0x7f;

/** The length that says null, for String, ByteString and arrays. */
const NULL_LENGTH = -1;

/** Ticks of 100 ns in a millisecond, and milliseconds from 1601-01-01 to 1970-01-01 (§5.2.2.5). */
const TICKS_PER_MS = 10_000;
/** 2^32 ticks in whole milliseconds, and the ticks beyond them: a count of ticks is more than a number holds exactly. */
const HIGH_MS = 429_496;
const HIGH_TICKS = 7_296;
const EPOCH_DIFFERENCE_MS = 11_644_473_600_000;

/** Where one string sits in the bytes: from its length field to its end. A null string is 4 bytes. */
export interface StringSpan {
  readonly start: number;
  readonly end: number;
  readonly value: string | null;
}

/** Fields that somebody in the middle has to say in words of their own. */
export type FieldKind = "application-uri" | "certificate" | "endpoints" | "identity" | "nonce" | "signature";

/** Where one of them sits in the bytes. */
export interface FieldSpan {
  readonly kind: FieldKind;
  readonly start: number;
  readonly end: number;
}

export class BinaryReader {
  readonly #bytes: Buffer;
  readonly #limits: DecodeLimits;
  readonly #urlSpans: StringSpan[] = [];
  readonly #fieldSpans: FieldSpan[] = [];
  #offset: number;
  #depth = 0;
  #failure: WireError | undefined;

  constructor(bytes: Buffer, limits: DecodeLimits = DEFAULT_DECODE_LIMITS, offset = 0) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#offset = offset;
  }

  /** Position of the next read, in bytes from the start of the buffer. */
  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Places of the strings read with {@link url}, in the order of the bytes. */
  get urlSpans(): readonly StringSpan[] {
    return this.#urlSpans;
  }

  /** Places of what was read within {@link field}, in the order in which it ended. */
  get fieldSpans(): readonly FieldSpan[] {
    return this.#fieldSpans;
  }

  /** Reads a field and remembers its place. */
  field<T>(kind: FieldKind, read: (reader: BinaryReader) => T): T {
    const start = this.#offset;
    const value = read(this);
    if (!this.failed) this.#fieldSpans.push({ kind, start, end: this.#offset });
    return value;
  }

  /** Latches a failure; only the first one counts. */
  fail(code: WireErrorCode, offset: number, spec: string = SPEC): void {
    this.#failure ??= wireError(code, offset, spec);
  }

  /** The value, or the first failure. Bytes after the value are not looked at. */
  result<T>(value: T): Result<T, WireError> {
    return this.#failure === undefined ? ok(value) : err(this.#failure);
  }

  /** The value when every byte was read, or the first failure; bytes left over are one (`UA_TRAILING`). */
  finish<T>(value: T): Result<T, WireError> {
    if (this.remaining > 0) this.fail("UA_TRAILING", this.#offset);
    return this.result(value);
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#bytes.readUInt8(at);
  }

  i8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#bytes.readInt8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#bytes.readUInt16LE(at);
  }

  i16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#bytes.readInt16LE(at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#bytes.readUInt32LE(at);
  }

  i32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#bytes.readInt32LE(at);
  }

  i64(): bigint {
    const at = this.#take(8);
    return at < 0 ? 0n : this.#bytes.readBigInt64LE(at);
  }

  u64(): bigint {
    const at = this.#take(8);
    return at < 0 ? 0n : this.#bytes.readBigUInt64LE(at);
  }

  f32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#bytes.readFloatLE(at);
  }

  f64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : this.#bytes.readDoubleLE(at);
  }

  /** Boolean: "decoders shall treat any non-zero value as true" (§5.2.2.1). */
  bool(): boolean {
    return this.u8() !== 0;
  }

  /** DateTime in milliseconds since 1970-01-01 UTC; fractions keep the finer ticks as far as a number can. */
  dateTimeMs(): number {
    const low = this.u32();
    const high = this.i32();
    const ticks = high * HIGH_TICKS + low;
    const ms = Math.floor(ticks / TICKS_PER_MS);
    return high * HIGH_MS + ms - EPOCH_DIFFERENCE_MS + (ticks - ms * TICKS_PER_MS) / TICKS_PER_MS;
  }

  /** Guid as lower-case text, `72962b91-fa75-4ae6-8d28-b404dc7daf63` (§5.1.3, §5.2.2.6). */
  guid(): string {
    const at = this.#take(16);
    return at < 0 ? NULL_GUID : guidText(this.#bytes, at);
  }

  /**
   * String or null. Bytes that are not UTF-8 are refused, and so are embedded nulls, at which the standard lets decoders
   * cut the text off (§5.2.2.4): two readers could see two texts in them.
   */
  string(): string | null {
    const start = this.#offset;
    const length = this.#length(this.#limits.maxStringBytes, "UA_STRING");
    if (length === NULL_LENGTH) return null;
    const at = this.#take(length);
    if (at < 0) return null;
    if (length <= SHORT_STRING_BYTES && this.#isPlainAscii(at, length)) {
      return this.#bytes.toString("latin1", at, at + length);
    }
    const view = this.#bytes.subarray(at, at + length);
    if (!isUtf8(view) || view.includes(0)) {
      this.fail("UA_STRING", start);
      return null;
    }
    return view.toString("utf8");
  }

  /** Neither nulls nor anything that UTF-8 writes in more than one byte: names of nodes, mostly. */
  #isPlainAscii(at: number, length: number): boolean {
    for (let i = at; i < at + length; i += 1) {
      const byte = this.#bytes[i] ?? 0;
      if (byte === 0 || byte > MAX_ASCII) return false;
    }
    return true;
  }

  /** String that names an endpoint or discovery URL; its place is remembered for `endpoint-rewrite.ts`. */
  url(): string | null {
    const start = this.#offset;
    const value = this.string();
    if (!this.failed) this.#urlSpans.push({ start, end: this.#offset, value });
    return value;
  }

  /** ByteString or null; a view of the message, not a copy. */
  byteString(): Buffer | null {
    const length = this.#length(this.#limits.maxByteStringBytes, "UA_STRING");
    if (length === NULL_LENGTH) return null;
    const at = this.#take(length);
    return at < 0 ? null : this.#bytes.subarray(at, at + length);
  }

  /**
   * Length of an array whose elements take at least `minElementBytes` each: -1 for null.
   * A length that the bytes left cannot hold is refused before anything is allocated for it.
   */
  arrayLength(minElementBytes: number): number {
    const at = this.#offset;
    const length = this.i32();
    if (this.failed) return 0;
    if (length < NULL_LENGTH || length > this.#limits.maxArrayLength) {
      this.fail("UA_ARRAY", at, SPEC_ARRAY);
      return 0;
    }
    if (length > 0 && length * minElementBytes > this.remaining) {
      this.fail("UA_SHORT", at, SPEC_ARRAY);
      return 0;
    }
    return length;
  }

  /** The elements of an array; null reads as empty. */
  array<T>(minElementBytes: number, element: (reader: BinaryReader) => T): readonly T[] {
    const length = this.arrayLength(minElementBytes);
    return length <= 0 ? [] : this.elements(length, element);
  }

  /** `count` elements, fewer after a failure. */
  elements<T>(count: number, element: (reader: BinaryReader) => T): readonly T[] {
    const values: T[] = [];
    for (let i = 0; i < count && !this.failed; i += 1) values.push(element(this));
    return values;
  }

  /** Reads one level deeper; past the bound nothing is read and `fallback` is returned. */
  nested<T>(read: (reader: BinaryReader) => T, fallback: T): T {
    if (this.#depth >= this.#limits.maxDepth) {
      this.fail("UA_DEPTH", this.#offset, SPEC_DEPTH);
      return fallback;
    }
    this.#depth += 1;
    const value = read(this);
    this.#depth -= 1;
    return value;
  }

  /** A reader of a part of this message, with the same limits; its failure is its own. */
  inner(bytes: Buffer): BinaryReader {
    return new BinaryReader(bytes, this.#limits);
  }

  #length(max: number, code: WireErrorCode): number {
    const at = this.#offset;
    const length = this.i32();
    if (this.failed) return NULL_LENGTH;
    if (length < NULL_LENGTH || length > max) {
      this.fail(code, at);
      return NULL_LENGTH;
    }
    return length;
  }

  /** Moves past `count` bytes and returns where they start, or -1 after a failure. */
  #take(count: number): number {
    if (this.#failure !== undefined) return -1;
    const at = this.#offset;
    if (count > this.#bytes.length - at) {
      this.fail("UA_SHORT", at);
      return -1;
    }
    this.#offset = at + count;
    return at;
  }
}
