import type { PhaseId } from "../ids.ts";
import { LOCI } from "../lifecycle.ts";
import { findPhase } from "../positions.ts";
import type { Checked, RawFinding } from "./report.ts";

/** A containment, and the phase where points go by themselves, is marked as one: only then it is held to what it must keep. */
export function containmentsLeadToContainment({ lifecycle }: Checked): readonly RawFinding[] {
  const isContainment = (id: PhaseId) => findPhase(lifecycle, id)?.containment === true;
  const isolated = lifecycle.regions
    .filter((region) => !isContainment(region.isolated))
    .map(
      (region): RawFinding => ({
        at: lifecycle.regions.length === 1 ? "isolated" : `isolated:${region.zone}`,
        code: "ISOLATED_NOT_CONTAINMENT",
        message: `the isolated phase \`${region.isolated}\` is not marked; add \`containment: true\` to it, or name another`,
      }),
    );
  const entries = lifecycle.containments.flatMap(({ to }, index): readonly RawFinding[] =>
    isContainment(to)
      ? []
      : [
          {
            at: `containment:${index}`,
            code: "CONTAINMENT_TARGET",
            message: `the containment leads to \`${to}\`, which is not marked; add \`containment: true\` to that phase, or name another`,
          },
        ],
  );
  return [...isolated, ...entries];
}

/** Where some locus has a containment, a detection with another locus must not find the plant without one. */
export function containmentsCoverAllLoci({ lifecycle }: Checked): readonly RawFinding[] {
  return lifecycle.phases.flatMap(({ id }): readonly RawFinding[] => {
    const entries = lifecycle.containments.filter(({ from }) => from.includes(id));
    const covered = new Set(entries.filter(({ tags }) => tags === undefined).flatMap(({ locus }) => locus));
    const missing = LOCI.filter((locus) => !covered.has(locus));
    if (entries.length === 0 || missing.length === 0) return [];
    return [
      {
        at: `phase:${id}`,
        code: "CONTAINMENT_GAP",
        message: `phase \`${id}\` has containments, but none for every attack at ${missing.join(", ")}; add \`${id}\` to the \`from\` of an entry for these`,
      },
    ];
  });
}
