/** AddNodes, AddReferences, DeleteNodes, DeleteReferences: requests (OPC 10000-4 v1.05 §5.8). */
import type { BinaryReader } from "../binary-reader.ts";
import { type ExtensionObject, type QualifiedName, readExtensionObject, readQualifiedName } from "../builtin-types.ts";
import { type RequestHeader, readRequestHeader } from "../headers.ts";
import { type ExpandedNodeId, MIN_NODE_ID_BYTES, type NodeId, readExpandedNodeId, readNodeId } from "../node-id.ts";

const MIN_ADD_NODES_ITEM_BYTES = 4 * MIN_NODE_ID_BYTES + 13;
const MIN_ADD_REFERENCES_ITEM_BYTES = 3 * MIN_NODE_ID_BYTES + 9;
const MIN_DELETE_NODES_ITEM_BYTES = MIN_NODE_ID_BYTES + 1;
const MIN_DELETE_REFERENCES_ITEM_BYTES = 3 * MIN_NODE_ID_BYTES + 2;

interface AddNodesItem {
  readonly parentNodeId: ExpandedNodeId;
  readonly referenceTypeId: NodeId;
  readonly requestedNewNodeId: ExpandedNodeId;
  readonly browseName: QualifiedName;
  readonly nodeClass: number;
  readonly nodeAttributes: ExtensionObject;
  readonly typeDefinition: ExpandedNodeId;
}

export interface AddNodesRequest {
  readonly service: "AddNodes";
  readonly header: RequestHeader;
  readonly nodesToAdd: readonly AddNodesItem[];
}

interface AddReferencesItem {
  readonly sourceNodeId: NodeId;
  readonly referenceTypeId: NodeId;
  readonly isForward: boolean;
  readonly targetServerUri: string | null;
  readonly targetNodeId: ExpandedNodeId;
  readonly targetNodeClass: number;
}

export interface AddReferencesRequest {
  readonly service: "AddReferences";
  readonly header: RequestHeader;
  readonly referencesToAdd: readonly AddReferencesItem[];
}

interface DeleteNodesItem {
  readonly nodeId: NodeId;
  readonly deleteTargetReferences: boolean;
}

export interface DeleteNodesRequest {
  readonly service: "DeleteNodes";
  readonly header: RequestHeader;
  readonly nodesToDelete: readonly DeleteNodesItem[];
}

interface DeleteReferencesItem {
  readonly sourceNodeId: NodeId;
  readonly referenceTypeId: NodeId;
  readonly isForward: boolean;
  readonly targetNodeId: ExpandedNodeId;
  readonly deleteBidirectional: boolean;
}

export interface DeleteReferencesRequest {
  readonly service: "DeleteReferences";
  readonly header: RequestHeader;
  readonly referencesToDelete: readonly DeleteReferencesItem[];
}

export function readAddNodesRequest(reader: BinaryReader): AddNodesRequest {
  const header = readRequestHeader(reader);
  const nodesToAdd = reader.array(MIN_ADD_NODES_ITEM_BYTES, (r) => ({
    parentNodeId: readExpandedNodeId(r),
    referenceTypeId: readNodeId(r),
    requestedNewNodeId: readExpandedNodeId(r),
    browseName: readQualifiedName(r),
    nodeClass: r.u32(),
    nodeAttributes: readExtensionObject(r),
    typeDefinition: readExpandedNodeId(r),
  }));
  return { service: "AddNodes", header, nodesToAdd };
}

export function readAddReferencesRequest(reader: BinaryReader): AddReferencesRequest {
  const header = readRequestHeader(reader);
  const referencesToAdd = reader.array(MIN_ADD_REFERENCES_ITEM_BYTES, (r) => ({
    sourceNodeId: readNodeId(r),
    referenceTypeId: readNodeId(r),
    isForward: r.bool(),
    targetServerUri: r.string(),
    targetNodeId: readExpandedNodeId(r),
    targetNodeClass: r.u32(),
  }));
  return { service: "AddReferences", header, referencesToAdd };
}

export function readDeleteNodesRequest(reader: BinaryReader): DeleteNodesRequest {
  const header = readRequestHeader(reader);
  const nodesToDelete = reader.array(MIN_DELETE_NODES_ITEM_BYTES, (r) => ({
    nodeId: readNodeId(r),
    deleteTargetReferences: r.bool(),
  }));
  return { service: "DeleteNodes", header, nodesToDelete };
}

export function readDeleteReferencesRequest(reader: BinaryReader): DeleteReferencesRequest {
  const header = readRequestHeader(reader);
  const referencesToDelete = reader.array(MIN_DELETE_REFERENCES_ITEM_BYTES, (r) => ({
    sourceNodeId: readNodeId(r),
    referenceTypeId: readNodeId(r),
    isForward: r.bool(),
    targetNodeId: readExpandedNodeId(r),
    deleteBidirectional: r.bool(),
  }));
  return { service: "DeleteReferences", header, referencesToDelete };
}
