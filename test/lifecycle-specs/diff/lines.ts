import { diffSpecs, type Spec } from "#specs/diff.ts";

const MARKS = { widened: "+", narrowed: "-", other: "~" } as const;

/** A difference as lines: `+ run/produce: hmi-1 may now …`; `!` marks what else a reviewer must see. */
export function linesOf(before: Spec, after: Spec): readonly string[] {
  return diffSpecs(before, after).changes.map(({ effect, widens, places, says }) => {
    const mark = `${MARKS[effect]}${effect === "other" && widens ? "!" : ""}`;
    return `${mark} ${places.length === 0 ? "" : `${places.join(", ")}: `}${says}`;
  });
}
