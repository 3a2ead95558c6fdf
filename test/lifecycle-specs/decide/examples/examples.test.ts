import { describe, expect, test } from "vitest";
import { judge } from "#specs/decide/decide.ts";
import { REASONS } from "#specs/decide/reasons.ts";
import { compile } from "#specs/decide/tables.ts";
import { RuleId } from "#specs/ids.ts";
import { EXAMPLES, GIVEN_ELSEWHERE } from "./examples.ts";
import { historyAfter } from "./history.ts";
import { EXAMPLE } from "./lifecycle.ts";

describe("one example for each reason", () => {
  test.each(EXAMPLES)("$reason: $situation", ({ reason, layer, permitted, before, nowMs, observation, rule, says }) => {
    const tables = compile(EXAMPLE, layer ?? "switch");
    const history = historyAfter(tables, before ?? []);
    const verdict = judge(tables, permitted, observation, history, nowMs);
    expect(verdict).toMatchObject({ verdict: "deny", reason, says });
    expect(verdict.rule).toBe(rule === undefined ? undefined : RuleId(rule));
  });

  test("no reason is without one, and none has two", () => {
    const shown = [...EXAMPLES.map(({ reason }) => reason), ...Object.keys(GIVEN_ELSEWHERE)];
    expect(shown.toSorted()).toEqual(Object.keys(REASONS).toSorted());
  });

  test("every reason has a sentence of its own", () => {
    const sentences = Object.values(REASONS);
    expect(new Set(sentences).size).toBe(sentences.length);
    for (const sentence of sentences) expect(sentence).toMatch(/^[a-z].{15,}[^.]$/);
  });
});
