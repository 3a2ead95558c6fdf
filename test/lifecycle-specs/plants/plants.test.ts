import { describe, expect, test } from "vitest";
import { checkSpec } from "#specs/check.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { plantNames } from "#specs/load.ts";
import { loaded } from "../specs.ts";

describe.each(plantNames())("the plant %s", (name) => {
  const spec = loaded(name);
  const report = checkSpec(spec);

  test("passes the checker", () => {
    expect(report.findings.filter(({ severity }) => severity === "error").map(formatDiagnostic)).toEqual([]);
    expect(report.passed).toBe(true);
  });

  test("warns of nothing that nobody has looked at", () => {
    expect(report.findings.map(({ code, message }) => `${code}: ${message}`)).toMatchSnapshot();
  });

  test("allows this much in each phase", () => {
    const rows = report.permissiveness.map(({ phase, changes, reads }) => {
      const share = (value: number) => value.toFixed(2).padStart(7);
      return `${phase.padEnd(44)}${share(changes)}${share(reads)}`;
    });
    const table = [`${"phase".padEnd(44)}changes  reads`, ...rows].join("\n");
    expect(`\n${table}\n`).toMatchSnapshot();
    for (const { phase, changes, because } of report.permissiveness) {
      expect(because !== undefined || changes <= 0.9, phase).toBe(true);
    }
  });

  test("says of every rule, phase and step what it is for, in a sentence", () => {
    const { lifecycle } = spec;
    const rules = [
      lifecycle.rules,
      ...lifecycle.phases.flatMap(({ rules, steps }) => [rules, ...steps.map((step) => step.rules)]),
    ];
    const sentences = [
      ...rules.flat(),
      ...lifecycle.phases,
      ...lifecycle.phases.flatMap(({ steps }) => steps),
      ...lifecycle.containments,
    ];
    expect(sentences.length).toBeGreaterThan(40);
    for (const { says } of sentences) expect(says).toMatch(/^[A-Z].{10,}[.]$/);
  });
});
