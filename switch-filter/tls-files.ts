import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TlsIdentity } from "./tls.ts";

/**
 * Reads `cert.pem,key.pem,ca.pem`: own certificate (and those between it and its authority), its key, and the authorities that are
 * believed.
 *
 * @throws Error in one sentence
 */
export function readIdentity(text: string): TlsIdentity {
  const [cert, key, ca, ...rest] = text.split(",");
  if (cert === undefined || key === undefined || ca === undefined || rest.length > 0) {
    throw new Error(`\`${text}\` is not three files: CERT,KEY,CA`);
  }
  const identity = { cert: read(cert), key: read(key), ca: read(ca) };
  const certificate = parsed(cert, "a certificate", () => new X509Certificate(identity.cert));
  parsed(ca, "a certificate", () => new X509Certificate(identity.ca));
  const own = parsed(key, "a key without a passphrase", () => createPrivateKey(identity.key));
  if (!certificate.checkPrivateKey(own)) throw new Error(`${key} is not the key of ${cert}`);
  return identity;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${file} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

function parsed<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    throw new Error(`${file} is not ${what} in PEM form`);
  }
}
