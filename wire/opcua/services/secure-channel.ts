/** OpenSecureChannel and CloseSecureChannel (OPC 10000-4 v1.05 §5.6; fields as in OPC 10000-6 v1.05 §6.7.4). */
import type { BinaryReader } from "../binary-reader.ts";
import { type RequestHeader, type ResponseHeader, readRequestHeader, readResponseHeader } from "../headers.ts";
import { type SecurityMode, securityMode } from "../security-policy.ts";

const SPEC = "OPC 10000-4 v1.05 §7.20";
const SPEC_REQUEST_TYPE = "OPC 10000-4 v1.05 §5.6.2";

export interface OpenSecureChannelRequest {
  readonly service: "OpenSecureChannel";
  readonly header: RequestHeader;
  readonly clientProtocolVersion: number;
  readonly requestType: "issue" | "renew";
  readonly securityMode: SecurityMode;
  readonly clientNonce: Buffer | null;
  readonly requestedLifetimeMs: number;
}

export interface OpenSecureChannelResponse {
  readonly service: "OpenSecureChannel";
  readonly header: ResponseHeader;
  readonly serverProtocolVersion: number;
  readonly channelId: number;
  readonly tokenId: number;
  readonly createdAtMs: number;
  readonly revisedLifetimeMs: number;
  readonly serverNonce: Buffer | null;
}

export interface CloseSecureChannelRequest {
  readonly service: "CloseSecureChannel";
  readonly header: RequestHeader;
}

function readRequestType(reader: BinaryReader): "issue" | "renew" {
  const at = reader.offset;
  const value = reader.u32();
  if (value > 1) reader.fail("UA_ENCODING", at, SPEC_REQUEST_TYPE);
  return value === 1 ? "renew" : "issue";
}

function readSecurityMode(reader: BinaryReader): SecurityMode {
  const at = reader.offset;
  const mode = securityMode(reader.u32());
  if (mode === undefined) reader.fail("UA_SECURITY_POLICY", at, SPEC);
  return mode ?? "Invalid";
}

export function readOpenSecureChannelRequest(reader: BinaryReader): OpenSecureChannelRequest {
  return {
    service: "OpenSecureChannel",
    header: readRequestHeader(reader),
    clientProtocolVersion: reader.u32(),
    requestType: readRequestType(reader),
    securityMode: readSecurityMode(reader),
    clientNonce: reader.field("nonce", (r) => r.byteString()),
    requestedLifetimeMs: reader.u32(),
  };
}

export function readOpenSecureChannelResponse(reader: BinaryReader): OpenSecureChannelResponse {
  return {
    service: "OpenSecureChannel",
    header: readResponseHeader(reader),
    serverProtocolVersion: reader.u32(),
    channelId: reader.u32(),
    tokenId: reader.u32(),
    createdAtMs: reader.dateTimeMs(),
    revisedLifetimeMs: reader.u32(),
    serverNonce: reader.field("nonce", (r) => r.byteString()),
  };
}

export function readCloseSecureChannelRequest(reader: BinaryReader): CloseSecureChannelRequest {
  return { service: "CloseSecureChannel", header: readRequestHeader(reader) };
}
