import { type KeyObject, X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { keyBytes } from "#wire/opcua/rsa-security.ts";
import type { Refusal } from "./opcua-channel.ts";
import { readRevocationList, serialText } from "./opcua-crl.ts";

/** A certificate that is believed, and its key. */
export interface Peer {
  readonly certificate: Buffer;
  readonly key: KeyObject;
  readonly subject: string;
}

/** Who is believed: certificates, those that authorities among them issued, less those that an authority has revoked. */
export interface TrustList {
  readonly certificates: readonly X509Certificate[];
  /** Serial numbers that an authority revoked, by the fingerprint of its certificate. */
  readonly revoked: ReadonlyMap<string, ReadonlySet<string>>;
}

const CERTIFICATE_FILE = /\.(pem|der|crt|cer)$/;
const LIST_FILE = /\.(crl|pem|der)$/;

/**
 * Reads the certificates of a folder, and the revocation lists in its folder `crl`; PEM or DER.
 *
 * @throws Error in one sentence
 */
export function loadTrustList(folder: string): TrustList {
  const certificates = filesOf(folder, CERTIFICATE_FILE).map(readCertificate);
  const revoked = new Map<string, Set<string>>();
  const crl = join(folder, "crl");
  for (const file of existsSync(crl) ? filesOf(crl, LIST_FILE) : []) {
    const { serials, isSignedBy } = readList(file);
    const authorities = certificates.filter(({ ca, publicKey }) => ca && isSignedBy(publicKey));
    if (authorities.length === 0) throw new Error(`${file} is signed by none of the authorities in ${folder}`);
    for (const { fingerprint256 } of authorities)
      revoked.set(fingerprint256, new Set([...(revoked.get(fingerprint256) ?? []), ...serials]));
  }
  return { certificates, revoked };
}

function filesOf(folder: string, name: RegExp): readonly string[] {
  return readdirSync(folder)
    .filter((file) => name.test(file))
    .sort()
    .map((file) => join(folder, file));
}

/** @throws Error in one sentence */
export function readCertificate(file: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(file));
  } catch (error) {
    throw new Error(`${file} is not a certificate (${error instanceof Error ? error.message : String(error)})`);
  }
}

function readList(file: string): ReturnType<typeof readRevocationList> {
  try {
    return readRevocationList(readFileSync(file));
  } catch (error) {
    throw new Error(`${file} ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Who is behind a certificate, or one with those of its issuers behind it; or why it is not believed. */
export function trustedPeer(trust: TrustList, chain: Buffer | null, nowMs: number): Peer | Refusal {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chain ?? Buffer.alloc(0));
  } catch {
    return { status: "BadCertificateInvalid", says: "its certificate cannot be read" };
  }
  const its = `its certificate ${subjectOf(certificate)}`;
  const issuers = trust.certificates.filter(
    (known) => known.ca && certificate.checkIssued(known) && certificate.verify(known.publicKey),
  );
  const isRevoked = issuers.some(({ fingerprint256 }) =>
    trust.revoked.get(fingerprint256)?.has(serialText(certificate.serialNumber)),
  );
  if (isRevoked) return { status: "BadCertificateRevoked", says: `${its} was revoked by the authority that issued it` };
  if (issuers.length === 0 && !trust.certificates.some(({ raw }) => raw.equals(certificate.raw)))
    return { status: "BadCertificateUntrusted", says: `${its} is not trusted here` };
  if (nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo))
    return { status: "BadCertificateTimeInvalid", says: `${its} is out of its time` };
  return peerOf(certificate) ?? { status: "BadCertificateInvalid", says: `${its} has no RSA key of 2048 to 4096 bits` };
}

/** undefined: its key is none that the policies allow. */
export function peerOf(certificate: X509Certificate): Peer | undefined {
  const { raw, publicKey } = certificate;
  return keyBytes(publicKey) === undefined
    ? undefined
    : { certificate: raw, key: publicKey, subject: subjectOf(certificate) };
}

/** On one line. */
function subjectOf({ subject }: X509Certificate): string {
  return subject.replaceAll("\n", ", ");
}
