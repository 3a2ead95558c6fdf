import { StepId } from "../ids.ts";
import { type Cursor, quote } from "./cursor.ts";
import { readById } from "./read-by-id.ts";
import { MAX_VALUE } from "./read-tag-value.ts";
import { suggest } from "./suggest.ts";

/** The number of each state by its name. */
export type States = Readonly<Record<string, number>>;
/** The dialects that the templates declare: one and the same state model, numbered differently. */
export type Dialects = ReadonlyMap<string, States>;

/** `states: packml-tr88`, or `states: { idle: 4, execute: 6 }`. Every number lies in the tag's range. */
export function readStates(
  cursor: Cursor | undefined,
  dialects: () => Dialects,
  [low, high]: readonly [number, number],
): States | undefined {
  if (cursor === undefined) return undefined;
  const states = cursor.isMap ? readNumbers(cursor) : readDialect(cursor, dialects());
  const outside = Object.entries(states ?? {}).find(([, number]) => number < low || number > high);
  if (outside === undefined) return states;
  return cursor.fail(
    "VALUE_OUTSIDE_RANGE",
    `state \`${outside[0]}\` is ${outside[1]}, outside the tag's range ${low} to ${high}; widen the range`,
  );
}

/** A map from names to whole numbers, each number once. */
export function readNumbers(map: Cursor): States | undefined {
  const taken = new Map<number, string>();
  const states = readById(map, "states", StepId, (name, value) => {
    const number = value.integer(`state \`${name}\``, -MAX_VALUE, MAX_VALUE);
    if (number === undefined) return undefined;
    const other = taken.get(number);
    if (other !== undefined)
      return value.fail(
        "DUPLICATE_ID",
        `${number} is state \`${other}\` already; give \`${name}\` a number of its own`,
      );
    taken.set(number, name);
    return [name, number] as const;
  });
  if (states.length === 0) return map.fail("LIST_EMPTY", "states is empty; name at least one");
  return Object.fromEntries(states);
}

function readDialect(cursor: Cursor, dialects: Dialects): States | undefined {
  const name = cursor.text("states");
  if (name === undefined) return undefined;
  const found = dialects.get(name);
  if (found !== undefined) return found;
  return cursor.fail(
    "WORD_UNKNOWN",
    `unknown states \`${quote(name)}\`${suggest(name, dialects.keys())}; write a map, or one of ${[...dialects.keys()].join(", ")}`,
  );
}
