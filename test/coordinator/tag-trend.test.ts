import { expect, test } from "vitest";
import { MAX_READINGS, SAMPLE_MS, TagTrend } from "#coordinator/tag-trend.ts";
import { TagId } from "#specs/ids.ts";

const LEVEL = TagId("LIT101");

test("one reading a second of plant time is kept", () => {
  const trend = new TagTrend([LEVEL]);
  for (let atMs = 0; atMs <= 2000; atMs += 500) trend.observe(LEVEL, atMs, atMs);
  expect(trend.view()).toEqual({
    LIT101: [
      [0, 0],
      [1000, 1000],
      [2000, 2000],
    ],
  });
});

test.each([MAX_READINGS, MAX_READINGS + 1, 3 * MAX_READINGS])(
  "of %i readings the last are kept, oldest first",
  (came) => {
    const trend = new TagTrend([LEVEL]);
    for (let i = 0; i < came; i += 1) trend.observe(LEVEL, 1, i * SAMPLE_MS);
    const kept = trend.view()["LIT101"] ?? [];
    expect(kept).toHaveLength(MAX_READINGS);
    expect(kept.at(0)?.[0]).toBe((came - MAX_READINGS) * SAMPLE_MS);
    expect(kept.at(-1)?.[0]).toBe((came - 1) * SAMPLE_MS);
  },
);

test("an older reading, another tag and superfluous digits are left out", () => {
  const trend = new TagTrend([LEVEL]);
  trend.observe(LEVEL, 1.23456789, 5000);
  trend.observe(LEVEL, 9, 1000);
  trend.observe(TagId("FIT101"), 9, 5000);
  expect(trend.view()).toEqual({ LIT101: [[5000, 1.2346]] });
});

test("what is handed out does not change afterwards", () => {
  const trend = new TagTrend([LEVEL]);
  trend.observe(LEVEL, 1, 0);
  const before = trend.view();
  trend.observe(LEVEL, 2, SAMPLE_MS);
  expect(before["LIT101"]).toHaveLength(1);
});
