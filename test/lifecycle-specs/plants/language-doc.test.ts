import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkSpec } from "#specs/check.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { loadPlant, loadPlantFolder } from "#specs/load.ts";
import { isShown, layOver, type Segment, segmentsOf } from "./doc-blocks.ts";

/**
 * `docs/language.md` is held to what the product does: each piece of YAML is laid over what came before, loaded and checked; each
 * command is run, and what it prints is what the page shows. After a change of either: `vitest run test/lifecycle-specs/plants
 * --update=all`, and read the page.
 */
const PAGE = join(import.meta.dirname, "../../../docs/language.md");
const LAUNCHER = join(import.meta.dirname, "../../../bin/sekisho.js");
const segments = segmentsOf(readFileSync(PAGE, "utf8"));

const folder = mkdtempSync(join(tmpdir(), "sekisho-language-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files as they stand after so many pieces; a broken piece counts for the next command only. */
const files = new Map<string, string>();
const broken = new Map<string, string>();

describe("docs/language.md", () => {
  test("has pieces of YAML, and commands", () => {
    expect(segments.filter(({ kind }) => kind === "file").length).toBeGreaterThan(20);
    expect(segments.filter(({ kind }) => kind === "console").length).toBeGreaterThan(4);
  });

  test("is as long as one sitting, with the reference after it", () => {
    const [lessons = "", reference = ""] = readFileSync(PAGE, "utf8").split("\n## Reference\n");
    expect(lessons.split("\n").length).toBeLessThan(670);
    expect(reference.split("\n").length).toBeLessThan(150);
  });

  test("every piece loads and passes the checker, every command prints what is shown", {
    timeout: 120_000,
  }, async () => {
    const page: string[] = [];
    for (const segment of segments) page.push(await replay(segment));
    await expect(page.join("")).toMatchFileSnapshot(PAGE);
  });
});

async function replay(segment: Segment): Promise<string> {
  switch (segment.kind) {
    case "file":
      lay(segment);
      return segment.text;
    case "console":
      return run(segment);
    case "other":
      expect(["ts", "text"]).toContain(segment.language);
      return segment.text;
    case "text":
      return segment.text;
    default: {
      const never: never = segment;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

function lay({ path, body, broken: isBroken, copyOf, line }: Extract<Segment, { kind: "file" }>): void {
  if (copyOf !== undefined) {
    for (const [known, text] of [...files]) {
      if (dirname(known) === copyOf) files.set(join(dirname(path), basename(known)), text);
    }
  }
  if (path.endsWith(".ts")) return compare(path, body);
  const text = layOver(files.get(path), body);
  (isBroken ? broken : files).set(path, text);
  if (isBroken) return;
  const plant = files.get(join(dirname(path), "plant.yaml"));
  const lifecycle = files.get(join(dirname(path), "lifecycle.yaml"));
  if (plant === undefined || lifecycle === undefined) return;
  const loaded = loadPlant({ file: "plant.yaml", text: plant }, { file: "lifecycle.yaml", text: lifecycle });
  expect(loaded.ok ? [] : loaded.error.map(formatDiagnostic), `the piece in line ${line}`).toEqual([]);
  // A tag may stand for a moment before the rule that the next piece brings.
  if (!loaded.ok || path.endsWith("plant.yaml")) return;
  const errors = checkSpec(loaded.value).findings.filter(({ severity }) => severity === "error");
  expect(errors.map(formatDiagnostic), `the piece in line ${line}`).toEqual([]);
}

/** TypeScript stands beside this test, where the compiler sees it. */
function compare(path: string, body: string): void {
  expect(body).toBe(readFileSync(join(import.meta.dirname, path), "utf8"));
  const loaded = loadPlantFolder(join(import.meta.dirname, dirname(path)));
  expect(loaded.ok ? checkSpec(loaded.value).findings : loaded.error).toEqual([]);
}

async function run({ commands, text }: Extract<Segment, { kind: "console" }>): Promise<string> {
  for (const [path, written] of [...files, ...broken]) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), written);
  }
  broken.clear();
  const lines: string[] = [];
  for (const command of commands) {
    const [program, ...args] = command.split(" ");
    expect(program).toBe("sekisho");
    lines.push(`$ ${command}`, ...(await printed(args)).split("\n").slice(0, -1));
  }
  const shown = text.split("\n").slice(1, -2);
  return isShown(shown, lines) ? text : `\`\`\`console\n${lines.join("\n")}\n\`\`\`\n`;
}

/** What the command prints, without colours: on both streams, as a person sees it. */
function printed(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
    const child = spawn(process.execPath, [LAUNCHER, ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    const take = (chunk: Buffer) => {
      text += chunk.toString();
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const timer = setTimeout(() => child.kill("SIGTERM"), 30_000);
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
