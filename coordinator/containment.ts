import { containmentFor } from "#specs/containment.ts";
import type { PhaseId, TagId } from "#specs/ids.ts";
import type { ContainmentChoice, Lifecycle, Locus } from "#specs/lifecycle.ts";
import type { Severity } from "./page-messages.ts";

export interface ContainmentPolicy {
  readonly mode: "monitor" | "enforce";
  readonly severityPolicy: "auto" | "propose";
}

export interface Suspect {
  readonly severity: Severity;
  readonly locus: readonly Locus[];
  readonly tags: readonly TagId[];
}

/** What follows from a detection. */
export type Follow =
  | { readonly follow: "nothing"; readonly says: string }
  | {
      readonly follow: "propose";
      readonly choice: ContainmentChoice;
      readonly takable: boolean;
      readonly whyNot: string;
    }
  | { readonly follow: "take"; readonly choice: ContainmentChoice };

export const MONITOR_SAYS = "the coordinator is in monitor mode: containment is shown, never taken";

/**
 * The least restriction that the lifecycle names for this locus, taken or proposed according to mode and policy. A detection
 * in a phase that already contains its locus only adds evidence.
 */
export function follow(lifecycle: Lifecycle, phase: PhaseId, suspect: Suspect, policy: ContainmentPolicy): Follow {
  if (suspect.severity === "notice" || suspect.locus.length === 0)
    return { follow: "nothing", says: "nothing is to be limited" };
  if (contains(lifecycle, phase, suspect)) return { follow: "nothing", says: `\`${phase}\` contains it already` };
  const choice = containmentFor(lifecycle, phase, suspect.locus, suspect.tags);
  if (choice === undefined)
    return { follow: "nothing", says: `the lifecycle names no containment from \`${phase}\` for it` };
  if (policy.mode === "monitor") return { follow: "propose", choice, takable: false, whyNot: MONITOR_SAYS };
  const acts = policy.severityPolicy === "auto" && suspect.severity === "alarm";
  return acts ? { follow: "take", choice } : { follow: "propose", choice, takable: true, whyNot: "" };
}

/** Whether the present phase is where some entry leads for this locus and these tags. */
export function contains(lifecycle: Lifecycle, phase: PhaseId, { locus, tags }: Suspect): boolean {
  return lifecycle.containments.some(
    (entry) =>
      entry.to === phase &&
      locus.every((word) => entry.locus.includes(word)) &&
      (entry.tags === undefined || (tags.length > 0 && tags.every((tag) => entry.tags?.includes(tag)))),
  );
}
