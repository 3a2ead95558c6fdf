import { err, ok, type Result } from "#specs/result.ts";
import { BinaryReader } from "#wire/opcua/binary-reader.ts";
import { rewriteRequestUrls, rewriteResponseUrls } from "#wire/opcua/endpoint-rewrite.ts";
import { readResponse } from "#wire/opcua/response.ts";
import { SECURITY_POLICY_NONE } from "#wire/opcua/security-policy.ts";
import { securityProfile } from "#wire/opcua/security-profile.ts";
import type { EndpointDescription, UserTokenPolicy } from "#wire/opcua/services/discovery.ts";
import { endpointsBytes } from "#wire/opcua/services/endpoint-writer.ts";
import type { ServiceName } from "#wire/opcua/services/service-table.ts";
import { fieldsOf, splice, stringBytes } from "#wire/opcua/splice.ts";
import { describeWireError } from "#wire/wire-error.ts";
import type { Refusal, UaUrls } from "./opcua-channel.ts";
import type { UaTermination } from "./opcua-identity.ts";
import { TOKEN_TYPE } from "./opcua-user-policies.ts";

/** Services whose messages name URLs of endpoints. */
const NAMES_URLS: ReadonlySet<ServiceName> = new Set<ServiceName>([
  "FindServers",
  "FindServersOnNetwork",
  "GetEndpoints",
  "CreateSession",
]);

const BINARY_TRANSPORT = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary";
const MODE_NONE = 1;
/** How users with certificates log on here, whatever it is that they are mapped to. */
const BY_CERTIFICATE: UserTokenPolicy = {
  policyId: "sekisho-certificate",
  tokenType: TOKEN_TYPE.CERTIFICATE,
  issuedTokenType: null,
  issuerEndpointUrl: null,
  securityPolicyUri: null,
};

/** The server's own URL, in a request that was addressed to this filter. A body that cannot be decoded is left to the judgement. */
export function requestForServer(urls: UaUrls, service: ServiceName | undefined, body: Buffer): Buffer {
  if (service === undefined || !NAMES_URLS.has(service)) return body;
  const rewritten = rewriteRequestUrls(body, urls.server);
  return rewritten.ok ? rewritten.value.body : body;
}

/** Whatever URL the server hands out must lead back through this filter; and where this filter ends secured channels, so must its certificate. */
export function answerForClient(
  urls: UaUrls,
  termination: UaTermination | undefined,
  service: ServiceName | undefined,
  body: Buffer,
): Result<Buffer, Refusal> {
  if (service === undefined || !NAMES_URLS.has(service)) return ok(body);
  const own = termination === undefined ? ok(body) : withOwnEndpoints(termination, body);
  const rewritten = own.ok ? rewriteResponseUrls(own.value, urls.filter) : own;
  if (rewritten.ok) return ok(rewritten.value.body);
  return "status" in rewritten.error ? err(rewritten.error) : err(unreadable(describeWireError(rewritten.error)));
}

/**
 * The endpoints of this filter: those of the server that it can end, with its own certificate and application URI, and those without
 * security where it refuses nothing.
 */
export function withOwnEndpoints(termination: UaTermination, body: Buffer): Result<Buffer, Refusal> {
  const reader = new BinaryReader(body);
  const response = readResponse(reader);
  if (!response.ok) return err(unreadable(describeWireError(response.error)));
  const { value } = response;
  const offered =
    value.service === "GetEndpoints"
      ? value.endpoints
      : value.service === "CreateSession"
        ? value.serverEndpoints
        : undefined;
  const { applicationUri } = termination.towardsClients;
  const endpoints = offered?.flatMap((endpoint) => {
    if (isEnded(endpoint)) return ownEndpoint(termination, endpoint);
    return termination.offersClear === true && endpoint.securityMode === MODE_NONE ? endpoint : [];
  });
  return ok(
    splice(body, [
      ...fieldsOf(reader, "endpoints", () => (endpoints === undefined ? undefined : endpointsBytes(endpoints))),
      ...fieldsOf(reader, "application-uri", () => stringBytes(applicationUri)),
    ]),
  );
}

function isEnded({ securityMode, securityPolicyUri, transportProfileUri }: EndpointDescription): boolean {
  return (
    securityMode !== MODE_NONE &&
    securityProfile(securityPolicyUri ?? "") !== undefined &&
    transportProfileUri === BINARY_TRANSPORT
  );
}

function ownEndpoint({ towardsClients, users }: UaTermination, endpoint: EndpointDescription): EndpointDescription {
  return {
    ...endpoint,
    server: { ...endpoint.server, applicationUri: towardsClients.applicationUri },
    serverCertificate: towardsClients.certificate,
    userIdentityTokens: [
      ...endpoint.userIdentityTokens.filter(isCarriedOver),
      ...(users === undefined ? [] : [BY_CERTIFICATE]),
    ],
  };
}

/** A user certificate signs what only the server and the user know: what can be done here is to map it. */
function isCarriedOver({ tokenType, securityPolicyUri }: UserTokenPolicy): boolean {
  const policy = securityPolicyUri ?? "";
  const isKnown = policy === "" || policy === SECURITY_POLICY_NONE || securityProfile(policy) !== undefined;
  return tokenType !== TOKEN_TYPE.CERTIFICATE && isKnown;
}

function unreadable(says: string): Refusal {
  return { status: "BadTcpInternalError", says };
}
