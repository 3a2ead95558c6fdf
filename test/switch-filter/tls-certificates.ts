import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsIdentity } from "#switch-filter/tls.ts";

/** A small authority of the test's own, made by openssl in a folder that is gone afterwards. */
export interface Authority {
  readonly certificate: string;
  /** Signed by it; `role` as Modbus/TCP Security has it, `address` as what a client asks for. Believes whom the authority signed. */
  identity(name: string, more?: { readonly role?: string; readonly address?: string }): TlsIdentity;
  /** The same in files, as the command line takes them. */
  files(identity: TlsIdentity): string;
  remove(): void;
}

export function makeAuthority(name: string): Authority {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-tls-"));
  const at = (file: string): string => join(folder, file);
  const openssl = (...args: readonly string[]): void => {
    const made = spawnSync("openssl", args, { encoding: "utf8" });
    if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", `/CN=${name}`);
  const certificate = readFileSync(at("ca.pem"), "utf8");
  return {
    certificate,
    identity: (subject, { role, address } = {}) => {
      const lines = [
        ...(role === undefined ? [] : [`1.3.6.1.4.1.50316.802.1=ASN1:UTF8String:${role}`]),
        ...(address === undefined ? [] : [`subjectAltName=IP:${address}`]),
        "basicConstraints=CA:FALSE",
      ];
      writeFileSync(at("extensions"), lines.join("\n"));
      openssl("req", ...key, "-keyout", at("one.key"), "-out", at("one.csr"), "-subj", `/CN=${subject}`);
      const ca = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2"];
      openssl("x509", "-req", "-in", at("one.csr"), ...ca, "-extfile", at("extensions"), "-out", at("one.pem"));
      return { cert: readFileSync(at("one.pem"), "utf8"), key: readFileSync(at("one.key"), "utf8"), ca: certificate };
    },
    files: ({ cert, key: own, ca }) => {
      const texts = { "cli.pem": cert, "cli.key": own, "cli-ca.pem": ca };
      for (const [file, text] of Object.entries(texts)) writeFileSync(at(file), text);
      return Object.keys(texts).map(at).join(",");
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
