/**
 * MessageChunks of a SecureChannel: security headers, sequence header, body (OPC 10000-6 v1.05 §6.7.2).
 * Sequence header and body are readable where nothing is encrypted: SecurityPolicy None, and channels in mode Sign
 * when the caller says how many bytes the signature takes.
 */
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { BinaryReader } from "./binary-reader.ts";
import { DEFAULT_DECODE_LIMITS } from "./decode-limits.ts";
import { MAX_POLICY_URI_BYTES, SECURITY_POLICY_NONE } from "./security-policy.ts";
import { type ChunkType, decodeUacpHeader, HEADER, writeUacpHeader } from "./uacp-header.ts";

const SPEC = "OPC 10000-6 v1.05 §6.7.2.2";
const SPEC_SECURITY = "OPC 10000-6 v1.05 §6.7.2.3";

/** Offsets in a MSG or CLO chunk: message header, symmetric security header, sequence header, body. */
const FIELD = { CHANNEL: 8, TOKEN: 12, SEQUENCE: 16, REQUEST: 20, BODY: 24 } as const;

/** Bytes of a MSG chunk that are not body, on SecurityPolicy None. */
export const CHUNK_OVERHEAD_BYTES: number = FIELD.BODY;

/** SHA-1 of the receiver's certificate. */
const THUMBPRINT_BYTES = 20;
/** Certificate chains are a few KB; the bound is our own. */
const MAX_CERTIFICATE_BYTES = 32_768;

/** What is readable of a MSG or CLO chunk whatever its security. */
export interface SymmetricHeader {
  readonly type: "MSG" | "CLO";
  readonly chunkType: ChunkType;
  readonly channelId: number;
  readonly tokenId: number;
}

/** A MSG or CLO chunk that is not encrypted. `body` is a view of the frame. */
export interface SymmetricChunk extends SymmetricHeader {
  readonly sequenceNumber: number;
  readonly requestId: number;
  readonly body: Buffer;
}

/** An OPN chunk. `channelId` is 0 in a client's first. */
export interface AsymmetricHeader {
  readonly channelId: number;
  readonly securityPolicyUri: string;
  readonly senderCertificate: Buffer | null;
  readonly receiverThumbprint: Buffer | null;
  /** Sequence header and body, or what is encrypted of them. */
  readonly payload: Buffer;
}

/** An OPN chunk on SecurityPolicy None. */
export interface AsymmetricChunk extends AsymmetricHeader {
  readonly sequenceNumber: number;
  readonly requestId: number;
  readonly body: Buffer;
}

export function decodeSymmetricHeader(frame: Buffer): Result<SymmetricHeader, WireError> {
  const header = decodeUacpHeader(frame, Number.MAX_SAFE_INTEGER);
  if (!header.ok) return header;
  const { type, chunkType, size } = header.value;
  if (type !== "MSG" && type !== "CLO") return err(wireError("UA_MESSAGE_TYPE", HEADER.TYPE, SPEC));
  if (size !== frame.length) return err(wireError("UA_SIZE", HEADER.SIZE, SPEC));
  return ok({
    type,
    chunkType,
    channelId: frame.readUInt32LE(FIELD.CHANNEL),
    tokenId: frame.readUInt32LE(FIELD.TOKEN),
  });
}

/**
 * Decodes a whole MSG or CLO frame that is not encrypted. `signatureBytes` (0 on SecurityPolicy None) are left off the
 * end of the body; the signature is not verified.
 */
export function decodeSymmetricChunk(frame: Buffer, signatureBytes = 0): Result<SymmetricChunk, WireError> {
  const header = decodeSymmetricHeader(frame);
  if (!header.ok) return header;
  const end = frame.length - signatureBytes;
  if (end < FIELD.BODY) return err(wireError("UA_SIZE", HEADER.SIZE, SPEC));
  return ok({
    ...header.value,
    sequenceNumber: frame.readUInt32LE(FIELD.SEQUENCE),
    requestId: frame.readUInt32LE(FIELD.REQUEST),
    body: frame.subarray(FIELD.BODY, end),
  });
}

/** Decodes the asymmetric security header of a whole OPN frame, whatever its policy. */
export function decodeAsymmetricHeader(frame: Buffer): Result<AsymmetricHeader, WireError> {
  const header = decodeUacpHeader(frame, Number.MAX_SAFE_INTEGER);
  if (!header.ok) return header;
  if (header.value.type !== "OPN") return err(wireError("UA_MESSAGE_TYPE", HEADER.TYPE, SPEC));
  if (header.value.size !== frame.length) return err(wireError("UA_SIZE", HEADER.SIZE, SPEC));
  const limits = {
    ...DEFAULT_DECODE_LIMITS,
    maxStringBytes: MAX_POLICY_URI_BYTES,
    maxByteStringBytes: MAX_CERTIFICATE_BYTES,
  };
  const reader = new BinaryReader(frame, limits, HEADER.END);
  const channelId = reader.u32();
  const uriAt = reader.offset;
  const securityPolicyUri = reader.string() ?? "";
  if (securityPolicyUri === "") reader.fail("UA_SECURITY_POLICY", uriAt, SPEC_SECURITY);
  const senderCertificate = reader.byteString();
  const thumbprintAt = reader.offset;
  const receiverThumbprint = reader.byteString();
  // A SHA-1 thumbprint or null; an empty one is how some stacks write null.
  if (receiverThumbprint !== null && ![0, THUMBPRINT_BYTES].includes(receiverThumbprint.length)) {
    reader.fail("UA_ENCODING", thumbprintAt, SPEC_SECURITY);
  }
  const payload = frame.subarray(reader.offset);
  return reader.result({ channelId, securityPolicyUri, senderCertificate, receiverThumbprint, payload });
}

/** Decodes a whole OPN frame on SecurityPolicy None; another policy is `UA_SECURITY_POLICY`. */
export function decodeAsymmetricChunk(frame: Buffer): Result<AsymmetricChunk, WireError> {
  const header = decodeAsymmetricHeader(frame);
  if (!header.ok) return header;
  if (header.value.securityPolicyUri !== SECURITY_POLICY_NONE) {
    return err(wireError("UA_SECURITY_POLICY", HEADER.END, SPEC_SECURITY));
  }
  const reader = new BinaryReader(frame, DEFAULT_DECODE_LIMITS, frame.length - header.value.payload.length);
  const sequenceNumber = reader.u32();
  const requestId = reader.u32();
  return reader.result({ ...header.value, sequenceNumber, requestId, body: frame.subarray(reader.offset) });
}

/** Fields of a chunk on SecurityPolicy None. */
export interface ChunkFields {
  readonly channelId: number;
  readonly tokenId: number;
  readonly sequenceNumber: number;
  readonly requestId: number;
  readonly body: Buffer;
  /** Default F. */
  readonly chunkType?: ChunkType;
  /** Default MSG. CLO is always one final chunk. */
  readonly type?: "MSG" | "CLO";
}

/** Encodes one chunk on SecurityPolicy None; the size in its header follows from the body. */
export function encodeMsgChunk(fields: ChunkFields): Buffer {
  const bytes = Buffer.allocUnsafe(FIELD.BODY + fields.body.length);
  writeUacpHeader(bytes, fields.type ?? "MSG", fields.chunkType ?? "F");
  bytes.writeUInt32LE(fields.channelId, FIELD.CHANNEL);
  bytes.writeUInt32LE(fields.tokenId, FIELD.TOKEN);
  bytes.writeUInt32LE(fields.sequenceNumber, FIELD.SEQUENCE);
  bytes.writeUInt32LE(fields.requestId, FIELD.REQUEST);
  fields.body.copy(bytes, FIELD.BODY);
  return bytes;
}

/**
 * Writes sequence number `sequenceNumber` into a whole frame on SecurityPolicy None, in place: MSG, CLO or OPN.
 * Refuses other frames and leaves them as they are.
 */
export function rewriteSequenceNumber(frame: Buffer, sequenceNumber: number): Result<Buffer, WireError> {
  const at = sequenceOffset(frame);
  if (!at.ok) return at;
  frame.writeUInt32LE(sequenceNumber, at.value);
  return ok(frame);
}

function sequenceOffset(frame: Buffer): Result<number, WireError> {
  const symmetric = decodeSymmetricHeader(frame);
  if (symmetric.ok) return ok(FIELD.SEQUENCE);
  const asymmetric = decodeAsymmetricChunk(frame);
  return asymmetric.ok ? ok(frame.length - asymmetric.value.payload.length) : asymmetric;
}
