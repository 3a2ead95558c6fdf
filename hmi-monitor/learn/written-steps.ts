import type { EdgeFact } from "./draft.ts";
import { durationMs } from "./draft.ts";
import { ENTERED, LEFT } from "./timed-automaton.ts";

/** A command that came where the steps of a written phase do not have it. */
export interface OutOfStep {
  readonly rule: string;
  readonly step: string;
  readonly says: string;
}

interface WrittenStep {
  readonly id: string;
  readonly rules: ReadonlySet<string>;
  readonly next: readonly Readonly<Record<string, unknown>>[];
}

function mapIn(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
}

/**
 * The rules of a phase's steps that what was seen speaks against: they came after a command that leads to another step, or later than the
 * step that it leads to ends by itself. Steps that wait for anything else than commands and time are not judged.
 *
 * @param phase as a person may have written it
 */
export function outOfStep(phase: unknown, edges: readonly EdgeFact[]): readonly OutOfStep[] {
  const fields = mapIn(phase);
  const steps = [...mapIn(fields.get("steps"))].map(([id, step]): WrittenStep => {
    const next = mapIn(step).get("next");
    return {
      id,
      rules: new Set(mapIn(mapIn(step).get("rules")).keys()),
      next: Array.isArray(next) ? next.map(Object) : [],
    };
  });
  const always = new Set(mapIn(fields.get("rules")).keys());
  const found = new Map<string, OutOfStep>();
  for (const edge of edges) {
    const home = steps.find(({ rules }) => rules.has(edge.to));
    const begun = edge.from === ENTERED ? fields.get("initial") : stepAfter(steps, edge.from);
    const at = steps.find(({ id }) => id === begun);
    if (edge.to === LEFT || home === undefined || at === undefined || always.has(edge.to) || found.has(edge.to))
      continue;
    const says = whyNot(at, home, edge);
    if (says !== undefined) found.set(edge.to, { rule: edge.to, step: home.id, says });
  }
  return [...found.values()];
}

/** The step that a command leads to, wherever it is allowed. */
function stepAfter(steps: readonly WrittenStep[], rule: string): unknown {
  return steps.flatMap(({ next }) => next).find(({ command }) => command === rule)?.["to"];
}

function whyNot(
  at: WrittenStep,
  home: WrittenStep,
  { from, to, count, shortestMs, longestMs }: EdgeFact,
): string | undefined {
  const limit = at.next.find(({ after }) => after !== undefined);
  const endsMs = durationMs(limit?.["after"]) ?? Number.POSITIVE_INFINITY;
  if (at.next.some(({ when }) => when !== undefined)) return undefined;
  const inTime = at.rules.has(to) && longestMs <= endsMs;
  const afterwards = limit?.["to"] === home.id && shortestMs >= endsMs;
  if (inTime || afterwards) return undefined;
  const times = count === 1 ? "once" : `${count} times`;
  return `${to} came ${times} after ${from === ENTERED ? "the phase began" : from}, when step ${at.id} does not allow it`;
}
