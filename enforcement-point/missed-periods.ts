import { type History, overdue } from "#specs/decide/history.ts";
import type { Position } from "#specs/decide/observation.ts";
import type { RuleId } from "#specs/ids.ts";
import type { Lifecycle, Rule } from "#specs/lifecycle.ts";
import { effectiveRules, findPhase, findStep } from "#specs/positions.ts";

/** Which rules' periods have newly been missed: told once, and again only after a message has come in between. Bounded by the rules. */
export class MissedPeriods {
  #told: ReadonlySet<RuleId> = new Set();

  /** @param position where the zone stands; a rule that is not in force anywhere there is not waited for */
  look(history: History, lifecycle: Lifecycle, position: Position | undefined, nowMs: number): readonly Rule[] {
    const late = new Set(overdue(history, nowMs));
    const fresh =
      late.size === 0 ? [] : inForce(lifecycle, position).filter(({ id }) => late.has(id) && !this.#told.has(id));
    this.#told = new Set([...this.#told].filter((id) => late.has(id)).concat(fresh.map(({ id }) => id)));
    return fresh;
  }
}

function inForce(lifecycle: Lifecycle, position: Position | undefined): readonly Rule[] {
  const phase = position === undefined ? undefined : findPhase(lifecycle, position.phase);
  if (phase === undefined || position === undefined) return [];
  const steps = position.steps.length === 0 ? [undefined] : position.steps.map((id) => findStep(phase, id));
  return [...new Set(steps.flatMap((step) => effectiveRules(lifecycle, phase, step)))];
}

/** `no message of hmi-heartbeat for more than 1.2 s: The operator station shows that it is alive.` */
export function missedInWords({ id, says, cadence }: Rule): string {
  const { everyMs = 0, jitterMs = 0 } = cadence?.period ?? {};
  return `no message of \`${id}\` for more than ${(everyMs + jitterMs) / 1000} s: ${says}`;
}
