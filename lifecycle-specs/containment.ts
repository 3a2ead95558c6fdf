import type { PhaseId, TagId } from "./ids.ts";
import type { ContainmentChoice, Lifecycle, Locus } from "./lifecycle.ts";

/**
 * The first entry that fits: it starts from this phase, covers every locus of the set (where the taps cannot separate causes, the
 * containment must hold for each), and where it names tags, every tag reached for is among them.
 */
export function containmentFor(
  lifecycle: Lifecycle,
  phase: PhaseId,
  loci: readonly Locus[],
  tags: readonly TagId[],
): ContainmentChoice | undefined {
  if (loci.length === 0) return undefined;
  return lifecycle.containments.find(
    (entry) =>
      entry.from.includes(phase) &&
      loci.every((locus) => entry.locus.includes(locus)) &&
      (entry.tags === undefined || (tags.length > 0 && tags.every((tag) => entry.tags?.includes(tag)))),
  );
}
