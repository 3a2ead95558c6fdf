import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compare, conditionInWords, evaluate, type Seen } from "#specs/conditions.ts";
import { conditionTruth, createHistory, lastSeen, observeTag } from "#specs/decide/history.ts";
import { compile } from "#specs/decide/tables.ts";
import { RuleId, TagId } from "#specs/ids.ts";
import type { Comparison, Condition, Rule } from "#specs/lifecycle.ts";
import { bundleOf, small } from "./specs.ts";

const LEVEL = TagId("LEVEL");
const OPEN = TagId("OPEN");
/** The condition of the step from fill to keep. */
const FULL: Condition = {
  all: [
    { tag: LEVEL, test: "at-least", value: 1.2 },
    { tag: OPEN, test: "is", value: 1 },
  ],
  forMs: 1000,
};

describe("one comparison", () => {
  test.each([
    { test: "at-least", value: 1.2, reading: 1.2, want: true },
    { test: "at-least", value: 1.2, reading: 1.1999, want: false },
    { test: "at-most", value: 1, reading: 1, want: true },
    { test: "at-most", value: 1, reading: 1.001, want: false },
    { test: "is", value: 0.3, reading: 0.1 + 0.2, want: true },
    { test: "is", value: 1, reading: 0, want: false },
    { test: "is", value: 1, reading: Number.NaN, want: false },
  ] as const)("$reading $test $value: $want", ({ test, value, reading, want }) => {
    expect(compare({ tag: LEVEL, test, value }, reading)).toBe(want);
  });
});

describe("hysteresis", () => {
  const rising: Comparison = { tag: LEVEL, test: "at-least", value: 1.2, release: 1 };
  const falling: Comparison = { tag: LEVEL, test: "at-most", value: 1, release: 1.2 };
  test.each([
    { comparison: rising, reading: 1.2, held: false, want: true },
    { comparison: rising, reading: 1.19, held: false, want: false },
    { comparison: rising, reading: 1, held: true, want: true },
    { comparison: rising, reading: 0.999, held: true, want: false },
    { comparison: rising, reading: Number.NaN, held: true, want: false },
    { comparison: falling, reading: 1, held: false, want: true },
    { comparison: falling, reading: 1.01, held: false, want: false },
    { comparison: falling, reading: 1.2, held: true, want: true },
    { comparison: falling, reading: 1.201, held: true, want: false },
  ])("$comparison.test, $reading, held before: $held → $want", ({ comparison, reading, held, want }) => {
    expect(compare(comparison, reading, held)).toBe(want);
  });
});

describe("a condition", () => {
  const view = (seen: Partial<Record<string, Seen>>) => (tag: string) => seen[tag];

  test.each([
    {
      name: "holds for exactly as long as it must",
      seen: { LEVEL: { value: 1.5, sinceMs: 0 }, OPEN: { value: 1, sinceMs: 500 } },
      nowMs: 1500,
      want: "holds",
    },
    {
      name: "counts from the part that came last",
      seen: { LEVEL: { value: 1.5, sinceMs: 0 }, OPEN: { value: 1, sinceMs: 500 } },
      nowMs: 1499,
      want: "fails",
    },
    {
      name: "one part fails",
      seen: { LEVEL: { value: 1, sinceMs: 0 }, OPEN: { value: 1, sinceMs: 0 } },
      nowMs: 9000,
      want: "fails",
    },
    { name: "one part was never seen", seen: { LEVEL: { value: 2, sinceMs: 0 } }, nowMs: 9000, want: "unknown" },
    {
      name: "one part fails and one was never seen",
      seen: { LEVEL: { value: 1, sinceMs: 0 } },
      nowMs: 9000,
      want: "fails",
    },
    { name: "nothing was seen", seen: {}, nowMs: 0, want: "unknown" },
  ])("$name: $want", ({ seen, nowMs, want }) => {
    expect(evaluate(FULL, view(seen), nowMs)).toBe(want);
  });

  test("in words", () => {
    expect(conditionInWords(FULL)).toBe("LEVEL at least 1.2 and OPEN is 1, for 1 s");
    const all = [
      { tag: LEVEL, test: "at-most", value: 1, release: 1.5 },
      { tag: OPEN, test: "is", value: 1, release: 2 },
      { tag: LEVEL, test: "at-least", value: 0, release: -1 },
    ] as const;
    expect(conditionInWords({ all, forMs: 0, freshMs: 2000 })).toBe(
      "LEVEL at most 1 (until above 1.5) and OPEN is 1 and LEVEL at least 0 (until below -1), seen within 2 s",
    );
  });

  test("a reading that is too old is unknown, to the millisecond", () => {
    const aging = { ...FULL, freshMs: 2000 };
    const seen = { LEVEL: { value: 1.5, sinceMs: 0, atMs: 100 }, OPEN: { value: 1, sinceMs: 0, atMs: 500 } };
    expect(evaluate(aging, view(seen), 2100)).toBe("holds");
    expect(evaluate(aging, view(seen), 2101)).toBe("unknown");
    expect(evaluate(FULL, view(seen), 2101)).toBe("holds");
  });

  test("what is held by hysteresis counts as the view says, not as the value does", () => {
    const seen = { LEVEL: { value: 1.1, sinceMs: 0, holds: true }, OPEN: { value: 1, sinceMs: 0 } };
    expect(evaluate(FULL, view(seen), 1000)).toBe("holds");
    expect(evaluate(FULL, view({ ...seen, LEVEL: { value: 1.5, sinceMs: 0, holds: false } }), 1000)).toBe("fails");
  });

  /** The same readings, with a release, an age, both and neither. */
  const variants: readonly Condition[] = [{}, { freshMs: 999 }].flatMap((age) => [
    { ...FULL, ...age },
    { ...FULL, ...age, all: FULL.all.map((part) => ({ ...part, ...(part.tag === LEVEL ? { release: 1 } : {}) })) },
  ]);

  test("the compiled form gives what the plain one gives, over any sequence of readings", () => {
    const tables = compile(asking(variants), "hmi");
    const reading = fc.record({
      tag: fc.constantFrom(LEVEL, OPEN),
      value: fc.constantFrom(0, 1, 1.1, 1.2, 1.5, Number.NaN),
      afterMs: fc.constantFrom(0, 1, 500, 999, 1000),
    });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 20 }), (readings) => {
        const history = createHistory(tables);
        const seen: Reading[] = [];
        let nowMs = 0;
        for (const { tag, value, afterMs } of readings) {
          nowMs += afterMs;
          observeTag(history, tag, value, nowMs);
          seen.push({ tag, value, atMs: nowMs });
          for (const condition of variants) {
            for (const askedMs of [nowMs, nowMs + 999, nowMs + 1000]) {
              const plain = evaluate(condition, (_, comparison) => lookBack(seen, comparison, condition), askedMs);
              expect(conditionTruth(history, condition, askedMs)).toBe(plain);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("what a layer remembers", () => {
  test("a tag's value and since when; a value that is no number makes it unknown", () => {
    const history = createHistory(compile(bundleOf(small()), "hmi"));
    expect(lastSeen(history, LEVEL)).toBeUndefined();
    observeTag(history, LEVEL, 1, 10);
    observeTag(history, LEVEL, 1, 20);
    expect(lastSeen(history, LEVEL)).toEqual({ value: 1, sinceMs: 10 });
    observeTag(history, LEVEL, Number.NaN, 30);
    expect(lastSeen(history, LEVEL)).toBeUndefined();
    observeTag(history, TagId("NOWHERE"), 1, 30);
    expect(lastSeen(history, TagId("NOWHERE"))).toBeUndefined();
  });

  test("a condition that the lifecycle does not have is unknown", () => {
    const history = createHistory(compile(bundleOf(small()), "hmi"));
    observeTag(history, LEVEL, 1, 0);
    expect(conditionTruth(history, { all: [{ tag: LEVEL, test: "at-least", value: 0.77 }], forMs: 0 }, 0)).toBe(
      "unknown",
    );
  });
});

interface Reading {
  readonly tag: TagId;
  readonly value: number;
  readonly atMs: number;
}

/** Walks through all readings of the tag from the first on. */
function lookBack(readings: readonly Reading[], comparison: Comparison, { freshMs }: Condition): Seen | undefined {
  let seen: Seen | undefined;
  for (const { tag, value, atMs } of readings) {
    if (tag !== comparison.tag) continue;
    const pausedMs = atMs - (seen?.atMs ?? atMs);
    const held = seen?.holds === true && !(freshMs !== undefined && pausedMs > freshMs);
    const holds = compare(comparison, value, held);
    seen = Number.isNaN(value)
      ? undefined
      : { value, atMs, holds, sinceMs: held && holds ? (seen?.sinceMs ?? atMs) : atMs };
  }
  return seen;
}

/** The small plant, with a rule for each condition. */
function asking(conditions: readonly Condition[]) {
  const bundle = bundleOf(small());
  const [rule] = bundle.lifecycle.rules;
  if (rule === undefined) throw new Error("the small plant has no rule");
  const rules = conditions.map((after, n): Rule => ({ ...rule, id: RuleId(`asks-${n}`), causality: { after } }));
  return { ...bundle, lifecycle: { ...bundle.lifecycle, rules } };
}
