import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readLease, readOrder, readPosition } from "#point/bus-read.ts";

const position = { zone: "works", phase: "normal", steps: ["produce"], epoch: 4, atMs: 12 };
const common = { zone: "works", change: "c-4", epoch: 4, to: "normal", steps: [], atMs: 12 };

describe("messages of the coordinator", () => {
  test("well-formed ones are read", () => {
    expect(readPosition(position)).toEqual(position);
    expect(readOrder({ ...common, order: "prepare", from: "startup", window: ["estop"] })).toMatchObject({
      order: "prepare",
      from: "startup",
    });
    expect(readOrder({ ...common, order: "window", layer: "hmi" })).toMatchObject({ order: "window", layer: "hmi" });
    expect(readOrder({ ...common, order: "take", layer: "all" })).toMatchObject({ order: "take", layer: "all" });
    expect(readOrder({ ...common, order: "abort", from: "startup" })).toMatchObject({ order: "abort" });
    expect(readLease({ coordinator: "c", atMs: 1, leaseMs: 10_000 })?.leaseMs).toBe(10_000);
  });

  test("a phase may have the longest name that the language takes", () => {
    const phase = "p".repeat(128);
    expect(readPosition({ ...position, phase })).toMatchObject({ phase });
    expect(readPosition({ ...position, phase: `${phase}p` })).toBeUndefined();
  });

  test.each([
    { name: "a negative epoch", value: { ...position, epoch: -1 } },
    { name: "a broken epoch", value: { ...position, epoch: 1.5 } },
    { name: "a phase that is not a name", value: { ...position, phase: "nor mal" } },
    { name: "a step that is not a name", value: { ...position, steps: ["§"] } },
    { name: "65 steps", value: { ...position, steps: Array.from({ length: 65 }, (_, i) => `s${i}`) } },
    { name: "no zone", value: { ...position, zone: undefined } },
  ])("$name is no position", ({ value }) => {
    expect(readPosition(value)).toBeUndefined();
  });

  test("a lease of more than a day, or below nothing, is none", () => {
    expect(readLease({ coordinator: "c", atMs: 1, leaseMs: 86_400_001 })).toBeUndefined();
    expect(readLease({ coordinator: "c", atMs: 1, leaseMs: -1 })).toBeUndefined();
  });

  test("an order for a layer that does not exist is none", () => {
    expect(readOrder({ ...common, order: "take", layer: "cloud" })).toBeUndefined();
  });

  test("an order with a window rule that is not a name is none", () => {
    expect(readOrder({ ...common, order: "prepare", from: "startup", window: ["1 §"] })).toBeUndefined();
  });

  test("anything else never throws", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readOrder(value);
        readPosition(value);
        readLease(value);
      }),
    );
  });
});
