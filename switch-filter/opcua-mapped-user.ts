import { ok, type Result } from "#specs/result.ts";
import { rsaEncrypt, rsaSign, rsaVerify } from "#wire/opcua/rsa-security.ts";
import { profileOfSignature, type SecurityProfile } from "#wire/opcua/security-profile.ts";
import { signatureBytes } from "#wire/opcua/services/endpoint-writer.ts";
import {
  certificateTokenBytes,
  secretBytes,
  secretTokenBytes,
  USER_NAME_TOKEN,
} from "#wire/opcua/services/identity-token.ts";
import type { SignatureData } from "#wire/opcua/services/session.ts";
import type { Refusal } from "./opcua-channel.ts";
import type { UaTermination } from "./opcua-identity.ts";
import { type Peer, trustedPeer } from "./opcua-trust.ts";
import { type ServerUser, userFor } from "./opcua-user-map.ts";
import { type LogOn, type LogOnSession, refuseUser, UNSIGNED } from "./opcua-user-policies.ts";

/**
 * A user who came with a certificate, as the user that it is mapped to. The proof that came with it is over what the client was shown, this
 * filter's certificate and the server's nonce, so the server could do nothing with it (OPC 10000-4 v1.05 §5.7.3).
 */
export function mappedLogOn(
  termination: UaTermination,
  channel: SecurityProfile,
  session: LogOnSession,
  chain: Buffer | null,
  { algorithm, signature }: SignatureData,
): Result<LogOn, Refusal> {
  const { users, towardsClients } = termination;
  if (users === undefined) return refuseUser("a user certificate, and none is mapped to a user of the server here");
  const user = trustedPeer(users.trust, chain, Date.now());
  if ("says" in user) return refuseUser(`a user certificate, but ${user.says}`);
  const profile = algorithm ? profileOfSignature(algorithm) : channel;
  const signed = Buffer.concat([towardsClients.certificate, session.nonce]);
  if (profile === undefined || !rsaVerify(profile, user.key, signed, signature ?? Buffer.alloc(0)))
    return refuseUser(
      `user certificate ${user.subject} with a signature that does not hold`,
      "BadUserSignatureInvalid",
    );
  const mapped = userFor(users, user);
  if (mapped === undefined)
    return refuseUser(`user certificate ${user.subject}, which is mapped to no user of the server`);
  return asServerUser(termination.server, session, mapped) ?? refuseUser(noWay(user, mapped));
}

/** undefined: the server lets nobody log on so. */
function asServerUser(
  server: Peer,
  { nonce, policies }: LogOnSession,
  user: ServerUser,
): Result<LogOn, Refusal> | undefined {
  const policy = policies[user.kind];
  if (policy === undefined) return undefined;
  const { policyId, profile } = policy;
  switch (user.kind) {
    case "password": {
      const { userName, password } = user;
      const secret = rsaEncrypt(profile, server.key, secretBytes(password, nonce));
      const algorithm = profile.encryptionAlgorithm;
      const token = { typeId: USER_NAME_TOKEN, policyId, userName, secret, algorithm };
      return ok({ identity: secretTokenBytes(token), signature: UNSIGNED });
    }
    case "certificate": {
      const proof = rsaSign(profile, user.privateKey, Buffer.concat([server.certificate, nonce]));
      const signature = signatureBytes(profile.signatureAlgorithm, proof);
      return ok({ identity: certificateTokenBytes(policyId, user.certificate), signature });
    }
    default: {
      const never: never = user;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

function noWay({ subject }: Peer, { kind }: ServerUser): string {
  return `user certificate ${subject}, which is mapped to a ${kind}, by which the server lets nobody log on under this policy`;
}
