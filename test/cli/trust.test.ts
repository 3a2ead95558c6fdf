import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleFrom } from "#cli/bundle.ts";
import type { TrustFlags } from "#cli/bundle-file.ts";
import { UsageError } from "#cli/part.ts";
import { signBundle, unsignedBundle } from "#specs/sign.ts";
import { newKey } from "../lifecycle-specs/keys.ts";
import { sekisho } from "../support/cli.ts";
import { waterTreatment } from "../support/plant.ts";

const { bundle } = waterTreatment();
const [key, other] = [newKey(), newKey()];

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sekisho-trust-"));
  writeFileSync(at("signed.json"), signBundle(bundle, key.secret));
  writeFileSync(at("unsigned.json"), unsignedBundle(bundle));
  writeFileSync(at("changed.json"), signBundle(bundle, key.secret).replace('"max":', '"max":1'));
  writeFileSync(at("key.json"), JSON.stringify(key.open));
  writeFileSync(at("keys.json"), JSON.stringify({ keys: [other.open, key.open] }));
  writeFileSync(at("other.json"), JSON.stringify(other.open));
  writeFileSync(at("secret.json"), JSON.stringify(key.secret));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const flags = ({ trust, unsigned }: TrustFlags): TrustFlags => ({
  ...(trust === undefined ? {} : { trust: at(trust) }),
  ...(unsigned === undefined ? {} : { unsigned }),
});

describe("a bundle file", () => {
  test.each<{ file: string; given: TrustFlags }>([
    { file: "signed.json", given: { trust: "key.json" } },
    { file: "signed.json", given: { trust: "keys.json" } },
    { file: "signed.json", given: { trust: "key.json", unsigned: true } },
    { file: "signed.json", given: { unsigned: true } },
    { file: "unsigned.json", given: { unsigned: true } },
    { file: "unsigned.json", given: { trust: "key.json", unsigned: true } },
  ])("$file is taken with $given", ({ file, given }) => {
    expect(bundleFrom(at(file), flags(given)).id).toBe(bundle.id);
  });

  test.each<{ file: string; given: TrustFlags; says: string }>([
    { file: "signed.json", given: {}, says: "no key is trusted here; name the site's public key with `--trust FILE`" },
    { file: "signed.json", given: { trust: "other.json" }, says: "which is not trusted here" },
    { file: "signed.json", given: { trust: "other.json", unsigned: true }, says: "which is not trusted here" },
    { file: "signed.json", given: { trust: "secret.json" }, says: "trusted key 1 is a private key" },
    { file: "signed.json", given: { trust: "signed.json" }, says: "it is not a key" },
    { file: "signed.json", given: { trust: "nowhere.json" }, says: "cannot be read" },
    { file: "unsigned.json", given: {}, says: "the bundle is not signed" },
    { file: "unsigned.json", given: { trust: "key.json" }, says: "the bundle is not signed" },
    { file: "changed.json", given: { trust: "key.json" }, says: "the bundle's signature does not fit its content" },
    { file: "changed.json", given: { unsigned: true }, says: "the bundle" },
    { file: "key.json", given: { trust: "key.json" }, says: "does not begin as a bundle file does" },
  ])("$file is refused with $given", ({ file, given, says }) => {
    const open = () => bundleFrom(at(file), flags(given));
    expect(open).toThrow(UsageError);
    expect(open).toThrow(says);
  });

  test("the name of a plant needs no key", () => {
    expect(bundleFrom("water-treatment").id).toBe(bundle.id);
  });
});

test("a part that is given a bundle without a key says so and ends with code 2", async () => {
  const common = ["hmi-monitor", "--mirror", "127.0.0.1:9", "--standalone", "--phase", "normal"];
  const { code, stdout, stderr } = await sekisho([...common, "--bundle", at("signed.json")], 8000);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^sekisho: [^\n]*no key is trusted here; name the site's public key with `--trust FILE`\n$/);
});
