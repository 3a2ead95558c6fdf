import { describe, expect, test } from "vitest";
import { excerpt, type Sources } from "#cli/spec/excerpt.ts";
import { findingsInWords, type ReportLook, reportInWords } from "#cli/spec/report-text.ts";
import { coloursFor, table } from "#cli/spec/terminal.ts";
import type { Fact, Finding, Report } from "#specs/check/report.ts";
import { variant } from "../lifecycle-specs/variants.ts";

const { plant, lifecycle } = variant("mixer");
const PLAIN = coloursFor({ isTTY: false }, undefined, {});
const SOURCES: Sources = (file) => (file === "lifecycle.yaml" ? ["plant: mixer", "  off: { says: Off. }"] : undefined);
const LOOK: ReportLook = { colours: PLAIN, sources: SOURCES, all: false };

const AT = { file: "lifecycle.yaml", line: 2, column: 3 };
const ERROR: Finding = {
  ...AT,
  code: "PHASE_STUCK",
  guarantee: "G4",
  severity: "error",
  message: "no way out of `off`",
  advice: "add one",
  trace: ["in `off`", "nothing can happen"],
};
const WARNING: Finding = { ...ERROR, file: "gone.yaml", severity: "warning", guarantee: "lint", trace: [] };
const fact = (n: number): Fact => ({ ...AT, guarantee: "G10", says: `fact ${n}` });
const NOTHING: Report = {
  passed: true,
  findings: [],
  findingsLeftOut: 0,
  facts: [],
  factsLeftOut: 0,
  exemptions: [],
  permissiveness: [],
};

const words = (report: Partial<Report>, look: Partial<ReportLook> = {}): string =>
  reportInWords(plant, lifecycle, { ...NOTHING, ...report }, { ...LOOK, ...look });

describe("the report in words", () => {
  test("of a specification in which nothing was found", () => {
    expect(words({})).toBe(
      [
        "Exemptions: allowed whatever the phase, or not looked into",
        "  none",
        "",
        "mixer: 0 errors, 0 warnings; 5 phases, 4 generated containments, 2 steps, 11 rules, 9 tags",
        "",
      ].join("\n"),
    );
  });

  test("a finding: sentence, place, excerpt with a caret, advice, counter-example", () => {
    expect(
      words({ passed: false, findings: [ERROR, WARNING] })
        .split("\n")
        .slice(0, 14),
    ).toEqual([
      "error: no way out of `off` [G4 PHASE_STUCK]",
      "  at lifecycle.yaml:2:3",
      "    |",
      "  2 |   off: { says: Off. }",
      "    |   ^",
      "  advice: add one",
      "  for example:",
      "    1. in `off`",
      "    2. nothing can happen",
      "",
      "warning: no way out of `off` [lint PHASE_STUCK]",
      "  at gone.yaml:2:3",
      "  advice: add one",
      "",
    ]);
  });

  test("the last line sums up, also what is not shown", () => {
    const text = words({ passed: false, findings: [ERROR, ERROR, WARNING], findingsLeftOut: 3 });
    expect(text).toContain("\n… and 3 further findings; mend these first\n");
    expect(text.trimEnd().split("\n").at(-1)).toMatch(/^mixer: 2 errors, 1 warning, 3 not shown; 5 phases, /);
  });

  test("of many facts the first few, unless all are asked for", () => {
    const facts = Array.from({ length: 7 }, (_, n) => fact(n));
    expect(words({ facts })).toContain("    fact 4 (lifecycle.yaml:2:3)\n    … and 2 more, shown with --all\n");
    expect(words({ facts: facts.slice(0, 6) })).toContain("fact 5");
    expect(words({ facts }, { all: true })).toContain("fact 6");
    expect(words({ facts, factsLeftOut: 9 })).toContain("  … and 9 beyond the 7 that are kept\n");
  });

  test("exemptions say who could abuse them", () => {
    const exemption = { ...AT, kind: "raw", subject: "clock", says: "nobody looks into it" } as const;
    expect(words({ exemptions: [{ ...exemption, abusableBy: ["ews-1", "hmi-1"] }] })).toContain(
      "  raw clock: nobody looks into it; could be abused by ews-1 and hmi-1 (lifecycle.yaml:2:3)\n",
    );
    expect(words({ exemptions: [{ ...exemption, abusableBy: [] }] })).toContain("clock: nobody looks into it (life");
  });

  test("permissiveness: a line for each phase, one for all containments generated from one", () => {
    const share = (phase: string, changes: number, reads: number) => ({ ...AT, phase, changes, reads });
    const permissiveness = [
      { ...share("run", 0.954, 1), because: "it is the only one" },
      share("contained.run.hmi-1.observe", 0.5, 1),
      share("contained.run.hmi-1.read-only", 0, 1),
    ];
    expect(words({ permissiveness })).toContain(
      [
        "Permissiveness: the share of everything that any phase of the zone allows",
        "  phase                              changes  reads",
        "  run                                   95 %  100 %",
        "  2 containments generated from run   0-50 %  100 %",
        "  run: it is the only one",
        "",
      ].join("\n"),
    );
    expect(words({ permissiveness }, { all: true })).toContain("  contained.run.hmi-1.read-only      0 %  100 %\n");
  });

  test("findings alone, for a build that is refused", () => {
    const report = { ...NOTHING, passed: false, findings: [ERROR], facts: [fact(1)] };
    expect(findingsInWords(plant, lifecycle, report, LOOK)).not.toContain("fact 1");
  });

  test("what a file says cannot speak to the terminal", () => {
    const text = words({ findings: [{ ...ERROR, message: "red \u001b[31m", trace: ["bell \u0007"] }] });
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    expect(text).toContain("red \ufffd[31m");
  });
});

describe("an excerpt", () => {
  const of = (text: string, column: number): readonly string[] =>
    excerpt({ file: "f", line: 1, column }, () => [text], PLAIN).slice(1);

  test.each([
    { name: "the first column", text: "abc", column: 1, want: ["1 | abc", "  | ^"] },
    { name: "behind the end", text: "abc", column: 4, want: ["1 | abc", "  |    ^"] },
    { name: "a tab takes one place", text: "\tabc", column: 2, want: ["1 |  abc", "  |  ^"] },
    { name: "a sign of two code units is one", text: "😀bc", column: 3, want: ["1 | 😀bc", "  |  ^"] },
    {
      name: "control characters are shown as such",
      text: "a\u001b[2Jb",
      column: 6,
      want: ["1 | a\ufffd[2Jb", "  |      ^"],
    },
  ])("$name", ({ text, column, want }) => expect(of(text, column)).toEqual(want));

  test("of a long line is the part around the place", () => {
    const [line = "", caret = ""] = of(`${"a".repeat(300)}X${"b".repeat(300)}`, 301);
    expect(line.length).toBe("1 | ".length + 102);
    expect(line).toMatch(/^1 \| …a+Xb+…$/);
    expect(line[caret.indexOf("^")]).toBe("X");
  });

  test.each([
    { name: "at the end", column: 600 },
    { name: "at the beginning", column: 1 },
  ])("of a long line $name has no sign of more there", ({ column }) => {
    const [line = "", caret = ""] = of("x".repeat(600), column);
    expect(line).toMatch(column === 1 ? /^1 \| x+…$/ : /^1 \| …x+$/);
    expect(line[caret.indexOf("^")]).toBe("x");
  });

  test("is left out where there is no such line or file", () => {
    expect(excerpt({ file: "f", line: 2, column: 1 }, () => ["a"], PLAIN)).toEqual([]);
    expect(excerpt({ file: "f", line: 1, column: 1 }, () => undefined, PLAIN)).toEqual([]);
    expect(excerpt({ file: "f", line: 1, column: 1 }, () => ["  "], PLAIN)).toEqual([]);
  });
});

describe("colours", () => {
  test.each([
    { name: "a terminal", tty: true, flag: undefined, env: {}, want: true },
    { name: "no terminal", tty: false, flag: undefined, env: {}, want: false },
    { name: "--no-color", tty: true, flag: false, env: {}, want: false },
    { name: "NO_COLOR", tty: true, flag: undefined, env: { NO_COLOR: "1" }, want: false },
    { name: "an empty NO_COLOR", tty: true, flag: undefined, env: { NO_COLOR: "" }, want: true },
    { name: "a terminal without them", tty: true, flag: undefined, env: { TERM: "dumb" }, want: false },
  ])("$name: $want", ({ tty, flag, env, want }) => {
    expect(coloursFor({ isTTY: tty }, flag, env).isColorSupported).toBe(want);
    expect(coloursFor({ isTTY: tty }, flag, env).red("x")).toBe(want ? "\u001b[31mx\u001b[39m" : "x");
  });
});

test("a table lines numbers up on the right", () => {
  expect(
    table([
      ["a", "1"],
      ["bb", "22"],
    ]),
  ).toEqual(["a    1", "bb  22"]);
});
