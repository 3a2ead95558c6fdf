import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AsymmetricHeader,
  decodeAsymmetricHeader,
  decodeSymmetricChunk,
  encodeMsgChunk,
} from "#wire/opcua/message-chunk.ts";
import { keyBytes } from "#wire/opcua/rsa-security.ts";
import { deriveKeys, MAX_SECURED_OVERHEAD_BYTES, openChunk, sealChunk } from "#wire/opcua/secured-chunk.ts";
import { openSecured, paddingFor, sealOpen, unpadded } from "#wire/opcua/secured-open.ts";
import { type SecurityProfile, securityProfile, symmetricSignatureBytes } from "#wire/opcua/security-profile.ts";

/** Secured chunks. That other stacks read and write the same is shown by `test/switch-filter/opcua-secured.test.ts`. */
const policy = (name: string): string => `http://opcfoundation.org/UA/SecurityPolicy#${name}`;
const PROFILES = ["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"].flatMap(
  (name) => securityProfile(policy(name)) ?? [],
);
const MODES = ["Sign", "SignAndEncrypt"] as const;

function profileOf(index: number): SecurityProfile {
  const profile = PROFILES[index];
  if (profile === undefined) throw new Error("three profiles");
  return profile;
}

test("P_SHA256 of the vector that TLS 1.2 implementations share", () => {
  const secret = Buffer.from("9bbe436ba940f017b17652849a71db35", "hex");
  const seed = Buffer.concat([Buffer.from("test label"), Buffer.from("a0ba9f936cda311827a6f796ffd5198c", "hex")]);
  const { signing, encrypting, initial } = deriveKeys(profileOf(0), seed, secret);
  expect(Buffer.concat([signing.export(), encrypting.export(), initial]).toString("hex")).toBe(
    "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a" +
      "6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab" +
      "4fbc91666e9def9b97fce34f796789ba",
  );
});

describe.each(PROFILES)("$uri", (profile) => {
  const KEYS = deriveKeys(profile, randomBytes(32), randomBytes(32));
  const chunkOf = (body: Buffer) => encodeMsgChunk({ channelId: 1, tokenId: 2, sequenceNumber: 3, requestId: 4, body });

  test.each(MODES)("mode %s: what was sealed opens again, whatever its length, and is no longer than said", (mode) => {
    for (let length = 0; length < 70; length += 1) {
      const chunk = chunkOf(randomBytes(length));
      const sealed = sealChunk(chunk, profile, mode, KEYS);
      expect(sealed.length).toBeLessThanOrEqual(chunk.length + MAX_SECURED_OVERHEAD_BYTES);
      expect(sealed.readUInt32LE(4)).toBe(sealed.length);
      expect(openChunk(sealed, profile, mode, KEYS)).toEqual({ ok: true, value: chunk });
    }
  });

  test("mode Sign leaves the body readable in front of the signature", () => {
    const chunk = chunkOf(Buffer.from("body"));
    const sealed = sealChunk(chunk, profile, "Sign", KEYS);
    const read = decodeSymmetricChunk(sealed, symmetricSignatureBytes(profile.uri));
    expect(read.ok && read.value.body.toString()).toBe("body");
  });

  test.each(MODES)("mode %s: a byte changed anywhere, and a byte too few, is refused", (mode) => {
    const sealed = sealChunk(chunkOf(randomBytes(33)), profile, mode, KEYS);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at);
      expect(openChunk(changed, profile, mode, KEYS).ok).toBe(false);
      expect(openChunk(sealed.subarray(0, at), profile, mode, KEYS).ok).toBe(false);
    }
  });

  test("random bytes never throw", () => {
    const noise = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(noise, fc.constantFrom(...MODES), (bytes, mode) => {
        expect(openChunk(Buffer.from(bytes), profile, mode, KEYS).ok).toBe(false);
      }),
    );
  });

  describe.each([
    { sender: 2048, receiver: 2048 },
    { sender: 4096, receiver: 2048 },
    { sender: 2048, receiver: 3072 },
  ])("OPN from a key of $sender bits to one of $receiver", ({ sender, receiver }) => {
    const from = generateKeyPairSync("rsa", { modulusLength: sender });
    const to = generateKeyPairSync("rsa", { modulusLength: receiver });
    const seal = (body: Buffer): Buffer =>
      sealOpen(profile, {
        ...{ channelId: 1, sequenceNumber: 2, requestId: 3, body },
        certificate: Buffer.from("from"),
        privateKey: from.privateKey,
        receiverCertificate: Buffer.from("to"),
        receiverKey: to.publicKey,
      });
    const open = (frame: Buffer, header: AsymmetricHeader) =>
      openSecured(frame, header, profile, { own: to.privateKey, sender: from.publicKey });
    const headerOf = (frame: Buffer): AsymmetricHeader => {
      const header = decodeAsymmetricHeader(frame);
      if (!header.ok) throw new Error(header.error.code);
      return header.value;
    };

    test("opens again, whatever the length of its body", () => {
      for (const length of [1, 100, 101, 300, 500]) {
        const body = randomBytes(length);
        const frame = seal(body);
        const opened = open(frame, headerOf(frame));
        expect(opened.ok && opened.value).toMatchObject({ channelId: 1, sequenceNumber: 2, requestId: 3, body });
      }
    });

    test("is refused with a byte changed, from another sender, and for another receiver", () => {
      const frame = seal(randomBytes(100));
      const header = headerOf(frame);
      for (const at of [8, frame.length - header.payload.length, frame.length - 1]) {
        const changed = Buffer.from(frame);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        const read = decodeAsymmetricHeader(changed);
        expect(read.ok && open(changed, read.value).ok).toBe(false);
      }
      const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
      expect(openSecured(frame, header, profile, { own: to.privateKey, sender: stranger.publicKey }).ok).toBe(false);
      expect(openSecured(frame, header, profile, { own: stranger.privateKey, sender: from.publicKey }).ok).toBe(false);
    });
  });
});

describe("padding", () => {
  test.each([false, true])("of any size comes off again (a wide key: %s)", (isWide) => {
    for (let bytes = 8; bytes < 600; bytes += 7) {
      const plain = Buffer.concat([Buffer.alloc(bytes, 0xee), paddingFor(bytes, 256, isWide ? 470 : 214, isWide)]);
      expect((plain.length + 256) % (isWide ? 470 : 214)).toBe(0);
      expect(unpadded(plain, plain.length, isWide)).toBe(bytes);
    }
  });

  test("that says it is longer than what is there, or is uneven, does not", () => {
    expect(unpadded(Buffer.from("000000000000000009", "hex"), 9, false)).toBeUndefined();
    expect(unpadded(Buffer.from("00000000000000000003020303", "hex"), 13, false)).toBeUndefined();
    expect(unpadded(Buffer.alloc(8), 8, false)).toBeUndefined();
  });
});

test("keys that are too short, too long or of another kind are none", () => {
  expect(keyBytes(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey)).toBe(256);
  expect(keyBytes(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey)).toBeUndefined();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  expect(keyBytes(createPublicKey(privateKey))).toBeUndefined();
});

test("deprecated policies can be looked into, and nothing more; others not even that", () => {
  for (const name of ["Basic128Rsa15", "Basic256"]) {
    expect(securityProfile(policy(name))).toBeUndefined();
    expect(symmetricSignatureBytes(policy(name))).toBe(20);
  }
  expect(symmetricSignatureBytes(policy("ECC_nistP256"))).toBeUndefined();
});
