/** Security policies by URI (OPC 10000-7 v1.05) and message security modes (OPC 10000-4 v1.05 §7.20). */
export const SECURITY_POLICY_NONE = "http://opcfoundation.org/UA/SecurityPolicy#None";

const PREFIX = "http://opcfoundation.org/UA/SecurityPolicy#";

/** Longest SecurityPolicyUri, in bytes (OPC 10000-6 v1.05 §6.7.2.3). */
export const MAX_POLICY_URI_BYTES = 255;

const SECURITY_MODES = { 0: "Invalid", 1: "None", 2: "Sign", 3: "SignAndEncrypt" } as const;
export type SecurityMode = (typeof SECURITY_MODES)[keyof typeof SECURITY_MODES];

/** Mode by its number; undefined for a number the standard has no mode for. */
export function securityMode(value: number): SecurityMode | undefined {
  return value === 0 || value === 1 || value === 2 || value === 3 ? SECURITY_MODES[value] : undefined;
}

/** Short name, `Basic256Sha256`, or the whole URI when it is not one of the OPC Foundation's. */
export function securityPolicyName(uri: string): string {
  return uri.startsWith(PREFIX) ? uri.slice(PREFIX.length) : uri;
}
