import { compare, comparisonInWords, conditionInWords, evaluate, type Seen } from "#specs/conditions.ts";
import type { PhaseId, RuleId, StepId, TagId } from "#specs/ids.ts";
import type { Comparison, Condition, Lifecycle, StepTransition } from "#specs/lifecycle.ts";
import { type Exit, exitsOf, findPhase } from "#specs/positions.ts";

/** Plant ms after which a reading says nothing about the present any more. Guards report tags each 500 ms at least. */
export const STALE_MS = 2000;

export interface Reading {
  readonly value: number;
  readonly atMs: number;
}

/**
 * The process as the PLC guards report it: last values, and since when each comparison of the lifecycle has been true.
 * Bounded by the plant's tags and the lifecycle's comparisons; other tags are not kept.
 */
export class Readings {
  readonly #comparisons = new Map<TagId, Comparison[]>();
  readonly #readings = new Map<TagId, Reading>();
  readonly #trueSince = new Map<string, number>();

  constructor(lifecycle: Lifecycle, tags: readonly TagId[]) {
    for (const tag of tags) this.#comparisons.set(tag, []);
    for (const phase of lifecycle.phases) {
      const exits = phase.transitions.map((transition) => transition.when);
      const steps = phase.steps.flatMap(({ next }) =>
        next.map((way) => (way.event === "condition" ? way.when : undefined)),
      );
      for (const condition of [...exits, ...steps]) {
        for (const comparison of condition?.all ?? []) this.#comparisons.get(comparison.tag)?.push(comparison);
      }
    }
  }

  observe(tag: TagId, value: number, atMs: number): void {
    const comparisons = this.#comparisons.get(tag);
    const before = this.#readings.get(tag);
    if (comparisons === undefined || (before !== undefined && atMs < before.atMs)) return;
    const afterGap = before === undefined || atMs - before.atMs > STALE_MS;
    this.#readings.set(tag, { value, atMs });
    for (const comparison of comparisons) {
      const key = comparisonInWords(comparison);
      if (!compare(comparison, value)) this.#trueSince.delete(key);
      else if (afterGap || !this.#trueSince.has(key)) this.#trueSince.set(key, atMs);
    }
  }

  get(tag: TagId): Reading | undefined {
    return this.#readings.get(tag);
  }

  entries(): IterableIterator<[TagId, Reading]> {
    return this.#readings.entries();
  }

  /** What is known now; a stale reading is not known. */
  view(nowMs: number): (tag: TagId, comparison: Comparison) => Seen | undefined {
    return (tag, comparison) => {
      const reading = this.#readings.get(tag);
      if (reading === undefined || nowMs - reading.atMs > STALE_MS) return undefined;
      return { value: reading.value, sinceMs: this.#trueSince.get(comparisonInWords(comparison)) ?? reading.atMs };
    };
  }
}

/** What the ways out of a phase are judged by. All plant ms. */
export interface Facts {
  readonly nowMs: number;
  /** Since when the phase stands. */
  readonly enteredMs: number;
  /** undefined: none so far. */
  readonly lastDetectionMs: number | undefined;
  readonly view: (tag: TagId, comparison: Comparison) => Seen | undefined;
}

/** One way out of the present phase and, in sentences, what stands in its way. The role of an operator is not among them. */
export interface ExitState {
  readonly exit: Exit;
  readonly missing: readonly string[];
}

export function exitStates(lifecycle: Lifecycle, phase: PhaseId, facts: Facts): readonly ExitState[] {
  return exitsOf(lifecycle, phase).map((exit) => ({ exit, missing: missingFor(exit, facts) }));
}

/** The first way out that needs no person and is open now: a condition that holds, a time that has passed. */
export function openByItself(states: readonly ExitState[]): Exit | undefined {
  return states.find(({ exit, missing }) => exit.transition.event !== "operator" && missing.length === 0)?.exit;
}

/**
 * The step transition that follows from what was observed, as its index in the step's `next`; undefined: the step stays. The
 * coordinator's word settles which step it is, so it holds one step where the points may hold a set.
 */
export function stepTaken(lifecycle: Lifecycle, phase: PhaseId, step: StepId, facts: StepFacts): number | undefined {
  const found = findPhase(lifecycle, phase)?.steps.find((candidate) => candidate.id === step);
  if (found === undefined || facts.nowMs - facts.stepSinceMs < (found.minMs ?? 0)) return undefined;
  const index = found.next.findIndex((way) => isTaken(way, found.minMs ?? 0, facts));
  return index === -1 ? undefined : index;
}

/** What the ways out of a step are judged by. */
export interface StepFacts extends Pick<Facts, "nowMs" | "view"> {
  /** Since when the step stands, plant ms. */
  readonly stepSinceMs: number;
  /** When a message of this rule last came to this, plant ms; undefined: never. */
  readonly commanded: (rule: RuleId, outcome: "forwarded" | "answered-ok") => number | undefined;
}

/** A command that comes before the step's shortest time counts for nothing, as at the points. */
function isTaken(way: StepTransition, minMs: number, { nowMs, view, stepSinceMs, commanded }: StepFacts): boolean {
  switch (way.event) {
    case "condition":
      return evaluate(way.when, view, nowMs) === "holds";
    case "command":
      return isCounted(commanded(way.rule, way.outcome), stepSinceMs, minMs);
    case "after":
      return nowMs - stepSinceMs >= way.ms;
    default: {
      const never: never = way;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

function isCounted(atMs: number | undefined, stepSinceMs: number, minMs: number): boolean {
  return atMs !== undefined && atMs > stepSinceMs && atMs - stepSinceMs >= minMs;
}

function missingFor(exit: Exit, facts: Facts): readonly string[] {
  const { transition } = exit;
  const missing: string[] = [];
  if (transition.event === "after") {
    const leftMs = facts.enteredMs + transition.ms - facts.nowMs;
    if (leftMs > 0) missing.push(`${seconds(leftMs)} of ${seconds(transition.ms)} in this phase remain`);
  }
  if (transition.when !== undefined) missing.push(...missingInCondition(transition.when, facts));
  if (transition.cleanMs !== undefined && facts.lastDetectionMs !== undefined) {
    const leftMs = facts.lastDetectionMs + transition.cleanMs - facts.nowMs;
    if (leftMs > 0)
      missing.push(`${seconds(leftMs)} more without a new detection (${seconds(transition.cleanMs)} are asked for)`);
  }
  return missing;
}

function missingInCondition(condition: Condition, facts: Facts): readonly string[] {
  if (evaluate(condition, facts.view, facts.nowMs) === "holds") return [];
  const parts: string[] = [];
  for (const comparison of condition.all) {
    const seen = facts.view(comparison.tag, comparison);
    if (seen === undefined)
      parts.push(`${comparison.tag} is not known now (${comparisonInWords(comparison)} is asked for)`);
    else if (!compare(comparison, seen.value))
      parts.push(`${comparison.tag} is ${round(seen.value)} (${comparisonInWords(comparison)} is asked for)`);
  }
  return parts.length > 0 ? parts : [`${conditionInWords(condition)}: holds, but not for long enough yet`];
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 100) / 10} s`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
