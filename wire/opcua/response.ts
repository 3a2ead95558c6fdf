/** From a message body to a response by name (OPC 10000-6 v1.05 §5.2.9). */
import type { Result } from "#specs/result.ts";
import type { WireError } from "../wire-error.ts";
import { BinaryReader } from "./binary-reader.ts";
import { DEFAULT_DECODE_LIMITS, type DecodeLimits } from "./decode-limits.ts";
import { type ResponseHeader, readResponseHeader } from "./headers.ts";
import { readNodeId } from "./node-id.ts";
import { encodingIdOf } from "./request.ts";
import * as browse from "./services/browse.ts";
import { type CallResponse, readCallResponse } from "./services/call.ts";
import * as discovery from "./services/discovery.ts";
import {
  type CreateMonitoredItemsResponse,
  readCreateMonitoredItemsResponse,
  readStatusCodesResponse,
  type StatusCodesResponse,
} from "./services/monitored-items.ts";
import { type ReadResponse, readReadResponse } from "./services/read.ts";
import { type RegisterNodesResponse, readRegisterNodesResponse } from "./services/register-nodes.ts";
import { type OpenSecureChannelResponse, readOpenSecureChannelResponse } from "./services/secure-channel.ts";
import { readServiceFault, type ServiceFault } from "./services/service-fault.ts";
import { SERVICE_FAULT_ID, type ServiceName, serviceOfResponse } from "./services/service-table.ts";
import * as session from "./services/session.ts";
import * as subscription from "./services/subscription.ts";
import { readWriteResponse, type WriteResponse } from "./services/write.ts";

/** Responses that are decoded to their last byte. */
type DecodedResponse =
  | ServiceFault
  | discovery.FindServersResponse
  | discovery.FindServersOnNetworkResponse
  | discovery.GetEndpointsResponse
  | OpenSecureChannelResponse
  | session.CreateSessionResponse
  | session.ActivateSessionResponse
  | browse.BrowseResponse
  | browse.TranslateBrowsePathsResponse
  | RegisterNodesResponse
  | ReadResponse
  | WriteResponse
  | CallResponse
  | CreateMonitoredItemsResponse
  | StatusCodesResponse<"DeleteMonitoredItems">
  | StatusCodesResponse<"DeleteSubscriptions">
  | subscription.CreateSubscriptionResponse
  | subscription.PublishResponse;

/** A response whose service is known and of which only the header is decoded. */
interface HeaderOnlyResponse {
  readonly service: Exclude<ServiceName, DecodedResponse["service"]>;
  readonly header: ResponseHeader;
}

/** A body whose type is no response of the standard. */
interface UnknownResponse {
  readonly service: "unknown";
  readonly typeId: string;
}

export type UaResponse = DecodedResponse | HeaderOnlyResponse | UnknownResponse;

type ResponseReader = (reader: BinaryReader) => DecodedResponse;

const READERS: Readonly<Record<Exclude<DecodedResponse["service"], "ServiceFault">, ResponseReader>> = {
  FindServers: discovery.readFindServersResponse,
  FindServersOnNetwork: discovery.readFindServersOnNetworkResponse,
  GetEndpoints: discovery.readGetEndpointsResponse,
  OpenSecureChannel: readOpenSecureChannelResponse,
  CreateSession: session.readCreateSessionResponse,
  ActivateSession: session.readActivateSessionResponse,
  Browse: (r) => browse.readBrowseResponse(r, "Browse"),
  BrowseNext: (r) => browse.readBrowseResponse(r, "BrowseNext"),
  TranslateBrowsePathsToNodeIds: browse.readTranslateBrowsePathsResponse,
  RegisterNodes: readRegisterNodesResponse,
  Read: readReadResponse,
  Write: readWriteResponse,
  Call: readCallResponse,
  CreateMonitoredItems: readCreateMonitoredItemsResponse,
  DeleteMonitoredItems: (r) => readStatusCodesResponse(r, "DeleteMonitoredItems"),
  DeleteSubscriptions: (r) => readStatusCodesResponse(r, "DeleteSubscriptions"),
  CreateSubscription: subscription.readCreateSubscriptionResponse,
  Publish: subscription.readPublishResponse,
};

function isDecoded(service: ServiceName): service is keyof typeof READERS {
  return Object.hasOwn(READERS, service);
}

/** Decodes the body of a response message. Offsets of errors count from the start of the body. */
export function decodeResponse(
  body: Buffer,
  limits: DecodeLimits = DEFAULT_DECODE_LIMITS,
): Result<UaResponse, WireError> {
  return readResponse(new BinaryReader(body, limits));
}

/** As {@link decodeResponse}, with a reader that the caller keeps (for the places of its URLs). */
export function readResponse(reader: BinaryReader): Result<UaResponse, WireError> {
  const typeId = readNodeId(reader);
  const encodingId = encodingIdOf(typeId);
  if (encodingId === SERVICE_FAULT_ID) return reader.finish<UaResponse>(readServiceFault(reader));
  const service = encodingId === undefined ? undefined : serviceOfResponse(encodingId);
  if (service === undefined) return reader.result<UaResponse>({ service: "unknown", typeId: typeId.text });
  if (isDecoded(service)) return reader.finish<UaResponse>(READERS[service](reader));
  return reader.result<UaResponse>({ service, header: readResponseHeader(reader) });
}
