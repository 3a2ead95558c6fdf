/** Read (OPC 10000-4 v1.05 §5.11.2). */
import type { BinaryReader } from "../binary-reader.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { type QualifiedName, readDiagnosticInfo, readQualifiedName } from "../builtin-types.ts";
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

/** Mask of a DataValue that is a status code and nothing else (OPC 10000-6 v1.05 §5.2.2.17). */
const STATUS_ONLY = 0x02;

/** NodeId, attribute 4, index range 4, data encoding 6. */
export const MIN_READ_VALUE_ID_BYTES = MIN_NODE_ID_BYTES + 14;

/** One attribute of one node (§7.29). `indexRange` is the text on the wire, null for the whole value. */
export interface ReadValueId {
  readonly nodeId: NodeId;
  readonly attributeId: number;
  readonly indexRange: string | null;
  readonly dataEncoding: QualifiedName;
}

export interface ReadRequest {
  readonly service: "Read";
  readonly header: RequestHeader;
  /** Milliseconds; how old a cached value may be. */
  readonly maxAgeMs: number;
  readonly timestampsToReturn: number;
  readonly nodesToRead: readonly ReadValueId[];
}

/** Results in the order of the request's `nodesToRead`. */
export interface ReadResponse {
  readonly service: "Read";
  readonly header: ResponseHeader;
  readonly results: readonly DataValue[];
}

export function readReadValueId(reader: BinaryReader): ReadValueId {
  return {
    nodeId: readNodeId(reader),
    attributeId: reader.u32(),
    indexRange: reader.string(),
    dataEncoding: readQualifiedName(reader),
  };
}

export function readReadRequest(reader: BinaryReader): ReadRequest {
  return {
    service: "Read",
    header: readRequestHeader(reader),
    maxAgeMs: reader.f64(),
    timestampsToReturn: reader.u32(),
    nodesToRead: reader.array(MIN_READ_VALUE_ID_BYTES, readReadValueId),
  };
}

export function readReadResponse(reader: BinaryReader): ReadResponse {
  const header = readResponseHeader(reader);
  const results = reader.array(MIN_DATA_VALUE_BYTES, readDataValue);
  reader.array(1, readDiagnosticInfo);
  return { service: "Read", header, results };
}

export interface ReadAnswer extends AnswerHeader {
  /** One status code for each item of the request. */
  readonly results: readonly number[];
}

/** Body of a ReadResponse of our own, without values: for refusals. */
export function encodeReadResponse(answer: ReadAnswer): Buffer {
  const writer = new BinaryWriter();
  writeNodeId(writer, numericNodeId(SERVICES.Read.response));
  writeResponseHeader(writer, answer);
  writer.array(answer.results, (w, statusCode) => w.u8(STATUS_ONLY).u32(statusCode)).array([], () => undefined);
  return writer.toBuffer();
}
