import { generateKeyPairSync, randomBytes } from "node:crypto";
import { ActivateSessionRequest, IssuedIdentityToken, UserNameIdentityToken, X509IdentityToken } from "node-opcua";
import { describe, expect, test } from "vitest";
import type { UaTermination } from "#switch-filter/opcua-identity.ts";
import { logOn } from "#switch-filter/opcua-users.ts";
import { BinaryReader } from "#wire/opcua/binary-reader.ts";
import { readRequest } from "#wire/opcua/request.ts";
import { rsaDecrypt, rsaEncrypt } from "#wire/opcua/rsa-security.ts";
import { type SecurityProfile, securityProfile } from "#wire/opcua/security-profile.ts";
import { readSecretToken, secretBytes, secretOf } from "#wire/opcua/services/identity-token.ts";
import { bodyOf } from "../wire/opcua/node-opcua-bytes.ts";

/** Users on a channel that ends in the filter: the secret that the client sealed for it reaches the server sealed anew. */
const filter = generateKeyPairSync("rsa", { modulusLength: 2048 });
const server = generateKeyPairSync("rsa", { modulusLength: 3072 });
const nonce = randomBytes(32);
const certificate = Buffer.from("certificate");
const termination: UaTermination = {
  towardsClients: { certificate, thumbprint: certificate, privateKey: filter.privateKey, applicationUri: "urn:filter" },
  towardsServer: { certificate, thumbprint: certificate, privateKey: filter.privateKey, applicationUri: "urn:filter" },
  server: { certificate, key: server.publicKey, subject: "CN=server" },
  clients: { certificates: [], revoked: new Map() },
};

const PROFILES = ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"].flatMap(
  (name) => securityProfile(`http://opcfoundation.org/UA/SecurityPolicy#${name}`) ?? [],
);

function passed(userIdentityToken: ActivateSessionRequest["userIdentityToken"]) {
  const body = bodyOf(new ActivateSessionRequest({ userIdentityToken }));
  const reader = new BinaryReader(body);
  const request = readRequest(reader);
  const field = reader.fieldSpans.find(({ kind }) => kind === "identity");
  if (!request.ok || request.value.service !== "ActivateSession" || field === undefined) throw new Error("no token");
  const { identity, userTokenSignature: signature } = request.value;
  const user = { identity, field: body.subarray(field.start, field.end), signature };
  const [channel] = PROFILES;
  if (channel === undefined) throw new Error("no policy");
  const logged = logOn(termination, channel, { nonce, policies: {} }, user);
  return logged.ok ? { ok: true as const, value: logged.value.identity } : logged;
}

const sealed = (profile: SecurityProfile, secret: string, of = nonce): Buffer =>
  rsaEncrypt(profile, filter.publicKey, secretBytes(Buffer.from(secret), of));

describe.each(PROFILES)("$uri", (profile) => {
  const encryptionAlgorithm = profile.encryptionAlgorithm;
  test.each(["", "short", "x".repeat(1000)])("a password of any length", (password) => {
    const token = new UserNameIdentityToken({
      policyId: "name",
      userName: "operator",
      password: sealed(profile, password),
      encryptionAlgorithm,
    });
    expect(arrived(profile, passed(token))).toEqual({ userName: "operator", policyId: "name", secret: password });
  });

  test("a JSON Web Token", () => {
    const tokenData = sealed(profile, "eyJhbGciOiJFZERTQSJ9.e30.c2ln");
    const token = new IssuedIdentityToken({ policyId: "jwt", tokenData, encryptionAlgorithm });
    expect(arrived(profile, passed(token))).toMatchObject({ policyId: "jwt", secret: "eyJhbGciOiJFZERTQSJ9.e30.c2ln" });
  });

  test("a secret for another session is not passed on", () => {
    const token = { userName: "operator", encryptionAlgorithm, password: sealed(profile, "secret", randomBytes(32)) };
    expect(passed(new UserNameIdentityToken(token)).ok).toBe(false);
  });

  test("a secret that is sealed for another is not passed on", () => {
    const password = rsaEncrypt(profile, server.publicKey, secretBytes(Buffer.from("secret"), nonce));
    expect(passed(new UserNameIdentityToken({ userName: "operator", encryptionAlgorithm, password })).ok).toBe(false);
  });
});

function arrived(profile: SecurityProfile, field: ReturnType<typeof passed>) {
  const token = field.ok ? readSecretToken(field.value) : undefined;
  const plain = rsaDecrypt(profile, server.privateKey, token?.secret ?? Buffer.alloc(0));
  const secret = plain === undefined ? undefined : secretOf(plain, nonce)?.toString();
  return { userName: token?.userName, policyId: token?.policyId, secret };
}

test("nobody, and a secret in the clear, pass as they are", () => {
  expect(passed(null).ok).toBe(true);
  const clear = passed(new UserNameIdentityToken({ userName: "operator", password: Buffer.from("clear") }));
  expect(clear.ok && readSecretToken(clear.value)?.secret?.toString()).toBe("clear");
});

test.each([
  { name: "a user's certificate", token: new X509IdentityToken({ certificateData: certificate }), says: "certificate" },
  {
    name: "a password under PKCS #1 v1.5",
    token: new UserNameIdentityToken({
      password: Buffer.alloc(256),
      encryptionAlgorithm: "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
    }),
    says: "rsa-1_5",
  },
])("$name is refused with a reason", ({ token, says }) => {
  const refused = passed(token);
  expect(refused.ok ? "" : `${refused.error.status} ${refused.error.says}`).toContain(says);
  expect(refused.ok ? "" : refused.error.status).toBe("BadIdentityTokenRejected");
});
