import { ordersInWords } from "./automata.ts";
import type { DraftLifecycle, DraftPhase } from "./draft.ts";
import { cycleSteps } from "./draft-cycle.ts";
import { lookingRules } from "./draft-looking.ts";
import { commandRules, type DraftOptions, instant } from "./draft-rules.ts";
import type { Evidence, LearnedPhase } from "./evidence.ts";

export interface LifecycleOptions extends DraftOptions {
  /** The phase in which nothing can go wrong; default: the first that was seen. */
  readonly safe?: string;
}

/** The name of the phase that stands for being alone; it is drafted, never seen. */
const ISOLATED = "isolated";

/** Draws the draft: one phase for each that was seen, with what was seen in it. @returns undefined where no phase was seen */
export function draftLifecycle(evidence: Evidence, options: LifecycleOptions): DraftLifecycle | undefined {
  const seen = [...evidence.phases.values()];
  const [first] = seen;
  if (first === undefined) return undefined;
  const safe = options.safe ?? first.phase;
  const phases = seen.map((phase): DraftPhase => {
    const rules = commandRules(evidence, phase.phase, options);
    return {
      ...{ phase: phase.phase, evidence: evidenceOf(phase), rules, next: nextOf(phase) },
      steps: cycleSteps(evidence, phase.phase, options.sightings),
      orders: ordersInWords(evidence, phase.phase),
      edges: edgesOf(evidence, phase.phase),
    };
  });
  const isolated = evidence.phases.has(ISOLATED) ? `${ISOLATED}-draft` : ISOLATED;
  const ways = withWaysOut(withReasons(phases), safe, isolated);
  const alone: DraftPhase = {
    ...{
      phase: isolated,
      evidence: "never seen: what holds where there is no coordinator",
      rules: [],
      steps: [],
      orders: [],
      edges: [],
    },
    next: [{ to: safe, count: 0 }],
  };
  return { initial: first.phase, safe, isolated, rules: lookingRules(evidence), phases: [...ways, alone] };
}

/** From this share of all commands on a phase has to say why it allows so much. */
const NEARLY_ALL = 0.75;
const BECAUSE = "Learned: nearly all commands were seen in this phase. Mark more phases, or say why it is so.";

function withReasons(phases: readonly DraftPhase[]): readonly DraftPhase[] {
  const kinds = ({ rules }: DraftPhase) =>
    new Set(
      rules.map(
        ({ fields: { from, tags, value } }) => `${from} ${tags} ${value?.oneOf?.length === 1 ? value.oneOf : ""}`,
      ),
    );
  const all = new Set(phases.flatMap((phase) => [...kinds(phase)])).size;
  return phases.map((phase) =>
    all > 0 && kinds(phase).size >= all * NEARLY_ALL ? { ...phase, because: BECAUSE } : phase,
  );
}

function edgesOf({ channels }: Evidence, phase: string): DraftPhase["edges"] {
  const here = channels.filter((channel) => channel.phase === phase).flatMap(({ switching }) => switching.edges);
  return here.map(({ from, to, sightings, shortestMs, longestMs }) => {
    return { from, to, count: sightings.count, shortestMs, longestMs };
  });
}

function evidenceOf({ visits, totalMs, firstMs, lastMs }: LearnedPhase): string {
  const times = visits === 1 ? "once" : `${visits} times`;
  return `entered ${times}, ${(totalMs / 60_000).toFixed(1)} min in all, first ${instant(firstMs)}, last ${instant(lastMs)}`;
}

function nextOf({ next }: LearnedPhase): DraftPhase["next"] {
  return [...next].map(([to, count]) => ({ to, count })).sort((a, b) => b.count - a.count || (a.to < b.to ? -1 : 1));
}

/** Every phase must have a way to the safe one, and that one a way out; where none was seen, a request is drafted. */
function withWaysOut(phases: readonly DraftPhase[], safe: string, isolated: string): readonly DraftPhase[] {
  const reaching = new Set([safe]);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { phase, next } of phases) {
      if (reaching.has(phase) || !next.some(({ to }) => reaching.has(to))) continue;
      reaching.add(phase);
      grown = true;
    }
  }
  const closed = phases.map((phase) => {
    if (reaching.has(phase.phase) && phase.next.length > 0) return phase;
    const to = phase.phase === safe ? isolated : safe;
    return { ...phase, next: [...phase.next, { to, count: 0 }] };
  });
  return withWaysIn(closed, safe);
}

/** Every phase must have a way into it; where none was seen that leads there from the first one, a request in the safe phase is drafted. */
function withWaysIn(phases: readonly DraftPhase[], safe: string): readonly DraftPhase[] {
  const reached = new Set(phases.slice(0, 1).map(({ phase }) => phase));
  const walk = (): void => {
    for (let before = -1; before < reached.size; ) {
      before = reached.size;
      for (const { phase, next } of phases) if (reached.has(phase)) for (const { to } of next) reached.add(to);
    }
  };
  walk();
  const missing: string[] = [];
  for (const { phase } of phases) {
    if (reached.has(phase)) continue;
    missing.push(phase);
    reached.add(phase);
    walk();
  }
  const ways = missing.filter((to) => to !== safe).map((to) => ({ to, count: 0 }));
  return phases.map((phase) => (phase.phase === safe ? { ...phase, next: [...phase.next, ...ways] } : phase));
}
