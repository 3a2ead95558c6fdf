import { describe, expect, test } from "vitest";
import { Gaps } from "#hmi-monitor/learn/gaps.ts";
import { Sightings } from "#hmi-monitor/learn/occasions.ts";
import { MAX_DISTINCT, ValueRange } from "#hmi-monitor/learn/value-range.ts";

function gapsOf(times: readonly number[]): Gaps {
  const gaps = new Gaps();
  for (const time of times) gaps.add(time);
  return gaps;
}

function every(count: number, of: (n: number) => number): readonly number[] {
  return Array.from({ length: count }, (_, n) => of(n));
}

describe("a rhythm", () => {
  test("is learned from a poll with jitter, and allows its earliest message with margin", () => {
    const gaps = gapsOf(every(100, (n) => 1000 * n + (n % 2) * 20));
    expect(gaps.rhythm).toEqual({ periodMs: 1000, jitterMs: 118 });
    expect((gaps.rhythm?.periodMs ?? 0) - (gaps.rhythm?.jitterMs ?? 0)).toBeLessThan(gaps.leastMs);
  });

  test("is not broken by a pause", () => {
    expect(gapsOf([...every(50, (n) => 1000 * n), ...every(50, (n) => 90_000 + 1000 * n)]).rhythm?.periodMs).toBe(1000);
  });

  test.each([
    { name: "too few messages", times: every(20, (n) => 1000 * n) },
    { name: "one message came at once after another", times: [...every(50, (n) => 1000 * n), 49_001] },
    { name: "times without order", times: every(60, (n) => n * n * 37) },
    { name: "all at one time", times: every(60, () => 5) },
  ])("is none: $name", ({ times }) => expect(gapsOf(times).rhythm).toBeUndefined());

  test("begins at 20 gaps", () => expect(gapsOf(every(21, (n) => 1000 * n)).rhythm?.periodMs).toBe(1000));
});

describe("a range of values", () => {
  function rangeOf(values: readonly number[], ...before: readonly number[]): ValueRange {
    const range = new ValueRange();
    for (const value of values) range.add(value, before);
    return range;
  }

  test("has a margin of a fifth, inside the range of the tag", () => {
    expect(rangeOf(every(101, (n) => n)).within(-5, 1000, 20)).toEqual([-5, 120]);
  });

  test("on few occasions has a wider margin", () => {
    const [low, high] = rangeOf([10, 20]).within(0, 100, 2);
    expect([low, high]).toEqual([0, 40]);
  });

  test("is a list where few values come again and again", () => {
    expect(rangeOf([2, 1, 2, 1, 2, 1]).few).toEqual([1, 2]);
    expect(rangeOf([2, 1, 2, 1, 2]).few).toBeUndefined();
  });

  test(`keeps ${MAX_DISTINCT} different values and no more`, () => {
    const at = rangeOf(every(MAX_DISTINCT, (n) => n));
    const beyond = rangeOf(every(10_000, (n) => n));
    expect([at.few, beyond.few, beyond.least, beyond.most]).toEqual([undefined, undefined, 0, 9999]);
  });

  test("knows no step where the value before was once unknown", () => {
    const range = rangeOf([3], 1);
    expect(range.step).toBe(3);
    range.add(4);
    expect(range.step).toBeUndefined();
  });

  test("takes no value that is no number", () => expect(rangeOf([Number.NaN, Number.POSITIVE_INFINITY]).count).toBe(0));
});

describe("occasions", () => {
  test("are visits, and the hours of a long one", () => {
    const sightings = new Sightings();
    const visit = (number: number) => ({ phase: "normal", number, sinceMs: 0, isWhole: true });
    for (const atMs of [1, 2, 3]) sightings.add(visit(1), atMs);
    expect([sightings.count, sightings.occasions]).toEqual([3, 1]);
    sightings.add(visit(1), 3_600_000);
    sightings.add(visit(2), 3_600_001);
    expect([sightings.count, sightings.occasions, sightings.firstMs, sightings.lastMs]).toEqual([5, 3, 1, 3_600_001]);
  });
});
