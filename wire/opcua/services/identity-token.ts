/**
 * User identity tokens whose secret is encrypted for the server (OPC 10000-4 v1.05 §7.40): user name with password, and issued token.
 * Who stands in the middle of a channel has to decrypt the secret and encrypt it anew. What is read here is never to be kept or logged.
 */
import { BinaryReader } from "../binary-reader.ts";
import { BinaryWriter } from "../binary-writer.ts";
import { readExtensionObject } from "../builtin-types.ts";
import { type NodeId, numericNodeId, writeNodeId } from "../node-id.ts";

/** Type ids of tokens that are made here. */
export const USER_NAME_TOKEN: NodeId = numericNodeId(324);
const CERTIFICATE_TOKEN: NodeId = numericNodeId(327);
const USER_NAME = USER_NAME_TOKEN.text;
const ISSUED = "i=940";
const BINARY_BODY = 0x01;
/** Length of what follows, and a nonce of the server behind the secret (§7.40.2.2, Table 190). */
const LENGTH_BYTES = 4;

export interface SecretToken {
  readonly typeId: NodeId;
  readonly policyId: string | null;
  /** undefined: the token has no user name, it is an issued one. */
  readonly userName: string | null | undefined;
  readonly secret: Buffer | null;
  readonly algorithm: string | null;
}

/** The token in the bytes of an identity field; undefined where it is of another type. */
export function readSecretToken(field: Buffer): SecretToken | undefined {
  const reader = new BinaryReader(field);
  const { typeId, encoding, body } = readExtensionObject(reader);
  const isUserName = typeId.text === USER_NAME;
  if (reader.failed || encoding !== "binary" || body === null || !(isUserName || typeId.text === ISSUED))
    return undefined;
  const inner = new BinaryReader(body);
  const policyId = inner.string();
  const userName = isUserName ? inner.string() : undefined;
  const secret = inner.byteString();
  const token = inner.finish({ typeId, policyId, userName, secret, algorithm: inner.string() });
  return token.ok ? token.value : undefined;
}

/** The identity field of a token. */
export function secretTokenBytes(token: SecretToken): Buffer {
  const body = new BinaryWriter().string(token.policyId);
  if (token.userName !== undefined) body.string(token.userName);
  return tokenBytes(token.typeId, body.byteString(token.secret).string(token.algorithm));
}

/** The identity field of a user who is known by a certificate, in DER. */
export function certificateTokenBytes(policyId: string | null, certificate: Buffer): Buffer {
  return tokenBytes(CERTIFICATE_TOKEN, new BinaryWriter().string(policyId).byteString(certificate));
}

function tokenBytes(typeId: NodeId, body: BinaryWriter): Buffer {
  const writer = new BinaryWriter();
  writeNodeId(writer, typeId);
  return writer.u8(BINARY_BODY).byteString(body.toBuffer()).toBuffer();
}

/** The secret in decrypted bytes; undefined where their length or the nonce behind it is not what it must be. */
export function secretOf(plain: Buffer, serverNonce: Buffer): Buffer | undefined {
  if (plain.length < LENGTH_BYTES + serverNonce.length) return undefined;
  const end = LENGTH_BYTES + plain.readUInt32LE(0);
  // Some stacks fill the last block up with zeroes.
  if (end > plain.length || end < LENGTH_BYTES + serverNonce.length || plain.subarray(end).some((byte) => byte !== 0))
    return undefined;
  const nonceAt = end - serverNonce.length;
  return plain.subarray(nonceAt, end).equals(serverNonce) ? plain.subarray(LENGTH_BYTES, nonceAt) : undefined;
}

/** A secret ready to be encrypted. */
export function secretBytes(secret: Buffer, serverNonce: Buffer): Buffer {
  return new BinaryWriter()
    .u32(secret.length + serverNonce.length)
    .raw(secret)
    .raw(serverNonce)
    .toBuffer();
}
