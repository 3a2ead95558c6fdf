import { hasBit } from "#specs/decide/bits.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { PhaseId, RuleId } from "#specs/ids.ts";
import type { Uses } from "./tally.ts";

/** How often a rule allowed something. */
export interface RuleUse {
  readonly rule: RuleId;
  /** The rule in words. */
  readonly says: string;
  readonly used: number;
}

/** Which rules of a phase were used. */
export interface Coverage {
  readonly phase: PhaseId;
  readonly used: number;
  readonly of: number;
  readonly rules: readonly RuleUse[];
}

export interface AllCoverage {
  /** Rules of every phase. */
  readonly always: Omit<Coverage, "phase">;
  /** The phases that were possible at some time, each with its own rules and those of its steps. */
  readonly phases: readonly Coverage[];
}

/** Coverage of the phases that were possible, in the order of the file. */
export function coverageOf(tables: Tables, uses: Uses, possible: ReadonlySet<PhaseId>): AllCoverage {
  const counted = (rules: Tables["rules"], times: (index: number) => number): Omit<Coverage, "phase"> => {
    const all = rules.map(({ rule, index }) => ({ rule: rule.id, says: rule.says, used: times(index) }));
    return { used: all.filter(({ used }) => used > 0).length, of: all.length, rules: all };
  };
  const everywhere = tables.rules.filter(({ index }) => hasBit(tables.everywhere, index));
  const inAll = (index: number) => [...uses.values()].reduce((sum, times) => sum + (times[index] ?? 0), 0);
  const phases = [...tables.phases.values()].filter(({ phase }) => possible.has(phase.id));
  return {
    always: counted(everywhere, inAll),
    phases: phases.map(({ phase, base, inSteps }) => {
      const own = tables.rules.filter(
        ({ index }) => !hasBit(tables.everywhere, index) && (hasBit(base.rules, index) || hasBit(inSteps, index)),
      );
      return { phase: phase.id, ...counted(own, (index) => uses.get(phase.id)?.[index] ?? 0) };
    }),
  };
}
