import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fixture, folder, run } from "./run.ts";

const here = folder();
afterAll(here.remove);

const LIFECYCLE = readFileSync(`${fixture("mixer")}/lifecycle.yaml`, "utf8");

/** The mixer with another file in the place of one of its own. */
function broken(name: string, file: "plant.yaml" | "lifecycle.yaml", content: string | Buffer): string {
  const path = here.file(name);
  cpSync(fixture("mixer"), path, { recursive: true });
  writeFileSync(`${path}/${file}`, content);
  return path;
}

function changed(name: string, from: string, to: string): string {
  if (LIFECYCLE.split(from).length !== 2) throw new Error(`\`${from}\` does not stand exactly once`);
  return broken(
    name,
    "lifecycle.yaml",
    LIFECYCLE.replace(from, () => to),
  );
}

/** Billions of `x` in a few hundred bytes. */
function laughs(): string {
  const lines = Array.from(
    { length: 12 },
    (_, n) =>
      `a${n}: &a${n} [${Array(9)
        .fill(n === 0 ? "x" : `*a${n - 1}`)
        .join(", ")}]`,
  );
  return lines.join("\n");
}

interface Case {
  readonly name: string;
  readonly args: () => readonly string[];
  /** What the one error says. */
  readonly says: RegExp;
  readonly code?: number;
}

const FILES: readonly Case[] = [
  {
    name: "broken YAML",
    args: () => ["spec", "check", changed("syntax", "phases:\n  off:", "phases: {\n  off:")],
    says: /error: not YAML 1\.2: .*\[YAML_SYNTAX\]\n {2}at .*lifecycle\.yaml:\d+:\d+\n/,
  },
  {
    name: "wrong types",
    args: () => ["spec", "check", changed("types", "version: 4", "version: [4]")],
    says: /error: version is not a number \[TYPE_WRONG\]\n {2}at .*lifecycle\.yaml:2:10\n.*\n.*2 \| version: \[4\]\n.*\| {10}\^/,
  },
  {
    name: "an unknown name",
    args: () => ["spec", "check", changed("name", "tags: [MOTOR],", "tags: [MOTR],")],
    says: /error: (?:unknown|no) tag `MOTR` \(did you mean `MOTOR`\?\).*\[TAG_UNKNOWN\]/,
  },
  {
    name: "an unknown key",
    args: () => ["spec", "check", changed("key", "lease: 10s", "leas: 10s")],
    says: /error: unknown key `leas`.*\[KEY_UNKNOWN\]/,
  },
  {
    name: "a circle of aliases",
    args: () => ["spec", "check", changed("circle", "rules:\n  reads:", "rules: &all\n  all: *all\n  reads:")],
    says: /error: alias `all` .*\[YAML_ALIASES\]/,
  },
  {
    name: "aliases that multiply",
    args: () => ["spec", "check", broken("laughs", "plant.yaml", laughs())],
    says: /error: .*\n {2}at .*plant\.yaml:1:1\n/,
  },
  {
    name: "deep nesting",
    args: () => ["spec", "check", broken("deep", "lifecycle.yaml", `plant: mixer\nphases: ${"[".repeat(20_000)}`)],
    says: /\[YAML_(?:TOO_DEEP|SYNTAX)\]\n {2}at .*lifecycle\.yaml:\d+:\d+\n/,
  },
  {
    name: "deep nesting that is closed",
    args: () => {
      const deep = "[".repeat(20_000) + "]".repeat(20_000);
      return ["spec", "check", broken("closed", "lifecycle.yaml", `plant: mixer\nphases: ${deep}\n`)];
    },
    says: /\[YAML_(?:TOO_DEEP|SYNTAX)\]\n {2}at .*lifecycle\.yaml:\d+:\d+\n/,
  },
  {
    name: "a file of 100 MB",
    args: () => {
      const path = broken("large", "lifecycle.yaml", "plant: mixer\n");
      truncateSync(`${path}/lifecycle.yaml`, 100_000_000);
      return ["spec", "check", path];
    },
    says: /^sekisho: .*lifecycle\.yaml: the file has 100000000 bytes, more than \d+; split the plant\n$/,
  },
  {
    name: "a binary file",
    args: () => ["spec", "check", broken("binary", "plant.yaml", Buffer.from("fffe00c328a0ff", "hex"))],
    says: /^sekisho: .*plant\.yaml: the file is not UTF-8.*\n$/,
  },
  {
    name: "an empty file",
    args: () => ["spec", "check", broken("blank", "plant.yaml", "")],
    says: /error: the file is empty/,
  },
  {
    name: "a folder without files",
    args: () => {
      mkdirSync(here.file("empty"));
      return ["spec", "check", here.file("empty")];
    },
    says: /^sekisho: no plant `.*empty`.*; name a folder .*\n$/,
  },
  {
    name: "a plant whose name has a typo",
    args: () => ["spec", "check", "water-treatmnt"],
    says: /^sekisho: no plant `water-treatmnt` \(did you mean `water-treatment`\?\).*\n$/,
  },
];

const USAGE: readonly Case[] = [
  { name: "an unknown command", args: () => ["spec", "chekc"], says: /^error: unknown command 'chekc'/ },
  { name: "an unknown option", args: () => ["spec", "check", "--jsn"], says: /^error: unknown option '--jsn'/ },
  { name: "an argument too few", args: () => ["spec", "diff", "boiler"], says: /^error: missing required argument/ },
  {
    name: "a file that cannot be written",
    args: () => ["spec", "build", fixture("mixer"), "--out", here.file("nowhere/bundle")],
    says: /sekisho: .*nowhere\/bundle cannot be written: there is no such file or folder\n$/,
  },
  {
    name: "a folder to be written to",
    args: () => ["spec", "graph", fixture("mixer"), "--out", here.path],
    says: /^sekisho: .* cannot be written: it is a folder\n$/,
  },
  {
    name: "an unknown format",
    args: () => ["spec", "graph", fixture("mixer"), "--format", "svgg"],
    says: /^sekisho: unknown format `svgg` \(did you mean `svg`\?\).*\n$/,
  },
  {
    name: "an unknown phase",
    args: () => ["spec", "graph", fixture("mixer"), "--state", "servce"],
    says: /^sekisho: no phase `servce` \(did you mean `service`\?\); name one of off, run, .*\n$/,
  },
  {
    name: "a key that is none",
    args: () => ["spec", "build", fixture("mixer"), "--key", `${fixture("mixer")}/plant.yaml`],
    says: /^sekisho: .* is not an Ed25519 private key in JWK form; make one with `sekisho keys init`\n$/,
  },
];

const BUNDLES: readonly Case[] = [
  {
    name: "a tampered bundle",
    args: () => {
      return [
        "spec",
        "diff",
        fixture("mixer"),
        here.file("tampered.json"),
        "--trust",
        here.file("keys/signing.public.jwk"),
      ];
    },
    says: /^sekisho: .*tampered\.json: the bundle's signature does not fit its content.*\n$/,
  },
  {
    name: "a tampered bundle where every signature is believed",
    args: () => ["spec", "diff", fixture("mixer"), here.file("tampered.json")],
    says: /^sekisho: .*tampered\.json: the bundle's id is .*\n$/,
  },
  {
    name: "a bundle that another key signed",
    args: () => [
      "spec",
      "diff",
      fixture("mixer"),
      here.file("signed.json"),
      "--trust",
      here.file("other/signing.public.jwk"),
    ],
    says: /^sekisho: .*signed\.json: the bundle is signed by key `.*`, which is not trusted here\n$/,
  },
  {
    name: "a bundle that is cut short",
    args: () => {
      const text = readFileSync(here.file("signed.json"));
      writeFileSync(here.file("short.json"), text.subarray(0, text.length / 2));
      return ["spec", "verify", here.file("short.json"), "--trust", here.file("keys/signing.public.jwk")];
    },
    says: /^sekisho: .*short\.json: the bundle file is cut short; .*\n$/,
  },
  {
    name: "a bundle that is something else",
    args: () => ["spec", "verify", `${fixture("mixer")}/plant.yaml`, "--trust", here.file("keys/signing.public.jwk")],
    says: /^sekisho: .*plant\.yaml: the file does not begin as a bundle file does.*\n$/,
  },
  {
    name: "a binary bundle",
    args: () => {
      writeFileSync(here.file("binary.json"), Buffer.from("7b22fffe00", "hex"));
      return ["spec", "diff", fixture("mixer"), here.file("binary.json")];
    },
    says: /^sekisho: .*binary\.json is not text in UTF-8, so it is not a bundle\n$/,
  },
  {
    name: "a bundle of 100 MB",
    args: () => {
      writeFileSync(here.file("large.json"), "");
      truncateSync(here.file("large.json"), 100_000_000);
      return ["spec", "diff", fixture("mixer"), here.file("large.json")];
    },
    says: /^sekisho: .*large\.json has 100000000 bytes, more than \d+: it is not a bundle\n$/,
  },
  {
    name: "the private key where the public one belongs",
    args: () => ["spec", "verify", here.file("signed.json"), "--trust", here.file("keys/signing.private.jwk")],
    says: /^sekisho: .*: trusted key 1 is a private key; .*\n$/,
  },
  {
    name: "keys that are there already",
    args: () => ["keys", "init", "--dir", here.file("keys")],
    says: /^sekisho: .*signing\.private\.jwk is there already; name another folder with --dir, or .* --force\n$/,
  },
];

beforeAll(async () => {
  for (const dir of ["keys", "other"]) expect((await run(["keys", "init", "--dir", here.file(dir)])).code).toBe(0);
  const key = here.file("keys/signing.private.jwk");
  const built = await run(["spec", "build", fixture("mixer"), "--out", here.file("signed.json"), "--key", key]);
  expect(built.code).toBe(0);
  const text = readFileSync(here.file("signed.json"), "utf8");
  writeFileSync(here.file("tampered.json"), text.replace('"max":80', '"max":90'));
}, 60_000);

// Each starts the real command.
describe.each([
  ["files", FILES],
  ["usage", USAGE],
  ["bundles and keys", BUNDLES],
])("bad input in %s ends with one clear error and exit code 2", (_, cases) => {
  test.each(cases)("$name", { timeout: 30_000 }, async ({ args, says }) => {
    const { code, stdout, stderr } = await run(args());
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/\n\s+at \S+ \(|node:internal/);
    expect(stderr.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });
});
