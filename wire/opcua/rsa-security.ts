/**
 * RSA as the security policies use it: signatures, and encryption in blocks (OPC 10000-6 v1.05 §6.7.2.5; OPC 10000-7 v1.05 §6.6).
 * Keys come from the caller; nothing is kept.
 */
import { constants, type KeyObject, privateDecrypt, publicEncrypt, sign, verify } from "node:crypto";
import type { SecurityProfile } from "./security-profile.ts";

const { RSA_PKCS1_OAEP_PADDING, RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
const BITS_PER_BYTE = 8;

/** Smallest and largest RSA key of the policies, in bits. */
export const MIN_KEY_BITS = 2_048;
export const MAX_KEY_BITS = 4_096;

/** Bytes of the modulus: of a signature, and of a block of ciphertext. undefined: not an RSA key of a length the policies allow. */
export function keyBytes(key: KeyObject): number | undefined {
  const bits = key.asymmetricKeyType === "rsa" ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  return bits >= MIN_KEY_BITS && bits <= MAX_KEY_BITS ? Math.ceil(bits / BITS_PER_BYTE) : undefined;
}

const padding = ({ asymmetricPss }: SecurityProfile) =>
  asymmetricPss
    ? { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST }
    : { padding: RSA_PKCS1_PADDING };

export function rsaSign(profile: SecurityProfile, key: KeyObject, data: Buffer): Buffer {
  return sign("sha256", data, { key, ...padding(profile) });
}

export function rsaVerify(profile: SecurityProfile, key: KeyObject, data: Buffer, signature: Buffer): boolean {
  return verify("sha256", data, { key, ...padding(profile) }, signature);
}

/** Plain bytes that fit one block. */
export function plainBlockBytes(profile: SecurityProfile, key: KeyObject): number {
  return (keyBytes(key) ?? 0) - profile.oaepOverheadBytes;
}

/** Each block of plaintext becomes one of ciphertext; the last may be short. */
export function rsaEncrypt(profile: SecurityProfile, key: KeyObject, plain: Buffer): Buffer {
  const room = plainBlockBytes(profile, key);
  const blocks: Buffer[] = [];
  for (let at = 0; at < plain.length; at += room) {
    const block = plain.subarray(at, at + room);
    blocks.push(publicEncrypt({ key, padding: RSA_PKCS1_OAEP_PADDING, oaepHash: profile.oaepHash }, block));
  }
  return Buffer.concat(blocks);
}

/** undefined: not encrypted for this key, or not by this profile. */
export function rsaDecrypt(profile: SecurityProfile, key: KeyObject, bytes: Buffer): Buffer | undefined {
  const size = keyBytes(key);
  if (size === undefined || bytes.length === 0 || bytes.length % size !== 0) return undefined;
  const blocks: Buffer[] = [];
  try {
    for (let at = 0; at < bytes.length; at += size) {
      const block = bytes.subarray(at, at + size);
      blocks.push(privateDecrypt({ key, padding: RSA_PKCS1_OAEP_PADDING, oaepHash: profile.oaepHash }, block));
    }
  } catch {
    // OpenSSL says only that it did not work.
    return undefined;
  }
  return Buffer.concat(blocks);
}
