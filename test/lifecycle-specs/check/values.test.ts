import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  difference,
  type Interval,
  intersection,
  isWithin,
  shareOf,
  union,
  type ValueSet,
  valuesInWords,
  valuesOf,
} from "#specs/check/values.ts";
import { TagId } from "#specs/ids.ts";
import type { Tag } from "#specs/plant.ts";
import { works } from "./works.ts";

const { plant } = works();

function tag(id: string, more: Partial<Tag> = {}): Tag {
  const found = plant.tags.find((candidate) => candidate.id === TagId(id));
  if (found === undefined) throw new Error(`the works have no tag \`${id}\``);
  return { ...found, ...more };
}

const interval = fc
  .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }))
  .map(([a, b]): Interval => [Math.min(a, b), Math.max(a, b)]);
const set = fc.array(interval, { maxLength: 4 }).map((intervals) => union(intervals));
const has = (values: ValueSet, value: number) => values.some(([low, high]) => value >= low && value <= high);
/** All whole numbers and what lies between them. */
const POINTS = Array.from({ length: 45 }, (_, n) => n / 2 - 1);

describe("sets of values", () => {
  test("union and intersection have the values that they should have", () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        for (const value of POINTS) {
          expect(has(union([...a, ...b]), value)).toBe(has(a, value) || has(b, value));
          expect(has(intersection(a, b), value)).toBe(has(a, value) && has(b, value));
        }
      }),
    );
  });

  test("a difference has what is in one and not in the other, but for the ends", () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const left = difference(a, b, 1e-9);
        for (const value of POINTS) {
          if (has(a, value) && !has(b, value)) expect(has(left, value)).toBe(true);
          if (!has(a, value)) expect(has(left, value)).toBe(false);
        }
        expect(isWithin(a, b, 1e-9)).toBe(POINTS.every((value) => !has(a, value) || has(b, value)));
      }),
    );
  });

  test("what is rounding is no difference, and what is more is one", () => {
    expect(difference([[0, 1]], [[0, 1 - 1e-10]], 1e-9)).toEqual([]);
    expect(difference([[0, 1]], [[0, 1 - 1e-8]], 1e-9)).toEqual([[1 - 1e-8, 1]]);
    expect(difference([[3, 3]], [[0, 2.9]], 1e-9)).toEqual([[3, 3]]);
  });

  test.each([
    { says: "no bounds: the tag's range", rule: undefined, want: [[0, 60]] },
    { says: "bounds within the range", rule: { min: 5, max: 40 }, want: [[5, 40]] },
    { says: "a bound beyond the range", rule: { min: -5, max: 400 }, want: [[0, 60]] },
    {
      says: "a list within bounds",
      rule: { oneOf: [40, 5, 50], max: 45 },
      want: [
        [5, 5],
        [40, 40],
      ],
    },
    { says: "crossed bounds", rule: { min: 10, max: 5 }, want: [] },
  ])("of a rule: $says", ({ rule, want }) => {
    expect(valuesOf(tag("FLOW.SP"), rule)).toEqual(want);
  });

  test.each([
    { says: "half of a truth value", id: "PUMP", values: [[1, 1]], want: 1 / 2 },
    { says: "all of a range", id: "FLOW.SP", values: [[0, 60]], want: 1 },
    { says: "raw numbers are counted: 351 of 601", id: "FLOW.SP", values: [[5, 40]], want: 351 / 601 },
    { says: "one raw number of 601", id: "FLOW.SP", values: [[5, 5]], want: 1 / 601 },
    { says: "one value of a floating point tag", id: "TEMP.SP", values: [[9, 9]], want: 1 / 1001 },
    { says: "a third of a floating point tag", id: "TEMP.SP", values: [[0, 30]], want: (1000 / 3 + 1) / 1001 },
    { says: "nothing", id: "FLOW.SP", values: [], want: 0 },
  ] as const)("share of the range: $says", ({ id, values, want }) => {
    expect(shareOf(tag(id), values)).toBeCloseTo(want, 12);
  });

  test("share of the range: named states are counted", () => {
    const state = tag("MASS.SP", { range: [0, 9], states: { idle: 0, ready: 3, mixing: 4 } });
    expect(shareOf(state, [[3, 9]])).toBeCloseTo(2 / 3, 12);
  });

  test.each([
    { id: "FLOW.SP", values: [[5, 40]], want: "5–40 m³/h" },
    {
      id: "PUMP",
      values: [
        [0, 0],
        [1, 1],
      ],
      want: "0 or 1",
    },
    {
      id: "FLOW.SP",
      values: [
        [1, 1],
        [2, 2],
        [3, 4],
      ],
      want: "1, 2, 3–4 m³/h",
    },
    { id: "FLOW.SP", values: [[0.1 + 0.2, 1]], want: "0.3–1 m³/h" },
    { id: "FLOW.SP", values: [], want: "nothing" },
  ] as const)("in words: $want", ({ id, values, want }) => {
    expect(valuesInWords(tag(id), values)).toBe(want);
  });

  test("in words: states have their names", () => {
    const state = tag("MASS.SP", { unit: "", states: { idle: 0, ready: 3 } });
    expect(
      valuesInWords(state, [
        [0, 0],
        [3, 3],
      ]),
    ).toBe("idle or ready");
  });
});
