import { VALUE_ATTRIBUTE_ID } from "#wire/opcua/attribute-id.ts";
import { SERVICES } from "#wire/opcua/services/service-table.ts";
import { ascii, type JsonBytes } from "./json-bytes.ts";

/**
 * The messages that most of a capture consists of, from bytes to a line without values in between: Read and Publish, both ways. Only their plain form is read here (scalars, ASCII names, no diagnostics, no extension headers). Everything else, and
 * everything that is not well formed to the last byte, is left to the codecs of `#wire/opcua`, which stay the one authority: a test
 * holds that whatever is written here they would have written, for mutated messages too.
 */

const KEY = {
  values: ascii(',"values":['),
  statusCodes: ascii(',"statusCodes":['),
  clientHandles: ascii(',"clientHandles":['),
  readRequest: ascii(',"service":"Read","nodeIds":['),
  readResponse: ascii(',"service":"Read","statusCode":0'),
  publishRequest: ascii(',"service":"Publish"'),
  publishResponse: ascii(',"service":"Publish","statusCode":0,"subscriptionId":'),
  subscriptionIds: ascii(',"subscriptionIds":['),
  close: ascii("]"),
  comma: ascii(","),
  null: ascii("null"),
  true: ascii("true"),
  false: ascii("false"),
} as const;

/** Items of a message that are read here; longer ones are rare, and the codecs' business. */
const MAX_ITEMS = 1024;
const MAX_PLAIN_BYTES = 256;

const NODE = { TWO_BYTE: 0, FOUR_BYTE: 1, NUMERIC: 2, STRING: 3, GUID: 4, OPAQUE: 5 } as const;
/** `01 00` and a 16-bit number: how services name their type. */
const TYPE_ID = { PREFIX: 0x0001, NUMBER: 2, END: 4 } as const;
const DATE_BYTES = 8;
const GUID_BYTES = 16;
/** Encoding id of DataChangeNotification. */
const DATA_CHANGE = 811;
const BINARY_BODY = 1;
const NULL_LENGTH = -1;

const DATA_VALUE = {
  VALUE: 0x01,
  STATUS: 0x02,
  SOURCE_TIME: 0x04,
  SERVER_TIME: 0x08,
  SOURCE_PICOSECONDS: 0x10,
  SERVER_PICOSECONDS: 0x20,
  ALL: 0x3f,
} as const;

const TYPE = {
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
const NO = -1;

/** What is known of the items of the message at hand; one for all messages, since each is written at once. */
const handles = new Uint32Array(MAX_ITEMS);
const valueAt = new Int32Array(MAX_ITEMS);
const statuses = new Uint32Array(MAX_ITEMS);
const idAt = new Int32Array(MAX_ITEMS);

/**
 * The memory that the body at hand lies in, seen as numbers and as bytes; offsets count from its beginning. A view is read many times
 * faster than a Buffer, and the bodies of one piece of a capture share their memory.
 */
let view: DataView = new DataView(new ArrayBuffer(0));
let bytes: Uint8Array = new Uint8Array(view.buffer);
/** where the body ends */
let bodyEnd = 0;

/** The message that was located last. */
let located: "read-request" | "read-response" | "publish-request" | "publish-response" = "read-request";
let itemCount = 0;
let subscriptionId = 0;

/** Whether the body that begins at `start` can be written here; if so, call `skimmed` next. */
export function canSkim(up: boolean, body: Buffer, offset: number): boolean {
  if (view.buffer !== body.buffer) {
    view = new DataView(body.buffer);
    bytes = new Uint8Array(body.buffer);
  }
  const start = body.byteOffset + offset;
  bodyEnd = body.byteOffset + body.length;
  if (bodyEnd < start + TYPE_ID.END || view.getUint16(start, true) !== TYPE_ID.PREFIX) return false;
  const service = view.getUint16(start + TYPE_ID.NUMBER, true);
  const at = start + TYPE_ID.END;
  if (up) {
    if (service === SERVICES.Read.request) return locateReadRequest(at);
    return service === SERVICES.Publish.request && locatePublishRequest(at);
  }
  if (service === SERVICES.Read.response) return locateReadResponse(at);
  return service === SERVICES.Publish.response && locatePublishResponse(at);
}

/** Writes service and fields of the body that was located last. */
export function skimmed(json: JsonBytes): void {
  switch (located) {
    case "read-request":
      json.raw(KEY.readRequest);
      for (let i = 0; i < itemCount; i += 1) {
        if (i > 0) json.raw(KEY.comma);
        writeNodeId(json, idAt[i] ?? 0);
      }
      json.raw(KEY.close);
      return;
    case "read-response":
      json.raw(KEY.readResponse);
      writeValues(json, itemCount);
      return;
    case "publish-response":
      json.raw(KEY.publishResponse).int(subscriptionId).raw(KEY.clientHandles);
      writeHandles(json);
      writeValues(json, itemCount);
      return;
    case "publish-request":
      json.raw(KEY.publishRequest);
      if (itemCount > 0) writeHandles(json.raw(KEY.subscriptionIds));
      return;
  }
}

function writeHandles(json: JsonBytes): void {
  for (let i = 0; i < itemCount; i += 1) {
    if (i > 0) json.raw(KEY.comma);
    json.int(handles[i] ?? 0);
  }
  json.raw(KEY.close);
}

/** What is acknowledged: subscription (4) and number (4) of each. */
function locatePublishRequest(start: number): boolean {
  const at = requestHeader(start);
  if (at === NO || at + 4 > bodyEnd) return false;
  const count = Math.max(0, view.getInt32(at, true));
  if (count > MAX_ITEMS || at + 4 + 8 * count !== bodyEnd || view.getInt32(at, true) < NULL_LENGTH) return false;
  for (let i = 0; i < count; i += 1) handles[i] = view.getUint32(at + 4 + 8 * i, true);
  located = "publish-request";
  itemCount = count;
  return true;
}

function locateReadRequest(start: number): boolean {
  // Behind the header: how old values may be (8), which times are wanted (4), and how many nodes (4).
  const at = requestHeader(start);
  if (at === NO || at + 16 > bodyEnd) return false;
  const count = view.getInt32(at + 12, true);
  if (count < 0 || count > MAX_ITEMS) return false;
  let next = at + 16;
  for (let i = 0; i < count; i += 1) {
    idAt[i] = next;
    next = plainNodeId(next);
    // Attribute (4), index range (4), namespace and name of an encoding (6).
    if (next === NO || next + 14 > bodyEnd) return false;
    if (view.getUint32(next, true) !== VALUE_ATTRIBUTE_ID) return false;
    if (view.getInt32(next + 4, true) !== NULL_LENGTH || view.getInt32(next + 10, true) !== NULL_LENGTH) return false;
    next += 14;
  }
  located = "read-request";
  itemCount = count;
  return next === bodyEnd;
}

function locateReadResponse(start: number): boolean {
  let at = responseHeader(start);
  if (at === NO || at + 4 > bodyEnd) return false;
  const count = view.getInt32(at, true);
  if (count < 0 || count > MAX_ITEMS) return false;
  at += 4;
  for (let i = 0; i < count; i += 1) {
    at = dataValue(at, bodyEnd, i);
    if (at === NO) return false;
  }
  located = "read-response";
  itemCount = count;
  return noDiagnostics(at, bodyEnd) === bodyEnd;
}

function locatePublishResponse(start: number): boolean {
  const at = responseHeader(start);
  if (at === NO || at + 8 > bodyEnd) return false;
  subscriptionId = view.getUint32(at, true);
  // Numbers that can be asked for again; then a flag (1), a number (4), a time (8), and how many notifications (4).
  const behind = wordList(at + 4);
  if (behind === NO || behind + 17 > bodyEnd) return false;
  const notifications = view.getInt32(behind + 13, true);
  if (notifications < 0 || notifications > MAX_ITEMS) return false;
  let next = behind + 17;
  let items = 0;
  for (let i = 0; i < notifications; i += 1) {
    const found = dataChange(next, items);
    if (found === NO) return false;
    items = found;
    next += NOTIFICATION.BODY + view.getInt32(next + NOTIFICATION.LENGTH, true);
  }
  const results = wordList(next);
  if (results === NO || noDiagnostics(results, bodyEnd) !== bodyEnd) return false;
  located = "publish-response";
  itemCount = items;
  return true;
}

/** Offsets of a notification whose type is `01 00` and a 16-bit number. */
const NOTIFICATION = { ENCODING: 4, LENGTH: 5, BODY: 9 } as const;

/** The items of one DataChangeNotification; answers how many items there are with these, or `NO`. */
function dataChange(at: number, before: number): number {
  if (at + NOTIFICATION.BODY + 4 > bodyEnd || view.getUint16(at, true) !== TYPE_ID.PREFIX) return NO;
  if (view.getUint16(at + TYPE_ID.NUMBER, true) !== DATA_CHANGE) return NO;
  if (view.getUint8(at + NOTIFICATION.ENCODING) !== BINARY_BODY) return NO;
  const length = view.getInt32(at + NOTIFICATION.LENGTH, true);
  const start = at + NOTIFICATION.BODY;
  const end = start + length;
  if (length < 4 || end > bodyEnd) return NO;
  const count = view.getInt32(start, true);
  if (count < 0 || before + count > MAX_ITEMS) return NO;
  let next = start + 4;
  for (let i = before; i < before + count; i += 1) {
    if (next + 4 > end) return NO;
    handles[i] = view.getUint32(next, true);
    next = dataValue(next + 4, end, i);
    if (next === NO) return NO;
  }
  return noDiagnostics(next, end) === end ? before + count : NO;
}

/** Reads over a RequestHeader; answers where it ends, or `NO`. */
function requestHeader(start: number): number {
  const at = skipNodeId(start);
  // Time (8), handle (4), diagnostics wanted (4), audit entry (4), time limit (4), additional header (3).
  if (at === NO || at + 27 > bodyEnd) return NO;
  const audit = view.getInt32(at + 16, true);
  if (audit !== NULL_LENGTH && audit !== 0) return NO;
  return noObject(at + 24);
}

/** Reads over a ResponseHeader that says Good; answers where it ends, or `NO`. */
function responseHeader(at: number): number {
  // Time (8), handle (4), result (4), diagnostics (1), string table (4), additional header (3).
  if (at + 24 > bodyEnd) return NO;
  if (view.getUint32(at + DATE_BYTES + 4, true) !== 0 || view.getUint8(at + 16) !== 0) return NO;
  const strings = view.getInt32(at + 17, true);
  if (strings !== NULL_LENGTH && strings !== 0) return NO;
  return noObject(at + 21);
}

/** An ExtensionObject of the null type without a body: `00 00 00`. */
function noObject(at: number): number {
  return view.getUint16(at, true) === 0 && view.getUint8(at + 2) === 0 ? at + 3 : NO;
}

function noDiagnostics(at: number, end: number): number {
  if (at + 4 > end) return NO;
  const count = view.getInt32(at, true);
  return count === NULL_LENGTH || count === 0 ? at + 4 : NO;
}

/** An array of 32-bit numbers that nobody asks for. */
function wordList(at: number): number {
  if (at + 4 > bodyEnd) return NO;
  const count = view.getInt32(at, true);
  if (count < NULL_LENGTH || count > MAX_ITEMS) return NO;
  const end = at + 4 + 4 * Math.max(0, count);
  return end <= bodyEnd ? end : NO;
}

/** Reads over a NodeId of any kind but text. */
function skipNodeId(at: number): number {
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
function plainNodeId(at: number): number {
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
function plainString(at: number, end: number): number {
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
function dataValue(at: number, end: number, i: number): number {
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
function scalar(at: number, end: number): number {
  if (at >= end) return NO;
  const type = bytes[at] ?? 0;
  if (type === TYPE.STRING) return plainString(at + 1, end);
  const size = SIZES[type] ?? 0;
  return size === 0 || at + 1 + size > end ? NO : at + 1 + size;
}

function writeNodeId(json: JsonBytes, at: number): void {
  switch (view.getUint8(at)) {
    case NODE.TWO_BYTE:
      json.nodeNumber(0, view.getUint8(at + 1));
      return;
    case NODE.FOUR_BYTE:
      json.nodeNumber(view.getUint8(at + 1), view.getUint16(at + 2, true));
      return;
    case NODE.NUMERIC:
      json.nodeNumber(view.getUint16(at + 1, true), view.getUint32(at + 3, true));
      return;
    default:
      json.nodeText(view.getUint16(at + 1, true), bytes, at + 7, at + 7 + view.getInt32(at + 3, true));
  }
}

function writeValues(json: JsonBytes, count: number): void {
  let good = true;
  json.raw(KEY.values);
  for (let i = 0; i < count; i += 1) {
    if (i > 0) json.raw(KEY.comma);
    if (statuses[i] !== 0) good = false;
    writeScalar(json, valueAt[i] ?? NO);
  }
  json.raw(KEY.close);
  if (good) return;
  json.raw(KEY.statusCodes);
  for (let i = 0; i < count; i += 1) {
    if (i > 0) json.raw(KEY.comma);
    json.int(statuses[i] ?? 0);
  }
  json.raw(KEY.close);
}

function writeScalar(json: JsonBytes, at: number): void {
  if (at === NO) {
    json.raw(KEY.null);
    return;
  }
  const value = at + 1;
  switch (view.getUint8(at)) {
    case TYPE.BOOLEAN:
      json.raw(view.getUint8(value) === 0 ? KEY.false : KEY.true);
      return;
    case TYPE.SBYTE:
      json.int(view.getInt8(value));
      return;
    case TYPE.BYTE:
      json.int(view.getUint8(value));
      return;
    case TYPE.INT16:
      json.int(view.getInt16(value, true));
      return;
    case TYPE.UINT16:
      json.int(view.getUint16(value, true));
      return;
    case TYPE.INT32:
      json.int(view.getInt32(value, true));
      return;
    case TYPE.UINT32:
      json.int(view.getUint32(value, true));
      return;
    case TYPE.FLOAT:
      json.float32(view.getFloat32(value, true));
      return;
    case TYPE.DOUBLE:
      json.float(view.getFloat64(value, true));
      return;
    default:
      json.plain(bytes, value + 4, value + 4 + view.getInt32(value, true));
  }
}
