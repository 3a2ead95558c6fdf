import type { Result } from "#specs/result.ts";
import { err } from "#specs/result.ts";
import { BinaryReader } from "#wire/opcua/binary-reader.ts";
import { readNodeId } from "#wire/opcua/node-id.ts";
import { decodeRequest, encodingIdOf } from "#wire/opcua/request.ts";
import { securityPolicyName } from "#wire/opcua/security-policy.ts";
import { type ServiceName, serviceGroup, serviceOfRequest } from "#wire/opcua/services/service-table.ts";
import type { STATUS_CODES } from "#wire/opcua/status-code.ts";
import { describeWireError } from "#wire/wire-error.ts";

export interface UaUrls {
  /** Where clients reach the server: through this filter. */
  readonly filter: string;
  /** What the server calls itself. */
  readonly server: string;
}

/** Why a message may not go on, and what its sender is told. */
export interface Refusal {
  readonly status: keyof typeof STATUS_CODES;
  readonly says: string;
}

/** An OPN chunk that can be read. */
export interface OpenChunk {
  readonly channelId: number;
  readonly sequenceNumber: number;
  readonly requestId: number;
  readonly body: Buffer;
}

/** How the chunks of one secure channel are read from either side, and written to the other. */
export interface UaChannel {
  /** Bytes that a chunk grows by, at most, when it is secured. */
  readonly overheadBytes: number;
  readonly policyUri: string;
  /** Only services that find servers and endpoints may pass. */
  readonly discoveryOnly: boolean;
  openRequest(frame: Buffer): Result<OpenChunk, Refusal>;
  openResponse(frame: Buffer): Result<OpenChunk, Refusal>;
  /** The OPN last read from the other side, under a sequence number of our own. */
  openToServer(sequenceNumber: number): Result<Buffer, Refusal>;
  openToClient(sequenceNumber: number): Result<Buffer, Refusal>;
  /** A whole MSG or CLO chunk as it is on SecurityPolicy None. */
  fromClient(frame: Buffer): Result<Buffer, Refusal>;
  fromServer(frame: Buffer): Result<Buffer, Refusal>;
  toClient(chunk: Buffer): Buffer;
  toServer(chunk: Buffer): Buffer;
  /** The body as the other side is to have it: URLs, certificates and signatures are those of this filter. */
  requestBody(requestId: number, body: Buffer): Result<Buffer, Refusal>;
  responseBody(requestId: number, service: ServiceName | undefined, body: Buffer): Result<Buffer, Refusal>;
  /** The request did not go on, or will not be answered. */
  dropped(requestId: number): void;
  /** The token for a message of our own, given the one that the client used last: keys are not kept for ever. */
  tokenFor(lastUsed: number): number;
}

/** The service of a request by its type id alone; undefined: none, or not readable. */
export function peekService(body: Buffer): ServiceName | undefined {
  const reader = new BinaryReader(body);
  const typeId = readNodeId(reader);
  const encodingId = reader.failed ? undefined : encodingIdOf(typeId);
  return encodingId === undefined ? undefined : serviceOfRequest(encodingId);
}

export const ONLY_DISCOVERY: Refusal = {
  status: "BadSecurityModeRejected",
  says: "asked for a session without security; this link takes secured channels only",
};

export function isBeyondDiscovery(channel: UaChannel | undefined, body: Buffer): boolean {
  if (channel?.discoveryOnly !== true) return false;
  const service = peekService(body);
  return service === undefined || serviceGroup(service) !== "discovery";
}

/** OPN and CLO chunks carry their own service and no other. */
export function otherService(body: Buffer, service: "OpenSecureChannel" | "CloseSecureChannel"): Refusal | undefined {
  const request = decodeRequest(body);
  if (!request.ok) return { status: "BadTcpInternalError", says: describeWireError(request.error) };
  if (request.value.service === service) return undefined;
  const says = `a chunk of ${service} carries service ${request.value.service}`;
  return { status: "BadTcpMessageTypeInvalid", says };
}

/** A channel keeps the policy it was opened under: a renewal is no place to change it (OPC 10000-4 v1.05 §5.6.2). */
export function otherPolicy(opened: string, asked: string): Result<never, Refusal> | undefined {
  if (opened === asked) return undefined;
  const says = `the channel is renewed under ${securityPolicyName(asked)} instead of ${securityPolicyName(opened)}`;
  return err({ status: "BadSecurityPolicyRejected", says });
}

/** A wire error as a refusal. */
export function read<T>(result: Result<T, Parameters<typeof describeWireError>[0]>): Result<T, Refusal> {
  if (result.ok) return result;
  return { ok: false, error: { status: "BadTcpInternalError", says: describeWireError(result.error) } };
}
