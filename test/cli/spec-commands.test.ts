import { cpSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { calculateJwkThumbprint } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMachine } from "xstate";
import { fixture, folder, invoke, run } from "./run.ts";

const here = folder();
afterAll(here.remove);

const MIXER = fixture("mixer");
/** A plant that can be read and does not hold: its isolated phase is no containment. */
const PAIR = fixture("pair");
const KEYS = { private: here.file("keys/signing.private.jwk"), public: here.file("keys/signing.public.jwk") };
const BUNDLE = here.file("mixer.json");

beforeAll(async () => {
  expect((await invoke("keys", "init", "--dir", here.file("keys"))).code).toBe(0);
  expect((await invoke("spec", "build", MIXER, "--out", BUNDLE, "--key", KEYS.private)).code).toBe(0);
});

describe("sekisho keys init", () => {
  test("makes a pair that only its owner can read, and says what it is for", async () => {
    const ran = await invoke("keys", "init", "--dir", here.file("more/keys"), "--json");
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const { kid, files } = JSON.parse(ran.stdout);
    expect(files).toEqual([here.file("more/keys/signing.private.jwk"), here.file("more/keys/signing.public.jwk")]);
    const [secret, open] = files.map((file: string) => JSON.parse(readFileSync(file, "utf8")));
    expect(secret).toMatchObject({ kty: "OKP", crv: "Ed25519", x: open.x, kid, d: expect.any(String) });
    expect(open).toEqual({ kty: "OKP", crv: "Ed25519", x: secret.x, alg: "EdDSA", use: "sig", kid });
    expect(await calculateJwkThumbprint(open)).toBe(kid);
    expect(files.map((file: string) => statSync(file).mode & 0o777)).toEqual([0o600, 0o644]);
  });

  test("replaces a pair only when told to", async () => {
    const dir = here.file("again");
    const keyOf = () => readFileSync(`${dir}/signing.public.jwk`, "utf8");
    await invoke("keys", "init", "--dir", dir);
    const first = keyOf();
    expect((await invoke("keys", "init", "--dir", dir)).code).toBe(2);
    expect(keyOf()).toBe(first);
    const { code, stdout } = await invoke("keys", "init", "--dir", dir, "--force");
    expect(code).toBe(0);
    expect(stdout).toContain("Keep it where bundles are built and nowhere else");
    expect(stdout).toContain("makes no certificates for points or people");
    expect(keyOf()).not.toBe(first);
  });
});

describe("sekisho spec check", () => {
  test("a plant that holds: 0, and a summary in the last line", async () => {
    const { code, stdout } = await invoke("spec", "check", MIXER);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nmixer: 0 errors, \d+ warnings?; 5 phases, 4 generated containments, .*\n$/);
  });

  test("one that does not: 1, with the place of each finding", async () => {
    const { code, stdout } = await invoke("spec", "check", PAIR);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^error: .*\n {2}at .*pair\/lifecycle\.yaml:\d+:\d+\n {4}.*\|\n/m);
  });

  test.each([
    { plant: MIXER, code: 0 },
    { plant: PAIR, code: 1 },
    { plant: here.path, code: 2 },
  ])("--json prints one document and nothing else (exit code $code)", async ({ plant, code }) => {
    const ran = await invoke("spec", "check", plant, "--json");
    expect(ran.code).toBe(code);
    expect(ran.stdout.endsWith("\n")).toBe(true);
    expect(JSON.parse(ran.stdout)).toMatchObject({ passed: code === 0, findings: expect.any(Array) });
  });
});

describe("sekisho spec build and verify", () => {
  test("a signed bundle is verified by its public key: who, which version, which id", async () => {
    const { code, stdout } = await invoke("spec", "verify", BUNDLE, "--trust", KEYS.public, "--json");
    const { kid } = JSON.parse(readFileSync(KEYS.public, "utf8"));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      verified: true,
      signer: kid,
      plant: "mixer",
      version: 4,
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await invoke("spec", "verify", BUNDLE, "--trust", KEYS.public)).stdout).toMatch(
      new RegExp(`mixer version 4, id [0-9a-f]{64}\nsigned by key ${kid}, which is trusted here\n$`),
    );
  });

  test("an unsigned one is said to be unsigned, and verified by nobody", async () => {
    const out = here.file("unsigned.json");
    const built = await invoke("spec", "build", MIXER, "--out", out, "--json");
    expect(built.stderr).toMatch(/^NOT SIGNED: /m);
    expect(JSON.parse(built.stdout)).toMatchObject({ out, plant: "mixer", version: 4, signed: false });
    const verified = await invoke("spec", "verify", out, "--trust", KEYS.public);
    expect(verified).toMatchObject({ code: 1, stdout: "" });
    expect(verified.stderr).toMatch(/^sekisho: .*: the bundle is not signed/);
  });

  test("one that was changed after it was signed: 1", async () => {
    writeFileSync(here.file("changed.json"), readFileSync(BUNDLE, "utf8").replace('"max":80', '"max":90'));
    const { code, stdout, stderr } = await invoke(
      "spec",
      "verify",
      here.file("changed.json"),
      "--trust",
      KEYS.public,
      "--json",
    );
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      verified: false,
      says: expect.stringContaining("was changed after it was signed"),
    });
    expect(stderr).toContain("was changed after it was signed");
  });

  test("an older one than was loaded before: 1", async () => {
    const older = here.file("older");
    cpSync(MIXER, older, { recursive: true });
    const lifecycle = readFileSync(`${older}/lifecycle.yaml`, "utf8").replace("version: 4", "version: 3");
    writeFileSync(`${older}/lifecycle.yaml`, lifecycle);
    const bundle = here.file("older.json");
    expect((await invoke("spec", "build", older, "--out", bundle, "--key", KEYS.private)).code).toBe(0);
    const verify = (file: string, before: string) =>
      invoke("spec", "verify", file, "--trust", KEYS.public, "--after", before);
    expect((await verify(BUNDLE, bundle)).code).toBe(0);
    const { code, stderr } = await verify(bundle, BUNDLE);
    expect(code).toBe(1);
    expect(stderr).toContain("the bundle has version 3, but version 4 was loaded here before");
  });

  test("the same source gives the same bytes", async () => {
    const again = here.file("again.json");
    await invoke("spec", "build", MIXER, "--out", again, "--key", KEYS.private);
    expect(readFileSync(again, "utf8")).toBe(readFileSync(BUNDLE, "utf8"));
  });

  test("what does not hold is not built: 1, with the findings", async () => {
    const { code, stdout, stderr } = await invoke("spec", "build", PAIR);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/error: .*\[G7 ISOLATED_NOT_CONTAINMENT\]/);
    expect(stderr).toMatch(/sekisho: pair does not hold, so nothing was built\n$/);
  });
});

describe("sekisho spec diff", () => {
  test("a bundle and the folder it was built from: 0", async () => {
    const { code, stdout } = await invoke("spec", "diff", BUNDLE, MIXER, "--trust", KEYS.public);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "mixer version 4 → mixer version 4: the same may happen\n" });
  });

  test("different plants: 1, widenings first", async () => {
    const { code, stdout } = await invoke("spec", "diff", MIXER, PAIR);
    expect(code).toBe(1);
    const headings = ["could not before", "may no longer happen", "else is different"].map((part) =>
      stdout.indexOf(part),
    );
    expect(headings).toEqual([...headings].sort((a, b) => a - b));
    expect(stdout).toMatch(/^mixer version 4 → pair version 1: \d+ widened, \d+ narrowed, \d+ other\n/);
    expect(stdout).toMatch(/^ {2}\+ in left\.run, hmi-1 may now write L\.RUN 0 or 1$/m);
  });

  test("--json has every change with its places", async () => {
    const { stdout } = await invoke("spec", "diff", PAIR, MIXER, "--json");
    const { same, before, after, changes } = JSON.parse(stdout);
    expect({ same, before, after }).toMatchObject({
      same: false,
      before: { plant: "pair" },
      after: { plant: "mixer", version: 4 },
    });
    expect(changes).toContainEqual({
      effect: "widened",
      widens: true,
      topic: "permission",
      where: ["service"],
      places: ["service"],
      says: "ews-1 may now send vendor-clock to plc-1",
      about: ["vendor-clock"],
    });
  });
});

describe("sekisho spec graph", () => {
  test.each([
    { format: "svg", begins: '<svg xmlns="http://www.w3.org/2000/svg"' },
    { format: "mermaid", begins: "---\ntitle:" },
    { format: "xstate", begins: "{" },
  ])("$format on standard output", async ({ format, begins }) => {
    const { code, stdout, stderr } = await invoke("spec", "graph", MIXER, "--format", format);
    expect({ code, stderr, begin: stdout.slice(0, begins.length) }).toEqual({ code: 0, stderr: "", begin: begins });
    if (format === "xstate") expect(createMachine(JSON.parse(stdout)).id).toBe("lifecycle");
  });

  test("a plant that does not hold can be drawn", async () => {
    const out = here.file("pair.svg");
    expect(await invoke("spec", "graph", PAIR, "--out", out)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(readFileSync(out, "utf8")).toMatch(/<\/svg>\n$/);
  });
});

test("whoever reads may stop reading", { timeout: 30_000 }, async () => {
  const ran = await run(["spec", "graph", "boiler", "--format", "xstate"], { hangUpAfter: 1 });
  expect(ran).toMatchObject({ code: 0, stderr: "" });
});
