import type { Tag } from "../plant.ts";
import { type Cursor, quote } from "./cursor.ts";
import { suggest } from "./suggest.ts";

/** Values of tags stay where a double counts exactly and a float32 still tells neighbours apart. */
export const MAX_VALUE = 1e9;

type Valued = Pick<Tag, "id" | "unit" | "range" | "states">;

/** A number in the range of a tag, or the name of a state where the tag stands for states. */
export function readTagValue(cursor: Cursor | undefined, what: string, tag: Valued): number | undefined {
  if (cursor === undefined) return undefined;
  if (tag.states !== undefined) return readState(cursor, what, tag.id, tag.states);
  const value = cursor.number(what, -MAX_VALUE, MAX_VALUE);
  if (value === undefined) return undefined;
  const [low, high] = tag.range;
  if (value >= low && value <= high) return value;
  return cursor.fail(
    "VALUE_OUTSIDE_RANGE",
    `${what} ${value} is outside the range of \`${tag.id}\`, ${low} to ${high}${tag.unit === "" ? "" : ` ${tag.unit}`}; correct one of the two`,
  );
}

function readState(
  cursor: Cursor,
  what: string,
  id: string,
  states: Readonly<Record<string, number>>,
): number | undefined {
  const names = Object.keys(states);
  if (cursor.isNumber) {
    return cursor.fail(
      "STATE_NEEDED",
      `\`${id}\` stands for states, so \`${what}\` names one and has no number; write one of ${names.join(", ")}`,
    );
  }
  const name = cursor.text(what);
  if (name === undefined) return undefined;
  if (Object.hasOwn(states, name)) return states[name];
  return cursor.fail(
    "STATE_UNKNOWN",
    `\`${id}\` has no state \`${quote(name)}\`${suggest(name, names)}; its states are ${names.join(", ")}`,
  );
}
