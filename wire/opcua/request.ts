/** From a message body to a request by name (OPC 10000-6 v1.05 §5.2.9: a body is its type's NodeId and its fields). */
import type { Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { BinaryReader } from "./binary-reader.ts";
import { DEFAULT_DECODE_LIMITS, type DecodeLimits } from "./decode-limits.ts";
import { type RequestHeader, readRequestHeader } from "./headers.ts";
import { type NodeId, readNodeId } from "./node-id.ts";
import * as browse from "./services/browse.ts";
import { type CallRequest, readCallRequest } from "./services/call.ts";
import * as discovery from "./services/discovery.ts";
import * as history from "./services/history.ts";
import * as items from "./services/monitored-items.ts";
import * as nodes from "./services/node-management.ts";
import { type ReadRequest, readReadRequest } from "./services/read.ts";
import { type RegisterNodesRequest, readRegisterNodesRequest } from "./services/register-nodes.ts";
import * as channel from "./services/secure-channel.ts";
import { type ServiceName, serviceOfRequest } from "./services/service-table.ts";
import * as session from "./services/session.ts";
import * as subscription from "./services/subscription.ts";
import { readWriteRequest, type WriteRequest } from "./services/write.ts";

/** A request whose service is known and whose fields are not decoded. */
interface HeaderOnlyRequest {
  readonly service: "RegisterServer" | "RegisterServer2" | "QueryFirst" | "QueryNext";
  readonly header: RequestHeader;
  /** Bytes after the header. */
  readonly bodyBytes: number;
}

/** A body whose type is no request of the standard: a value, so that it can be denied and logged by name. */
interface UnknownRequest {
  readonly service: "unknown";
  /** The type id in canonical text. */
  readonly typeId: string;
  /** Every request starts with a header; undefined when these bytes do not. */
  readonly header: RequestHeader | undefined;
  /** Bytes after the header; 0 where there is none. */
  readonly bodyBytes: number;
}

type KnownRequest =
  | discovery.FindServersRequest
  | discovery.FindServersOnNetworkRequest
  | discovery.GetEndpointsRequest
  | channel.OpenSecureChannelRequest
  | channel.CloseSecureChannelRequest
  | session.CreateSessionRequest
  | session.ActivateSessionRequest
  | session.CloseSessionRequest
  | session.CancelRequest
  | nodes.AddNodesRequest
  | nodes.AddReferencesRequest
  | nodes.DeleteNodesRequest
  | nodes.DeleteReferencesRequest
  | browse.BrowseRequest
  | browse.BrowseNextRequest
  | browse.TranslateBrowsePathsRequest
  | RegisterNodesRequest
  | ReadRequest
  | history.HistoryReadRequest
  | WriteRequest
  | history.HistoryUpdateRequest
  | CallRequest
  | items.CreateMonitoredItemsRequest
  | items.ModifyMonitoredItemsRequest
  | items.SetMonitoringModeRequest
  | items.SetTriggeringRequest
  | items.DeleteMonitoredItemsRequest
  | subscription.CreateSubscriptionRequest
  | subscription.ModifySubscriptionRequest
  | subscription.SetPublishingModeRequest
  | subscription.PublishRequest
  | subscription.RepublishRequest
  | subscription.TransferSubscriptionsRequest
  | subscription.DeleteSubscriptionsRequest
  | HeaderOnlyRequest;

export type UaRequest = KnownRequest | UnknownRequest;

/** Readers of the requests that are decoded to their last byte. */
const READERS: Readonly<
  Record<Exclude<ServiceName, HeaderOnlyRequest["service"]>, (reader: BinaryReader) => KnownRequest>
> = {
  FindServers: discovery.readFindServersRequest,
  FindServersOnNetwork: discovery.readFindServersOnNetworkRequest,
  GetEndpoints: discovery.readGetEndpointsRequest,
  OpenSecureChannel: channel.readOpenSecureChannelRequest,
  CloseSecureChannel: channel.readCloseSecureChannelRequest,
  CreateSession: session.readCreateSessionRequest,
  ActivateSession: session.readActivateSessionRequest,
  CloseSession: session.readCloseSessionRequest,
  Cancel: session.readCancelRequest,
  AddNodes: nodes.readAddNodesRequest,
  AddReferences: nodes.readAddReferencesRequest,
  DeleteNodes: nodes.readDeleteNodesRequest,
  DeleteReferences: nodes.readDeleteReferencesRequest,
  Browse: browse.readBrowseRequest,
  BrowseNext: browse.readBrowseNextRequest,
  TranslateBrowsePathsToNodeIds: browse.readTranslateBrowsePathsRequest,
  RegisterNodes: (r) => readRegisterNodesRequest(r, "RegisterNodes"),
  UnregisterNodes: (r) => readRegisterNodesRequest(r, "UnregisterNodes"),
  Read: readReadRequest,
  HistoryRead: history.readHistoryReadRequest,
  Write: readWriteRequest,
  HistoryUpdate: history.readHistoryUpdateRequest,
  Call: readCallRequest,
  CreateMonitoredItems: items.readCreateMonitoredItemsRequest,
  ModifyMonitoredItems: items.readModifyMonitoredItemsRequest,
  SetMonitoringMode: items.readSetMonitoringModeRequest,
  SetTriggering: items.readSetTriggeringRequest,
  DeleteMonitoredItems: items.readDeleteMonitoredItemsRequest,
  CreateSubscription: subscription.readCreateSubscriptionRequest,
  ModifySubscription: subscription.readModifySubscriptionRequest,
  SetPublishingMode: subscription.readSetPublishingModeRequest,
  Publish: subscription.readPublishRequest,
  Republish: subscription.readRepublishRequest,
  TransferSubscriptions: subscription.readTransferSubscriptionsRequest,
  DeleteSubscriptions: subscription.readDeleteSubscriptionsRequest,
};

/** Encoding id of a body; undefined unless it is a numeric id of namespace 0. */
export function encodingIdOf(typeId: NodeId): number | undefined {
  return typeId.idType === "numeric" && typeId.namespace === 0 ? typeId.identifier : undefined;
}

/** Decodes the body of a request message. Offsets of errors count from the start of the body. */
export function decodeRequest(
  body: Buffer,
  limits: DecodeLimits = DEFAULT_DECODE_LIMITS,
): Result<UaRequest, WireError> {
  const reader = new BinaryReader(body, limits);
  return readRequest(reader);
}

/** As {@link decodeRequest}, with a reader that the caller keeps (for the places of its URLs). */
export function readRequest(reader: BinaryReader): Result<UaRequest, WireError> {
  const typeId = readNodeId(reader);
  const encodingId = encodingIdOf(typeId);
  const service = encodingId === undefined ? undefined : serviceOfRequest(encodingId);
  switch (service) {
    case undefined: {
      if (reader.failed)
        return reader.result<UaRequest>({ service: "unknown", typeId: typeId.text, header: undefined, bodyBytes: 0 });
      const read = readRequestHeader(reader);
      const found = reader.failed ? { header: undefined, bodyBytes: 0 } : { header: read, bodyBytes: reader.remaining };
      return { ok: true, value: { service: "unknown", typeId: typeId.text, ...found } };
    }
    case "RegisterServer":
    case "RegisterServer2":
    case "QueryFirst":
    case "QueryNext": {
      const header = readRequestHeader(reader);
      return reader.result<UaRequest>({ service, header, bodyBytes: reader.remaining });
    }
    default:
      return reader.finish<UaRequest>(READERS[service](reader));
  }
}

/**
 * The header of any request body, though the rest may be malformed: enough to answer with a ServiceFault.
 * Undefined when not even the header can be read.
 */
export function peekRequestHeader(body: Buffer): RequestHeader | undefined {
  const reader = new BinaryReader(body);
  readNodeId(reader);
  const header = readRequestHeader(reader);
  return reader.failed ? undefined : header;
}
