/** OPN chunks of the RSA policies: always signed and encrypted, whatever the mode (OPC 10000-6 v1.05 §6.7.2.5, §6.7.4). */
import { createHash, type KeyObject } from "node:crypto";
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { BinaryWriter } from "./binary-writer.ts";
import type { AsymmetricChunk, AsymmetricHeader } from "./message-chunk.ts";
import { keyBytes, plainBlockBytes, rsaDecrypt, rsaEncrypt, rsaSign, rsaVerify } from "./rsa-security.ts";
import type { SecurityProfile } from "./security-profile.ts";
import { HEADER, writeUacpHeader } from "./uacp-header.ts";

const SPEC = "OPC 10000-6 v1.05 §6.7.2.5";

const SEQUENCE = { NUMBER: 0, REQUEST: 4, BODY: 8 } as const;
/** A key of more than 2,048 bits can ask for more padding than one byte counts. */
const ONE_BYTE_KEY = 256;
/** Most blocks of ciphertext: an OPN body is a few hundred bytes. */
const MAX_PAYLOAD_BYTES = 16_384;

/** Thumbprint by which a receiver knows its certificate: SHA-1 of its bytes. */
export function thumbprint(certificate: Buffer): Buffer {
  return createHash("sha1").update(certificate).digest();
}

/**
 * Decrypts with our key, verifies with the sender's, and takes padding and signature off. One error for all of it: who probes a decryptor
 * must not learn how far it came.
 */
export function openSecured(
  frame: Buffer,
  header: AsymmetricHeader,
  profile: SecurityProfile,
  keys: { readonly own: KeyObject; readonly sender: KeyObject },
): Result<AsymmetricChunk, WireError> {
  const payloadAt = frame.length - header.payload.length;
  const refusal = err(wireError("UA_SECURED", payloadAt, SPEC));
  const signatureBytes = keyBytes(keys.sender);
  if (header.payload.length > MAX_PAYLOAD_BYTES || signatureBytes === undefined) return refusal;
  const plain = rsaDecrypt(profile, keys.own, header.payload);
  const signedBytes = (plain?.length ?? 0) - signatureBytes;
  if (plain === undefined || signedBytes <= SEQUENCE.BODY) return refusal;
  const signed = Buffer.concat([frame.subarray(0, payloadAt), plain.subarray(0, signedBytes)]);
  if (!rsaVerify(profile, keys.sender, signed, plain.subarray(signedBytes))) return refusal;
  const isWide = (keyBytes(keys.own) ?? 0) > ONE_BYTE_KEY;
  const end = unpadded(plain, signedBytes, isWide);
  if (end === undefined) return refusal;
  return ok({
    ...header,
    sequenceNumber: plain.readUInt32LE(SEQUENCE.NUMBER),
    requestId: plain.readUInt32LE(SEQUENCE.REQUEST),
    body: plain.subarray(SEQUENCE.BODY, end),
  });
}

/** Where the body ends: before PaddingSize and Padding, of which each byte is the size, and ExtraPaddingSize. */
export function unpadded(plain: Buffer, end: number, isWide: boolean): number | undefined {
  const sizeBytes = isWide ? 2 : 1;
  if (end < SEQUENCE.BODY + sizeBytes) return undefined;
  const high = isWide ? plain.readUInt8(end - 1) : 0;
  const low = plain.readUInt8(end - sizeBytes);
  const sizeAt = end - sizeBytes - (high * 256 + low);
  if (sizeAt < SEQUENCE.BODY) return undefined;
  const isEven = plain.subarray(sizeAt, end - sizeBytes + 1).every((byte) => byte === low);
  return isEven ? sizeAt : undefined;
}

/** PaddingSize, Padding and ExtraPaddingSize behind so many bytes, for the whole to fill blocks with the signature. */
export function paddingFor(bytes: number, signatureBytes: number, blockBytes: number, isWide: boolean): Buffer {
  const sizeBytes = isWide ? 2 : 1;
  const over = (bytes + sizeBytes + signatureBytes) % blockBytes;
  const size = over === 0 ? 0 : blockBytes - over;
  const low = size % 256;
  const padding = Buffer.alloc(size + sizeBytes, low);
  if (isWide) padding.writeUInt8(Math.floor(size / 256), size + 1);
  return padding;
}

export interface SecuredOpen {
  readonly channelId: number;
  readonly sequenceNumber: number;
  readonly requestId: number;
  readonly body: Buffer;
  /** As sent along, and its key. */
  readonly certificate: Buffer;
  readonly privateKey: KeyObject;
  readonly receiverCertificate: Buffer;
  readonly receiverKey: KeyObject;
}

/** An OPN chunk of our own, signed and then encrypted. */
export function sealOpen(profile: SecurityProfile, open: SecuredOpen): Buffer {
  const { body, privateKey, receiverKey } = open;
  const head = new BinaryWriter()
    .raw(Buffer.alloc(HEADER.END))
    .u32(open.channelId)
    .string(profile.uri)
    .byteString(open.certificate)
    .byteString(thumbprint(open.receiverCertificate))
    .toBuffer();
  const signatureBytes = keyBytes(privateKey) ?? 0;
  const blockBytes = plainBlockBytes(profile, receiverKey);
  const receiverBytes = keyBytes(receiverKey) ?? 0;
  const padding = paddingFor(SEQUENCE.BODY + body.length, signatureBytes, blockBytes, receiverBytes > ONE_BYTE_KEY);
  const plain = new BinaryWriter().u32(open.sequenceNumber).u32(open.requestId).raw(body).raw(padding).toBuffer();
  const cipherBytes = ((plain.length + signatureBytes) / blockBytes) * receiverBytes;
  // The size in the header is that of the chunk as it is sent, and is signed.
  const whole = Buffer.concat([head, Buffer.alloc(cipherBytes)]);
  writeUacpHeader(whole, "OPN", "F");
  const signed = Buffer.concat([whole.subarray(0, head.length), plain]);
  const signature = rsaSign(profile, privateKey, signed);
  rsaEncrypt(profile, receiverKey, Buffer.concat([plain, signature])).copy(whole, head.length);
  return whole;
}
