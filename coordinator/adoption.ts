import { compare } from "#specs/conditions.ts";
import type { TagId } from "#specs/ids.ts";
import type { Comparison, Lifecycle, Phase, Rule } from "#specs/lifecycle.ts";
import type { Reading } from "./evidence.ts";
import type { CandidateView } from "./page-messages.ts";

/**
 * Which phases fit what the plant does now, when no record says where it stands. The evidence is what each phase lets the
 * control programs do: an output at a value that no rule of the phase allows speaks against it. A phase that allows much fits
 * much, so among equals the one that allows less comes first.
 */
export function candidates(
  lifecycle: Lifecycle,
  reading: (tag: TagId) => Reading | undefined,
): readonly CandidateView[] {
  return lifecycle.phases
    .filter(({ mask }) => mask === undefined)
    .map((phase) => ({ phase, view: candidate(phase, reading) }))
    .sort((a, b) => b.view.fit - a.view.fit || breadth(a.phase) - breadth(b.phase))
    .map(({ view }) => view);
}

function candidate(phase: Phase, reading: (tag: TagId) => Reading | undefined): CandidateView {
  const contradicts: string[] = [];
  let known = 0;
  const outputs = phase.rules.filter((rule) => rule.operation === "output");
  for (const tag of new Set(outputs.flatMap((rule) => rule.tags))) {
    const value = reading(tag)?.value;
    if (value === undefined) continue;
    known += 1;
    const rules = outputs.filter((rule) => rule.tags.includes(tag));
    if (!rules.some((rule) => allows(rule, value, reading)))
      contradicts.push(`${tag} is ${Math.round(value * 1000) / 1000}, which no rule of this phase allows`);
  }
  const fit = known === 0 ? 0 : (known - contradicts.length) / known;
  return { phase: phase.id, says: phase.says, fit, contradicts };
}

function allows(rule: Rule, value: number, reading: (tag: TagId) => Reading | undefined): boolean {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, oneOf } = rule.value ?? {};
  const inRange = value >= min && value <= max && (oneOf === undefined || oneOf.includes(value));
  // An output at rest needs no cause.
  return inRange && (value === 0 || (rule.causality?.after?.all ?? []).every((part) => holds(part, reading)));
}

function holds(part: Comparison, reading: (tag: TagId) => Reading | undefined): boolean {
  const value = reading(part.tag)?.value;
  return value === undefined || compare(part, value);
}

function breadth(phase: Phase): number {
  return phase.rules.length + phase.steps.reduce((sum, step) => sum + step.rules.length, 0);
}
