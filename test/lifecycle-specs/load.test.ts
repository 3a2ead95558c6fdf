import { describe, expect, test } from "vitest";
import { CHECK_CODES } from "#specs/check/codes.ts";
import { DIAGNOSTICS, formatDiagnostic } from "#specs/diagnostic.ts";
import { diagnosticsOf, type Fixture, FULL, type Mistake, positionOf, SMALL, withMistake } from "./load/mistake.ts";
import { FULL_MISTAKES } from "./load/mistakes-full.ts";
import { SMALL_MISTAKES } from "./load/mistakes-small.ts";

/** Codes of mistakes that are not made by changing a text; they are provoked in `load/files.test.ts` and `load/values.test.ts`. */
const ELSEWHERE = [
  ...["PLANT_NOT_FOUND", "FILE_UNREADABLE", "FILE_TOO_LARGE", "FILE_TWICE"],
  ...["MODULE_FAILED", "VALUE_NOT_DATA"],
];

describe("a mistake is named where it stands", () => {
  test.each(SMALL_MISTAKES)("in the small plant: $code, $put", (mistake) => named(SMALL, mistake));
  test.each(FULL_MISTAKES)("in the full plant: $code, $put", (mistake) => named(FULL, mistake));

  test("exactly: file, line and column of a mistyped phase, as a terminal shows it", () => {
    const { result } = withMistake(SMALL, { file: "lifecycle", find: "initial: off", put: "initial: of" });
    expect(result.map(formatDiagnostic)).toEqual([
      "lifecycle.yaml:4:10: unknown phase `of` (did you mean `off`?); the phases are off, run, limited.look, limited.local, service [PHASE_UNKNOWN]",
    ]);
  });

  test("several mistakes are named in one run, in the order of the file", () => {
    const lifecycle = SMALL.lifecycle.text
      .replace("tags: [STOP]", "tags: [SOTP]")
      .replace("to: keep", "to: kep")
      .replace("window: [run-flow]", "window: [run-folw]")
      .replace("per: 5s", "per: 5");
    expect(diagnosticsOf(SMALL, { lifecycle }).map(({ code, line }) => `${line} ${code}`)).toEqual([
      "12 TAG_UNKNOWN",
      "20 RULE_UNKNOWN",
      "27 DURATION_INVALID",
      "36 STEP_UNKNOWN",
    ]);
  });
});

test("every code that loading can give has a mistake that provokes it", () => {
  const provoked = new Set([...SMALL_MISTAKES, ...FULL_MISTAKES].map(({ code }) => code).concat(ELSEWHERE));
  const ofLoading = Object.keys(DIAGNOSTICS).filter((code) => !Object.hasOwn(CHECK_CODES, code));
  expect(ofLoading.filter((code) => !provoked.has(code))).toEqual([]);
});

function named(fixture: Fixture, mistake: Mistake): void {
  const { code, file, put, shows, says } = mistake;
  const { source, result, offset } = withMistake(fixture, mistake);
  const at = positionOf(source, shows ?? put, shows === undefined ? offset : 0);
  const diagnostic = result.find(
    (found) => found.code === code && found.line === at.line && found.column === at.column,
  );
  expect(diagnostic, result.map(formatDiagnostic).join("\n")).toMatchObject({ file: `${file}.yaml`, ...at, code });
  expect(diagnostic?.message).toContain(says ?? "");
  expect(diagnostic?.message).toMatch(/^[a-z0-9`\p{Lu}].*[^.]$/u);
}
