/** ServiceFault: the answer to a request that was refused as a whole (OPC 10000-4 v1.05 §7.34). */
import type { BinaryReader } from "../binary-reader.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { type AnswerHeader, type ResponseHeader, readResponseHeader, writeResponseHeader } from "../headers.ts";
import { numericNodeId, writeNodeId } from "../node-id.ts";
import { SERVICE_FAULT_ID } from "./service-table.ts";

export interface ServiceFault {
  readonly service: "ServiceFault";
  readonly header: ResponseHeader;
}

export function readServiceFault(reader: BinaryReader): ServiceFault {
  return { service: "ServiceFault", header: readResponseHeader(reader) };
}

/** Body of a ServiceFault of our own. */
export function encodeServiceFault(answer: AnswerHeader): Buffer {
  const writer = new BinaryWriter();
  writeNodeId(writer, numericNodeId(SERVICE_FAULT_ID));
  writeResponseHeader(writer, answer);
  return writer.toBuffer();
}
