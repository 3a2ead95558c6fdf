import type { TagId } from "./ids.ts";
import type { Comparison, Condition } from "./lifecycle.ts";

/** `unknown`: nothing fails, but at least one tag has not been seen, or not lately enough. */
export type Truth = "holds" | "fails" | "unknown";

/** What is known of one comparison: the tag's last value, and since when the comparison has been true without a break (plant ms). */
export interface Seen {
  readonly value: number;
  readonly sinceMs: number;
  /** When the tag was seen last, plant ms. Needed for conditions whose readings age; absent: just now. */
  readonly atMs?: number;
  /** Whether the comparison is true by what was seen so far. Needed where it has a `release`; absent: as the value says. */
  readonly holds?: boolean;
}

/** Readings are products of a whole number and a scale; this absorbs the binary rounding of such a product. */
const ROUNDING = 1e-9;

/**
 * Whether a comparison is true of a value.
 *
 * @param held it was true of the reading before: with a `release` it then stays true until the value passes that. After a
 * reading that is no number, or a pause longer than the condition's `freshMs`, nothing is held.
 */
export function compare(comparison: Comparison, value: number, held = false): boolean {
  const bound = held ? (comparison.release ?? comparison.value) : comparison.value;
  switch (comparison.test) {
    case "at-least":
      return value >= bound - ROUNDING;
    case "at-most":
      return value <= bound + ROUNDING;
    case "is":
      return Math.abs(value - comparison.value) <= ROUNDING;
    default:
      return unreachable(comparison.test);
  }
}

/**
 * Whether the condition holds at `nowMs`. A part that fails decides before a part that is unknown.
 *
 * @param view the tag's last value and since when the comparison named beside it has been true; undefined: never seen
 */
export function evaluate(
  condition: Condition,
  view: (tag: TagId, comparison: Comparison) => Seen | undefined,
  nowMs: number,
): Truth {
  let unknown = false;
  let sinceMs = Number.NEGATIVE_INFINITY;
  for (const comparison of condition.all) {
    const seen = view(comparison.tag, comparison);
    if (seen === undefined || isTooOld(condition, seen, nowMs)) {
      unknown = true;
    } else if (seen.holds ?? compare(comparison, seen.value)) {
      sinceMs = Math.max(sinceMs, seen.sinceMs);
    } else {
      return "fails";
    }
  }
  if (unknown) return "unknown";
  return nowMs - sinceMs >= condition.forMs ? "holds" : "fails";
}

function isTooOld({ freshMs }: Condition, { atMs }: Seen, nowMs: number): boolean {
  return freshMs !== undefined && atMs !== undefined && nowMs - atMs > freshMs;
}

/** A comparison in words: `LIT101 at least 1.2`, and with hysteresis `LIT101 at least 1.2 (until below 1)`. */
export function comparisonInWords(comparison: Comparison): string {
  const { tag, test, value, release } = comparison;
  const words = `${tag} ${test.replace("-", " ")} ${value}`;
  if (release === undefined || test === "is") return words;
  return `${words} (until ${test === "at-least" ? "below" : "above"} ${release})`;
}

/** A condition in words: `LIT101 at least 1.2 and MV101.OPEN is 1, for 1 s`. */
export function conditionInWords(condition: Condition): string {
  const parts = condition.all.map(comparisonInWords).join(" and ");
  const held = condition.forMs === 0 ? "" : `, for ${condition.forMs / 1000} s`;
  const fresh = condition.freshMs === undefined ? "" : `, seen within ${condition.freshMs / 1000} s`;
  return parts + held + fresh;
}

function unreachable(value: never): never {
  throw new Error(`unreachable: comparison \`${String(value)}\``);
}
