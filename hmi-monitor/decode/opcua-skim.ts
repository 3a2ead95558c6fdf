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

/** The message that was located last. */
let located: "read-request" | "read-response" | "publish-request" | "publish-response" = "read-request";
let itemCount = 0;
let subscriptionId = 0;

/** Whether the body that begins at `start` can be written here; if so, call `skimmed` next. */
export function canSkim(up: boolean, body: Buffer, start: number): boolean {
  if (body.length < start + TYPE_ID.END || body.readUInt16LE(start) !== TYPE_ID.PREFIX) return false;
  const service = body.readUInt16LE(start + TYPE_ID.NUMBER);
  const at = start + TYPE_ID.END;
  if (up) {
    if (service === SERVICES.Read.request) return locateReadRequest(body, at);
    return service === SERVICES.Publish.request && locatePublishRequest(body, at);
  }
  if (service === SERVICES.Read.response) return locateReadResponse(body, at);
  return service === SERVICES.Publish.response && locatePublishResponse(body, at);
}

/** Writes service and fields of the body that was located last. */
export function skimmed(json: JsonBytes, body: Buffer): void {
  switch (located) {
    case "read-request":
      json.raw(KEY.readRequest);
      for (let i = 0; i < itemCount; i += 1) {
        if (i > 0) json.raw(KEY.comma);
        writeNodeId(json, body, idAt[i] ?? 0);
      }
      json.raw(KEY.close);
      return;
    case "read-response":
      json.raw(KEY.readResponse);
      writeValues(json, body, itemCount);
      return;
    case "publish-response":
      json.raw(KEY.publishResponse).int(subscriptionId).raw(KEY.clientHandles);
      writeHandles(json);
      writeValues(json, body, itemCount);
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
function locatePublishRequest(body: Buffer, start: number): boolean {
  const at = requestHeader(body, start);
  if (at === NO || at + 4 > body.length) return false;
  const count = Math.max(0, body.readInt32LE(at));
  if (count > MAX_ITEMS || at + 4 + 8 * count !== body.length || body.readInt32LE(at) < NULL_LENGTH) return false;
  for (let i = 0; i < count; i += 1) handles[i] = body.readUInt32LE(at + 4 + 8 * i);
  located = "publish-request";
  itemCount = count;
  return true;
}

function locateReadRequest(body: Buffer, start: number): boolean {
  // Behind the header: how old values may be (8), which times are wanted (4), and how many nodes (4).
  const at = requestHeader(body, start);
  if (at === NO || at + 16 > body.length) return false;
  const count = body.readInt32LE(at + 12);
  if (count < 0 || count > MAX_ITEMS) return false;
  let next = at + 16;
  for (let i = 0; i < count; i += 1) {
    idAt[i] = next;
    next = plainNodeId(body, next);
    // Attribute (4), index range (4), namespace and name of an encoding (6).
    if (next === NO || next + 14 > body.length) return false;
    if (body.readUInt32LE(next) !== VALUE_ATTRIBUTE_ID) return false;
    if (body.readInt32LE(next + 4) !== NULL_LENGTH || body.readInt32LE(next + 10) !== NULL_LENGTH) return false;
    next += 14;
  }
  located = "read-request";
  itemCount = count;
  return next === body.length;
}

function locateReadResponse(body: Buffer, start: number): boolean {
  let at = responseHeader(body, start);
  if (at === NO || at + 4 > body.length) return false;
  const count = body.readInt32LE(at);
  if (count < 0 || count > MAX_ITEMS) return false;
  at += 4;
  for (let i = 0; i < count; i += 1) {
    at = dataValue(body, at, body.length, i);
    if (at === NO) return false;
  }
  located = "read-response";
  itemCount = count;
  return noDiagnostics(body, at, body.length) === body.length;
}

function locatePublishResponse(body: Buffer, start: number): boolean {
  const at = responseHeader(body, start);
  if (at === NO || at + 8 > body.length) return false;
  subscriptionId = body.readUInt32LE(at);
  // Numbers that can be asked for again; then a flag (1), a number (4), a time (8), and how many notifications (4).
  const behind = wordList(body, at + 4);
  if (behind === NO || behind + 17 > body.length) return false;
  const notifications = body.readInt32LE(behind + 13);
  if (notifications < 0 || notifications > MAX_ITEMS) return false;
  let next = behind + 17;
  let items = 0;
  for (let i = 0; i < notifications; i += 1) {
    const found = dataChange(body, next, items);
    if (found === NO) return false;
    items = found;
    next += NOTIFICATION.BODY + body.readInt32LE(next + NOTIFICATION.LENGTH);
  }
  const results = wordList(body, next);
  if (results === NO || noDiagnostics(body, results, body.length) !== body.length) return false;
  located = "publish-response";
  itemCount = items;
  return true;
}

/** Offsets of a notification whose type is `01 00` and a 16-bit number. */
const NOTIFICATION = { ENCODING: 4, LENGTH: 5, BODY: 9 } as const;

/** The items of one DataChangeNotification; answers how many items there are with these, or `NO`. */
function dataChange(body: Buffer, at: number, before: number): number {
  if (at + NOTIFICATION.BODY + 4 > body.length || body.readUInt16LE(at) !== TYPE_ID.PREFIX) return NO;
  if (body.readUInt16LE(at + TYPE_ID.NUMBER) !== DATA_CHANGE) return NO;
  if (body.readUInt8(at + NOTIFICATION.ENCODING) !== BINARY_BODY) return NO;
  const length = body.readInt32LE(at + NOTIFICATION.LENGTH);
  const start = at + NOTIFICATION.BODY;
  const end = start + length;
  if (length < 4 || end > body.length) return NO;
  const count = body.readInt32LE(start);
  if (count < 0 || before + count > MAX_ITEMS) return NO;
  let next = start + 4;
  for (let i = before; i < before + count; i += 1) {
    if (next + 4 > end) return NO;
    handles[i] = body.readUInt32LE(next);
    next = dataValue(body, next + 4, end, i);
    if (next === NO) return NO;
  }
  return noDiagnostics(body, next, end) === end ? before + count : NO;
}

/** Reads over a RequestHeader; answers where it ends, or `NO`. */
function requestHeader(body: Buffer, start: number): number {
  const at = skipNodeId(body, start);
  // Time (8), handle (4), diagnostics wanted (4), audit entry (4), time limit (4), additional header (3).
  if (at === NO || at + 27 > body.length) return NO;
  const audit = body.readInt32LE(at + 16);
  if (audit !== NULL_LENGTH && audit !== 0) return NO;
  return noObject(body, at + 24);
}

/** Reads over a ResponseHeader that says Good; answers where it ends, or `NO`. */
function responseHeader(body: Buffer, at: number): number {
  // Time (8), handle (4), result (4), diagnostics (1), string table (4), additional header (3).
  if (at + 24 > body.length) return NO;
  if (body.readUInt32LE(at + DATE_BYTES + 4) !== 0 || body.readUInt8(at + 16) !== 0) return NO;
  const strings = body.readInt32LE(at + 17);
  if (strings !== NULL_LENGTH && strings !== 0) return NO;
  return noObject(body, at + 21);
}

/** An ExtensionObject of the null type without a body: `00 00 00`. */
function noObject(body: Buffer, at: number): number {
  return body.readUInt16LE(at) === 0 && body.readUInt8(at + 2) === 0 ? at + 3 : NO;
}

function noDiagnostics(body: Buffer, at: number, end: number): number {
  if (at + 4 > end) return NO;
  const count = body.readInt32LE(at);
  return count === NULL_LENGTH || count === 0 ? at + 4 : NO;
}

/** An array of 32-bit numbers that nobody asks for. */
function wordList(body: Buffer, at: number): number {
  if (at + 4 > body.length) return NO;
  const count = body.readInt32LE(at);
  if (count < NULL_LENGTH || count > MAX_ITEMS) return NO;
  const end = at + 4 + 4 * Math.max(0, count);
  return end <= body.length ? end : NO;
}

/** Reads over a NodeId of any kind but text. */
function skipNodeId(body: Buffer, at: number): number {
  if (at + 8 > body.length) return NO;
  switch (body.readUInt8(at)) {
    case NODE.TWO_BYTE:
      return at + 2;
    case NODE.FOUR_BYTE:
      return at + 4;
    case NODE.NUMERIC:
      return at + 7;
    case NODE.GUID:
      return at + 3 + GUID_BYTES;
    case NODE.OPAQUE: {
      const length = body.readInt32LE(at + 3);
      return length < 0 || length > MAX_PLAIN_BYTES ? NO : at + 7 + length;
    }
    default:
      return NO;
  }
}

/** Reads over a NodeId that is a number or plain text. */
function plainNodeId(body: Buffer, at: number): number {
  if (at + 8 > body.length) return NO;
  switch (body.readUInt8(at)) {
    case NODE.TWO_BYTE:
      return at + 2;
    case NODE.FOUR_BYTE:
      return at + 4;
    case NODE.NUMERIC:
      return at + 7;
    case NODE.STRING:
      return plainString(body, at + 3, body.length);
    default:
      return NO;
  }
}

/** Reads over a string of ASCII that JSON need not escape. */
function plainString(body: Buffer, at: number, end: number): number {
  if (at + 4 > end) return NO;
  const length = body.readInt32LE(at);
  const stop = at + 4 + length;
  if (length < 0 || length > MAX_PLAIN_BYTES || stop > end) return NO;
  for (let i = at + 4; i < stop; i += 1) {
    const byte = body[i] ?? 0;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return NO;
  }
  return stop;
}

/** Reads over a DataValue and remembers it as item `i`. */
function dataValue(body: Buffer, at: number, end: number, i: number): number {
  if (at >= end) return NO;
  const mask = body[at] ?? 0;
  if ((mask & ~DATA_VALUE.ALL) !== 0) return NO;
  let next = at + 1;
  valueAt[i] = NO;
  if ((mask & DATA_VALUE.VALUE) !== 0) {
    valueAt[i] = next;
    next = scalar(body, next, end);
    if (next === NO) return NO;
  }
  const hasStatus = (mask & DATA_VALUE.STATUS) !== 0;
  if (hasStatus && next + 4 > end) return NO;
  statuses[i] = hasStatus ? body.readUInt32LE(next) : 0;
  if (hasStatus) next += 4;
  if ((mask & DATA_VALUE.SOURCE_TIME) !== 0) next += DATE_BYTES;
  if ((mask & DATA_VALUE.SOURCE_PICOSECONDS) !== 0) next += 2;
  if ((mask & DATA_VALUE.SERVER_TIME) !== 0) next += DATE_BYTES;
  if ((mask & DATA_VALUE.SERVER_PICOSECONDS) !== 0) next += 2;
  return next <= end ? next : NO;
}

/** Reads over a Variant that is one number, truth value or plain text. */
function scalar(body: Buffer, at: number, end: number): number {
  if (at >= end) return NO;
  const type = body[at] ?? 0;
  if (type === TYPE.STRING) return plainString(body, at + 1, end);
  const size = SIZES[type] ?? 0;
  return size === 0 || at + 1 + size > end ? NO : at + 1 + size;
}

function writeNodeId(json: JsonBytes, body: Buffer, at: number): void {
  switch (body.readUInt8(at)) {
    case NODE.TWO_BYTE:
      json.nodeNumber(0, body.readUInt8(at + 1));
      return;
    case NODE.FOUR_BYTE:
      json.nodeNumber(body.readUInt8(at + 1), body.readUInt16LE(at + 2));
      return;
    case NODE.NUMERIC:
      json.nodeNumber(body.readUInt16LE(at + 1), body.readUInt32LE(at + 3));
      return;
    default:
      json.nodeText(body.readUInt16LE(at + 1), body, at + 7, at + 7 + body.readInt32LE(at + 3));
  }
}

function writeValues(json: JsonBytes, body: Buffer, count: number): void {
  let good = true;
  json.raw(KEY.values);
  for (let i = 0; i < count; i += 1) {
    if (i > 0) json.raw(KEY.comma);
    if (statuses[i] !== 0) good = false;
    writeScalar(json, body, valueAt[i] ?? NO);
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

function writeScalar(json: JsonBytes, body: Buffer, at: number): void {
  if (at === NO) {
    json.raw(KEY.null);
    return;
  }
  const value = at + 1;
  switch (body.readUInt8(at)) {
    case TYPE.BOOLEAN:
      json.raw(body.readUInt8(value) === 0 ? KEY.false : KEY.true);
      return;
    case TYPE.SBYTE:
      json.int(body.readInt8(value));
      return;
    case TYPE.BYTE:
      json.int(body.readUInt8(value));
      return;
    case TYPE.INT16:
      json.int(body.readInt16LE(value));
      return;
    case TYPE.UINT16:
      json.int(body.readUInt16LE(value));
      return;
    case TYPE.INT32:
      json.int(body.readInt32LE(value));
      return;
    case TYPE.UINT32:
      json.int(body.readUInt32LE(value));
      return;
    case TYPE.FLOAT:
      json.float32(body.readFloatLE(value));
      return;
    case TYPE.DOUBLE:
      json.float(body.readDoubleLE(value));
      return;
    default:
      json.plain(body, value + 4, value + 4 + body.readInt32LE(value));
  }
}
