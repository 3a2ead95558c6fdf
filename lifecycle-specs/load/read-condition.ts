import type { Comparison, Condition } from "../lifecycle.ts";
import type { Plant, Tag } from "../plant.ts";
import { reference } from "./read-by-id.ts";
import type { Cursor } from "./source.ts";

const TESTS = { atLeast: "at-least", atMost: "at-most", is: "is" } as const;
const MAX_VALUE = 1e9;

/** `{ all: [{ tag, atLeast | atMost | is }], for: 3s }` */
export function readCondition(value: Cursor | undefined, plant: Plant): Condition | undefined {
  const fields = value?.fields("a condition", ["all", "for"]);
  const items = fields?.need("all")?.items("all", 1);
  const forMs = fields?.get("for")?.duration("for") ?? 0;
  if (items === undefined) return undefined;
  return { all: items.flatMap((item) => readComparison(item, plant) ?? []), forMs };
}

function readComparison(item: Cursor, plant: Plant): Comparison | undefined {
  const fields = item.fields("a comparison", ["tag", "atLeast", "atMost", "is"]);
  const tag = reference(fields?.need("tag"), "tag", plant.tags);
  const tests = (["atLeast", "atMost", "is"] as const).filter((test) => fields?.get(test) !== undefined);
  if (fields === undefined || tag === undefined) return undefined;
  const [test, ...more] = tests;
  if (test === undefined || more.length > 0) {
    return item.fail(
      "KEY_MISSING",
      "a comparison needs exactly one of atLeast, atMost and is; write two comparisons for two bounds",
    );
  }
  const value = readTagValue(fields.get(test), test, tag);
  return value === undefined ? undefined : { tag: tag.id, test: TESTS[test], value };
}

/** A number in the range of a tag. */
export function readTagValue(cursor: Cursor | undefined, what: string, tag: Tag): number | undefined {
  const value = cursor?.number(what, -MAX_VALUE, MAX_VALUE);
  if (cursor === undefined || value === undefined) return undefined;
  const [low, high] = tag.range;
  if (value >= low && value <= high) return value;
  return cursor.fail(
    "VALUE_OUTSIDE_RANGE",
    `${what} ${value} is outside the range of \`${tag.id}\`, ${low} to ${high}${tag.unit === "" ? "" : ` ${tag.unit}`}; correct one of the two`,
  );
}
