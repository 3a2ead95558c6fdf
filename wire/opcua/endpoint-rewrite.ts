/**
 * Puts one URL in place of every endpoint and discovery URL of a message, so that clients come back to the filter and
 * not to the server behind it. All other bytes stay as they are.
 *
 * Every URL that is neither null nor empty is replaced, of whichever server: one that was left would be a way around
 * the filter.
 * Pure; only for messages on SecurityPolicy None (OPC 10000-4 v1.05 §5.5.2 – §5.5.4, §5.7.2).
 */
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { BinaryReader, type StringSpan } from "./binary-reader.ts";
import { BinaryWriter } from "./binary-writer.ts";
import { DEFAULT_DECODE_LIMITS, type DecodeLimits } from "./decode-limits.ts";
import { readRequest } from "./request.ts";
import { readResponse } from "./response.ts";
import { MAX_URL_BYTES } from "./uacp-header.ts";

const SPEC = "OPC 10000-6 v1.05 §7.1.2.3";

export interface RewrittenBody {
  readonly body: Buffer;
  /** How many URLs were replaced; 0 returns the same buffer. */
  readonly replaced: number;
}

/**
 * The body of a response with `filterUrl` as the only URL. Responses other than those of GetEndpoints, CreateSession,
 * FindServers and FindServersOnNetwork come back as they are; a malformed one is a refusal.
 */
export function rewriteResponseUrls(
  body: Buffer,
  filterUrl: string,
  limits: DecodeLimits = DEFAULT_DECODE_LIMITS,
): Result<RewrittenBody, WireError> {
  const reader = new BinaryReader(body, limits);
  const response = readResponse(reader);
  return response.ok ? splice(body, reader.urlSpans, filterUrl) : response;
}

/**
 * The body of a request with `serverUrl` as its `endpointUrl`: the other way, for servers that compare it with their
 * own. The discovery URLs of the client's own description, which come before it in CreateSession, stay.
 */
export function rewriteRequestUrls(
  body: Buffer,
  serverUrl: string,
  limits: DecodeLimits = DEFAULT_DECODE_LIMITS,
): Result<RewrittenBody, WireError> {
  const reader = new BinaryReader(body, limits);
  const request = readRequest(reader);
  return request.ok ? splice(body, reader.urlSpans.slice(-1), serverUrl) : request;
}

function splice(body: Buffer, spans: readonly StringSpan[], url: string): Result<RewrittenBody, WireError> {
  if (Buffer.byteLength(url) > MAX_URL_BYTES) return err(wireError("UA_STRING", 0, SPEC));
  const present = spans.filter((span) => span.value !== null && span.value !== "" && span.value !== url);
  if (present.length === 0) return ok({ body, replaced: 0 });
  const writer = new BinaryWriter(body.length);
  let at = 0;
  for (const span of present) {
    writer.raw(body.subarray(at, span.start)).string(url);
    at = span.end;
  }
  return ok({ body: writer.raw(body.subarray(at)).toBuffer(), replaced: present.length });
}
