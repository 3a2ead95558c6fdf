import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";
import { bytes, handles, idAt, NO, NODE, statuses, TYPE, valueAt, view } from "./opcua-plain-parts.ts";

/** Writes what `opcua-plain-parts.ts` found: NodeIds, handles and values, from bytes to JSON without values in between. */

const KEY = {
  values: ascii(',"values":['),
  statusCodes: ascii(',"statusCodes":['),
  close: ascii("]"),
  comma: ascii(","),
  null: ascii("null"),
  true: ascii("true"),
  false: ascii("false"),
} as const;

/** Handles or identifiers of the first so many items, and the end of their list. */
export function writeHandles(json: JsonBytes, itemCount: number): void {
  for (let i = 0; i < itemCount; i += 1) {
    if (i > 0) json.raw(KEY.comma);
    json.int(handles[i] ?? 0);
  }
  json.raw(KEY.close);
}

/** The NodeId of item `i`. */
export function writeNodeId(json: JsonBytes, i: number): void {
  const at = idAt[i] ?? 0;
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

/** Values of the first so many items, and their status unless all are good. */
export function writeValues(json: JsonBytes, count: number): void {
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
