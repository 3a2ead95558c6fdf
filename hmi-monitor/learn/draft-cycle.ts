import { type DraftStep, duration } from "./draft.ts";
import { longestWaitMs, STRONG } from "./draft-order.ts";
import type { Evidence } from "./evidence.ts";
import { type Cycle, cycleOf } from "./timed-automaton.ts";

/** The phase must have been seen to begin so often: in which step it begins is what the first command of a visit tells. */
const LEAST_ENTRIES = 5;

/**
 * The steps of a phase in which one channel switches in a circle, without exception, often enough. Several such channels turn each at its own
 * pace, and a phase is in one step only: then there are none, and `follows` and `apart` are what is drafted.
 */
export function cycleSteps({ channels, commands }: Evidence, phase: string, sightings: number): readonly DraftStep[] {
  const demands = { count: Math.max(STRONG.count, sightings), occasions: Math.max(STRONG.occasions, sightings) };
  const cycles = channels.flatMap((channel) => {
    const cycle = channel.phase === phase ? cycleOf(channel.switching, demands) : undefined;
    return cycle === undefined ? [] : [cycle];
  });
  const [cycle, ...others] = cycles;
  if (cycle === undefined || others.length > 0 || cycle.entered < Math.max(LEAST_ENTRIES, sightings)) return [];
  const known = new Map(commands.map(({ id, kind }) => [id, kind]));
  // A message that switches several at once needs a rule for each: it cannot be the one command of a step.
  if (cycle.turns.some(({ command }) => !known.has(command))) return [];
  const isOff = (command: string): boolean => known.get(command)?.bit === 0;
  return stepsOf(cycle, isOff, (command) => shortName(command, known.get(command)?.source ?? "", phase));
}

/**
 * One step for each command, in which it is the next. What switches off stays with the phase: it leads on, and it may come at any time.
 * A circle that is not gone on with is begun again after twice the longest pause that was seen, so nothing is denied for good.
 */
function stepsOf(
  { turns }: Cycle,
  isOff: (command: string) => boolean,
  nameOf: (command: string) => string,
): readonly DraftStep[] {
  const idOf = (command: string): string => `before-${nameOf(command)}`;
  const [first] = turns;
  return turns.map(({ command, edge }, n): DraftStep => {
    const next = turns[(n + 1) % turns.length] ?? first;
    const isFirst = n === 0;
    const again =
      isFirst || first === undefined
        ? []
        : [{ to: idOf(first.command), after: duration(longestWaitMs(edge.longestMs)) }];
    const { count } = edge.sightings;
    const pause = `${inSeconds(edge.shortestMs)} to ${inSeconds(edge.longestMs)} s`;
    return {
      id: idOf(command),
      says: `Learned: ${nameOf(command)} comes next.`,
      rule: isOff(command) ? undefined : command,
      next: [{ to: idOf(next?.command ?? command), command, outcome: "answered" }, ...again],
      evidence: `after ${nameOf(edge.from)} ${count} times and never after anything else, ${pause} later`,
    };
  });
}

/** The name of a rule without what all rules of its phase and client have in common. */
export function shortName(rule: string, client: string, phase: string): string {
  const prefix = `${phase.replaceAll(".", "-")}-${client}-`;
  return rule.startsWith(prefix) ? rule.slice(prefix.length) : rule;
}

export function inSeconds(ms: number): string {
  return ms < 10_000 ? (ms / 1000).toFixed(1) : String(Math.round(ms / 1000));
}
