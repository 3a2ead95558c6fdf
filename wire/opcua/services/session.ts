/** CreateSession, ActivateSession, CloseSession, Cancel (OPC 10000-4 v1.05 §5.7). */
import type { BinaryReader } from "../binary-reader.ts";
import { type ExtensionObject, readDiagnosticInfo, readExtensionObject } from "../builtin-types.ts";
import { type RequestHeader, type ResponseHeader, readRequestHeader, readResponseHeader } from "../headers.ts";
import { type NodeId, readNodeId } from "../node-id.ts";
import {
  type ApplicationDescription,
  type EndpointDescription,
  readApplicationDescription,
  readEndpoints,
  readStrings,
} from "./discovery.ts";

const SPEC_TOKEN = "OPC 10000-4 v1.05 §7.40";
const MIN_SOFTWARE_CERTIFICATE_BYTES = 8;

/** Encoding ids of the identity tokens; the null type stands for anonymous. */
const TOKEN = { NULL: "i=0", ANONYMOUS: "i=321", USER_NAME: "i=324", X509: "i=327", ISSUED: "i=940" } as const;

export interface CreateSessionRequest {
  readonly service: "CreateSession";
  readonly header: RequestHeader;
  readonly clientDescription: ApplicationDescription;
  readonly serverUri: string | null;
  readonly endpointUrl: string | null;
  readonly sessionName: string | null;
  readonly clientNonce: Buffer | null;
  readonly clientCertificate: Buffer | null;
  readonly requestedSessionTimeoutMs: number;
  readonly maxResponseMessageSize: number;
}

export interface SignatureData {
  readonly algorithm: string | null;
  readonly signature: Buffer | null;
}

export interface CreateSessionResponse {
  readonly service: "CreateSession";
  readonly header: ResponseHeader;
  readonly sessionId: NodeId;
  /** Secret of the session: never log it. */
  readonly authenticationToken: NodeId;
  readonly revisedSessionTimeoutMs: number;
  readonly serverNonce: Buffer | null;
  readonly serverCertificate: Buffer | null;
  readonly serverEndpoints: readonly EndpointDescription[];
  readonly serverSignature: SignatureData;
  readonly maxRequestMessageSize: number;
}

/** Who the client says its user is. Passwords and tokens are read over, never kept. */
type UserIdentity =
  | { readonly kind: "anonymous"; readonly policyId: string | null }
  | { readonly kind: "user-name"; readonly policyId: string | null; readonly userName: string | null }
  | { readonly kind: "certificate"; readonly policyId: string | null; readonly certificate: Buffer | null }
  | { readonly kind: "issued-token"; readonly policyId: string | null }
  | { readonly kind: "unknown"; readonly typeId: string };

export interface ActivateSessionRequest {
  readonly service: "ActivateSession";
  readonly header: RequestHeader;
  readonly clientSignature: SignatureData;
  readonly localeIds: readonly (string | null)[];
  readonly identity: UserIdentity;
  readonly userTokenSignature: SignatureData;
}

export interface ActivateSessionResponse {
  readonly service: "ActivateSession";
  readonly header: ResponseHeader;
  readonly serverNonce: Buffer | null;
  readonly results: readonly number[];
}

export interface CloseSessionRequest {
  readonly service: "CloseSession";
  readonly header: RequestHeader;
  readonly deleteSubscriptions: boolean;
}

export interface CancelRequest {
  readonly service: "Cancel";
  readonly header: RequestHeader;
  /** Handle of the requests to cancel. */
  readonly requestHandle: number;
}

function readSignature(reader: BinaryReader): SignatureData {
  return reader.field("signature", (r) => ({ algorithm: r.string(), signature: r.byteString() }));
}

/** Obsolete since v1.03; the bytes are still there. */
function skipSoftwareCertificates(reader: BinaryReader): void {
  reader.array(MIN_SOFTWARE_CERTIFICATE_BYTES, (r) => {
    r.byteString();
    r.byteString();
  });
}

export function readCreateSessionRequest(reader: BinaryReader): CreateSessionRequest {
  return {
    service: "CreateSession",
    header: readRequestHeader(reader),
    clientDescription: readApplicationDescription(reader),
    serverUri: reader.string(),
    endpointUrl: reader.url(),
    sessionName: reader.string(),
    clientNonce: reader.byteString(),
    clientCertificate: reader.field("certificate", (r) => r.byteString()),
    requestedSessionTimeoutMs: reader.f64(),
    maxResponseMessageSize: reader.u32(),
  };
}

export function readCreateSessionResponse(reader: BinaryReader): CreateSessionResponse {
  const header = readResponseHeader(reader);
  const sessionId = readNodeId(reader);
  const authenticationToken = readNodeId(reader);
  const revisedSessionTimeoutMs = reader.f64();
  const serverNonce = reader.byteString();
  const serverCertificate = reader.field("certificate", (r) => r.byteString());
  const serverEndpoints = readEndpoints(reader);
  skipSoftwareCertificates(reader);
  return {
    service: "CreateSession",
    header,
    sessionId,
    authenticationToken,
    revisedSessionTimeoutMs,
    serverNonce,
    serverCertificate,
    serverEndpoints,
    serverSignature: readSignature(reader),
    maxRequestMessageSize: reader.u32(),
  };
}

function readIdentityFields(reader: BinaryReader, typeId: string): UserIdentity {
  const policyId = reader.string();
  switch (typeId) {
    case TOKEN.ANONYMOUS:
      return { kind: "anonymous", policyId };
    case TOKEN.USER_NAME: {
      const userName = reader.string();
      reader.byteString(); // password
      reader.string(); // its encryption algorithm
      return { kind: "user-name", policyId, userName };
    }
    case TOKEN.X509:
      return { kind: "certificate", policyId, certificate: reader.byteString() };
    default:
      reader.byteString(); // token data
      reader.string(); // its encryption algorithm
      return { kind: "issued-token", policyId };
  }
}

/** The identity in a user identity token (§7.40). */
function readIdentity(reader: BinaryReader): UserIdentity {
  const at = reader.offset;
  const token: ExtensionObject = readExtensionObject(reader);
  const typeId = token.typeId.text;
  if (typeId === TOKEN.NULL && token.encoding === "none") return { kind: "anonymous", policyId: null };
  const known =
    typeId === TOKEN.ANONYMOUS || typeId === TOKEN.USER_NAME || typeId === TOKEN.X509 || typeId === TOKEN.ISSUED;
  if (!known || token.encoding !== "binary") return { kind: "unknown", typeId };
  const inner = reader.inner(token.body ?? Buffer.alloc(0));
  const identity = inner.finish(readIdentityFields(inner, typeId));
  if (identity.ok) return identity.value;
  reader.fail("UA_ENCODING", at, SPEC_TOKEN);
  return { kind: "unknown", typeId };
}

export function readActivateSessionRequest(reader: BinaryReader): ActivateSessionRequest {
  const header = readRequestHeader(reader);
  const clientSignature = readSignature(reader);
  skipSoftwareCertificates(reader);
  const localeIds = readStrings(reader);
  const identity = reader.field("identity", readIdentity);
  const userTokenSignature = readSignature(reader);
  return { service: "ActivateSession", header, clientSignature, localeIds, identity, userTokenSignature };
}

export function readActivateSessionResponse(reader: BinaryReader): ActivateSessionResponse {
  const header = readResponseHeader(reader);
  const serverNonce = reader.byteString();
  const results = reader.array(4, (r) => r.u32());
  reader.array(1, readDiagnosticInfo);
  return { service: "ActivateSession", header, serverNonce, results };
}

export function readCloseSessionRequest(reader: BinaryReader): CloseSessionRequest {
  return { service: "CloseSession", header: readRequestHeader(reader), deleteSubscriptions: reader.bool() };
}

export function readCancelRequest(reader: BinaryReader): CancelRequest {
  return { service: "Cancel", header: readRequestHeader(reader), requestHandle: reader.u32() };
}
