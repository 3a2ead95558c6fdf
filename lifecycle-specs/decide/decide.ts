import type { History } from "./history.ts";
import type { Observation, Verdict } from "./observation.ts";
import { type Permit, type Permitted, permit } from "./permit.ts";
import { internalVerdict, verdictOf } from "./resolve.ts";
import type { Tables } from "./tables.ts";
import { codeIn, codeOf, denyId, NONE, type VerdictId } from "./verdict-id.ts";
import { weigh } from "./weigh.ts";

export { commit } from "./history.ts";
export { type Permit, type Permitted, permit } from "./permit.ts";
export type { VerdictId } from "./verdict-id.ts";

const INTERNAL = codeOf("INTERNAL");

/**
 * Judges one observation. Reads only, allocates nothing when it allows, and never throws: if it fails itself, that is a deny
 * too. `commit` records what became of the message.
 *
 * @param nowMs plant time
 * @returns from 0: allowed; below 0: denied. The words are given by `resolve`
 */
export function decide(
  tables: Tables,
  permit: Permit,
  observation: Observation,
  history: History,
  nowMs: number,
): VerdictId {
  try {
    return weigh(tables, permit, observation, history, nowMs);
  } catch {
    return denyId(tables.rules.length, INTERNAL, NONE, NONE);
  }
}

/**
 * The verdict that an id stands for, with its rules and its sentence. The other arguments must be those that `decide` had, with
 * nothing committed or observed in between. Never throws. A verdict by one rule is the same object each time.
 */
export function resolve(
  tables: Tables,
  permit: Permit,
  observation: Observation,
  history: History,
  nowMs: number,
  id: VerdictId,
): Verdict {
  try {
    if (id < 0 && codeIn(id) === INTERNAL) {
      weigh(tables, permit, observation, history, nowMs);
      return internalVerdict("unknown error");
    }
    return verdictOf(tables, permit, observation, history, nowMs, id);
  } catch (error) {
    return internalVerdict(error instanceof Error ? error.message : "unknown error");
  }
}

/** `permit`, `decide` and `resolve` in one, for whoever wants the words of every verdict. Never throws. */
export function judge(
  tables: Tables,
  permitted: Permitted,
  observation: Observation,
  history: History,
  nowMs: number,
): Verdict {
  return judgeBy(tables, permit(tables, permitted), observation, history, nowMs);
}

/** `judge` with a permit that is kept from one message to the next. */
export function judgeBy(
  tables: Tables,
  by: Permit,
  observation: Observation,
  history: History,
  nowMs: number,
): Verdict {
  return resolve(tables, by, observation, history, nowMs, decide(tables, by, observation, history, nowMs));
}
