import type { PhaseId, RuleId, StepId } from "../ids.ts";
import type { Lifecycle, Mask, Phase, Rule } from "../lifecycle.ts";
import { throughMask } from "../mask.ts";
import type { Plant } from "../plant.ts";
import { addBit, type Bits, emptyBits } from "./bits.ts";
import type { Candidates, Crossing } from "./candidates.ts";
import { type Automaton, compileAutomaton } from "./compile-automaton.ts";
import type { CompiledRule } from "./compile-rules.ts";
import type { Comparisons } from "./compile-tags.ts";

/** What may happen in one position. */
export interface PositionTable {
  /** Rules that hold, by index; safety rules always among them. */
  readonly rules: Bits;
  /** Generated containments: how the mask touches each crossing. */
  readonly mask: CompiledMask | undefined;
}

/** By crossing: `PASSES`, `LIMITED` or `MASKED`. */
export type CompiledMask = Uint8Array;
export const PASSES = 0;
export const LIMITED = 1;
export const MASKED = 2;

export interface PhaseTable {
  readonly phase: Phase;
  /** Where its rules and steps are written: itself, or the origin of a generated containment. */
  readonly origin: PhaseId;
  /** The phase without any step's rules. */
  readonly base: PositionTable;
  readonly steps: ReadonlyMap<StepId, PositionTable>;
  /** Rules that stand in one of its steps. */
  readonly inSteps: Bits;
  readonly automaton: Automaton;
}

export interface CompiledPhases {
  readonly phases: ReadonlyMap<PhaseId, PhaseTable>;
  /** Safety rules only. */
  readonly safety: PositionTable;
  /** Rules of every phase; safety rules always among them. */
  readonly everywhere: Bits;
}

/**
 * One bit set for each position of a written phase. A generated containment shares those of its origin and adds its mask, which is
 * shared by all containments of one level and subject: however many there are, they cost next to nothing.
 */
export function compilePhases(
  plant: Plant,
  lifecycle: Lifecycle,
  rules: readonly CompiledRule[],
  indices: ReadonlyMap<RuleId, number>,
  candidates: Candidates,
  comparisons: Comparisons,
): CompiledPhases {
  const sets = new RuleSets(rules, indices);
  const everywhere = sets.with(sets.safety, lifecycle.rules);
  const phases = new Map<PhaseId, PhaseTable>();
  const masks = new Map<string, CompiledMask>();
  const maskOf = (mask: Mask): CompiledMask => {
    const { level, subject } = mask;
    const key = `${level} ${"device" in subject ? `device ${subject.device}` : `link ${subject.link}`}`;
    const known = masks.get(key) ?? Uint8Array.from(candidates.crossings, (crossing) => touch(plant, mask, crossing));
    masks.set(key, known);
    return known;
  };
  for (const phase of lifecycle.phases) {
    const { id, mask } = phase;
    if (mask === undefined) {
      phases.set(id, compilePhase(phase, sets, everywhere, comparisons));
      continue;
    }
    const origin = phases.get(mask.origin);
    if (origin === undefined) throw new Error(`unreachable: containment \`${id}\` comes before its origin`);
    phases.set(id, masked(origin, phase, maskOf(mask)));
  }
  return { phases, safety: { rules: sets.safety, mask: undefined }, everywhere };
}

function compilePhase(phase: Phase, sets: RuleSets, everywhere: Bits, comparisons: Comparisons): PhaseTable {
  const base = sets.with(everywhere, phase.rules);
  const inSteps = emptyBits(sets.size);
  const steps = new Map<StepId, PositionTable>();
  for (const step of phase.steps) {
    sets.add(inSteps, step.rules);
    steps.set(step.id, { rules: sets.with(base, step.rules), mask: undefined });
  }
  const automaton = compileAutomaton(phase.steps, comparisons);
  return { phase, origin: phase.id, base: { rules: base, mask: undefined }, steps, inSteps, automaton };
}

function masked({ origin, base, steps, inSteps, automaton }: PhaseTable, phase: Phase, mask: CompiledMask): PhaseTable {
  const through = ({ rules }: PositionTable): PositionTable => ({ rules, mask });
  return {
    ...{ phase, origin, inSteps, automaton, base: through(base) },
    steps: new Map([...steps].map(([id, table]) => [id, through(table)])),
  };
}

/** Where nobody knows which of several sources it was, the one that may do most counts. */
function touch(plant: Plant, mask: Mask, { example, sources, target }: Crossing): number {
  const touches = sources.map((source) => throughMask(plant, mask, example, source, target));
  if (touches.includes("passes")) return PASSES;
  return touches.includes("limited") ? LIMITED : MASKED;
}

/** Sets of those rules that the layer judges. */
class RuleSets {
  readonly size: number;
  readonly safety: Bits;
  readonly #indices: ReadonlyMap<RuleId, number>;

  constructor(rules: readonly CompiledRule[], indices: ReadonlyMap<RuleId, number>) {
    this.size = rules.length;
    this.#indices = indices;
    this.safety = emptyBits(rules.length);
    for (const { index, safety } of rules) if (safety) addBit(this.safety, index);
  }

  add(bits: Bits, rules: readonly Rule[]): void {
    for (const { id } of rules) {
      const index = this.#indices.get(id);
      if (index !== undefined) addBit(bits, index);
    }
  }

  with(bits: Bits, rules: readonly Rule[]): Bits {
    const more = bits.slice();
    this.add(more, rules);
    return more;
  }
}
