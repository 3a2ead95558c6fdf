/** Browse, BrowseNext, TranslateBrowsePathsToNodeIds (OPC 10000-4 v1.05 §5.9.2 – §5.9.4). */
import type { BinaryReader } from "../binary-reader.ts";
import {
  type LocalizedText,
  type QualifiedName,
  readDiagnosticInfo,
  readLocalizedText,
  readQualifiedName,
} from "../builtin-types.ts";
import { type RequestHeader, type ResponseHeader, readRequestHeader, readResponseHeader } from "../headers.ts";
import { type ExpandedNodeId, MIN_NODE_ID_BYTES, type NodeId, readExpandedNodeId, readNodeId } from "../node-id.ts";

const MIN_BROWSE_DESCRIPTION_BYTES = 2 * MIN_NODE_ID_BYTES + 13;
const MIN_BROWSE_PATH_BYTES = MIN_NODE_ID_BYTES + 4;
const MIN_PATH_ELEMENT_BYTES = MIN_NODE_ID_BYTES + 8;
const MIN_BROWSE_RESULT_BYTES = 12;
const MIN_REFERENCE_BYTES = 3 * MIN_NODE_ID_BYTES + 12;
const MIN_PATH_RESULT_BYTES = 8;
const MIN_PATH_TARGET_BYTES = MIN_NODE_ID_BYTES + 4;

interface BrowseDescription {
  readonly nodeId: NodeId;
  /** 0 forward, 1 inverse, 2 both. */
  readonly browseDirection: number;
  readonly referenceTypeId: NodeId;
  readonly includeSubtypes: boolean;
  readonly nodeClassMask: number;
  readonly resultMask: number;
}

export interface BrowseRequest {
  readonly service: "Browse";
  readonly header: RequestHeader;
  readonly viewId: NodeId;
  readonly requestedMaxReferencesPerNode: number;
  readonly nodesToBrowse: readonly BrowseDescription[];
}

export interface BrowseNextRequest {
  readonly service: "BrowseNext";
  readonly header: RequestHeader;
  readonly releaseContinuationPoints: boolean;
  readonly continuationPoints: readonly (Buffer | null)[];
}

interface RelativePathElement {
  readonly referenceTypeId: NodeId;
  readonly isInverse: boolean;
  readonly includeSubtypes: boolean;
  readonly targetName: QualifiedName;
}

interface BrowsePath {
  readonly startingNode: NodeId;
  readonly elements: readonly RelativePathElement[];
}

export interface TranslateBrowsePathsRequest {
  readonly service: "TranslateBrowsePathsToNodeIds";
  readonly header: RequestHeader;
  readonly browsePaths: readonly BrowsePath[];
}

interface ReferenceDescription {
  readonly referenceTypeId: NodeId;
  readonly isForward: boolean;
  readonly nodeId: ExpandedNodeId;
  readonly browseName: QualifiedName;
  readonly displayName: LocalizedText;
  readonly nodeClass: number;
  readonly typeDefinition: ExpandedNodeId;
}

interface BrowseResult {
  readonly statusCode: number;
  readonly continuationPoint: Buffer | null;
  readonly references: readonly ReferenceDescription[];
}

export interface BrowseResponse {
  readonly service: "Browse" | "BrowseNext";
  readonly header: ResponseHeader;
  readonly results: readonly BrowseResult[];
}

/** Targets of one path; `remainingPathIndex` is 0xFFFFFFFF when the whole path was followed. */
interface BrowsePathResult {
  readonly statusCode: number;
  readonly targets: readonly { readonly targetId: ExpandedNodeId; readonly remainingPathIndex: number }[];
}

export interface TranslateBrowsePathsResponse {
  readonly service: "TranslateBrowsePathsToNodeIds";
  readonly header: ResponseHeader;
  readonly results: readonly BrowsePathResult[];
}

function readBrowseDescription(reader: BinaryReader): BrowseDescription {
  return {
    nodeId: readNodeId(reader),
    browseDirection: reader.u32(),
    referenceTypeId: readNodeId(reader),
    includeSubtypes: reader.bool(),
    nodeClassMask: reader.u32(),
    resultMask: reader.u32(),
  };
}

/** ViewDescription: view, time, version (§7.44). Only the view says what is looked at. */
function readViewId(reader: BinaryReader): NodeId {
  const viewId = readNodeId(reader);
  reader.dateTimeMs();
  reader.u32();
  return viewId;
}

export function readBrowseRequest(reader: BinaryReader): BrowseRequest {
  return {
    service: "Browse",
    header: readRequestHeader(reader),
    viewId: readViewId(reader),
    requestedMaxReferencesPerNode: reader.u32(),
    nodesToBrowse: reader.array(MIN_BROWSE_DESCRIPTION_BYTES, readBrowseDescription),
  };
}

export function readBrowseNextRequest(reader: BinaryReader): BrowseNextRequest {
  return {
    service: "BrowseNext",
    header: readRequestHeader(reader),
    releaseContinuationPoints: reader.bool(),
    continuationPoints: reader.array(4, (r) => r.byteString()),
  };
}

function readPathElement(reader: BinaryReader): RelativePathElement {
  return {
    referenceTypeId: readNodeId(reader),
    isInverse: reader.bool(),
    includeSubtypes: reader.bool(),
    targetName: readQualifiedName(reader),
  };
}

function readBrowsePath(reader: BinaryReader): BrowsePath {
  return { startingNode: readNodeId(reader), elements: reader.array(MIN_PATH_ELEMENT_BYTES, readPathElement) };
}

export function readTranslateBrowsePathsRequest(reader: BinaryReader): TranslateBrowsePathsRequest {
  return {
    service: "TranslateBrowsePathsToNodeIds",
    header: readRequestHeader(reader),
    browsePaths: reader.array(MIN_BROWSE_PATH_BYTES, readBrowsePath),
  };
}

function readReference(reader: BinaryReader): ReferenceDescription {
  return {
    referenceTypeId: readNodeId(reader),
    isForward: reader.bool(),
    nodeId: readExpandedNodeId(reader),
    browseName: readQualifiedName(reader),
    displayName: readLocalizedText(reader),
    nodeClass: reader.u32(),
    typeDefinition: readExpandedNodeId(reader),
  };
}

function readBrowseResult(reader: BinaryReader): BrowseResult {
  return {
    statusCode: reader.u32(),
    continuationPoint: reader.byteString(),
    references: reader.array(MIN_REFERENCE_BYTES, readReference),
  };
}

export function readBrowseResponse(reader: BinaryReader, service: BrowseResponse["service"]): BrowseResponse {
  const header = readResponseHeader(reader);
  const results = reader.array(MIN_BROWSE_RESULT_BYTES, readBrowseResult);
  reader.array(1, readDiagnosticInfo);
  return { service, header, results };
}

function readPathResult(reader: BinaryReader): BrowsePathResult {
  const statusCode = reader.u32();
  const targets = reader.array(MIN_PATH_TARGET_BYTES, (r) => ({
    targetId: readExpandedNodeId(r),
    remainingPathIndex: r.u32(),
  }));
  return { statusCode, targets };
}

export function readTranslateBrowsePathsResponse(reader: BinaryReader): TranslateBrowsePathsResponse {
  const header = readResponseHeader(reader);
  const results = reader.array(MIN_PATH_RESULT_BYTES, readPathResult);
  reader.array(1, readDiagnosticInfo);
  return { service: "TranslateBrowsePathsToNodeIds", header, results };
}
