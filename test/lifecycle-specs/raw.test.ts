import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { engineeringValue } from "#point/observe/modbus-tags.ts";
import type { ModbusBinding, ModbusType } from "#specs/plant.ts";
import { engineeringOf, type RawBounds, rawOf, toleranceOf, typedBoundsOf } from "#specs/raw.ts";
import { neighbours, wordsOf } from "./raw-values.ts";

const binding = (type: ModbusType, scale: number): ModbusBinding => ({
  ...{ unit: 1, table: "holding-register", address: 0, wordOrder: "big", byteOrder: "big" },
  type,
  scale,
});

describe("raw bounds lie within the engineering bounds", () => {
  test.each([
    {
      name: "whole raw values stay",
      on: binding("uint16", 0.1),
      bounds: { min: 0.3, max: 2.9, maxStep: 0.7, rampPerS: 0.5, oneOf: [0.3] },
      want: { min: 3, max: 29, maxStep: 7, rampPerS: 5, oneOf: [[3, 3]] },
    },
    {
      name: "others are drawn inwards",
      on: binding("uint16", 0.1),
      bounds: { min: 0.31, max: 2.99, maxStep: 0.79 },
      want: { min: 4, max: 29, maxStep: 7 },
    },
    {
      name: "the type ends where it ends",
      on: binding("int16", 0.1),
      bounds: { min: -9000, max: 9000 },
      want: { min: -32_768, max: 32_767 },
    },
    {
      name: "a listed value between two raw values is none",
      on: binding("uint16", 0.1),
      bounds: { min: 0, max: 5, oneOf: [0.25, 0.4, 9] },
      want: { min: 0, max: 50, oneOf: [[4, 4]] },
    },
    {
      name: "bounds between two raw values leave nothing",
      on: binding("uint16", 1),
      bounds: { min: 0.3, max: 0.7 },
      want: { min: 1, max: 0 },
    },
    {
      name: "bounds beyond the type leave nothing",
      on: binding("uint16", 0.001),
      bounds: { min: 70, max: 80 },
      want: { min: 1, max: 0 },
    },
    {
      name: "the largest 32-bit float below a bound that has none of its own",
      on: binding("float32", 1),
      bounds: { min: 0.25, max: 0.3 },
      want: { min: 0.25, max: 0.29999998211860657 },
    },
    {
      name: "of doubles the bounds as they are",
      on: binding("float64", 0.5),
      bounds: { min: 0.3, max: 40, maxStep: 2, oneOf: [0.3, 50] },
      want: { min: 0.6, max: 80, maxStep: 4, oneOf: [[0.6, 0.6]] },
    },
  ])("$name", ({ on, bounds, want }) => {
    expect(rawOf(on, bounds)).toEqual(want);
  });

  test("OPC UA whole numbers are drawn inwards, doubles stay", () => {
    expect(typedBoundsOf("Int16", { min: 9.5, max: 60.5 })).toEqual({ min: 10, max: 60 });
    expect(typedBoundsOf("Byte", { min: -3, max: 300 })).toEqual({ min: 0, max: 255 });
    expect(typedBoundsOf("Boolean", { min: 0, max: 1, oneOf: [1] })).toEqual({ min: 0, max: 1, oneOf: [[1, 1]] });
    expect(typedBoundsOf("Double", { min: 9.5, max: 60.5 })).toEqual({ min: 9.5, max: 60.5 });
  });
});

const SCALES = [1, 0.1, 0.01, 0.001, 0.5, 0.3, 1e-6, 12.5, 0.07] as const;
const TYPES: readonly ModbusType[] = ["bool", "uint16", "int16", "uint32", "int32", "float32"];
const decimal = fc.integer({ min: -200_000, max: 200_000 }).map((n) => n / 1000);

/** Hundredths of a range, or a little beyond it. */
const part = fc.oneof(
  fc.integer({ min: -2, max: 102 }),
  fc.integer({ min: -20, max: 1020 }).map((n) => n / 10),
);

/** Every raw value near a bound, near the ends of the type, and where the bound lies before it is rounded. */
function candidates({ type, scale }: ModbusBinding, raw: RawBounds, ends: readonly number[]): readonly number[] {
  const listed = raw.oneOf?.flat() ?? [];
  return [raw.min, raw.max, ...listed, ...ends.map((end) => end / scale), 0].flatMap((at) => neighbours(type, at));
}

function isWithin(raw: RawBounds, value: number): boolean {
  const { min, max, oneOf } = raw;
  return (
    value >= min &&
    value <= max &&
    (oneOf === undefined || oneOf.some(([least, most]) => value >= least && value <= most))
  );
}

test("a raw value is within its bounds exactly where its engineering value is within theirs", () => {
  let within = 0;
  let beyond = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...TYPES),
      fc.constantFrom(...SCALES),
      fc.tuple(decimal, decimal).map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const),
      fc.tuple(part, part, fc.option(fc.array(part, { minLength: 1, maxLength: 3 }), { nil: undefined })),
      (type, scale, range, parts) => {
        const at = (n: number) => range[0] + ((range[1] - range[0]) * n) / 100;
        const [min, max] = [at(Math.min(parts[0], parts[1])), at(Math.max(parts[0], parts[1]))];
        const oneOf = parts[2]?.map(at);
        const on = binding(type, scale);
        const tolerance = toleranceOf(range);
        const low = Math.max(min, range[0]);
        const high = Math.min(max, range[1]);
        const raw = rawOf(on, { min: low, max: high, ...(oneOf === undefined ? {} : { oneOf }) }, tolerance);
        for (const value of candidates(on, raw, [...range, low, high, ...(oneOf ?? [])])) {
          const engineering = engineeringValue(on, wordsOf(on, value), 0) ?? Number.NaN;
          const isListed = oneOf?.some((one) => Math.abs(one - engineering) <= tolerance) ?? true;
          const allowed = engineering >= low - tolerance && engineering <= high + tolerance && isListed;
          if (allowed) within += 1;
          else beyond += 1;
          expect([type, scale, value, isWithin(raw, value)]).toEqual([type, scale, value, allowed]);
        }
      },
    ),
    { numRuns: 2000, seed: 11 },
  );
  expect(within).toBeGreaterThan(2000);
  expect(beyond).toBeGreaterThan(2000);
});

test("the engineering value is the one that messages are observed with", () => {
  fc.assert(
    fc.property(fc.constantFrom(...SCALES), fc.integer({ min: 0, max: 0xffff }), (scale, raw) => {
      expect(engineeringOf(raw, scale)).toBe(engineeringValue(binding("uint16", scale), [raw], 0));
    }),
    { numRuns: 1000, seed: 12 },
  );
});

test.each(["big", "little"] as const)("byte and word order %s: what is written is what is read", (order) => {
  for (const type of [...TYPES, "float64"] as const) {
    const on: ModbusBinding = { ...binding(type, 1), wordOrder: order, byteOrder: order };
    const value = type === "bool" ? 1 : 258;
    expect(engineeringValue(on, wordsOf(on, value), 0), type).toBe(value);
  }
});
