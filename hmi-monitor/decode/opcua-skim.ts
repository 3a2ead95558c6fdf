import { VALUE_ATTRIBUTE_ID } from "#wire/opcua/attribute-id.ts";
import { SERVICES } from "#wire/opcua/services/service-table.ts";
import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";
import {
  bodyEnd,
  dataValue,
  handles,
  idAt,
  look,
  MAX_ITEMS,
  NO,
  NULL_LENGTH,
  noDiagnostics,
  plainNodeId,
  requestHeader,
  responseHeader,
  view,
  wordList,
} from "./opcua-plain-parts.ts";
import { writeHandles, writeNodeId, writeValues } from "./opcua-plain-values.ts";

/**
 * The messages that most of a capture consists of, from bytes to a line without values in between: Read and Publish, both ways. Only their plain form is read here (scalars, ASCII names, no diagnostics, no extension headers). Everything else, and
 * everything that is not well formed to the last byte, is left to the codecs of `#wire/opcua`, which stay the one authority: a test
 * holds that whatever is written here they would have written, for mutated messages too.
 */

const KEY = {
  clientHandles: ascii(',"clientHandles":['),
  readRequest: ascii(',"service":"Read","nodeIds":['),
  readResponse: ascii(',"service":"Read","statusCode":0'),
  publishRequest: ascii(',"service":"Publish"'),
  publishResponse: ascii(',"service":"Publish","statusCode":0,"subscriptionId":'),
  subscriptionIds: ascii(',"subscriptionIds":['),
  close: ascii("]"),
  comma: ascii(","),
} as const;

/** `01 00` and a 16-bit number: how services name their type. */
const TYPE_ID = { PREFIX: 0x0001, NUMBER: 2, END: 4 } as const;
/** Encoding id of DataChangeNotification. */
const DATA_CHANGE = 811;
const BINARY_BODY = 1;
/** The message that was located last. */
let located: "read-request" | "read-response" | "publish-request" | "publish-response" = "read-request";
let itemCount = 0;
let subscriptionId = 0;

/** Whether the body that begins at `start` can be written here; if so, call `skimmed` next. */
export function canSkim(up: boolean, body: Buffer, offset: number): boolean {
  const start = look(body, offset);
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
        writeNodeId(json, i);
      }
      json.raw(KEY.close);
      return;
    case "read-response":
      json.raw(KEY.readResponse);
      writeValues(json, itemCount);
      return;
    case "publish-response":
      json.raw(KEY.publishResponse).int(subscriptionId).raw(KEY.clientHandles);
      writeHandles(json, itemCount);
      writeValues(json, itemCount);
      return;
    case "publish-request":
      json.raw(KEY.publishRequest);
      if (itemCount > 0) writeHandles(json.raw(KEY.subscriptionIds), itemCount);
      return;
  }
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
