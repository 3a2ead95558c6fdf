import { expect, test } from "vitest";
import { CaptureClock } from "#hmi-monitor/capture-clock.ts";
import type { PlantClock } from "#point/clock.ts";

let baseMs = 50_000;
let realMs = 0;
const base: PlantClock = { now: () => baseMs, on: () => undefined, close: () => undefined };
const clock = (between: ConstructorParameters<typeof CaptureClock>[1]) => new CaptureClock(base, between, () => realMs);

test("while a frame is judged it is the time of its capture, also when the judgement fails", () => {
  const own = clock({ behindMs: 1000 });
  expect(own.during(48_000, () => own.now())).toBe(48_000);
  expect(() =>
    own.during(48_500, () => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(own.now()).toBe(49_000);
});

test("live: between frames it is a delay ago, and never before the last frame", () => {
  const own = clock({ behindMs: 1000 });
  expect(own.now()).toBe(49_000);
  own.during(49_700, () => undefined);
  expect(own.now()).toBe(49_700);
  baseMs = 51_000;
  expect(own.now()).toBe(50_000);
  baseMs = 50_000;
});

test("a file: time stands still between frames, and does not go back with one that is older", () => {
  const own = clock("stands");
  expect(own.now()).toBe(50_000);
  own.begin(7_000);
  realMs += 400;
  expect(own.now()).toBe(7_000);
  own.during(9_000, () => undefined);
  own.during(8_000, () => undefined);
  expect(own.now()).toBe(9_000);
});

test("standard input: real time goes on from the last frame", () => {
  const own = clock("runs-on");
  own.begin(7_000);
  realMs += 400;
  expect(own.now()).toBe(7_400);
});
