import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REASONS } from "#specs/decide/reasons.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/reason-codes.md"), "utf8");

test("docs/reason-codes.md has every reason, its sentence and an example, and no other", () => {
  const rows = PAGE.split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const said = Object.fromEntries(rows.map(([, code = "", says]) => [code.replaceAll("`", ""), says]));
  expect(said).toEqual(REASONS);
  for (const [, code, , example = ""] of rows) expect(example.length, code).toBeGreaterThan(20);
  expect(new Set(rows.map((cells) => cells[3])).size).toBe(rows.length);
});
