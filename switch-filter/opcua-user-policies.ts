import { err, type Result } from "#specs/result.ts";
import { type SecurityMode, securityMode } from "#wire/opcua/security-policy.ts";
import { type SecurityProfile, securityProfile } from "#wire/opcua/security-profile.ts";
import type { EndpointDescription } from "#wire/opcua/services/discovery.ts";
import { signatureBytes } from "#wire/opcua/services/endpoint-writer.ts";
import type { Refusal } from "./opcua-channel.ts";

/** One way in which the server lets users log on, and by what to sign or encrypt for it. */
interface ServerPolicy {
  readonly policyId: string | null;
  readonly profile: SecurityProfile;
}

/** The ways in which mapped users can log on to the server. */
export interface ServerPolicies {
  readonly password?: ServerPolicy;
  readonly certificate?: ServerPolicy;
}

/** Types of token (OPC 10000-4 v1.05 §7.41). */
export const TOKEN_TYPE = { PASSWORD: 1, CERTIFICATE: 2 } as const;

/**
 * Those of the endpoint that the channel goes to; a user's own security policy counts before the channel's, and None would show a password.
 */
export function serverPolicies(
  endpoints: readonly EndpointDescription[],
  channel: SecurityProfile,
  mode: SecurityMode,
): ServerPolicies {
  const offered = endpoints.filter(
    (endpoint) => endpoint.securityPolicyUri === channel.uri && securityMode(endpoint.securityMode) === mode,
  );
  const policyOf = (type: number): ServerPolicy | undefined => {
    for (const { tokenType, policyId, securityPolicyUri } of offered.flatMap((e) => e.userIdentityTokens)) {
      const profile = securityPolicyUri ? securityProfile(securityPolicyUri) : channel;
      if (tokenType === type && profile !== undefined) return { policyId, profile };
    }
    return undefined;
  };
  const password = policyOf(TOKEN_TYPE.PASSWORD);
  const certificate = policyOf(TOKEN_TYPE.CERTIFICATE);
  return { ...(password && { password }), ...(certificate && { certificate }) };
}

/** Of the session that is activated: the server's last nonce, and how it lets users log on. */
export interface LogOnSession {
  readonly nonce: Buffer;
  readonly policies: ServerPolicies;
}

/** The fields of an ActivateSession as the server can take them. */
export interface LogOn {
  readonly identity: Buffer;
  readonly signature: Buffer;
}

export const UNSIGNED: Buffer = signatureBytes(null, null);

export function refuseUser(
  says: string,
  status: Refusal["status"] = "BadIdentityTokenRejected",
): Result<never, Refusal> {
  return err({ status, says: `brought ${says}` });
}
