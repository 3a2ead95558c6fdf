/** Write (OPC 10000-4 v1.05 §5.11.4). */
import type { BinaryReader } from "../binary-reader.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { readDiagnosticInfo } from "../builtin-types.ts";
import {
  type AnswerHeader,
  type RequestHeader,
  type ResponseHeader,
  readRequestHeader,
  readResponseHeader,
  writeResponseHeader,
} from "../headers.ts";
import { MIN_NODE_ID_BYTES, type NodeId, numericNodeId, readNodeId, writeNodeId } from "../node-id.ts";
import { type DataValue, MIN_DATA_VALUE_BYTES, readDataValue } from "../variant.ts";
import { SERVICES } from "./service-table.ts";

/** NodeId, attribute 4, index range 4, value. */
const MIN_WRITE_VALUE_BYTES = MIN_NODE_ID_BYTES + 8 + MIN_DATA_VALUE_BYTES;

/** One attribute to write. With an `indexRange`, `value` is a part of an array or string only. */
interface WriteValue {
  readonly nodeId: NodeId;
  readonly attributeId: number;
  readonly indexRange: string | null;
  readonly value: DataValue;
}

export interface WriteRequest {
  readonly service: "Write";
  readonly header: RequestHeader;
  readonly nodesToWrite: readonly WriteValue[];
}

/** One status code for each of the request's `nodesToWrite`, in its order. */
export interface WriteResponse {
  readonly service: "Write";
  readonly header: ResponseHeader;
  readonly results: readonly number[];
}

function readWriteValue(reader: BinaryReader): WriteValue {
  return {
    nodeId: readNodeId(reader),
    attributeId: reader.u32(),
    indexRange: reader.string(),
    value: readDataValue(reader),
  };
}

export function readWriteRequest(reader: BinaryReader): WriteRequest {
  return {
    service: "Write",
    header: readRequestHeader(reader),
    nodesToWrite: reader.array(MIN_WRITE_VALUE_BYTES, readWriteValue),
  };
}

export function readWriteResponse(reader: BinaryReader): WriteResponse {
  const header = readResponseHeader(reader);
  const results = reader.array(4, (r) => r.u32());
  reader.array(1, readDiagnosticInfo);
  return { service: "Write", header, results };
}

export interface WriteAnswer extends AnswerHeader {
  /** One status code for each item of the request. */
  readonly results: readonly number[];
}

/** Body of a WriteResponse of our own. */
export function encodeWriteResponse(answer: WriteAnswer): Buffer {
  const writer = new BinaryWriter();
  writeNodeId(writer, numericNodeId(SERVICES.Write.response));
  writeResponseHeader(writer, answer);
  writer.array(answer.results, (w, statusCode) => w.u32(statusCode)).array([], () => undefined);
  return writer.toBuffer();
}
