import { compare } from "../conditions.ts";
import type { TagId } from "../ids.ts";
import type { Comparison, Condition } from "../lifecycle.ts";
import type { Tag } from "../plant.ts";
import { type TagOf, valueInWords } from "../words.ts";
import type { Interval } from "./values.ts";

/** What each tag of a condition may be while the condition holds: closed intervals in engineering units, never empty. */
export type Box = ReadonlyMap<TagId, Interval>;

/** Values that the tag can have: truth values and named states are few, anything else is taken to lie anywhere in its range. */
function pointsOf({ states, modbus, opcua }: Tag): readonly number[] | undefined {
  if (states !== undefined) return Object.values(states);
  return modbus?.type === "bool" || opcua?.type === "Boolean" ? [0, 1] : undefined;
}

/**
 * The box of a condition; undefined where no values within the tags' ranges fulfil it. A part with hysteresis holds on as far as
 * its release, once a value has made it true.
 */
export function boxOf(condition: Condition, tagOf: TagOf): Box | undefined {
  const box = new Map<TagId, Interval>();
  for (const part of condition.all) {
    const tag = tagOf(part.tag);
    if (tag === undefined) continue;
    if (admissible(tag, begin(part, tag)) === undefined) return undefined;
    const known = box.get(part.tag) ?? tag.range;
    const both = meet(known, hold(part, tag));
    if (both === undefined || admissible(tag, both) === undefined) return undefined;
    box.set(part.tag, both);
  }
  return box;
}

/** Both conditions at once; undefined: never. */
export function meetOf(a: Box, b: Box, tagOf: TagOf): Box | undefined {
  const box = new Map(a);
  for (const [id, interval] of b) {
    const tag = tagOf(id);
    const both = meet(box.get(id) ?? interval, interval);
    if (both === undefined || (tag !== undefined && admissible(tag, both) === undefined)) return undefined;
    box.set(id, both);
  }
  return box;
}

/** Whether everything in the box fulfils the condition, hysteresis aside: its parts become true, they do not only stay so. */
export function isInside(box: Box, condition: Condition, tagOf: TagOf): boolean {
  return condition.all.every((part) => {
    const interval = box.get(part.tag) ?? tagOf(part.tag)?.range;
    return interval !== undefined && compare(part, interval[0]) && compare(part, interval[1]);
  });
}

/** One valuation out of the box, as a witness: `LEVEL = 1.2 m, OPEN = 1`. */
export function witnessIn(box: Box, tagOf: TagOf): string {
  return [...box]
    .map(([id, interval]) => {
      const tag = tagOf(id);
      const value = tag === undefined ? interval[0] : (admissible(tag, interval) ?? interval[0]);
      return `${id} = ${valueInWords(value, tag)}`;
    })
    .join(", ");
}

/** Where the part becomes true. */
function begin({ test, value }: Comparison, { range: [low, high] }: Tag): Interval {
  if (test === "at-least") return [value, Math.max(high, value)];
  return test === "at-most" ? [Math.min(low, value), value] : [value, value];
}

/** Where the part may still be true. */
function hold(part: Comparison, tag: Tag): Interval {
  const [low, high] = begin(part, tag);
  if (part.release === undefined) return [low, high];
  return [Math.min(low, part.release), Math.max(high, part.release)];
}

function meet(a: Interval, b: Interval): Interval | undefined {
  const both: Interval = [Math.max(a[0], b[0]), Math.min(a[1], b[1])];
  return both[0] <= both[1] ? both : undefined;
}

/** A value that the tag can have within the interval; the bound that a reader knows from the file before the end of the range. */
function admissible(tag: Tag, interval: Interval): number | undefined {
  const inside = meet(interval, tag.range);
  if (inside === undefined) return undefined;
  const points = pointsOf(tag);
  if (points !== undefined) return points.find((point) => point >= inside[0] && point <= inside[1]);
  return inside[0] === tag.range[0] && inside[1] !== tag.range[1] ? inside[1] : inside[0];
}
