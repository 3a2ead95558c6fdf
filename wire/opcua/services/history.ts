/** HistoryRead and HistoryUpdate: requests (OPC 10000-4 v1.05 §5.11.3, §5.11.5; OPC 10000-11 v1.05 §6.9). */
import type { BinaryReader } from "../binary-reader.ts";
import { type ExtensionObject, type QualifiedName, readExtensionObject, readQualifiedName } from "../builtin-types.ts";
import { type RequestHeader, readRequestHeader } from "../headers.ts";
import { MIN_NODE_ID_BYTES, type NodeId, readNodeId } from "../node-id.ts";

const SPEC_DETAILS = "OPC 10000-11 v1.05 §6.9.1";

const MIN_HISTORY_READ_VALUE_ID_BYTES = MIN_NODE_ID_BYTES + 14;
/** Type id, encoding byte. */
const MIN_EXTENSION_OBJECT_BYTES = MIN_NODE_ID_BYTES + 1;

interface HistoryReadValueId {
  readonly nodeId: NodeId;
  readonly indexRange: string | null;
  readonly dataEncoding: QualifiedName;
  readonly continuationPoint: Buffer | null;
}

export interface HistoryReadRequest {
  readonly service: "HistoryRead";
  readonly header: RequestHeader;
  readonly details: ExtensionObject;
  readonly timestampsToReturn: number;
  readonly releaseContinuationPoints: boolean;
  readonly nodesToRead: readonly HistoryReadValueId[];
}

/** One update, insert or delete. Its kind is the type id; the node is the first field of every kind. */
interface HistoryUpdateDetails {
  readonly typeId: NodeId;
  readonly nodeId: NodeId;
}

export interface HistoryUpdateRequest {
  readonly service: "HistoryUpdate";
  readonly header: RequestHeader;
  readonly updates: readonly HistoryUpdateDetails[];
}

export function readHistoryReadRequest(reader: BinaryReader): HistoryReadRequest {
  const header = readRequestHeader(reader);
  const details = readExtensionObject(reader);
  const timestampsToReturn = reader.u32();
  const releaseContinuationPoints = reader.bool();
  const nodesToRead = reader.array(MIN_HISTORY_READ_VALUE_ID_BYTES, (r) => ({
    nodeId: readNodeId(r),
    indexRange: r.string(),
    dataEncoding: readQualifiedName(r),
    continuationPoint: r.byteString(),
  }));
  return { service: "HistoryRead", header, details, timestampsToReturn, releaseContinuationPoints, nodesToRead };
}

function readUpdateDetails(reader: BinaryReader): HistoryUpdateDetails {
  const at = reader.offset;
  const { typeId, body, encoding } = readExtensionObject(reader);
  const details = reader.inner(encoding === "binary" && body !== null ? body : Buffer.alloc(0));
  const nodeId = readNodeId(details);
  if (details.failed) reader.fail("UA_ENCODING", at, SPEC_DETAILS);
  return { typeId, nodeId };
}

export function readHistoryUpdateRequest(reader: BinaryReader): HistoryUpdateRequest {
  const header = readRequestHeader(reader);
  return { service: "HistoryUpdate", header, updates: reader.array(MIN_EXTENSION_OBJECT_BYTES, readUpdateDetails) };
}
