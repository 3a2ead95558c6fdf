import { type History, overdue } from "#specs/decide/history.ts";
import type { Position } from "#specs/decide/observation.ts";
import type { RuleId } from "#specs/ids.ts";
import type { Lifecycle, Rule } from "#specs/lifecycle.ts";
import { effectiveRules, findPhase, findStep } from "#specs/positions.ts";

/**
 * Which rules' periods have newly been missed: told once, and again only after a message has come in between. A rule is waited for from when it
 * came into force here: what was not to come, or could not be seen, before that is not missed. Bounded by the rules.
 */
export class MissedPeriods {
  #told: ReadonlySet<RuleId> = new Set();
  /** Since when each rule with a period has been in force without a break, plant ms. */
  #since: ReadonlyMap<RuleId, number> = new Map();

  /** @param position where the zone stands; undefined: not known, or nothing can be seen at present. No rule is waited for then */
  look(history: History, lifecycle: Lifecycle, position: Position | undefined, nowMs: number): readonly Rule[] {
    const periodic = inForce(lifecycle, position).filter(({ cadence }) => cadence?.period !== undefined);
    this.#since = new Map(periodic.map(({ id }) => [id, this.#since.get(id) ?? nowMs]));
    const late = new Set(overdue(history, nowMs));
    const fresh = periodic.filter(({ id, cadence }) => {
      const { everyMs, jitterMs } = cadence?.period ?? { everyMs: 0, jitterMs: 0 };
      const waitedMs = nowMs - (this.#since.get(id) ?? nowMs);
      return late.has(id) && !this.#told.has(id) && waitedMs > everyMs + jitterMs;
    });
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
