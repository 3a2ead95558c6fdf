import type { PhaseCoverage } from "./draft.ts";
import { seen } from "./draft-rules.ts";
import type { Evidence } from "./evidence.ts";
import { LEARN_LIMITS, type Overflow } from "./limits.ts";

/** Fewer visits than this say little about a phase. */
const FEW_VISITS = 5;

/** For each phase, how much of it was seen, and what is thin. */
export function coverageOf(evidence: Evidence, sightings: number): readonly PhaseCoverage[] {
  return [...evidence.phases.values()].map(({ phase, visits, totalMs, messages }) => {
    const commands = evidence.commands.filter(({ kind }) => kind.phase === phase);
    const enough = commands.filter((command) => command.sightings.occasions >= sightings);
    const occasions = commands.reduce((sum, command) => sum + command.sightings.occasions, 0);
    const once = commands.filter((command) => command.sightings.occasions === 1).length;
    const left = commands.filter((command) => !enough.includes(command));
    const scarce = enough.filter((command) => command.sightings.occasions < 2 * sightings);
    const thin = [
      ...(visits < FEW_VISITS ? [`entered only ${visits === 1 ? "once" : `${visits} times`}`] : []),
      ...left.map((command) => `not drafted: ${command.id}, ${seen(command.sightings)}`),
      ...scarce.map((command) => `thin: ${command.id}, ${seen(command.sightings)}`),
    ];
    const unseen = occasions === 0 ? 0 : once / occasions;
    return { phase, visits, totalMs, messages, commands: enough.length, unseen, thin };
  });
}

/** What could not be kept, in sentences. */
export function overflowInWords({ counts }: Overflow): readonly string[] {
  return [...counts].map(
    ([limit, count]) =>
      `more than ${LEARN_LIMITS[limit]} ${limit}: further ones came ${count} times and taught nothing`,
  );
}
