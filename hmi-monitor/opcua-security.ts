import { BinaryReader } from "#wire/opcua/binary-reader.ts";
import { DEFAULT_DECODE_LIMITS } from "#wire/opcua/decode-limits.ts";
import type { UacpFrame } from "#wire/opcua/framer.ts";
import { CHUNK_OVERHEAD_BYTES } from "#wire/opcua/message-chunk.ts";
import { readNodeId } from "#wire/opcua/node-id.ts";
import { decodeRequest, encodingIdOf } from "#wire/opcua/request.ts";
import { decodeResponse } from "#wire/opcua/response.ts";
import { SECURITY_POLICY_NONE } from "#wire/opcua/security-policy.ts";
import { symmetricSignatureBytes } from "#wire/opcua/security-profile.ts";
import { SERVICE_FAULT_ID, serviceOfRequest, serviceOfResponse } from "#wire/opcua/services/service-table.ts";

/** How the chunks of a channel can be read. */
export type ChannelSecurity =
  | { readonly kind: "clear" | "signed"; readonly signatureBytes: number }
  | { readonly kind: "encrypted" };

export const CLEAR: ChannelSecurity = { kind: "clear", signatureBytes: 0 };
const ENCRYPTED: ChannelSecurity = { kind: "encrypted" };

/** Signatures of policies whose opening was not seen: HMAC-SHA-256, as all policies but two sign. @see OPC 10000-7 v1.05 §6.6 */
export const LIKELY_SIGNATURE_BYTES = 32;

/**
 * How a channel's chunks can be read, judged by one of its first. The mode stands in an OPN that is encrypted itself (OPC 10000-6 v1.05
 * §6.7.4), but a chunk in mode Sign has a known service at the beginning of its body: ciphertext begins so once in fifty million times.
 *
 * @param policyUri of the channel; undefined: its opening was not seen
 * @returns undefined: this chunk does not tell
 */
export function securityOf(frame: UacpFrame, policyUri: string | undefined): ChannelSecurity | undefined {
  if (policyUri === SECURITY_POLICY_NONE) return CLEAR;
  const id = serviceIn(frame);
  if (id === undefined) return ENCRYPTED;
  if (policyUri === undefined) return likelySecurity(frame, id);
  const signatureBytes = symmetricSignatureBytes(policyUri);
  return signatureBytes === undefined ? ENCRYPTED : { kind: "signed", signatureBytes };
}

/** Where nothing is known of the channel: it is signed or not as its messages decode to the last byte. */
function likelySecurity(frame: UacpFrame, id: number): ChannelSecurity | undefined {
  if (frame.chunkType !== "F") return undefined;
  const body = frame.bytes.subarray(CHUNK_OVERHEAD_BYTES);
  const isClear = decodes(body, id);
  const isSigned = decodes(body.subarray(0, -LIKELY_SIGNATURE_BYTES), id);
  // Not every answer is decoded to its end.
  if (isClear && isSigned) return undefined;
  return isClear ? CLEAR : { kind: "signed", signatureBytes: LIKELY_SIGNATURE_BYTES };
}

/** Encoding id of the service that the body begins with; undefined: it begins with none. */
function serviceIn(frame: UacpFrame): number | undefined {
  const reader = new BinaryReader(frame.bytes, DEFAULT_DECODE_LIMITS, CHUNK_OVERHEAD_BYTES);
  const id = encodingIdOf(readNodeId(reader));
  if (reader.failed || id === undefined) return undefined;
  const isKnown = id === SERVICE_FAULT_ID || serviceOfRequest(id) !== undefined || serviceOfResponse(id) !== undefined;
  return isKnown ? id : undefined;
}

function decodes(body: Buffer, id: number): boolean {
  return serviceOfRequest(id) === undefined ? decodeResponse(body).ok : decodeRequest(body).ok;
}
