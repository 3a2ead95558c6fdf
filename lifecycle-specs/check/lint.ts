import type { Checked, RawFinding } from "./report.ts";

/** An entry of the containments that never comes to its turn. */
export function containmentsAreNotShadowed({ lifecycle }: Checked): readonly RawFinding[] {
  return lifecycle.containments.flatMap((entry, index): readonly RawFinding[] => {
    const earlier = lifecycle.containments.slice(0, index).filter(({ tags }) => tags === undefined);
    const free = entry.from.some(
      (phase) =>
        !earlier.some(({ from, locus }) => from.includes(phase) && entry.locus.every((word) => locus.includes(word))),
    );
    if (free) return [];
    return [
      {
        at: `containment:${index}`,
        code: "CONTAINMENT_SHADOWED",
        message: "earlier entries fit wherever this one does; move it up or remove it",
      },
    ];
  });
}
