import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { keyBytes } from "#wire/opcua/rsa-security.ts";
import { thumbprint } from "#wire/opcua/secured-open.ts";

/** An application certificate, in DER, with its key and the URI of the application it names. */
export interface Credentials {
  readonly certificate: Buffer;
  readonly thumbprint: Buffer;
  readonly privateKey: KeyObject;
  readonly applicationUri: string;
}

/** A peer's certificate and key. */
export interface Peer {
  readonly certificate: Buffer;
  readonly key: KeyObject;
  readonly subject: string;
}

/** What ends secured channels here: who this filter is towards either side, and whom it believes. */
export interface UaTermination {
  /** The server that clients see. */
  readonly towardsClients: Credentials;
  /** The client that the server sees. */
  readonly towardsServer: Credentials;
  readonly server: Peer;
  /** Certificates of clients, and of authorities that issued theirs. */
  readonly trusted: readonly X509Certificate[];
}

/**
 * Reads the certificates of a listener from a folder: `own/clients.pem`, `own/clients.key` (shown to clients), `own/server.pem`,
 * `own/server.key` (shown to the server), `servers/<device>.pem` (the one that this server must have), `clients/*.pem` (trusted clients,
 * or authorities). DER works as well.
 *
 * @throws Error in one sentence
 */
export function loadTermination(folder: string, server: string): UaTermination {
  const clients = join(folder, "clients");
  const trusted = readdirSync(clients)
    .filter((name) => /\.(pem|der|crt|cer)$/.test(name))
    .sort();
  if (trusted.length === 0)
    throw new Error(`${clients} holds no certificate, so no client could open a secured channel`);
  return {
    towardsClients: readCredentials(join(folder, "own", "clients")),
    towardsServer: readCredentials(join(folder, "own", "server")),
    server: readPeer(join(folder, "servers", `${server}.pem`)),
    trusted: trusted.map((name) => readCertificate(join(clients, name))),
  };
}

function readCertificate(file: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(file));
  } catch (error) {
    throw new Error(`${file} is not a certificate (${error instanceof Error ? error.message : String(error)})`);
  }
}

function readCredentials(stem: string): Credentials {
  const certificate = readCertificate(`${stem}.pem`);
  const privateKey = createPrivateKey(readFileSync(`${stem}.key`));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`${stem}.key is not the key of ${stem}.pem`);
  if (keyBytes(privateKey) === undefined) throw new Error(`${stem}.key is not an RSA key of 2048 to 4096 bits`);
  const applicationUri = uriOf(certificate);
  if (applicationUri === undefined) throw new Error(`${stem}.pem names no application URI in its subjectAltName`);
  return { certificate: certificate.raw, thumbprint: thumbprint(certificate.raw), privateKey, applicationUri };
}

function readPeer(file: string): Peer {
  const certificate = readCertificate(file);
  const peer = peerOf(certificate);
  if (peer === undefined) throw new Error(`${file} has no RSA key of 2048 to 4096 bits`);
  return peer;
}

function peerOf(certificate: X509Certificate): Peer | undefined {
  const { raw, publicKey, subject } = certificate;
  if (keyBytes(publicKey) === undefined) return undefined;
  return { certificate: raw, key: publicKey, subject: subject.replaceAll("\n", ", ") };
}

/** The application that a certificate is for (OPC 10000-6 v1.05 §6.2.2). */
function uriOf({ subjectAltName }: X509Certificate): string | undefined {
  const uri = subjectAltName?.split(", ").find((name) => name.startsWith("URI:"));
  return uri?.slice("URI:".length);
}

/**
 * The client behind a certificate, or why it is not believed. It is one of those trusted, or was issued by one of them; revocation lists are
 * not read, so whoever must be kept out is taken from the folder.
 */
export function trustedClient(
  { trusted }: UaTermination,
  chain: Buffer | null,
  nowMs: number,
): { readonly peer: Peer } | { readonly says: string } {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(chain ?? Buffer.alloc(0));
  } catch {
    return { says: "its certificate cannot be read" };
  }
  const subject = certificate.subject.replaceAll("\n", ", ");
  const isTrusted = trusted.some(
    (known) =>
      known.raw.equals(certificate.raw) ||
      (known.ca && certificate.checkIssued(known) && certificate.verify(known.publicKey)),
  );
  if (!isTrusted) return { says: `its certificate ${subject} is not trusted here` };
  if (nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo))
    return { says: `its certificate ${subject} is out of its time` };
  const peer = peerOf(certificate);
  return peer === undefined ? { says: `its certificate ${subject} has no RSA key of 2048 to 4096 bits` } : { peer };
}
