/**
 * Parts of OPC UA bodies, read over where they lie: each function answers where its part ends, or {@link NO} where it is not of the plain
 * form that `opcua-skim.ts` writes.
 */

/** Items of a message that are read here; longer ones are rare, and the codecs' business. */
export const MAX_ITEMS = 1024;
const MAX_PLAIN_BYTES = 256;

export const NODE = { TWO_BYTE: 0, FOUR_BYTE: 1, NUMERIC: 2, STRING: 3, GUID: 4, OPAQUE: 5 } as const;
const DATE_BYTES = 8;
const GUID_BYTES = 16;
export const NULL_LENGTH = -1;

const DATA_VALUE = {
  VALUE: 0x01,
  STATUS: 0x02,
  SOURCE_TIME: 0x04,
  SERVER_TIME: 0x08,
  SOURCE_PICOSECONDS: 0x10,
  SERVER_PICOSECONDS: 0x20,
  ALL: 0x3f,
} as const;

export const TYPE = {
  BOOLEAN: 1,
  SBYTE: 2,
  BYTE: 3,
  INT16: 4,
  UINT16: 5,
  INT32: 6,
  UINT32: 7,
  FLOAT: 10,
  DOUBLE: 11,
  STRING: 12,
} as const;
const SIZES: readonly number[] = [0, 1, 1, 1, 2, 2, 4, 4, 0, 0, 4, 8];

/** Marks a place that cannot be read here. */
export const NO = -1;

/** What is known of the items of the message at hand; one for all messages, since each is written at once. */
export const handles = new Uint32Array(MAX_ITEMS);
export const valueAt = new Int32Array(MAX_ITEMS);
export const statuses = new Uint32Array(MAX_ITEMS);
export const idAt = new Int32Array(MAX_ITEMS);

/**
 * The memory that the body at hand lies in, seen as numbers and as bytes; offsets count from its beginning. A view is read many times
 * faster than a Buffer, and the bodies of one piece of a capture share their memory.
 */
export let view: DataView = new DataView(new ArrayBuffer(0));
export let bytes: Uint8Array = new Uint8Array(view.buffer);
/** where the body ends */
export let bodyEnd = 0;

/** Takes a body, which begins at `offset` of a chunk; answers where it begins in `bytes`. */
export function look(chunk: Buffer, offset: number): number {
  if (view.buffer !== chunk.buffer) {
    view = new DataView(chunk.buffer);
    bytes = new Uint8Array(chunk.buffer);
  }
  bodyEnd = chunk.byteOffset + chunk.length;
  return chunk.byteOffset + offset;
}

/** Reads over a RequestHeader; answers where it ends, or `NO`. */
export function requestHeader(start: number): number {
  const at = skipNodeId(start);
  // Time (8), handle (4), diagnostics wanted (4), audit entry (4), time limit (4), additional header (3).
  if (at === NO || at + 27 > bodyEnd) return NO;
  const audit = view.getInt32(at + 16, true);
  if (audit !== NULL_LENGTH && audit !== 0) return NO;
  return noObject(at + 24);
}

/** Reads over a ResponseHeader that says Good; answers where it ends, or `NO`. */
export function responseHeader(at: number): number {
  // Time (8), handle (4), result (4), diagnostics (1), string table (4), additional header (3).
  if (at + 24 > bodyEnd) return NO;
  if (view.getUint32(at + DATE_BYTES + 4, true) !== 0 || view.getUint8(at + 16) !== 0) return NO;
  const strings = view.getInt32(at + 17, true);
  if (strings !== NULL_LENGTH && strings !== 0) return NO;
  return noObject(at + 21);
}

/** An ExtensionObject of the null type without a body: `00 00 00`. */
export function noObject(at: number): number {
  return view.getUint16(at, true) === 0 && view.getUint8(at + 2) === 0 ? at + 3 : NO;
}

export function noDiagnostics(at: number, end: number): number {
  if (at + 4 > end) return NO;
  const count = view.getInt32(at, true);
  return count === NULL_LENGTH || count === 0 ? at + 4 : NO;
}

/** An array of 32-bit numbers that nobody asks for. */
export function wordList(at: number): number {
  if (at + 4 > bodyEnd) return NO;
  const count = view.getInt32(at, true);
  if (count < NULL_LENGTH || count > MAX_ITEMS) return NO;
  const end = at + 4 + 4 * Math.max(0, count);
  return end <= bodyEnd ? end : NO;
}

/** Reads over a NodeId of any kind but text. */
export function skipNodeId(at: number): number {
  if (at + 8 > bodyEnd) return NO;
  switch (view.getUint8(at)) {
    case NODE.TWO_BYTE:
      return at + 2;
    case NODE.FOUR_BYTE:
      return at + 4;
    case NODE.NUMERIC:
      return at + 7;
    case NODE.GUID:
      return at + 3 + GUID_BYTES;
    case NODE.OPAQUE: {
      const length = view.getInt32(at + 3, true);
      return length < 0 || length > MAX_PLAIN_BYTES ? NO : at + 7 + length;
    }
    default:
      return NO;
  }
}

/** Reads over a NodeId that is a number or plain text. */
export function plainNodeId(at: number): number {
  if (at + 8 > bodyEnd) return NO;
  switch (view.getUint8(at)) {
    case NODE.TWO_BYTE:
      return at + 2;
    case NODE.FOUR_BYTE:
      return at + 4;
    case NODE.NUMERIC:
      return at + 7;
    case NODE.STRING:
      return plainString(at + 3, bodyEnd);
    default:
      return NO;
  }
}

/** Reads over a string of ASCII that JSON need not escape. */
export function plainString(at: number, end: number): number {
  if (at + 4 > end) return NO;
  const length = view.getInt32(at, true);
  const stop = at + 4 + length;
  if (length < 0 || length > MAX_PLAIN_BYTES || stop > end) return NO;
  for (let i = at + 4; i < stop; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return NO;
  }
  return stop;
}

/** Reads over a DataValue and remembers it as item `i`. */
export function dataValue(at: number, end: number, i: number): number {
  if (at >= end) return NO;
  const mask = bytes[at] ?? 0;
  if ((mask & ~DATA_VALUE.ALL) !== 0) return NO;
  let next = at + 1;
  valueAt[i] = NO;
  if ((mask & DATA_VALUE.VALUE) !== 0) {
    valueAt[i] = next;
    next = scalar(next, end);
    if (next === NO) return NO;
  }
  const hasStatus = (mask & DATA_VALUE.STATUS) !== 0;
  if (hasStatus && next + 4 > end) return NO;
  statuses[i] = hasStatus ? view.getUint32(next, true) : 0;
  if (hasStatus) next += 4;
  if ((mask & DATA_VALUE.SOURCE_TIME) !== 0) next += DATE_BYTES;
  if ((mask & DATA_VALUE.SOURCE_PICOSECONDS) !== 0) next += 2;
  if ((mask & DATA_VALUE.SERVER_TIME) !== 0) next += DATE_BYTES;
  if ((mask & DATA_VALUE.SERVER_PICOSECONDS) !== 0) next += 2;
  return next <= end ? next : NO;
}

/** Reads over a Variant that is one number, truth value or plain text. */
export function scalar(at: number, end: number): number {
  if (at >= end) return NO;
  const type = bytes[at] ?? 0;
  if (type === TYPE.STRING) return plainString(at + 1, end);
  const size = SIZES[type] ?? 0;
  return size === 0 || at + 1 + size > end ? NO : at + 1 + size;
}
