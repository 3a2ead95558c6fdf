import type { Lifecycle } from "../lifecycle.ts";
import { type Box, everyBox, phaseBox, stepBox } from "./boxes.ts";

/** All ways from one box to another: one arrow, with one label for each. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly kind: "transition" | "step" | "containment" | "start";
  /** One entry for each way, of one line for each of its parts. */
  readonly labels: readonly (readonly string[])[];
}

export function startArrows(boxes: readonly Box[], { regions, phases }: Lifecycle): readonly Arrow[] {
  const drawn = new Set(everyBox(boxes).map(({ id }) => id));
  const arrows = [
    ...regions.map(({ zone, initial }) => ({ from: `start:zone/${zone}`, to: phaseBox(initial) })),
    ...phases.flatMap(({ id, initial }) =>
      initial === undefined ? [] : [{ from: `start:phase/${id}`, to: stepBox(id, initial) }],
    ),
  ];
  return arrows
    .filter(({ from, to }) => drawn.has(from) && drawn.has(to))
    .map((arrow) => ({ ...arrow, kind: "start" as const, labels: [] }));
}

/** What leads from every phase of a group to the same place is one arrow from the group. */
export function hoisted(arrows: readonly Arrow[], boxes: readonly Box[]): readonly Arrow[] {
  const groups = everyBox(boxes).filter(({ kind, children }) => kind === "group" && children.length > 1);
  // From the inner groups outwards, so that an outer one finds the arrows of its groups.
  return groups.reverse().reduce(hoistedTo, arrows);
}

function hoistedTo(arrows: readonly Arrow[], group: Box): readonly Arrow[] {
  const inside = new Set(group.children.map(({ id }) => id));
  const within = new Set(everyBox(group.children).map(({ id }) => id));
  const seen = new Map<string, readonly Arrow[]>();
  for (const arrow of arrows.filter(({ from, to }) => inside.has(from) && !within.has(to))) {
    const key = JSON.stringify({ ...arrow, from: "" });
    seen.set(key, [...(seen.get(key) ?? []), arrow]);
  }
  const common = [...seen.values()].filter((same) => same.length === inside.size);
  const first = new Set(common.map((same) => same[0]));
  const gone = new Set(common.flat());
  return arrows.flatMap((arrow) =>
    first.has(arrow) ? [{ ...arrow, from: group.id }] : gone.has(arrow) ? [] : [arrow],
  );
}

/** One arrow for all ways of one kind from a box to another, each label once, in the order of the file. */
export function merged(arrows: readonly Arrow[]): readonly Arrow[] {
  const found = new Map<string, { arrow: Arrow; labels: Map<string, readonly string[]> }>();
  for (const arrow of arrows) {
    const key = JSON.stringify([arrow.from, arrow.to, arrow.kind]);
    const entry = found.get(key) ?? { arrow, labels: new Map<string, readonly string[]>() };
    for (const label of arrow.labels) entry.labels.set(label.join("\n"), label);
    found.set(key, entry);
  }
  return [...found.values()].map(({ arrow, labels }) => ({ ...arrow, labels: [...labels.values()] }));
}
