import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boxOf, isInside, meetOf, witnessIn } from "#specs/check/boxes.ts";
import { compare } from "#specs/conditions.ts";
import { DeviceId, TagId } from "#specs/ids.ts";
import type { Comparison, Condition } from "#specs/lifecycle.ts";
import type { Tag } from "#specs/plant.ts";

const tag = (id: string, range: readonly [number, number], more: Partial<Tag> = {}): Tag => ({
  id: TagId(id),
  title: id,
  kind: "measurement",
  device: DeviceId("plc-1"),
  unit: "",
  range,
  ...more,
});

const TAGS: ReadonlyMap<TagId, Tag> = new Map(
  [
    tag("A", [0, 8]),
    tag("B", [-4, 4]),
    tag("ON", [0, 1], { opcua: { nodeId: "ns=1;s=ON", type: "Boolean" } }),
    tag("STATE", [0, 9], { states: { idle: 0, run: 4, held: 6 } }),
  ].map((each) => [each.id, each]),
);
const tagOf = (id: TagId) => TAGS.get(id);
/** Every value that the tests' tags can have, as far as conditions with whole numbers can tell them apart. */
const VALUES: ReadonlyMap<string, readonly number[]> = new Map([
  ["A", [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  ["B", [-4, -3, -2, -1, 0, 1, 2, 3, 4]],
  ["ON", [0, 1]],
  ["STATE", [0, 4, 6]],
]);

const condition = (...all: readonly Comparison[]): Condition => ({ all, forMs: 0 });
const part = (id: string, test: Comparison["test"], value: number, release?: number): Comparison => ({
  tag: TagId(id),
  test,
  value,
  ...(release === undefined ? {} : { release }),
});

describe("boxes of conditions", () => {
  test.each([
    { what: "bounds that cross", all: [part("A", "at-least", 5), part("A", "at-most", 4)] },
    { what: "bounds beyond the range", all: [part("A", "at-least", 9)] },
    { what: "two values at once", all: [part("B", "is", 1), part("B", "is", 2)] },
    { what: "a truth value in between", all: [part("ON", "at-least", 0.2), part("ON", "at-most", 0.8)] },
    { what: "a state that is none", all: [part("STATE", "at-least", 1), part("STATE", "at-most", 3)] },
    { what: "a release that lets a value in, which none begins", all: [part("A", "at-least", 9, 3)] },
  ])("never hold: $what", ({ all }) => expect(boxOf(condition(...all), tagOf)).toBeUndefined());

  test("hysteresis widens a box to the release", () => {
    const box = boxOf(condition(part("A", "at-least", 5, 3), part("B", "at-most", 0, 2)), tagOf);
    expect([...(box ?? [])]).toEqual([
      ["A", [3, 8]],
      ["B", [-4, 2]],
    ]);
  });

  test("conditions that touch at one value hold at once there", () => {
    const [low, high] = [
      boxOf(condition(part("A", "at-most", 4)), tagOf),
      boxOf(condition(part("A", "at-least", 4)), tagOf),
    ];
    if (low === undefined || high === undefined) throw new Error("both hold somewhere");
    expect(witnessIn(meetOf(low, high, tagOf) ?? new Map(), tagOf)).toBe("A = 4");
  });

  test("a witness names states", () => {
    const box = boxOf(condition(part("STATE", "at-least", 5)), tagOf);
    expect(witnessIn(box ?? new Map(), tagOf)).toBe("STATE = held");
  });
});

const comparisons: fc.Arbitrary<Comparison> = fc
  .record({
    id: fc.constantFrom("A", "B", "ON", "STATE"),
    test: fc.constantFrom<Comparison["test"]>("at-least", "at-most", "is"),
    value: fc.integer({ min: -5, max: 10 }),
  })
  .map(({ id, test, value }) => part(id, test, value));
const conditions = fc.array(comparisons, { minLength: 1, maxLength: 5 }).map((all) => condition(...all));

/** All valuations of the tags, one tag after the other. */
function valuations(): readonly ReadonlyMap<string, number>[] {
  return [...VALUES].reduce<readonly ReadonlyMap<string, number>[]>(
    (done, [id, values]) => done.flatMap((one) => values.map((value) => new Map(one).set(id, value))),
    [new Map()],
  );
}

const ALL = valuations();
const holdsAt = ({ all }: Condition, at: ReadonlyMap<string, number>) =>
  all.every((each) => compare(each, at.get(each.tag) ?? Number.NaN));

describe("boxes agree with trying every value", () => {
  test("a condition has a box exactly where some values fulfil it", () => {
    fc.assert(
      fc.property(conditions, (one) => {
        expect(boxOf(one, tagOf) !== undefined).toBe(ALL.some((at) => holdsAt(one, at)));
      }),
      { numRuns: 400 },
    );
  });

  test("two conditions meet exactly where some values fulfil both", () => {
    fc.assert(
      fc.property(conditions, conditions, (a, b) => {
        const [boxA, boxB] = [boxOf(a, tagOf), boxOf(b, tagOf)];
        const meet = boxA === undefined || boxB === undefined ? undefined : meetOf(boxA, boxB, tagOf);
        expect(meet !== undefined).toBe(ALL.some((at) => holdsAt(a, at) && holdsAt(b, at)));
      }),
      { numRuns: 400 },
    );
  });

  test("a box inside a condition has no values that do not fulfil it", () => {
    fc.assert(
      fc.property(conditions, conditions, (a, b) => {
        const box = boxOf(a, tagOf);
        if (box === undefined || !isInside(box, b, tagOf)) return;
        expect(ALL.filter((at) => holdsAt(a, at) && !holdsAt(b, at))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
