import { isUtf8 } from "node:buffer";
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { JWK } from "jose";
import {
  type Bundle,
  canonicalBundle,
  isFaithful,
  MAX_BUNDLE_BYTES,
  parseBundle,
  shown,
  wrongSchema,
} from "./bundle.ts";
import type { PlantId } from "./ids.ts";
import { err, ok, type Result } from "./result.ts";

/**
 * A bundle file is canonical JSON: `{"bundle":{…},"signature":"HEADER..SIGNATURE"}`. The signature is a JWS (RFC 7515) over the
 * exact bytes of the value of `bundle`, which stand beside it and not in it (RFC 7797), by an Ed25519 key (RFC 8037). Node does the
 * arithmetic, so that loading needs no promise; the tests hold it against jose.
 */
const BEGIN = '{"bundle":';
const SIGNATURE = /,"signature":"([A-Za-z0-9_-]*)\.\.([A-Za-z0-9_-]*)"\}$/;
/** Header and signature take some 250 bytes. */
const MAX_TAIL_BYTES = 1024;
const SIGNATURE_BYTES = 64;

/** What a point remembers of the bundle that it loaded last. */
export interface LoadedVersion {
  readonly plant: PlantId;
  readonly version: number;
  readonly id: string;
}

export interface OpenOptions {
  /** Ed25519 public keys. */
  readonly trusted: readonly JWK[];
  /**
   * Takes a bundle without a signature, and where no key is trusted any bundle without looking at its signature. Its id and its
   * projections are then made again and compared. Default false.
   */
  readonly allowUnsigned?: boolean;
  /** Refuses an older version of this plant's bundle, and another one of the same version. */
  readonly newerThan?: LoadedVersion;
}

/** The text of a bundle file. @throws Error in one sentence when the key is not an Ed25519 private key */
export function signBundle(bundle: Bundle, privateJwk: JWK): string {
  const key = ed25519(() => createPrivateKey({ key: { ...privateJwk }, format: "jwk" }));
  if (key === undefined)
    throw new Error("the signing key is not an Ed25519 private key in JWK form; make one with `sekisho keys init`");
  const header = headerOf(thumbprintOf(createPublicKey(key)));
  const payload = canonicalBundle(bundle);
  const signature = sign(null, Buffer.from(`${header}.${payload}`), key).toString("base64url");
  return `${BEGIN}${payload},"signature":"${header}..${signature}"}`;
}

/** The text of a bundle file without a signature. */
export function unsignedBundle(bundle: Bundle): string {
  return `${BEGIN}${canonicalBundle(bundle)}}`;
}

/**
 * Reads a bundle file and trusts nothing in it: nothing of the bundle is parsed before its signature has been verified. Never
 * throws; errors are one sentence.
 */
export function openBundle(file: string | Uint8Array, options: OpenOptions): Result<Bundle, string> {
  const bytes =
    typeof file === "string" ? Buffer.from(file) : Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const framed = frame(bytes);
  if (!framed.ok) return framed;
  const { payload, header, signature } = framed.value;
  const { trusted, allowUnsigned = false, newerThan } = options;
  const isUnsigned = header === undefined || signature === undefined;
  if (isUnsigned && !allowUnsigned)
    return err(
      "the bundle is not signed; sign it with `sekisho spec build --key FILE`, or take it all the same with `--unsigned`",
    );
  const verified =
    isUnsigned || (allowUnsigned && trusted.length === 0) ? undefined : check(payload, header, signature, trusted);
  if (verified?.ok === false) return verified;
  const bundle = parseBundle(payload);
  if (!bundle.ok) return bundle;
  if (verified === undefined) {
    const faithful = isFaithful(bundle.value, payload);
    if (!faithful.ok) return faithful;
  }
  const older = newerThan === undefined ? undefined : olderThan(bundle.value, newerThan);
  return older === undefined ? bundle : err(older);
}

export function versionOf({ plant, lifecycle, id }: Bundle): LoadedVersion {
  return { plant: plant.id, version: lifecycle.version, id };
}

/** Why a bundle may not take the place of the one loaded before, in one sentence; undefined: it may. */
export function olderThan(bundle: Bundle, before: LoadedVersion): string | undefined {
  const { plant, version, id } = versionOf(bundle);
  if (plant !== before.plant)
    return `the bundle is of plant \`${plant}\`, but \`${before.plant}\` was loaded here before; use another run folder`;
  if (version < before.version)
    return `the bundle has version ${version}, but version ${before.version} was loaded here before; build one with a higher version`;
  if (version === before.version && id !== before.id)
    return `the bundle has version ${version}, as another one that was loaded here before; raise the lifecycle's version and build it again`;
  return undefined;
}

/** Reads a JWK, or a JWK Set, of Ed25519 public keys. Errors are one sentence. */
export function readTrustedKeys(text: string): Result<readonly JWK[], string> {
  const value = parseJson(text);
  if (value === undefined) return err("the file of trusted keys is not JSON; it holds a JWK or a JWK Set");
  const keys: unknown = isMap(value) && "keys" in value ? value["keys"] : [value];
  if (!Array.isArray(keys) || keys.length === 0)
    return err("the file of trusted keys holds no key; it holds a JWK or a JWK Set");
  const trusted: JWK[] = [];
  for (const key of keys) {
    if (!isMap(key) || publicKey(key) === undefined)
      return err(`trusted key ${trusted.length + 1} is not an Ed25519 public key in JWK form`);
    if ("d" in key)
      return err(`trusted key ${trusted.length + 1} is a private key; keep it to yourself and name the public one`);
    trusted.push(key);
  }
  return ok(trusted);
}

interface Framed {
  readonly payload: Buffer;
  /** Absent: the file has no signature. */
  readonly header?: string;
  readonly signature?: string;
}

/** Cuts the file at its fixed parts. What does not have them is refused with a sentence about what it has instead. */
function frame(bytes: Buffer): Result<Framed, string> {
  if (bytes.length === 0) return err("the bundle file is empty");
  if (bytes.length > MAX_BUNDLE_BYTES)
    return err(`the bundle file has ${bytes.length} bytes, more than ${MAX_BUNDLE_BYTES}; split the plant`);
  if (!isUtf8(bytes)) return err("the bundle file is not text in UTF-8; build it again with `sekisho spec build`");
  if (bytes.toString("latin1", 0, BEGIN.length) !== BEGIN) return err(wrongBegin(bytes));
  const tail = bytes.toString("latin1", Math.max(BEGIN.length, bytes.length - MAX_TAIL_BYTES));
  const [signed, header, signature] = SIGNATURE.exec(tail) ?? [];
  if (signed !== undefined && header !== undefined && signature !== undefined) {
    const payload = bytes.subarray(BEGIN.length, bytes.length - signed.length);
    return endsWithSchema(payload) ? ok({ payload, header, signature }) : err(MORE);
  }
  if (tail.endsWith("}}") && !tail.includes('"signature":')) {
    const payload = bytes.subarray(BEGIN.length, -1);
    return endsWithSchema(payload) ? ok({ payload }) : err(MORE);
  }
  return err(wrongEnd(tail));
}

const MORE = "the bundle file holds more than a bundle and its signature; build it again";

function endsWithSchema(payload: Buffer): boolean {
  return /,"schema":"[^"]*"\}$/.test(payload.toString("latin1", Math.max(0, payload.length - 64)));
}

function wrongBegin(bytes: Buffer): string {
  const end = bytes.toString("latin1", Math.max(0, bytes.length - 64)).trimEnd();
  const schema = /"schema":"(sekisho-bundle\/[^"]{0,20})"\}$/.exec(end)?.[1];
  return schema === undefined
    ? `the file does not begin as a bundle file does, with \`${BEGIN}\`; build it with \`sekisho spec build\``
    : wrongSchema(schema);
}

function wrongEnd(tail: string): string {
  if (!tail.endsWith("}") && !/"signature":"[A-Za-z0-9_.-]*"\}/.test(tail))
    return "the bundle file is cut short; copy or build it again";
  if (/"signature":"[^"]*"\}$/.test(tail))
    return "the bundle's signature is not of the form `HEADER..SIGNATURE`; sign it again";
  if (/"signature":"[^"]*"\}/.test(tail)) return "the bundle file goes on behind its end; copy or build it again";
  return MORE;
}

function check(payload: Buffer, header: string, signature: string, trusted: readonly JWK[]): Result<true, string> {
  if (trusted.length === 0)
    return err("the bundle is signed, but no key is trusted here; name the site's public key with `--trust FILE`");
  const bytes = Buffer.from(signature, "base64url");
  if (bytes.length !== SIGNATURE_BYTES || bytes.toString("base64url") !== signature)
    return err(`the bundle's signature has ${bytes.length} bytes, not ${SIGNATURE_BYTES}; sign it again`);
  for (const jwk of trusted) {
    const key = publicKey(jwk);
    if (key === undefined) return err("a trusted key is not an Ed25519 public key in JWK form");
    if (header !== headerOf(thumbprintOf(key))) continue;
    if (verify(null, Buffer.concat([Buffer.from(`${header}.`), payload]), key, bytes)) return ok(true);
    return err(
      payload.includes(',"bundle":{')
        ? "the bundle file holds `bundle` twice; build it again"
        : "the bundle's signature does not fit its content; it was changed after it was signed",
    );
  }
  return err(foreignHeader(header));
}

/** What is wrong with a header that is not the one we would have written for any trusted key. */
function foreignHeader(header: string): string {
  const value = parseJson(Buffer.from(header, "base64url").toString());
  if (!isMap(value)) return "the bundle's signature has no readable header; sign it again";
  const { alg, kid } = { alg: undefined, kid: undefined, ...value };
  if (alg !== "EdDSA")
    return `the bundle is signed with \`${shown(String(alg))}\`; only EdDSA with an Ed25519 key is taken`;
  if (typeof kid !== "string" || header !== headerOf(kid))
    return "the header of the bundle's signature holds other members than alg, b64, crit and kid; sign it again";
  return `the bundle is signed by key \`${shown(kid)}\`, which is not trusted here`;
}

/** The protected header in the one form that is taken, base64url. */
function headerOf(kid: string): string {
  return Buffer.from(JSON.stringify({ alg: "EdDSA", b64: false, crit: ["b64"], kid })).toString("base64url");
}

/** RFC 7638 with the members of RFC 8037 §2. */
function thumbprintOf(key: KeyObject): string {
  const { crv, kty, x } = key.export({ format: "jwk" });
  return createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
}

function publicKey(jwk: object): KeyObject | undefined {
  const { kty, crv, x }: Readonly<Record<string, unknown>> = { ...jwk };
  if (kty !== "OKP" || crv !== "Ed25519" || typeof x !== "string") return undefined;
  return ed25519(() => createPublicKey({ key: { kty, crv, x }, format: "jwk" }));
}

function ed25519(make: () => KeyObject): KeyObject | undefined {
  try {
    const key = make();
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
