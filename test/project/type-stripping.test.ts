import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";

/** The product runs by stripping types, the suites do not: what the compiler and the suites take, Node may still refuse. */
const ROOT = join(import.meta.dirname, "../..");
const NOT_OURS = new Set(["node_modules", ".git", ".sekisho"]);

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !NOT_OURS.has(entry.name)) yield* sources(path);
    else if (entry.isFile() && entry.name.endsWith(".ts")) yield path;
  }
}

function refusal(source: string): string | undefined {
  try {
    stripTypeScriptTypes(source);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("Node itself can read every source file", () => {
  const files = [...sources(ROOT)];
  const refused = files.flatMap((path) => refusal(readFileSync(path, "utf8")) ?? []);
  expect(refused).toEqual([]);
  expect(files.length).toBeGreaterThan(300);
});

test("and what it cannot read is noticed", () => {
  expect(refusal("enum Colour { Red }")).toBeDefined();
});
