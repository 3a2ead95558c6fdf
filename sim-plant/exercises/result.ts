import type { Layer } from "#specs/decide/observation.ts";
import type { Locus } from "#specs/lifecycle.ts";
import type { Mode } from "#specs/plant.ts";
import type { Harm } from "../water/harm.ts";

/** What `sekisho exercise run --json` prints. Its fields are a contract; times are plant ms, null where it never happened. */
export interface ExerciseResult {
  readonly exercise: string;
  readonly seed: number;
  readonly passed: boolean;
  readonly mode: Mode;
  readonly attacks: readonly AttackResult[];
  /** The worst of the attacks, from its first malicious message to the degraded phase. */
  readonly timeToContainMs: number | null;
  /** The worst of the attacks, from the degraded phase to normal. */
  readonly timeToRecoverMs: number | null;
  /** Benign commands refused outside an emergency change, counted from the operator's own log. */
  readonly falseBlocks: number;
  /** Benign commands that an emergency change cut while they were under way. */
  readonly cut: number;
  readonly denials: number;
  readonly detections: number;
  readonly plant: { readonly harm: readonly Harm[]; readonly productionKept: number };
  /** Why it did not pass, one sentence each. */
  readonly failures: readonly string[];
}

export interface AttackResult {
  readonly id: string;
  readonly row: number;
  readonly technique: string;
  /** No value that the attack wrote reached a PLC's memory. */
  readonly prevented: boolean;
  readonly detected: boolean;
  /** From the first malicious message to the moment at which the coordinator judged that it was one. */
  readonly timeToDetectMs: number | null;
  /** The first layer that saw a violation. */
  readonly layer: Layer | null;
  readonly locus: readonly Locus[];
  readonly expectedLocus: readonly Locus[];
  /** The degraded phase that contained it. */
  readonly containment: string | null;
}
