import { describe, expect, test } from "vitest";
import { CHECK_CODES, CODES_OF_CHECK, isCheckCode } from "#specs/check/codes.ts";
import { GUARANTEES, MAX_FACTS } from "#specs/check/report.ts";
import { checkSpec } from "#specs/check.ts";
import { DIAGNOSTICS, MAX_DIAGNOSTICS } from "#specs/diagnostic.ts";
import { PhaseId } from "#specs/ids.ts";
import type { Lifecycle, Phase } from "#specs/lifecycle.ts";
import { plantOfScale, TARGET } from "./scale.ts";
import { loadSound, reportOf } from "./support.ts";

/** The mixer with as many phases more as are asked for, to which nothing leads: each of them is an error. */
function withDeadPhases(count: number): {
  readonly plant: ReturnType<typeof loadSound>["plant"];
  lifecycle: Lifecycle;
} {
  const { plant, lifecycle } = loadSound("mixer");
  const [off] = lifecycle.phases;
  if (off === undefined) throw new Error("the mixer has phases");
  const dead = Array.from({ length: count }, (_, n): Phase => ({ ...off, id: PhaseId(`dead-${n}`) }));
  return { plant, lifecycle: { ...lifecycle, phases: [...lifecycle.phases, ...dead] } };
}

describe("the checker's report", () => {
  test("is JSON as it stands", () => {
    const report = reportOf("mixer", [["lease: 30s", "lease: 4s"]]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test("a warning does not fail the check, an error does", () => {
    const warned = reportOf("mixer", [["most: { count: 2, per: 5s }", "most: { count: 2, per: 200ms }"]]);
    expect(warned).toMatchObject({ passed: true, findings: [{ severity: "warning", code: "SKEW_EATS_TIME" }] });
    expect(reportOf("mixer", [["lease: 30s", "lease: 4s"]])).toMatchObject({ passed: false });
  });

  test("findings come in the order of the file", () => {
    const { findings } = reportOf("mixer", [
      ["persons: 2, ttl: 30s", "persons: 2, ttl: 3s"],
      ["lease: 30s", "lease: 4s"],
      ["min: 30s", "min: 60m"],
    ]);
    expect(findings.map(({ code, line }) => `${line} ${code}`)).toEqual([
      "7 LEASE_SHORT",
      "40 DWELL_CROSSED",
      "67 TTL_SHORT",
    ]);
  });

  test.each([
    { dead: MAX_DIAGNOSTICS - 1, kept: MAX_DIAGNOSTICS - 1, leftOut: 0 },
    { dead: MAX_DIAGNOSTICS, kept: MAX_DIAGNOSTICS, leftOut: 0 },
    { dead: MAX_DIAGNOSTICS + 1, kept: MAX_DIAGNOSTICS, leftOut: 1 },
  ])("$dead errors: $kept are kept", ({ dead, kept, leftOut }) => {
    const { findings, findingsLeftOut, passed } = checkSpec(withDeadPhases(dead));
    expect(findings.filter(({ code }) => code === "PHASE_UNREACHABLE")).toHaveLength(kept);
    expect({ findingsLeftOut, passed }).toEqual({ findingsLeftOut: leftOut, passed: false });
  });

  test("where there are too many, warnings give way to errors", () => {
    const { plant, lifecycle } = withDeadPhases(MAX_DIAGNOSTICS);
    const rule = lifecycle.phases.flatMap(({ rules }) => rules).find(({ id }) => id === "run-flow");
    if (rule === undefined) throw new Error("the mixer has this rule");
    const hasty = { ...rule, cadence: { rate: { most: 1, perMs: 100 } } };
    const phases = lifecycle.phases.map((phase) => ({
      ...phase,
      rules: phase.rules.map((own) => (own === rule ? hasty : own)),
    }));
    const { findings, findingsLeftOut } = checkSpec({ plant, lifecycle: { ...lifecycle, phases } });
    expect(findings.every(({ severity }) => severity === "error")).toBe(true);
    expect(findingsLeftOut).toBe(1);
  });

  test("facts are bounded and stand in the order of the guarantees", () => {
    const many = plantOfScale({ ...TARGET, phases: 240, rules: 2400, tags: 960, contained: 0 });
    const { facts, factsLeftOut } = checkSpec(many);
    expect(facts).toHaveLength(MAX_FACTS);
    expect(factsLeftOut).toBeGreaterThan(0);
    const words: readonly string[] = GUARANTEES;
    const order = facts.map(({ guarantee }) => words.indexOf(guarantee));
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test("progress is told before each check and at the end", () => {
    const told: (readonly [number, number, string])[] = [];
    checkSpec(loadSound("mixer"), (...step) => told.push(step));
    const [, of = 0] = told[0] ?? [];
    expect(told.map(([done]) => done)).toEqual(Array.from({ length: of + 1 }, (_, n) => n));
    expect(new Set(told.map(([, all]) => all))).toEqual(new Set([of]));
    expect(told[0]?.[2]).toBe("G1: the safe state is near");
  });

  test("without a loader's positions, findings still have a place", () => {
    const { plant, lifecycle } = loadSound("mixer");
    const { findings } = checkSpec({ plant, lifecycle: { ...lifecycle, leaseMs: 1 } });
    expect(findings).toMatchObject([{ file: "lifecycle.yaml", line: 1, column: 1, code: "LEASE_SHORT" }]);
  });
});

describe("the checker's codes", () => {
  test("each has a sentence, a guarantee and advice, and is among the diagnostics", () => {
    for (const [code, sentence] of Object.entries(CHECK_CODES)) {
      if (!isCheckCode(code)) throw new Error(`\`${code}\` is no code of the checker`);
      expect(DIAGNOSTICS[code]).toBe(sentence);
      expect(sentence, code).toMatch(/^[a-z].*[^.]$/);
      expect(CODES_OF_CHECK[code].advice, code).toMatch(/^[a-z`].{20,}[^.]$/);
    }
  });

  test("each has its own sentence", () => {
    expect(new Set(Object.values(CHECK_CODES)).size).toBe(Object.keys(CHECK_CODES).length);
  });

  test("every guarantee has a code, or is only listed", () => {
    const withCodes = new Set(Object.values(CODES_OF_CHECK).map(({ guarantee }) => guarantee));
    expect(GUARANTEES.filter((guarantee) => !withCodes.has(guarantee))).toEqual(["G10"]);
  });

  test("what is no code is none", () => {
    expect([isCheckCode("SAFE_MISSING"), isCheckCode("YAML_SYNTAX"), isCheckCode("toString")]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
