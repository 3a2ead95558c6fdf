import { describe, expect, test } from "vitest";
import { implies, type LimitName, limitsOf, looser } from "#specs/check/limits.ts";
import type { FormRule } from "#specs/form.ts";
import { DeviceId, RuleId, TagId } from "#specs/ids.ts";
import type { CadenceRule, CausalityRule, Comparison, Condition, Rule, ValueRule } from "#specs/lifecycle.ts";
import { slackOf } from "#specs/slack.ts";

function rule(
  parts: {
    value?: ValueRule;
    cadence?: CadenceRule;
    causality?: CausalityRule;
    roles?: readonly string[];
    form?: FormRule;
    mode?: Rule["mode"];
    safety?: boolean;
  } = {},
): Rule {
  const { mode = "enforce", safety = false, ...asked } = parts;
  const target = DeviceId("plc-1");
  return {
    id: RuleId("r"),
    says: "A rule.",
    from: [DeviceId("hmi-1")],
    operation: "write",
    targets: [target],
    tags: [TagId("A")],
    raw: [],
    mode,
    safety,
    ...asked,
  };
}

const part = (tag: string, test: Comparison["test"], value: number, release?: number): Comparison => ({
  tag: TagId(tag),
  test,
  value,
  ...(release === undefined ? {} : { release }),
});
const when = (all: readonly Comparison[], forMs = 0, freshMs?: number): Condition => ({
  all,
  forMs,
  ...(freshMs === undefined ? {} : { freshMs }),
});
const rate = (most: number, perMs: number): CadenceRule => ({ rate: { most, perMs } });
const high = when([part("A", "at-least", 5)]);
const r1 = RuleId("r1");
const r2 = RuleId("r2");

describe("limits at a layer", () => {
  test("each layer judges times more widely than the one above", () => {
    expect((["hmi", "switch", "plc"] as const).map((layer) => slackOf(layer, 100, "write").messageMs)).toEqual([
      0, 100, 200,
    ]);
    const asked = rule({
      value: { rampPerS: 2 },
      cadence: { rate: { most: 2, perMs: 5000 }, period: { everyMs: 1000, jitterMs: 200 } },
      causality: {
        after: when(high.all, 150),
        follows: { rule: r1, withinMs: 1000, once: true },
        apart: { rules: [r1], withinMs: 150 },
      },
    });
    expect(limitsOf(asked, "switch", 100)).toMatchObject({
      ramp: { perS: 2, slackMs: 100 },
      rates: [
        { most: 2, perMs: 4900 },
        { most: 1, perMs: 700 },
      ],
      after: { forMs: 50 },
      follows: { withinMs: 1200 },
      apart: { withinMs: 50 },
    });
    const inPlc = limitsOf(asked, "plc", 100);
    expect(inPlc).toMatchObject({ rates: [{ perMs: 4800 }, { perMs: 600 }], after: { forMs: 0 } });
    expect(inPlc).not.toHaveProperty("follows");
    expect(inPlc).not.toHaveProperty("apart");
  });

  test("safety rules have only their values, and are not limited", () => {
    const limits = limitsOf(
      rule({ safety: true, cadence: rate(1, 1000), causality: { after: high } }),
      "hmi",
      100,
      true,
    );
    expect(limits).toEqual({ mode: "enforce", rates: [] });
  });

  test("a mask that limits adds its own rate", () => {
    expect(limitsOf(rule(), "switch", 100, true).rates).toEqual([{ most: 1, perMs: 9900 }]);
  });
});

describe("what one asks for and the other does not", () => {
  const cases: readonly {
    readonly says: string;
    readonly narrow: Rule;
    readonly wide: Rule;
    readonly want: readonly LimitName[];
  }[] = [
    { says: "nothing is asked for", narrow: rule(), wide: rule(), want: [] },
    {
      says: "a smaller step keeps a larger one",
      narrow: rule({ value: { maxStep: 2 } }),
      wide: rule({ value: { maxStep: 5 } }),
      want: [],
    },
    {
      says: "a larger step does not keep a smaller one",
      narrow: rule({ value: { maxStep: 5 } }),
      wide: rule({ value: { maxStep: 2 } }),
      want: ["maxStep"],
    },
    { says: "no step at all", narrow: rule(), wide: rule({ value: { maxStep: 2 } }), want: ["maxStep"] },
    {
      says: "a faster ramp",
      narrow: rule({ value: { rampPerS: 5 } }),
      wide: rule({ value: { rampPerS: 2 } }),
      want: ["ramp"],
    },
    {
      says: "a longer standstill",
      narrow: rule({ value: { staleMs: 5 } }),
      wide: rule({ value: { staleMs: 2 } }),
      want: ["stale"],
    },
    {
      says: "a rate that counts fewer",
      narrow: rule({ cadence: rate(1, 5000) }),
      wide: rule({ cadence: rate(2, 5000) }),
      want: [],
    },
    {
      says: "a rate over a shorter time, which allows as much in a longer one",
      narrow: rule({ cadence: rate(1, 5000) }),
      wide: rule({ cadence: rate(2, 10_000) }),
      want: [],
    },
    {
      says: "a rate over a shorter time, which allows more in a longer one",
      narrow: rule({ cadence: rate(1, 4000) }),
      wide: rule({ cadence: rate(2, 10_000) }),
      want: ["cadence"],
    },
    {
      says: "a period keeps a rate",
      narrow: rule({ cadence: { period: { everyMs: 1200, jitterMs: 200 } } }),
      wide: rule({ cadence: rate(5, 5000) }),
      want: [],
    },
    {
      says: "a rate does not keep a period",
      narrow: rule({ cadence: rate(2, 2000) }),
      wide: rule({ cadence: { period: { everyMs: 1000, jitterMs: 0 } } }),
      want: ["cadence"],
    },
    {
      says: "a stricter cause",
      narrow: rule({ causality: { after: when([part("A", "at-least", 6)]) } }),
      wide: rule({ causality: { after: high } }),
      want: [],
    },
    {
      says: "a looser cause",
      narrow: rule({ causality: { after: when([part("A", "at-least", 4)]) } }),
      wide: rule({ causality: { after: high } }),
      want: ["after"],
    },
    {
      says: "more must not hold",
      narrow: rule({ causality: { notWhile: high } }),
      wide: rule({ causality: { notWhile: when([part("A", "at-least", 6)]) } }),
      want: [],
    },
    {
      says: "less must not hold",
      narrow: rule({ causality: { notWhile: when([part("A", "at-least", 6)]) } }),
      wide: rule({ causality: { notWhile: high } }),
      want: ["notWhile"],
    },
    {
      says: "another rule is followed",
      narrow: rule({ causality: { follows: { rule: r2, withinMs: 5, once: true } } }),
      wide: rule({ causality: { follows: { rule: r1, withinMs: 5, once: false } } }),
      want: ["follows"],
    },
    {
      says: "each answer permits more than one message",
      narrow: rule({ causality: { follows: { rule: r1, withinMs: 5, once: false } } }),
      wide: rule({ causality: { follows: { rule: r1, withinMs: 5, once: true } } }),
      want: ["follows"],
    },
    {
      says: "apart from more rules, for longer",
      narrow: rule({ causality: { apart: { rules: [r1, r2], withinMs: 9 } } }),
      wide: rule({ causality: { apart: { rules: [r1], withinMs: 5 } } }),
      want: [],
    },
    {
      says: "apart from fewer rules",
      narrow: rule({ causality: { apart: { rules: [r2], withinMs: 9 } } }),
      wide: rule({ causality: { apart: { rules: [r1], withinMs: 5 } } }),
      want: ["apart"],
    },
    { says: "a mode in which nothing is blocked", narrow: rule({ mode: "monitor" }), wide: rule(), want: ["mode"] },
    {
      says: "a mode in which nothing is blocked makes no limit wider",
      narrow: rule(),
      wide: rule({ mode: "off", value: { maxStep: 2 } }),
      want: ["maxStep"],
    },
  ];

  test.each(cases)("$says", ({ narrow, wide, want }) => {
    expect(looser(limitsOf(narrow, "hmi", 0), limitsOf(wide, "hmi", 0))).toEqual(want);
  });
});

describe("one condition means another", () => {
  test.each([
    { says: "itself", cause: high, effect: high, want: true },
    { says: "a part of itself", cause: when([part("A", "at-least", 5), part("B", "is", 1)]), effect: high, want: true },
    { says: "not more than itself", cause: high, effect: when([...high.all, part("B", "is", 1)]), want: false },
    { says: "another tag", cause: when([part("B", "at-least", 9)]), effect: high, want: false },
    { says: "a value within the bound", cause: when([part("A", "is", 7)]), effect: high, want: true },
    { says: "a value beyond the bound", cause: when([part("A", "is", 4)]), effect: high, want: false },
    { says: "a bound means no single value", cause: high, effect: when([part("A", "is", 5)]), want: false },
    { says: "a bound to the other side", cause: when([part("A", "at-most", 9)]), effect: high, want: false },
    {
      says: "a lower bound below",
      cause: when([part("A", "at-most", 4)]),
      effect: when([part("A", "at-most", 5)]),
      want: true,
    },
    {
      says: "hysteresis holds on below the bound",
      cause: when([part("A", "at-least", 6, 3)]),
      effect: high,
      want: false,
    },
    {
      says: "hysteresis that lets go above the bound",
      cause: when([part("A", "at-least", 8, 6)]),
      effect: high,
      want: true,
    },
    { says: "held for a shorter time", cause: high, effect: when(high.all, 10), want: false },
    { says: "held for a longer time", cause: when(high.all, 20), effect: when(high.all, 10), want: true },
    { says: "seen at any time, where it must be fresh", cause: high, effect: when(high.all, 0, 100), want: false },
    { says: "seen more freshly", cause: when(high.all, 0, 50), effect: when(high.all, 0, 100), want: true },
  ])("$says", ({ cause, effect, want }) => {
    expect(implies(cause, effect)).toBe(want);
  });
});

describe("who asks, and in which form", () => {
  const six: FormRule = { functions: [{ code: 6 }] };
  const both: FormRule = { functions: [{ code: 6 }, { code: 16 }] };
  const echo: FormRule = { functions: [{ code: 8, sub: 0 }] };
  const file = (files: readonly [number, number], records: readonly [number, number]): FormRule => ({
    files: [{ files, records }],
  });
  const cases: readonly {
    readonly says: string;
    readonly narrow: Partial<Rule>;
    readonly wide: Partial<Rule>;
    readonly want: readonly LimitName[];
  }[] = [
    { says: "one role of two", narrow: { roles: ["a"] }, wide: { roles: ["b", "a"] }, want: [] },
    { says: "two roles of one", narrow: { roles: ["a", "b"] }, wide: { roles: ["a"] }, want: ["roles"] },
    { says: "no role at all", narrow: {}, wide: { roles: ["a"] }, want: ["roles"] },
    { says: "one function of two", narrow: { form: six }, wide: { form: both }, want: [] },
    { says: "two functions of one", narrow: { form: both }, wide: { form: six }, want: ["functions"] },
    { says: "a sub-function of all", narrow: { form: echo }, wide: { form: { functions: [{ code: 8 }] } }, want: [] },
    {
      says: "all of a sub-function",
      narrow: { form: { functions: [{ code: 8 }] } },
      wide: { form: echo },
      want: ["functions"],
    },
    { says: "fewer at once", narrow: { form: { quantity: 3 } }, wide: { form: { quantity: 4 } }, want: [] },
    { says: "more at once", narrow: { form: { quantity: 5 } }, wide: { form: { quantity: 4 } }, want: ["quantity"] },
    { says: "however many", narrow: {}, wide: { form: { quantity: 4 } }, want: ["quantity"] },
    { says: "a file within", narrow: { form: file([2, 3], [5, 9]) }, wide: { form: file([1, 3], [5, 9]) }, want: [] },
    {
      says: "a record beyond",
      narrow: { form: file([2, 3], [4, 9]) },
      wide: { form: file([1, 3], [5, 9]) },
      want: ["files"],
    },
    {
      says: "an object within",
      narrow: { form: { objects: [[1, 2]] } },
      wide: { form: { objects: [[0, 2]] } },
      want: [],
    },
    {
      says: "an object beyond",
      narrow: { form: { objects: [[1, 3]] } },
      wide: { form: { objects: [[0, 2]] } },
      want: ["objects"],
    },
    { says: "what names nothing", narrow: { roles: ["a"], form: six }, wide: {}, want: [] },
  ];

  test.each(cases)("$says", ({ narrow, wide, want }) => {
    const [a, b] = [narrow, wide].map((parts) => limitsOf({ ...rule(), ...parts }, "switch", 0));
    if (a === undefined || b === undefined) throw new Error("unreachable");
    expect(looser(a, b)).toEqual(want);
  });

  test("a safety rule has them too, and the PLC sees none of them", () => {
    const asked = { ...rule(), safety: true, roles: ["a"], form: six };
    expect(limitsOf(asked, "switch", 0)).toMatchObject({ roles: ["a"], form: six });
    expect(limitsOf(asked, "hmi", 0)).toMatchObject({ roles: ["a"], form: six });
    expect(Object.keys(limitsOf(asked, "plc", 0))).not.toContain("form");
    expect(Object.keys(limitsOf(asked, "plc", 0))).not.toContain("roles");
  });
});
