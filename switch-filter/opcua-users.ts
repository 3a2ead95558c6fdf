import { ok, type Result } from "#specs/result.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import { rsaDecrypt, rsaEncrypt } from "#wire/opcua/rsa-security.ts";
import { profileOfEncryption, type SecurityProfile } from "#wire/opcua/security-profile.ts";
import { readSecretToken, secretBytes, secretOf, secretTokenBytes } from "#wire/opcua/services/identity-token.ts";
import type { Refusal } from "./opcua-channel.ts";
import type { UaTermination } from "./opcua-identity.ts";
import { mappedLogOn } from "./opcua-mapped-user.ts";
import { type LogOn, type LogOnSession, refuseUser, UNSIGNED } from "./opcua-user-policies.ts";

type ActivateSession = Extract<UaRequest, { service: "ActivateSession" }>;

/** The user of an ActivateSession, as it came: the identity, its field, and its signature. */
export interface UserToken {
  readonly identity: ActivateSession["identity"];
  readonly field: Buffer;
  readonly signature: ActivateSession["userTokenSignature"];
}

/**
 * The user as the server can take it: a password or an issued token was encrypted for this filter, and is encrypted anew for the server; a
 * token in the clear passes as it is, the channel is its protection on both sides. Who comes with a certificate signed for this filter, and
 * is logged on as the user that the certificate is mapped to.
 */
export function logOn(
  termination: UaTermination,
  channel: SecurityProfile,
  session: LogOnSession,
  user: UserToken,
): Result<LogOn, Refusal> {
  const { identity, field } = user;
  if (identity.kind === "anonymous") return ok({ identity: field, signature: UNSIGNED });
  if (identity.kind === "certificate")
    return mappedLogOn(termination, channel, session, identity.certificate, user.signature);
  const token = readSecretToken(field);
  if (token === undefined) return refuseUser("a user identity token of an unknown type");
  const { secret, algorithm } = token;
  if (secret === null || algorithm === null || algorithm === "") return ok({ identity: field, signature: UNSIGNED });
  const profile = profileOfEncryption(algorithm);
  if (profile === undefined) return refuseUser(`a user identity token encrypted by ${algorithm}`);
  const plain = rsaDecrypt(profile, termination.towardsClients.privateKey, secret);
  const told = plain === undefined ? undefined : secretOf(plain, session.nonce);
  if (told === undefined)
    return refuseUser("a user identity token that is not encrypted for this filter and this session");
  const sealed = rsaEncrypt(profile, termination.server.key, secretBytes(told, session.nonce));
  return ok({ identity: secretTokenBytes({ ...token, secret: sealed }), signature: UNSIGNED });
}
