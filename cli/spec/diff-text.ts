import type { Change, Spec, SpecDiff } from "#specs/diff.ts";
import { listInWords, printable } from "#specs/words.ts";
import { type Colours, count } from "./terminal.ts";

/** Places named in one line; of more, how many. `--json` has them all. */
const FEW_PLACES = 6;

const MARKS = { widened: "+", narrowed: "-", other: "~" } as const;

/** The difference for people, widenings first. */
export function diffInWords(before: Spec, after: Spec, { same, changes }: SpecDiff, colours: Colours): string {
  const title = `${nameOf(before)} → ${nameOf(after)}`;
  if (same) return `${title}: the same may happen\n`;
  const lines = (wanted: (change: Change) => boolean): readonly string[] =>
    changes.filter(wanted).map((change) => lineOf(change, colours));
  const sections = [
    ["What may happen now and could not before", lines(({ widens }) => widens)],
    ["What may no longer happen", lines(({ effect }) => effect === "narrowed")],
    ["What else is different", lines(({ effect, widens }) => effect === "other" && !widens)],
  ] as const;
  return `${[
    `${title}: ${summaryOf(changes)}`,
    ...sections
      .filter(([, list]) => list.length > 0)
      .map(([heading, list]) => [colours.bold(heading), ...list.map((line) => `  ${line}`)].join("\n")),
  ].join("\n\n")}\n`;
}

/** `3 widened, 1 narrowed, 2 other`. */
export function summaryOf(changes: readonly Change[]): string {
  const number = (effect: Change["effect"]) => changes.filter((change) => change.effect === effect).length;
  return `${number("widened")} widened, ${number("narrowed")} narrowed, ${number("other")} other`;
}

function nameOf({ plant, lifecycle }: Spec): string {
  return `${plant.id} version ${lifecycle.version}`;
}

function lineOf({ effect, places, says }: Change, colours: Colours): string {
  const paint = { widened: colours.red, narrowed: colours.green, other: colours.yellow }[effect];
  return `${paint(MARKS[effect])} ${printable(`${placesInWords(places)}${says}`)}`;
}

function placesInWords(places: readonly string[]): string {
  if (places.length === 0) return "";
  if (places.length <= FEW_PLACES) return `in ${listInWords(places)}, `;
  const shown = places.slice(0, FEW_PLACES - 1);
  return `in ${shown.join(", ")} and ${count(places.length - shown.length, "further place")}, `;
}
