import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compare, conditionInWords, evaluate } from "#specs/conditions.ts";
import { conditionTruth, createHistory, lastSeen, observeTag } from "#specs/decide/history.ts";
import { compile } from "#specs/decide/tables.ts";
import { TagId } from "#specs/ids.ts";
import type { Comparison, Condition } from "#specs/lifecycle.ts";
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

describe("a condition", () => {
  const view = (seen: Partial<Record<string, { value: number; sinceMs: number }>>) => (tag: string) => seen[tag];

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
  });

  test("the compiled form gives what the plain one gives, over any sequence of readings", () => {
    const tables = compile(bundleOf(small()), "plc");
    const reading = fc.record({
      tag: fc.constantFrom(LEVEL, OPEN),
      value: fc.constantFrom(0, 1, 1.2, 1.5, Number.NaN),
      afterMs: fc.constantFrom(0, 1, 500, 999, 1000),
    });
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 20 }), (readings) => {
        const history = createHistory(tables);
        const seen: { tag: TagId; value: number; atMs: number }[] = [];
        let nowMs = 0;
        for (const { tag, value, afterMs } of readings) {
          nowMs += afterMs;
          observeTag(history, tag, value, nowMs);
          seen.push({ tag, value, atMs: nowMs });
          const plain = evaluate(FULL, (_, comparison) => lookBack(seen, comparison), nowMs);
          expect(conditionTruth(history, FULL, nowMs)).toBe(plain);
        }
      }),
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

function lookBack(seen: readonly { tag: TagId; value: number; atMs: number }[], comparison: Comparison) {
  const own = seen.filter(({ tag }) => tag === comparison.tag);
  const value = own.at(-1)?.value;
  if (value === undefined || Number.isNaN(value)) return undefined;
  const broken = own.findLastIndex((reading) => !compare(comparison, reading.value));
  return { value, sinceMs: own[broken + 1]?.atMs ?? 0 };
}
