import type { Comparison, Condition } from "../lifecycle.ts";
import type { Tag } from "../plant.ts";
import type { Cursor, Fields } from "./cursor.ts";
import type { PlantIndex } from "./plant-index.ts";
import { reference } from "./read-by-id.ts";
import { readTagValue } from "./read-tag-value.ts";

const TESTS = { atLeast: "at-least", atMost: "at-most", is: "is" } as const;

/** `{ all: [{ tag, atLeast | atMost | is, release? }], for: 3s, fresh: 10s }` */
export function readCondition(value: Cursor | undefined, index: PlantIndex): Condition | undefined {
  const fields = value?.fields("a condition", ["all", "for", "fresh"]);
  const items = fields?.need("all")?.items("all", 1);
  const forMs = fields?.get("for")?.duration("for") ?? 0;
  const freshMs = fields?.get("fresh")?.duration("fresh");
  if (items === undefined) return undefined;
  const all = items.flatMap((item) => readComparison(item, index) ?? []);
  return { all, forMs, ...(freshMs === undefined ? {} : { freshMs }) };
}

function readComparison(item: Cursor, index: PlantIndex): Comparison | undefined {
  const fields = item.fields("a comparison", ["tag", "atLeast", "atMost", "is", "release"]);
  const at = fields?.need("tag");
  const tag = reference(at, "tag", index.tags);
  if (fields === undefined || at === undefined || tag === undefined) return undefined;
  if (tag.kind === "method")
    return at.fail("METHOD_TAG", `\`${tag.id}\` is a method and has no value; name a variable`);
  const [test, ...more] = (["atLeast", "atMost", "is"] as const).filter((key) => fields.get(key) !== undefined);
  if (test === undefined || more.length > 0) {
    return item.fail(
      "KEY_MISSING",
      "a comparison needs exactly one of atLeast, atMost and is; write two comparisons for two bounds",
    );
  }
  if (tag.states !== undefined && test !== "is") {
    return fields
      .get(test)
      ?.fail("STATE_NEEDED", `\`${tag.id}\` stands for states, which have no order; write \`is\` and the name of one`);
  }
  const value = readTagValue(fields.get(test), test, tag);
  if (value === undefined) return undefined;
  const release = readRelease(fields, test, value, tag);
  return { tag: tag.id, test: TESTS[test], value, ...(release === undefined ? {} : { release }) };
}

/** Hysteresis reaches from the value towards where the comparison is false. */
function readRelease(fields: Fields, test: keyof typeof TESTS, value: number, tag: Tag): number | undefined {
  const at = fields.get("release");
  if (at === undefined) return undefined;
  if (test === "is") return at.fail("KEY_UNKNOWN", "`release` has no meaning beside `is`; remove it");
  const release = readTagValue(at, "release", tag);
  if (release === undefined) return undefined;
  if (test === "atLeast" ? release < value : release > value) return release;
  const side = test === "atLeast" ? "below" : "above";
  return at.fail(
    "RANGE_CROSSED",
    `release ${release} is not ${side} ${test} ${value}; put it ${side}, or leave it out`,
  );
}
