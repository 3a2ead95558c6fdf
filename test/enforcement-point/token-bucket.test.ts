import { expect, test } from "vitest";
import { TokenBucket } from "#point/token-bucket.ts";

test("lets a burst through, then its rate, and no more", () => {
  const bucket = new TokenBucket(10, 3);
  expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, true, false]);
  expect(bucket.take(99)).toBe(false);
  expect(bucket.take(200)).toBe(true);
});

test("a clock that steps back gives nothing", () => {
  const bucket = new TokenBucket(10, 1);
  expect(bucket.take(1000)).toBe(true);
  expect(bucket.take(0)).toBe(false);
});
