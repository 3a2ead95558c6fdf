import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { MAX_FILE_BYTES } from "#specs/load/text.ts";
import { loadPlant, loadPlantFolder, plantNames } from "#specs/load.ts";
import { failed, SMALL } from "./mistake.ts";

const root = mkdtempSync(join(tmpdir(), "sekisho-specs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder of its own with these files. */
function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}

const yaml = { "plant.yaml": SMALL.plant.text, "lifecycle.yaml": SMALL.lifecycle.text };
const json = {
  "plant.json": JSON.stringify(parse(SMALL.plant.text), null, 2),
  "lifecycle.json": JSON.stringify(parse(SMALL.lifecycle.text), null, 2),
};
const module = (value: unknown) => `export default ${JSON.stringify(value, null, 2)} as const;\n`;
const ts = {
  "plant.ts": module(parse(SMALL.plant.text)),
  "lifecycle.ts": module(parse(SMALL.lifecycle.text)),
};

describe("which files are read", () => {
  test("an unknown plant name, with the near one", () => {
    expect(failed(loadPlantFolder("water-treatmnt"))).toMatchObject([
      { code: "PLANT_NOT_FOUND", message: expect.stringContaining("did you mean `water-treatment`?") },
    ]);
    expect(plantNames()).toContain("water-treatment");
  });

  test("a folder without a lifecycle", () => {
    const path = folder("half", { "plant.yaml": SMALL.plant.text });
    expect(failed(loadPlantFolder(path))).toMatchObject([
      { code: "FILE_UNREADABLE", file: join(path, "lifecycle.yaml"), message: expect.stringContaining("ENOENT") },
    ]);
  });

  test.each([
    ["yaml", yaml],
    ["json", json],
    ["ts", ts],
    ["mixed", { "plant.ts": ts["plant.ts"], "lifecycle.yaml": yaml["lifecycle.yaml"] }],
  ])("a folder in %s is the same plant", (name, files) => {
    const result = loadPlantFolder(folder(name, files));
    expect(failed(result).map(formatDiagnostic)).toEqual([]);
    const expected = loadPlant(SMALL.plant, SMALL.lifecycle);
    if (!result.ok || !expected.ok) throw new Error("unreachable: both have been loaded");
    expect(result.value.plant).toEqual(expected.value.plant);
    expect(result.value.lifecycle).toEqual(expected.value.lifecycle);
  });

  test("one file in two notations", () => {
    const path = folder("twice", { ...yaml, "lifecycle.json": json["lifecycle.json"] });
    expect(failed(loadPlantFolder(path))).toMatchObject([
      { code: "FILE_TWICE", file: join(path, "lifecycle.yaml"), message: expect.stringContaining("lifecycle.json") },
    ]);
  });

  test("a folder in the place of a file", () => {
    const path = folder("folder", { "plant.yaml": SMALL.plant.text });
    mkdirSync(join(path, "lifecycle.yaml"));
    expect(failed(loadPlantFolder(path))).toMatchObject([{ code: "FILE_UNREADABLE" }]);
  });
});

describe("what the files hold", () => {
  test("a file of 100 MB is refused by its size", () => {
    const path = folder("large", yaml);
    const file = join(path, "lifecycle.yaml");
    closeSync(openSync(file, "w"));
    truncateSync(file, 100_000_000); // a hole: nothing is written, and nothing must be read
    const before = process.memoryUsage().rss;
    expect(failed(loadPlantFolder(path))).toMatchObject([
      { code: "FILE_TOO_LARGE", message: expect.stringContaining("100000000 bytes") },
    ]);
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
  });

  test("the largest size is read, one byte more is not", () => {
    const path = folder("limit", yaml);
    const padded = `${SMALL.plant.text}#`.padEnd(
      MAX_FILE_BYTES - Buffer.byteLength(SMALL.plant.text) + SMALL.plant.text.length,
      "x",
    );
    writeFileSync(join(path, "plant.yaml"), padded);
    expect(failed(loadPlantFolder(path))).toEqual([]);
    writeFileSync(join(path, "plant.yaml"), `${padded}x`);
    expect(failed(loadPlantFolder(path))).toMatchObject([{ code: "FILE_TOO_LARGE" }]);
  });

  test.each([
    ["random bytes", Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + 13) & 0xff)],
    ["UTF-16", Buffer.from(`\u{feff}${SMALL.plant.text}`, "utf16le")],
    ["Latin-1", Buffer.from(SMALL.plant.text, "latin1")],
    ["a picture", Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")],
  ])("%s are not UTF-8", (name, bytes) => {
    const path = folder(`bytes ${name}`, { ...yaml, "plant.yaml": bytes });
    expect(failed(loadPlantFolder(path))).toMatchObject([
      { code: "FILE_UNREADABLE", line: 1, column: 1, message: "the file is not UTF-8; save it as such" },
    ]);
  });

  test.each([
    ["a byte-order mark", `\u{feff}${SMALL.plant.text}`],
    ["lines that end as on Windows", SMALL.plant.text.replaceAll("\n", "\r\n")],
    ["the mark of one document", `---\n${SMALL.plant.text}...\n`],
  ])("%s changes nothing", (name, text) => {
    const path = folder(`harmless ${name}`, { ...yaml, "plant.yaml": text });
    expect(failed(loadPlantFolder(path)).map(formatDiagnostic)).toEqual([]);
  });
});

describe("TypeScript", () => {
  test.each([
    ["does not parse", "export default {", "cannot be run"],
    ["throws", 'throw new Error("no luck");', "no luck"],
    ["throws what is no error", "throw 7;", "7"],
    ["has no default export", "export const plant = {};", "default export"],
    ["waits at the top level", "await 1; export default {};", "cannot be run"],
  ])("a file that %s", (name, text, says) => {
    const path = folder(`module ${name}`, { ...yaml, "lifecycle.ts": text });
    rmSync(join(path, "lifecycle.yaml"));
    const [diagnostic, ...more] = failed(loadPlantFolder(path));
    expect(more).toEqual([]);
    expect(diagnostic).toMatchObject({ code: "MODULE_FAILED", file: join(path, "lifecycle.ts"), line: 1, column: 1 });
    expect(diagnostic?.message).toContain(says);
    expect(diagnostic?.message).not.toMatch(/\n| at .*:\d+:\d+/);
  });

  test("a mistake in the value is named by its path", () => {
    const path = folder("path", { ...ts, "plant.ts": ts["plant.ts"].replace('"role": "hmi"', '"role": "hmmi"') });
    const [diagnostic] = failed(loadPlantFolder(path));
    if (diagnostic === undefined) throw new Error("nothing was reported");
    expect(formatDiagnostic(diagnostic)).toBe(
      `${join(path, "plant.ts")}: devices.hmi-1.role: unknown role \`hmmi\` (did you mean \`hmi\`?); it is one of hmi, engineering, historian, plc, rtu, opcua-server, test [WORD_UNKNOWN]`,
    );
  });
});
