import { AS_WRITTEN, type CompiledCondition, compileCondition } from "#specs/decide/compile-tags.ts";
import { compiledTruth, type History, seenSince } from "#specs/decide/history.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { PhaseId, ZoneId } from "#specs/ids.ts";
import type { Transition } from "#specs/lifecycle.ts";

/** A way out of a phase, with its condition ready to be asked. */
export interface Way {
  readonly to: PhaseId;
  readonly transition: Transition;
  readonly when: CompiledCondition | undefined;
}

/** Why a phase leads to another, in words for people. */
export interface Taken {
  readonly to: PhaseId;
  readonly cause: "condition" | "time";
  readonly says: string;
}

/** The ways from phase to phase of one zone: those that show in what is seen, and those that do not. */
export class Ways {
  readonly #ways = new Map<PhaseId, readonly Way[]>();
  readonly #containments: ReadonlyMap<PhaseId, ReadonlySet<PhaseId>>;

  constructor({ lifecycle, comparisons }: Tables, zone: ZoneId) {
    for (const phase of lifecycle.phases) {
      if (phase.zone !== zone) continue;
      const ways = phase.transitions.map((transition): Way => {
        const { when } = transition;
        const compiled = when === undefined ? undefined : compileCondition(when, comparisons, when.forMs, AS_WRITTEN);
        return { to: transition.to, transition, when: compiled };
      });
      this.#ways.set(phase.id, ways);
    }
    const containments = new Map<PhaseId, Set<PhaseId>>();
    for (const { from, to } of lifecycle.containments)
      for (const phase of from) containments.set(phase, (containments.get(phase) ?? new Set()).add(to));
    for (const { id, mask } of lifecycle.phases)
      if (mask !== undefined) containments.set(mask.origin, (containments.get(mask.origin) ?? new Set()).add(id));
    this.#containments = containments;
  }

  /**
   * The first way that the lifecycle takes by itself, by what was seen since the phase began.
   *
   * @param sinceMs when the phase began, at the earliest the first frame
   * @param cleanSinceMs when something was denied last; -Infinity: never
   */
  open(phase: PhaseId, history: History, sinceMs: number, cleanSinceMs: number, nowMs: number): Taken | undefined {
    for (const { to, transition, when } of this.#ways.get(phase) ?? []) {
      if (transition.event === "operator") continue;
      if (nowMs - cleanSinceMs < (transition.cleanMs ?? 0)) continue;
      if (transition.event === "after" && nowMs - sinceMs < transition.ms) continue;
      if (when !== undefined && !holdsSince(when, history, sinceMs, nowMs)) continue;
      if (transition.event === "after")
        return { to, cause: "time", says: `${transition.ms / 1000} s in ${phase} are over` };
      return { to, cause: "condition", says: `what ${phase} leaves for ${to} holds` };
    }
    return undefined;
  }

  /** Phases that may be reached without anything to be seen of it: by requests of people and by containment, one after another. */
  hidden(from: PhaseId, history: History, nowMs: number): readonly PhaseId[] {
    const found = new Set<PhaseId>([from]);
    for (const phase of found) {
      for (const to of this.#containments.get(phase) ?? []) found.add(to);
      for (const { to, transition, when } of this.#ways.get(phase) ?? []) {
        const asked = transition.event === "operator" || transition.cleanMs !== undefined;
        if (asked && (when === undefined || compiledTruth(history, when, nowMs) !== "fails")) found.add(to);
      }
    }
    found.delete(from);
    return [...found];
  }
}

function holdsSince(when: CompiledCondition, history: History, sinceMs: number, nowMs: number): boolean {
  return compiledTruth(history, when, nowMs) === "holds" && seenSince(history, when.condition, sinceMs);
}
