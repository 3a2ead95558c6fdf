import { err, ok, type Result } from "#specs/result.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import { rsaDecrypt, rsaEncrypt } from "#wire/opcua/rsa-security.ts";
import { profileOfEncryption } from "#wire/opcua/security-profile.ts";
import { readSecretToken, secretBytes, secretOf, secretTokenBytes } from "#wire/opcua/services/identity-token.ts";
import type { Refusal } from "./opcua-channel.ts";
import type { UaTermination } from "./opcua-identity.ts";

type Identity = Extract<UaRequest, { service: "ActivateSession" }>["identity"];

/**
 * The user identity token as the server can take it: a password or an issued token was encrypted for this filter, and is encrypted anew
 * for the server. A token in the clear passes as it is; the channel is its protection on both sides.
 */
export function tokenForServer(
  termination: UaTermination,
  identity: Identity,
  field: Buffer,
  serverNonce: Buffer,
): Result<Buffer, Refusal> {
  if (identity.kind === "anonymous") return ok(field);
  if (identity.kind === "certificate")
    return refuse("a user certificate cannot be used through this filter: it signs for the server's certificate alone");
  const token = readSecretToken(field);
  if (token === undefined) return refuse("a user identity token of an unknown type");
  const { secret, algorithm } = token;
  if (secret === null || algorithm === null || algorithm === "") return ok(field);
  const profile = profileOfEncryption(algorithm);
  if (profile === undefined) return refuse(`a user identity token encrypted by ${algorithm}`);
  const plain = rsaDecrypt(profile, termination.towardsClients.privateKey, secret);
  const told = plain === undefined ? undefined : secretOf(plain, serverNonce);
  if (told === undefined) return refuse("a user identity token that is not encrypted for this filter and this session");
  const sealed = rsaEncrypt(profile, termination.server.key, secretBytes(told, serverNonce));
  return ok(secretTokenBytes({ ...token, secret: sealed }));
}

function refuse(says: string): Result<never, Refusal> {
  return err({ status: "BadIdentityTokenRejected", says: `brought ${says}` });
}
