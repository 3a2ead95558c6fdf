/** MSG and CLO chunks of the RSA policies in mode Sign and SignAndEncrypt, and their keys (OPC 10000-6 v1.05 §6.7.2.5, §6.7.5, §6.7.6). */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from "node:crypto";
import { err, ok, type Result } from "#specs/result.ts";
import { type WireError, wireError } from "../wire-error.ts";
import { paddingFor, unpadded } from "./secured-open.ts";
import { AES_BLOCK_BYTES, HMAC_SHA256_BYTES, type SecurityProfile } from "./security-profile.ts";
import { HEADER } from "./uacp-header.ts";

const SPEC = "OPC 10000-6 v1.05 §6.7.2.5";

/** Where the sequence header starts; everything from there on is encrypted. */
const SEQUENCE_AT = 16;
const SEQUENCE_BYTES = 8;
const HASH = "sha256";
const NO_PADDING = Buffer.alloc(0);

/** Bytes that securing adds to a chunk, at most: padding of a block, and the signature. */
export const MAX_SECURED_OVERHEAD_BYTES: number = AES_BLOCK_BYTES + HMAC_SHA256_BYTES;

/** Keys of one direction under one token. Made once: a key that comes as bytes costs more with each chunk than all the rest of securing it. */
export interface ChannelKeys {
  readonly signing: KeyObject;
  readonly encrypting: KeyObject;
  readonly initial: Buffer;
}

export type SecuredMode = "Sign" | "SignAndEncrypt";

/** P_SHA256 of TLS 1.2 (RFC 5246 §5). */
function pseudoRandom(secret: Buffer, seed: Buffer, bytes: number): Buffer {
  const hmac = (data: Buffer): Buffer => createHmac(HASH, secret).update(data).digest();
  const parts: Buffer[] = [];
  let a = seed;
  for (let length = 0; length < bytes; length += HMAC_SHA256_BYTES) {
    a = hmac(a);
    parts.push(hmac(Buffer.concat([a, seed])));
  }
  return Buffer.concat(parts).subarray(0, bytes);
}

/** Keys of the side whose nonce is `own`: secret is the other's nonce, seed its own (§6.7.5, Table 58). */
export function deriveKeys(profile: SecurityProfile, own: Buffer, other: Buffer): ChannelKeys {
  const { signingKeyBytes, encryptingKeyBytes } = profile;
  const all = pseudoRandom(other, own, signingKeyBytes + encryptingKeyBytes + AES_BLOCK_BYTES);
  return {
    signing: createSecretKey(all.subarray(0, signingKeyBytes)),
    encrypting: createSecretKey(all.subarray(signingKeyBytes, signingKeyBytes + encryptingKeyBytes)),
    initial: all.subarray(signingKeyBytes + encryptingKeyBytes),
  };
}

function signatureOf({ signing }: ChannelKeys, bytes: Buffer): Buffer {
  return createHmac(HASH, signing).update(bytes).digest();
}

/** The chunk as it is on SecurityPolicy None. One error for decryption, padding and signature. */
export function openChunk(
  frame: Buffer,
  profile: SecurityProfile,
  mode: SecuredMode,
  keys: ChannelKeys,
): Result<Buffer, WireError> {
  const refusal = err(wireError("UA_SECURED", SEQUENCE_AT, SPEC));
  const plain = mode === "Sign" ? frame : decrypted(frame, profile, keys);
  const end = (plain?.length ?? 0) - HMAC_SHA256_BYTES;
  if (plain === undefined || end < SEQUENCE_AT + SEQUENCE_BYTES) return refusal;
  if (!timingSafeEqual(signatureOf(keys, plain.subarray(0, end)), plain.subarray(end))) return refusal;
  const payload = plain.subarray(SEQUENCE_AT, end);
  const size = mode === "Sign" ? payload.length : unpadded(payload, payload.length, false);
  if (size === undefined) return refusal;
  // What was decrypted is ours to change; what came is the caller's.
  const chunk =
    mode === "Sign" ? Buffer.from(plain.subarray(0, SEQUENCE_AT + size)) : plain.subarray(0, SEQUENCE_AT + size);
  chunk.writeUInt32LE(chunk.length, HEADER.SIZE);
  return ok(chunk);
}

function decrypted(frame: Buffer, { cipher }: SecurityProfile, keys: ChannelKeys): Buffer | undefined {
  const payload = frame.subarray(SEQUENCE_AT);
  if (payload.length === 0 || payload.length % AES_BLOCK_BYTES !== 0) return undefined;
  const decipher = createDecipheriv(cipher, keys.encrypting, keys.initial).setAutoPadding(false);
  const plain = Buffer.allocUnsafe(frame.length);
  frame.copy(plain, 0, 0, SEQUENCE_AT);
  // Whole blocks and no padding of the cipher's own: nothing is left for the end.
  decipher.update(payload).copy(plain, SEQUENCE_AT);
  return plain;
}

/** A chunk of SecurityPolicy None, secured. */
export function sealChunk(chunk: Buffer, profile: SecurityProfile, mode: SecuredMode, keys: ChannelKeys): Buffer {
  const padding =
    mode === "Sign" ? NO_PADDING : paddingFor(chunk.length - SEQUENCE_AT, HMAC_SHA256_BYTES, AES_BLOCK_BYTES, false);
  const signedBytes = chunk.length + padding.length;
  const whole = Buffer.allocUnsafe(signedBytes + HMAC_SHA256_BYTES);
  chunk.copy(whole);
  padding.copy(whole, chunk.length);
  whole.writeUInt32LE(whole.length, HEADER.SIZE);
  signatureOf(keys, whole.subarray(0, signedBytes)).copy(whole, signedBytes);
  if (mode === "Sign") return whole;
  const cipher = createCipheriv(profile.cipher, keys.encrypting, keys.initial).setAutoPadding(false);
  cipher.update(whole.subarray(SEQUENCE_AT)).copy(whole, SEQUENCE_AT);
  return whole;
}
