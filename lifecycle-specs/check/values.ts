import type { ValueRule } from "../lifecycle.ts";
import type { Tag } from "../plant.ts";

/** Closed intervals in engineering units, in rising order, without overlap. A single value is an interval of no length. */
export type ValueSet = readonly Interval[];
export type Interval = readonly [low: number, high: number];

export const NO_VALUES: ValueSet = [];

/** Part of a tag's range below which a difference is taken for rounding of raw × scale; the decision core does the same. */
const ROUNDING = 1e-9;

/** Difference that is rounding and no difference, in engineering units. */
export function toleranceOf({ range: [low, high] }: Tag): number {
  return ROUNDING * (high - low);
}

/** What a rule's bounds leave of a tag's range; everything that a value may be where the rule gives no bounds. */
export function valuesOf(tag: Tag, rule: ValueRule | undefined): ValueSet {
  const [lowest, highest] = tag.range;
  const low = Math.max(lowest, rule?.min ?? lowest);
  const high = Math.min(highest, rule?.max ?? highest);
  if (low > high) return NO_VALUES;
  if (rule?.oneOf === undefined) return [[low, high]];
  const tolerance = toleranceOf(tag);
  return union(
    rule.oneOf.filter((value) => value >= low - tolerance && value <= high + tolerance).map((value) => [value, value]),
  );
}

/** All intervals as one set: sorted, and joined where they touch. */
export function union(intervals: readonly Interval[]): ValueSet {
  const joined: [number, number][] = [];
  for (const [low, high] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && low <= last[1]) last[1] = Math.max(last[1], high);
    else joined.push([low, high]);
  }
  return joined;
}

export function intersection(a: ValueSet, b: ValueSet): ValueSet {
  return union(
    a.flatMap(([low, high]) =>
      b.flatMap(([from, to]): Interval[] => {
        const both: Interval = [Math.max(low, from), Math.min(high, to)];
        return both[0] <= both[1] ? [both] : [];
      }),
    ),
  );
}

/**
 * What of `a` is not in `b`, but for rounding: a remainder no longer than the tolerance, next to something that is in `b`, is none.
 * The ends of what remains belong to `b`, and are given as they are: nobody reads `just above 40`.
 */
export function difference(a: ValueSet, b: ValueSet, tolerance: number): ValueSet {
  let left = a.slice();
  for (const [from, to] of b) {
    left = left.flatMap(([low, high]): Interval[] => {
      if (to < low - tolerance || from > high + tolerance) return [[low, high]];
      const below: Interval[] = from - low > tolerance ? [[low, from]] : [];
      const above: Interval[] = high - to > tolerance ? [[to, high]] : [];
      return [...below, ...above];
    });
  }
  return left;
}

export function isWithin(a: ValueSet, b: ValueSet, tolerance: number): boolean {
  return difference(a, b, tolerance).length === 0;
}

/** Which values a tag can have at all, for counting: `points` where they are few or lie on a grid, else `undefined`. */
function gridOf({
  range: [low, high],
  states,
  modbus,
  opcua,
  unit,
  kind,
}: Tag): readonly number[] | number | undefined {
  if (states !== undefined) return Object.values(states);
  const isTruth = modbus?.type === "bool" || opcua?.type === "Boolean" || (unit === "" && low === 0 && high === 1);
  if (isTruth && kind !== "argument") return [0, 1];
  if (modbus !== undefined && !modbus.type.startsWith("float")) return Math.abs(modbus.scale);
  if (opcua !== undefined && opcua.type !== "Float" && opcua.type !== "Double") return 1;
  return undefined;
}

/** A single value of a tag whose values do not lie on a grid counts as this part of the range. */
const SHARE_OF_A_VALUE = 1e-3;

/**
 * How much of a tag's range a set is, 0..1. Truth values and states are counted; of tags with a whole-number binding the raw
 * values; of the others the length of the intervals, a single value as one thousandth.
 */
export function shareOf(tag: Tag, values: ValueSet): number {
  const grid = gridOf(tag);
  if (typeof grid === "object") {
    const tolerance = toleranceOf(tag);
    const inside = grid.filter((value) =>
      values.some(([low, high]) => value >= low - tolerance && value <= high + tolerance),
    );
    return grid.length === 0 ? 0 : inside.length / grid.length;
  }
  const [low, high] = tag.range;
  const quantum = grid ?? (high - low) * SHARE_OF_A_VALUE;
  const count = (from: number, to: number) =>
    grid === undefined
      ? (to - from) / quantum + 1
      : Math.floor(to / quantum + 1e-6) - Math.ceil(from / quantum - 1e-6) + 1;
  const all = count(low, high);
  return all <= 0 ? 0 : Math.min(1, values.reduce((sum, [from, to]) => sum + Math.max(0, count(from, to)), 0) / all);
}

/** `20–40 m³/h`, `0 or 1`, `execute or held`, `nothing`: for sentences about a tag. */
export function valuesInWords(tag: Tag, values: ValueSet): string {
  if (values.length === 0) return "nothing";
  const name = (value: number) =>
    Object.entries(tag.states ?? {}).find(([, number]) => number === value)?.[0] ?? numberInWords(value);
  const parts = values.map(([low, high]) =>
    low === high ? name(low) : `${numberInWords(low)}–${numberInWords(high)}`,
  );
  const unit = tag.unit === "" ? "" : ` ${tag.unit}`;
  return `${parts.length > 2 ? parts.join(", ") : parts.join(" or ")}${unit}`;
}

/** As short as it is exact to nine digits: `0.3`, not `0.30000000000000004`. */
export function numberInWords(value: number): string {
  return String(Number(value.toPrecision(9)));
}
