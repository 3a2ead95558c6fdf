import type { TagId } from "./ids.ts";
import type { Comparison, Condition } from "./lifecycle.ts";

/** `unknown`: nothing fails, but at least one tag has not been seen. */
export type Truth = "holds" | "fails" | "unknown";

/** What is known of one comparison: the tag's last value, and since when the comparison has been true without a break (plant ms). */
export interface Seen {
  readonly value: number;
  readonly sinceMs: number;
}

/** Readings are products of a whole number and a scale; this absorbs the binary rounding of such a product. */
const ROUNDING = 1e-9;

export function compare(comparison: Comparison, value: number): boolean {
  switch (comparison.test) {
    case "at-least":
      return value >= comparison.value - ROUNDING;
    case "at-most":
      return value <= comparison.value + ROUNDING;
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
    if (seen === undefined) {
      unknown = true;
    } else if (compare(comparison, seen.value)) {
      sinceMs = Math.max(sinceMs, seen.sinceMs);
    } else {
      return "fails";
    }
  }
  if (unknown) return "unknown";
  return nowMs - sinceMs >= condition.forMs ? "holds" : "fails";
}

/** A comparison in words: `LIT101 at least 1.2`. */
export function comparisonInWords(comparison: Comparison): string {
  return `${comparison.tag} ${comparison.test.replace("-", " ")} ${comparison.value}`;
}

/** A condition in words: `LIT101 at least 1.2 and MV101.OPEN is 1, for 1 s`. */
export function conditionInWords(condition: Condition): string {
  const parts = condition.all.map(comparisonInWords).join(" and ");
  return condition.forMs === 0 ? parts : `${parts}, for ${condition.forMs / 1000} s`;
}

function unreachable(value: never): never {
  throw new Error(`unreachable: comparison \`${String(value)}\``);
}
