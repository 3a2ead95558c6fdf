/** Call (OPC 10000-4 v1.05 §5.12.2). */
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
import { MIN_VARIANT_BYTES, readVariant, type Variant } from "../variant.ts";
import { SERVICES } from "./service-table.ts";

const MIN_CALL_BYTES = 2 * MIN_NODE_ID_BYTES + 4;
/** Status code and three array lengths. */
const MIN_CALL_RESULT_BYTES = 16;

interface CallMethod {
  readonly objectId: NodeId;
  readonly methodId: NodeId;
  readonly inputArguments: readonly Variant[];
}

export interface CallRequest {
  readonly service: "Call";
  readonly header: RequestHeader;
  readonly methodsToCall: readonly CallMethod[];
}

interface CallMethodResult {
  readonly statusCode: number;
  readonly inputArgumentResults: readonly number[];
  readonly outputArguments: readonly Variant[];
}

export interface CallResponse {
  readonly service: "Call";
  readonly header: ResponseHeader;
  readonly results: readonly CallMethodResult[];
}

function readCallMethod(reader: BinaryReader): CallMethod {
  return {
    objectId: readNodeId(reader),
    methodId: readNodeId(reader),
    inputArguments: reader.array(MIN_VARIANT_BYTES, readVariant),
  };
}

export function readCallRequest(reader: BinaryReader): CallRequest {
  return {
    service: "Call",
    header: readRequestHeader(reader),
    methodsToCall: reader.array(MIN_CALL_BYTES, readCallMethod),
  };
}

function readCallMethodResult(reader: BinaryReader): CallMethodResult {
  const statusCode = reader.u32();
  const inputArgumentResults = reader.array(4, (r) => r.u32());
  reader.array(1, readDiagnosticInfo);
  return { statusCode, inputArgumentResults, outputArguments: reader.array(MIN_VARIANT_BYTES, readVariant) };
}

export function readCallResponse(reader: BinaryReader): CallResponse {
  const header = readResponseHeader(reader);
  const results = reader.array(MIN_CALL_RESULT_BYTES, readCallMethodResult);
  reader.array(1, readDiagnosticInfo);
  return { service: "Call", header, results };
}

export interface CallAnswer extends AnswerHeader {
  /** One status code for each method of the request. */
  readonly results: readonly number[];
}

/** Body of a CallResponse of our own, without output arguments: for refusals. */
export function encodeCallResponse(answer: CallAnswer): Buffer {
  const writer = new BinaryWriter();
  const empty = (): undefined => undefined;
  writeNodeId(writer, numericNodeId(SERVICES.Call.response));
  writeResponseHeader(writer, answer);
  writer.array(answer.results, (w, statusCode) => w.u32(statusCode).array([], empty).array([], empty).array([], empty));
  writer.array([], empty);
  return writer.toBuffer();
}
