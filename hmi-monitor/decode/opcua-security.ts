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

const CLEAR: ChannelSecurity = { kind: "clear", signatureBytes: 0 };
const ENCRYPTED: ChannelSecurity = { kind: "encrypted" };

/** Signatures of policies whose opening was not seen. */
const LIKELY_SIGNATURE_BYTES = 32;

/**
 * How a channel's chunks can be read, judged by its first. The mode stands in an OPN that is encrypted itself (OPC 10000-6 v1.05
 * §6.7.4), but a chunk in mode Sign has a known service at the beginning of its body: ciphertext begins so once in fifty million times.
 */
export function securityOf(frame: UacpFrame, policyUri: string | undefined): ChannelSecurity {
  if (policyUri === SECURITY_POLICY_NONE) return CLEAR;
  if (!beginsWithService(frame)) return ENCRYPTED;
  if (policyUri === undefined && isWhole(frame)) return CLEAR;
  const signatureBytes = policyUri === undefined ? LIKELY_SIGNATURE_BYTES : symmetricSignatureBytes(policyUri);
  return signatureBytes === undefined ? ENCRYPTED : { kind: "signed", signatureBytes };
}

function beginsWithService(frame: UacpFrame): boolean {
  const reader = new BinaryReader(frame.bytes, DEFAULT_DECODE_LIMITS, CHUNK_OVERHEAD_BYTES);
  const id = encodingIdOf(readNodeId(reader));
  if (reader.failed || id === undefined) return false;
  return id === SERVICE_FAULT_ID || serviceOfRequest(id) !== undefined || serviceOfResponse(id) !== undefined;
}

/** Nothing is known of the channel, and its first chunk decodes to the last byte without a signature. */
function isWhole(frame: UacpFrame): boolean {
  const body = frame.bytes.subarray(CHUNK_OVERHEAD_BYTES);
  return frame.chunkType !== "F" || decodes(body);
}

function decodes(body: Buffer): boolean {
  return decodeRequest(body).ok || decodeResponse(body).ok;
}
