import type { Phase, Rule } from "../lifecycle.ts";
import { leadsTowardsSafety, narrows } from "../widening.ts";
import { exitKey, quoted } from "./keys.ts";
import type { Checked, RawFact, Said } from "./report.ts";

/** Rules that are named in a fact; of more the number is said. */
const MAX_NAMED = 4;

/**
 * Changes that the coordinator makes while points are dead or refuse though they allow something new, because they lead towards the
 * safe phase: what only the new phase allows then counts before everybody has it.
 */
export function changesTowardsSafety({ lifecycle }: Checked): readonly Said[] {
  const byId = new Map(lifecycle.phases.map((phase) => [phase.id, phase]));
  return lifecycle.phases.flatMap((phase) => {
    if (phase.mask !== undefined) return [];
    const told = new Set<string>();
    return phase.transitions.flatMap((exit, index): readonly RawFact[] => {
      const next = byId.get(exit.to);
      if (next === undefined || next.containment || told.has(next.id)) return [];
      if (!leadsTowardsSafety(lifecycle, phase.zone, phase.id, next.id) || narrows(phase, next)) return [];
      const added = rulesOf(next).filter((rule) => !rulesOf(phase).includes(rule));
      if (added.length === 0) return [];
      told.add(next.id);
      const rules = added.map(({ id }) => id);
      const more = rules.length > MAX_NAMED ? ` and ${rules.length - MAX_NAMED} more` : "";
      return [
        {
          at: exitKey(phase, index),
          guarantee: "G1",
          fact: `the change from \`${phase.id}\` to \`${next.id}\` leads towards the safe phase and is made even while points are dead or refuse, though it adds ${quoted(rules.slice(0, MAX_NAMED))}${more}`,
          detail: { from: phase.id, to: next.id, rules },
        },
      ];
    });
  });
}

function rulesOf({ rules, steps }: Phase): readonly Rule[] {
  return [...rules, ...steps.flatMap((step) => step.rules)];
}
