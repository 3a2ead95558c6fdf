/**
 * RegisterNodes, UnregisterNodes (OPC 10000-4 v1.05 §5.9.5, §5.9.6).
 * The response hands out aliases of the nodes: who judges by NodeId must follow them, or not let the service pass.
 */
import type { BinaryReader } from "../binary-reader.ts";
import { type RequestHeader, type ResponseHeader, readRequestHeader, readResponseHeader } from "../headers.ts";
import { MIN_NODE_ID_BYTES, type NodeId, readNodeId } from "../node-id.ts";

export interface RegisterNodesRequest {
  readonly service: "RegisterNodes" | "UnregisterNodes";
  readonly header: RequestHeader;
  readonly nodeIds: readonly NodeId[];
}

/** Aliases in the order of the request's `nodeIds`. */
export interface RegisterNodesResponse {
  readonly service: "RegisterNodes";
  readonly header: ResponseHeader;
  readonly registeredNodeIds: readonly NodeId[];
}

export function readRegisterNodesRequest(
  reader: BinaryReader,
  service: RegisterNodesRequest["service"],
): RegisterNodesRequest {
  return { service, header: readRequestHeader(reader), nodeIds: reader.array(MIN_NODE_ID_BYTES, readNodeId) };
}

export function readRegisterNodesResponse(reader: BinaryReader): RegisterNodesResponse {
  return {
    service: "RegisterNodes",
    header: readResponseHeader(reader),
    registeredNodeIds: reader.array(MIN_NODE_ID_BYTES, readNodeId),
  };
}
