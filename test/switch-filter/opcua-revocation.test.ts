import { X509Certificate } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRevocationList } from "#switch-filter/opcua-crl.ts";
import { loadTrustList, trustedPeer } from "#switch-filter/opcua-trust.ts";
import { Authority } from "./opcua-authority.ts";

/** Certificates of an authority made by openssl, and what it revoked. */
const folder = mkdtempSync(join(tmpdir(), "sekisho-ua-crl-"));
let authority: Authority;
let other: Authority;
const lists: Record<"PEM" | "DER", Buffer> = { PEM: Buffer.alloc(0), DER: Buffer.alloc(0) };

beforeAll(() => {
  authority = new Authority(join(folder, "ca"));
  other = new Authority(join(folder, "other"), "other");
  for (const name of ["good", "stolen", "lost"]) authority.issue(name);
  lists.PEM = authority.revoke("PEM", "stolen", "lost");
  lists.DER = authority.revoke("DER");
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function trustFolder(name: string, certificates: readonly string[], crl: readonly Buffer[]): string {
  const made = join(folder, name);
  mkdirSync(join(made, "crl"), { recursive: true });
  for (const [i, file] of certificates.entries()) copyFileSync(file, join(made, `${i}.pem`));
  for (const [i, bytes] of crl.entries()) writeFileSync(join(made, "crl", `${i}.crl`), bytes);
  return made;
}

const der = (name: string): Buffer => new X509Certificate(readFileSync(join(folder, "ca", `${name}.pem`))).raw;
const statusOf = (trust: ReturnType<typeof loadTrustList>, name: string): string => {
  const found = trustedPeer(trust, der(name), Date.now());
  return "says" in found ? found.status : "trusted";
};

describe.each(["PEM", "DER"] as const)("a list in %s", (form) => {
  test("revokes those that it names and no others", () => {
    const trust = loadTrustList(trustFolder(`trust-${form}`, [authority.certificate], [lists[form]]));
    expect(["good", "stolen", "lost"].map((name) => statusOf(trust, name))).toEqual([
      "trusted",
      "BadCertificateRevoked",
      "BadCertificateRevoked",
    ]);
  });
});

test("a certificate that is trusted by itself is revoked where its authority is known", () => {
  const own = join(folder, "ca", "stolen.pem");
  const trust = loadTrustList(trustFolder("itself", [own, authority.certificate], [lists.DER]));
  expect(statusOf(trust, "stolen")).toBe("BadCertificateRevoked");
});

test("without lists, everything that the authority issued is believed", () => {
  const trust = loadTrustList(trustFolder("without", [authority.certificate], []));
  expect(statusOf(trust, "stolen")).toBe("trusted");
});

test("a list that revokes nobody", () => {
  const trust = loadTrustList(trustFolder("nobody", [other.certificate], [other.revoke("DER")]));
  expect([...trust.revoked.values()].map((serials) => serials.size)).toEqual([0]);
  expect(statusOf(trust, "good")).toBe("BadCertificateUntrusted");
});

test.each([
  { name: "signed by somebody else", list: () => other.revoke("DER"), says: "is signed by none of the authorities" },
  { name: "noise", list: () => Buffer.from("noise"), says: "ends early" },
  { name: "cut off", list: () => lists.DER.subarray(0, -1), says: "ends early" },
  {
    name: "with something behind it",
    list: () => Buffer.concat([lists.DER, Buffer.from([5, 0])]),
    says: "is no revocation",
  },
])("a list $name is refused with its name", ({ name, list, says }) => {
  const made = trustFolder(name, [authority.certificate], [list()]);
  expect(() => loadTrustList(made)).toThrow(says);
  expect(() => loadTrustList(made)).toThrow("0.crl");
});

test("whatever is done to a list, it is refused in a sentence, or is not signed any more, or says what it said", () => {
  const authorityKey = new X509Certificate(readFileSync(authority.certificate)).publicKey;
  const { serials } = readRevocationList(lists.DER);
  expect(serials.size).toBe(2);
  let signed = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(lists.DER.length - 1), fc.nat(255)), { maxLength: 3 }),
      fc.nat(9),
      (changes, cut) => {
        const bytes = Buffer.from(cut === 0 ? lists.DER.subarray(0, -1) : lists.DER);
        for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
        try {
          const list = readRevocationList(bytes);
          if (!list.isSignedBy(authorityKey)) return;
          signed += 1;
          expect(list.serials).toEqual(serials);
        } catch (error) {
          expect(error instanceof Error ? error.message : "").toMatch(/^(is|has|ends) /);
        }
      },
    ),
    { numRuns: 3000 },
  );
  expect(signed).toBeGreaterThan(0);
});
