/** RequestHeader and ResponseHeader (OPC 10000-4 v1.05 §7.32, §7.33): the first field of every service message. */
import type { BinaryReader } from "./binary-reader.ts";
import type { BinaryWriter } from "./binary-writer.ts";
import { type DiagnosticInfo, type ExtensionObject, readDiagnosticInfo, readExtensionObject } from "./builtin-types.ts";
import { type NodeId, NULL_NODE_ID, readNodeId, writeNodeId } from "./node-id.ts";

const NO_DIAGNOSTICS = 0x00;
const NO_BODY = 0x00;

export interface RequestHeader {
  /** Secret of the session: never log it. */
  readonly authenticationToken: NodeId;
  readonly timestampMs: number;
  /** Chosen by the client; the response repeats it. */
  readonly requestHandle: number;
  readonly returnDiagnostics: number;
  readonly auditEntryId: string | null;
  /** Milliseconds the client waits; 0 for no limit. */
  readonly timeoutHintMs: number;
  readonly additionalHeader: ExtensionObject;
}

export interface ResponseHeader {
  readonly timestampMs: number;
  readonly requestHandle: number;
  readonly serviceResult: number;
  readonly serviceDiagnostics: DiagnosticInfo;
  readonly stringTable: readonly (string | null)[];
  readonly additionalHeader: ExtensionObject;
}

export function readRequestHeader(reader: BinaryReader): RequestHeader {
  return {
    authenticationToken: readNodeId(reader),
    timestampMs: reader.dateTimeMs(),
    requestHandle: reader.u32(),
    returnDiagnostics: reader.u32(),
    auditEntryId: reader.string(),
    timeoutHintMs: reader.u32(),
    additionalHeader: readExtensionObject(reader),
  };
}

export function readResponseHeader(reader: BinaryReader): ResponseHeader {
  return {
    timestampMs: reader.dateTimeMs(),
    requestHandle: reader.u32(),
    serviceResult: reader.u32(),
    serviceDiagnostics: readDiagnosticInfo(reader),
    stringTable: reader.array(4, (r) => r.string()),
    additionalHeader: readExtensionObject(reader),
  };
}

/** What an answer of our own says in its header; diagnostics, string table and additional header are empty. */
export interface AnswerHeader {
  /** The handle of the request that is answered. */
  readonly requestHandle: number;
  readonly statusCode: number;
  /** Time of the answer, in milliseconds since 1970-01-01 UTC. */
  readonly timestamp: number;
}

export function writeResponseHeader(writer: BinaryWriter, answer: AnswerHeader): void {
  writer.dateTimeMs(answer.timestamp).u32(answer.requestHandle).u32(answer.statusCode).u8(NO_DIAGNOSTICS);
  writer.array([], () => undefined);
  writeNodeId(writer, NULL_NODE_ID);
  writer.u8(NO_BODY);
}
