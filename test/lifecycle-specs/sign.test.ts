import { calculateJwkThumbprint, exportJWK, FlattenedSign, flattenedVerify, generateKeyPair, importJWK } from "jose";
import { describe, expect, test } from "vitest";
import { buildBundle, canonicalBundle, MAX_BUNDLE_BYTES } from "#specs/bundle.ts";
import { type OpenOptions, openBundle, readTrustedKeys, signBundle, unsignedBundle, versionOf } from "#specs/sign.ts";
import { LIFECYCLE, PLANT } from "./everything.ts";
import { newKey } from "./keys.ts";
import { bundleOf, loaded } from "./specs.ts";

const key = newKey();
const other = newKey();
const bundle = buildBundle(PLANT, LIFECYCLE);
const payload = canonicalBundle(bundle);
const file = signBundle(bundle, key.secret);
const [header, signature] = /"signature":"([^.]*)\.\.([^"]*)"/.exec(file)?.slice(1) ?? [];
if (header === undefined || signature === undefined) throw new Error("a signed bundle has a signature");

const open = (given: string | Uint8Array, over: Partial<OpenOptions> = {}) =>
  openBundle(given, { trusted: [key.open], ...over });
const signed = (text: string, by = `${header}..${signature}`) => `{"bundle":${text},"signature":"${by}"}`;
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a signed bundle", () => {
  test("is the same text each time, and opens as it was built", () => {
    expect(signBundle(bundle, key.secret)).toBe(file);
    expect(file).toBe(signed(payload));
    expect(open(file)).toEqual({ ok: true, value: bundle });
    expect(open(Buffer.from(file))).toEqual({ ok: true, value: bundle });
    expect(open(file, { trusted: [other.open, key.open] })).toMatchObject({ ok: true });
  });

  test.each(["water-treatment", "boiler"])("%s", (name) => {
    const built = bundleOf(loaded(name));
    expect(open(signBundle(built, key.secret))).toEqual({ ok: true, value: built });
  });

  test("is a JWS with a detached, unencoded payload that jose verifies", async () => {
    const publicKey = await importJWK(key.open, "EdDSA");
    const { protectedHeader } = await flattenedVerify({ protected: header, payload, signature }, publicKey);
    const kid = await calculateJwkThumbprint(key.open);
    expect(protectedHeader).toEqual({ alg: "EdDSA", b64: false, crit: ["b64"], kid });
  });

  test("opens when jose has signed it", async () => {
    const kid = await calculateJwkThumbprint(key.open);
    const made = await new FlattenedSign(Buffer.from(payload))
      .setProtectedHeader({ alg: "EdDSA", b64: false, crit: ["b64"], kid })
      .sign(await importJWK(key.secret, "EdDSA"));
    expect(open(signed(payload, `${made.protected}..${made.signature}`))).toEqual({ ok: true, value: bundle });
  });
});

describe("is refused, in one sentence", () => {
  const byOther = /\.\.([^"]*)"/.exec(signBundle(bundle, other.secret))?.[1];
  const cut = file.indexOf('"lifecycle"');
  const nonCanonical = signature.slice(0, -1) + (signature.endsWith("A") ? "B" : "A");
  test.each<{ name: string; given: string | Uint8Array; says: string; trusted?: OpenOptions["trusted"] }>([
    { name: "empty", given: "", says: "is empty" },
    { name: "binary", given: Buffer.from([0x80, 0xff, 0, 1]), says: "is not text in UTF-8" },
    { name: "half a character", given: Buffer.from(file).subarray(0, 5).fill(0xc3), says: "is not text in UTF-8" },
    { name: "too large", given: Buffer.alloc(MAX_BUNDLE_BYTES + 1, 32), says: "more than 67108864" },
    { name: "another file", given: "zones: {}\n", says: 'does not begin as a bundle file does, with `{"bundle":`' },
    { name: "a mark before it", given: `\ufeff${file}`, says: "does not begin as a bundle file does" },
    { name: "a space before it", given: ` ${file}`, says: "does not begin as a bundle file does" },
    { name: "something before it", given: file.replace("{", '{"a":1,'), says: "does not begin as a bundle file does" },
    { name: "cut in the bundle", given: file.slice(0, cut), says: "is cut short" },
    { name: "cut in the signature", given: file.slice(0, -20), says: "is cut short" },
    { name: "cut by one", given: file.slice(0, -1), says: "is cut short" },
    { name: "nothing but the beginning", given: '{"bundle":', says: "is cut short" },
    { name: "a line end behind it", given: `${file}\n`, says: "goes on behind its end" },
    { name: "a second file behind it", given: file + file, says: "does not fit its content" },
    { name: "a member behind", given: file.replace(/\}$/, ',"a":1}'), says: "holds more than a bundle" },
    {
      name: "a member between",
      given: file.replace(',"signature"', ',"a":1,"signature"'),
      says: "holds more than a bundle",
    },
    {
      name: "`signature` twice",
      given: file.replace(/\}$/, `,"signature":"${header}..${signature}"}`),
      says: "more than a bundle",
    },
    { name: "`bundle` twice", given: signed(`${payload},"bundle":${payload}`), says: "holds `bundle` twice" },
    { name: "no signature", given: unsignedBundle(bundle), says: "is not signed" },
    { name: "an empty signature", given: signed(payload, ""), says: "is not of the form `HEADER..SIGNATURE`" },
    {
      name: "a payload in the signature",
      given: signed(payload, `${header}.e30.${signature}`),
      says: "is not of the form",
    },
    {
      name: "a short signature",
      given: signed(payload, `${header}..${signature.slice(4)}`),
      says: "has 61 bytes, not 64",
    },
    { name: "a signature spelt otherwise", given: signed(payload, `${header}..${nonCanonical}`), says: "signature" },
    {
      name: "another key's signature",
      given: signed(payload, `${header}..${byOther}`),
      says: "does not fit its content",
    },
    { name: "an unknown key", given: signBundle(bundle, other.secret), says: "which is not trusted here" },
    { name: "no key to trust", given: file, trusted: [], says: "no key is trusted here" },
    { name: "alg none", given: signed(payload, `${encoded({ alg: "none" })}..`), says: "has 0 bytes" },
    {
      name: "alg none, signed",
      given: signed(payload, `${encoded({ alg: "none" })}..${signature}`),
      says: "is signed with `none`",
    },
    {
      name: "alg HS256",
      given: signed(payload, `${encoded({ alg: "HS256" })}..${signature}`),
      says: "is signed with `HS256`",
    },
    {
      name: "a header without a key",
      given: signed(payload, `${encoded({ alg: "EdDSA" })}..${signature}`),
      says: "holds other members",
    },
    {
      name: "a header with a key of its own",
      given: signed(
        payload,
        `${encoded({ alg: "EdDSA", b64: false, crit: ["b64"], jwk: other.open, kid: "x" })}..${signature}`,
      ),
      says: "holds other members",
    },
    {
      name: "an encoded payload",
      given: signed(payload, `${encoded({ alg: "EdDSA", kid: "x" })}..${signature}`),
      says: "holds other members",
    },
    { name: "a header that is none", given: signed(payload, `AAAA..${signature}`), says: "has no readable header" },
    { name: "the bundle of before", given: `${payload.slice(0, -3)}1"}`, says: "schema is `sekisho-bundle/1`" },
    { name: "a bundle of later", given: signed(payload.replace(/\/2"\}$/, '/3"}')), says: "does not fit its content" },
    {
      name: "a trusted key that is none",
      given: file,
      trusted: [{ kty: "OKP", crv: "Ed25519", x: "AA" }],
      says: "a trusted key is not",
    },
  ])("$name: $says", ({ given, says, trusted }) => {
    const result = open(given, trusted === undefined ? {} : { trusted });
    expect(result).toMatchObject({ ok: false, error: expect.stringContaining(says) });
    expect(result.ok ? "" : result.error).toMatch(/^(the|a) [^\n]{1,300}[^.]$/);
  });

  test("a schema of later, signed by a trusted key", () => {
    const later = Object.assign({ ...bundle }, { schema: "sekisho-bundle/3" });
    expect(open(signBundle(later, key.secret))).toMatchObject({
      ok: false,
      error: expect.stringContaining("schema is `sekisho-bundle/3`, not `sekisho-bundle/2`"),
    });
  });

  test("any one byte changed, anywhere", () => {
    const bytes = Buffer.from(file);
    const places = Array.from({ length: 600 }, (_, n) => Math.floor((n * (bytes.length - 1)) / 599));
    const tail = Array.from({ length: 250 }, (_, n) => bytes.length - 1 - n);
    for (const at of [...places, ...tail]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect([at, open(changed).ok]).toEqual([at, false]);
    }
  });

  test("any one byte left out, or put in twice", () => {
    const bytes = Buffer.from(file);
    for (let at = 0; at < bytes.length; at += 97) {
      const without = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
      const twice = Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]);
      expect([at, open(without).ok, open(twice).ok]).toEqual([at, false, false]);
    }
  });
});

describe("bundles without a signature", () => {
  test("are taken only where the caller says so, and then made again", () => {
    expect(openBundle(unsignedBundle(bundle), { trusted: [], allowUnsigned: true })).toEqual({
      ok: true,
      value: bundle,
    });
    expect(open(unsignedBundle(bundle), { allowUnsigned: true })).toMatchObject({ ok: true });
    expect(open(unsignedBundle(bundle))).toMatchObject({ ok: false });
  });

  test("a signature that is there must hold, where a key is trusted", () => {
    const changed = file.replace('"max":40,', '"max":45,');
    expect(open(changed, { allowUnsigned: true })).toMatchObject({
      ok: false,
      error: expect.stringContaining("does not fit its content"),
    });
  });

  test("where no key is trusted the signature is not looked at, and the content is compared", () => {
    expect(openBundle(file, { trusted: [], allowUnsigned: true })).toEqual({ ok: true, value: bundle });
    const changed = file.replace('"max":40,', '"max":45,');
    expect(openBundle(changed, { trusted: [], allowUnsigned: true })).toMatchObject({
      ok: false,
      error: expect.stringContaining("its content is"),
    });
  });
});

describe("versions", () => {
  const newerThan = versionOf(bundle);
  const version = (change: Partial<typeof LIFECYCLE>) =>
    signBundle(buildBundle(PLANT, { ...LIFECYCLE, ...change }), key.secret);

  test.each([
    { name: "the same bundle again", given: file, says: undefined },
    { name: "a newer one", given: version({ version: 8, leaseMs: 1 }), says: undefined },
    {
      name: "an older one",
      given: version({ version: 6 }),
      says: "the bundle has version 6, but version 7 was loaded here before; build one with a higher version",
    },
    {
      name: "another one of the same version",
      given: version({ leaseMs: 1 }),
      says: "the bundle has version 7, as another one that was loaded here before; raise the lifecycle's version and build it again",
    },
    {
      name: "another plant's",
      given: signBundle(bundleOf(loaded("water-treatment")), key.secret),
      says: "the bundle is of plant `water-treatment`, but `everything` was loaded here before; use another run folder",
    },
  ])("$name", ({ given, says }) => {
    const result = open(given, { newerThan });
    expect(result.ok ? undefined : result.error).toBe(says);
  });
});

describe("keys", () => {
  test.each([
    { name: "a public one", jwk: key.open },
    { name: "one of another curve", jwk: { ...key.secret, crv: "X25519" } },
    { name: "none", jwk: {} },
  ])("$name signs nothing", ({ jwk }) => {
    expect(() => signBundle(bundle, jwk)).toThrow(/^the signing key is not an Ed25519 private key in JWK form/);
  });

  test.each([
    { name: "a key", text: JSON.stringify(key.open), want: { ok: true, value: [key.open] } },
    {
      name: "a set",
      text: JSON.stringify({ keys: [key.open, other.open] }),
      want: { ok: true, value: [key.open, other.open] },
    },
    { name: "no JSON", text: "-----BEGIN", want: { ok: false, error: expect.stringContaining("is not JSON") } },
    { name: "an empty set", text: '{"keys":[]}', want: { ok: false, error: expect.stringContaining("holds no key") } },
    { name: "a number", text: "7", want: { ok: false, error: expect.stringContaining("trusted key 1 is not") } },
    {
      name: "a private key",
      text: JSON.stringify({ keys: [other.open, key.secret] }),
      want: { ok: false, error: expect.stringContaining("trusted key 2 is a private key") },
    },
  ])("$name in the file of trusted keys", ({ text, want }) => {
    expect(readTrustedKeys(text)).toEqual(want);
  });

  test("of another kind in the file of trusted keys", async () => {
    const { publicKey } = await generateKeyPair("ES256");
    const text = JSON.stringify(await exportJWK(publicKey));
    expect(readTrustedKeys(text)).toMatchObject({ ok: false, error: expect.stringContaining("not an Ed25519") });
  });
});
