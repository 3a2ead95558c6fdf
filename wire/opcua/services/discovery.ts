/**
 * FindServers, FindServersOnNetwork, GetEndpoints, and the descriptions they share with CreateSession
 * (OPC 10000-4 v1.05 §5.5, §7.2, §7.14, §7.41).
 */
import type { BinaryReader } from "../binary-reader.ts";
import { type LocalizedText, readLocalizedText } from "../builtin-types.ts";
import { type RequestHeader, type ResponseHeader, readRequestHeader, readResponseHeader } from "../headers.ts";

/** Five strings and lengths of 4 bytes, a LocalizedText mask, an enumeration of 4. */
const MIN_APPLICATION_BYTES = 25;
const MIN_ENDPOINT_BYTES = MIN_APPLICATION_BYTES + 25;
const MIN_TOKEN_POLICY_BYTES = 20;
const MIN_SERVER_ON_NETWORK_BYTES = 16;

export interface ApplicationDescription {
  readonly applicationUri: string | null;
  readonly productUri: string | null;
  readonly applicationName: LocalizedText;
  /** 0 server, 1 client, 2 both, 3 discovery server. */
  readonly applicationType: number;
  readonly gatewayServerUri: string | null;
  readonly discoveryProfileUri: string | null;
  readonly discoveryUrls: readonly (string | null)[];
}

export interface UserTokenPolicy {
  readonly policyId: string | null;
  /** 0 anonymous, 1 user name, 2 certificate, 3 issued token. */
  readonly tokenType: number;
  readonly issuedTokenType: string | null;
  readonly issuerEndpointUrl: string | null;
  readonly securityPolicyUri: string | null;
}

export interface EndpointDescription {
  readonly endpointUrl: string | null;
  readonly server: ApplicationDescription;
  readonly serverCertificate: Buffer | null;
  /** 1 None, 2 Sign, 3 SignAndEncrypt. */
  readonly securityMode: number;
  readonly securityPolicyUri: string | null;
  readonly userIdentityTokens: readonly UserTokenPolicy[];
  readonly transportProfileUri: string | null;
  readonly securityLevel: number;
}

export interface GetEndpointsRequest {
  readonly service: "GetEndpoints";
  readonly header: RequestHeader;
  readonly endpointUrl: string | null;
  readonly localeIds: readonly (string | null)[];
  readonly profileUris: readonly (string | null)[];
}

export interface FindServersRequest {
  readonly service: "FindServers";
  readonly header: RequestHeader;
  readonly endpointUrl: string | null;
  readonly localeIds: readonly (string | null)[];
  readonly serverUris: readonly (string | null)[];
}

export interface FindServersOnNetworkRequest {
  readonly service: "FindServersOnNetwork";
  readonly header: RequestHeader;
  readonly startingRecordId: number;
  readonly maxRecordsToReturn: number;
  readonly serverCapabilityFilter: readonly (string | null)[];
}

export interface GetEndpointsResponse {
  readonly service: "GetEndpoints";
  readonly header: ResponseHeader;
  readonly endpoints: readonly EndpointDescription[];
}

export interface FindServersResponse {
  readonly service: "FindServers";
  readonly header: ResponseHeader;
  readonly servers: readonly ApplicationDescription[];
}

export interface FindServersOnNetworkResponse {
  readonly service: "FindServersOnNetwork";
  readonly header: ResponseHeader;
  readonly lastCounterResetTimeMs: number;
  readonly servers: readonly {
    readonly recordId: number;
    readonly serverName: string | null;
    readonly discoveryUrl: string | null;
    readonly serverCapabilities: readonly (string | null)[];
  }[];
}

export const readStrings = (reader: BinaryReader): readonly (string | null)[] => reader.array(4, (r) => r.string());

export function readApplicationDescription(reader: BinaryReader): ApplicationDescription {
  return {
    applicationUri: reader.field("application-uri", (r) => r.string()),
    productUri: reader.string(),
    applicationName: readLocalizedText(reader),
    applicationType: reader.u32(),
    gatewayServerUri: reader.string(),
    discoveryProfileUri: reader.string(),
    discoveryUrls: reader.array(4, (r) => r.url()),
  };
}

/** The issuer is another machine than the server, so its URL is not one that a rewrite replaces. */
function readUserTokenPolicy(reader: BinaryReader): UserTokenPolicy {
  return {
    policyId: reader.string(),
    tokenType: reader.u32(),
    issuedTokenType: reader.string(),
    issuerEndpointUrl: reader.string(),
    securityPolicyUri: reader.string(),
  };
}

function readEndpointDescription(reader: BinaryReader): EndpointDescription {
  return {
    endpointUrl: reader.url(),
    server: readApplicationDescription(reader),
    serverCertificate: reader.byteString(),
    securityMode: reader.u32(),
    securityPolicyUri: reader.string(),
    userIdentityTokens: reader.array(MIN_TOKEN_POLICY_BYTES, readUserTokenPolicy),
    transportProfileUri: reader.string(),
    securityLevel: reader.u8(),
  };
}

export const readEndpoints = (reader: BinaryReader): readonly EndpointDescription[] =>
  reader.field("endpoints", (r) => r.array(MIN_ENDPOINT_BYTES, readEndpointDescription));

export function readGetEndpointsRequest(reader: BinaryReader): GetEndpointsRequest {
  return {
    service: "GetEndpoints",
    header: readRequestHeader(reader),
    endpointUrl: reader.url(),
    localeIds: readStrings(reader),
    profileUris: readStrings(reader),
  };
}

export function readFindServersRequest(reader: BinaryReader): FindServersRequest {
  return {
    service: "FindServers",
    header: readRequestHeader(reader),
    endpointUrl: reader.url(),
    localeIds: readStrings(reader),
    serverUris: readStrings(reader),
  };
}

export function readFindServersOnNetworkRequest(reader: BinaryReader): FindServersOnNetworkRequest {
  return {
    service: "FindServersOnNetwork",
    header: readRequestHeader(reader),
    startingRecordId: reader.u32(),
    maxRecordsToReturn: reader.u32(),
    serverCapabilityFilter: readStrings(reader),
  };
}

export function readGetEndpointsResponse(reader: BinaryReader): GetEndpointsResponse {
  return { service: "GetEndpoints", header: readResponseHeader(reader), endpoints: readEndpoints(reader) };
}

export function readFindServersResponse(reader: BinaryReader): FindServersResponse {
  return {
    service: "FindServers",
    header: readResponseHeader(reader),
    servers: reader.array(MIN_APPLICATION_BYTES, readApplicationDescription),
  };
}

export function readFindServersOnNetworkResponse(reader: BinaryReader): FindServersOnNetworkResponse {
  return {
    service: "FindServersOnNetwork",
    header: readResponseHeader(reader),
    lastCounterResetTimeMs: reader.dateTimeMs(),
    servers: reader.array(MIN_SERVER_ON_NETWORK_BYTES, (r) => ({
      recordId: r.u32(),
      serverName: r.string(),
      discoveryUrl: r.url(),
      serverCapabilities: readStrings(r),
    })),
  };
}
