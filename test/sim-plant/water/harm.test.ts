import { describe, expect, test } from "vitest";
import { delivered, judgeHarm, newHarm, type PlantRecord, productionKept } from "#sim/water/harm.ts";

const calm: PlantRecord = {
  atMs: 0,
  level101: 1.5,
  level401: 1.7,
  chlorine401: 2,
  spilled101L: 0,
  spilled401L: 0,
  dry101Ms: 0,
  dry401Ms: 0,
  deliveredM3: 0,
};

describe("harm is judged at limit and just beyond", () => {
  test.each([
    { name: "overflow of T101", field: "spilled101L", at: 10, beyond: 10.01, kind: "overflow", tag: "LIT101" },
    { name: "overflow of T401", field: "spilled401L", at: 10, beyond: 10.01, kind: "overflow", tag: "LIT401" },
    { name: "dry feed pump", field: "dry101Ms", at: 3000, beyond: 3100, kind: "dry-running", tag: "P101.RUN" },
    { name: "dry distribution pump", field: "dry401Ms", at: 3000, beyond: 3100, kind: "dry-running", tag: "P401.RUN" },
    { name: "over-dosing", field: "chlorine401", at: 4, beyond: 4.001, kind: "over-dosing", tag: "AIT401" },
  ])("$name", ({ field, at, beyond, kind, tag }) => {
    expect(judgeHarm([{ ...calm, [field]: at }])).toEqual([]);
    expect(judgeHarm([calm, { ...calm, atMs: 500, [field]: beyond }])).toMatchObject([{ kind, tag, atMs: 500 }]);
  });
});

test("each harm is told once, with its first time and its worst value", () => {
  const log = [3, 4.5, 6.25, 3, 5].map((chlorine401, i) => ({ ...calm, atMs: i * 500, chlorine401 }));
  expect(judgeHarm(log)).toEqual([
    { kind: "over-dosing", tag: "AIT401", value: 6.25, limit: 4, unit: "mg/L", atMs: 500 },
  ]);
});

test("a log that goes along hears of a limit when it is passed", () => {
  const over = { ...calm, atMs: 500, chlorine401: 4.2 };
  expect(newHarm(calm, over)).toHaveLength(1);
  expect(newHarm(over, { ...over, atMs: 1000 })).toEqual([]);
});

test("production kept compares delivered water over the same plant time", () => {
  const log = (rate: number) => [0, 1, 2, 3].map((i) => ({ ...calm, atMs: i * 1000, deliveredM3: i * rate }));
  expect(delivered(log(2), 1000, 3000)).toBe(4);
  expect(productionKept(log(1), log(2), 0, 3000)).toBe(0.5);
  expect(productionKept(log(3), log(2), 0, 3000)).toBe(1);
});
