import { duration, type RuleFields } from "./draft.ts";
import type { LearnedPhase } from "./evidence.ts";
import type { LearnedCommand, Order } from "./learned-command.ts";

/** On fewer messages, or on fewer occasions, no order and no cause is drafted. */
const STRONG = { count: 10, occasions: 5 } as const;
/** What is learned is the order, not the pace: somebody may be called to the telephone in between. */
const HESITATION_MS = 30_000;
/** One command may come so many times as often as the one that follows it; what comes all the time precedes everything. */
const MOST_TIMES = 2;
/** A cause must have been absent for this share of the phase, or it explains nothing. */
const ABSENT_SHARE = 0.02;
const MOST_CAUSES = 2;
/** After a lost connection everything seems new: a cause that had to stand for longer would deny what comes next. */
const LONGEST_HELD_MS = 2000;
const LONGEST_WITHIN_MS = 3_600_000;
/** Shorter than this is a matter of networks, not of plants. */
const LEAST_MS = 200;
const MARGIN = 0.6;
const LONGEST_RATE_MS = 60_000;

type Part = Pick<RuleFields, "after" | "follows" | "apart" | "most" | "every">;

/**
 * Rhythm, order and causes of one command, where the evidence is strong: the time automaton of its phase and client, one edge at a time.
 * Switching off is tied to nothing: it is the way to a standstill, and must not wait for a cause.
 */
export function orderOf(
  command: LearnedCommand,
  others: readonly LearnedCommand[],
  phase: LearnedPhase,
  idOf: (command: LearnedCommand) => string,
): Part {
  const rate = rateOf(command);
  if (command.kind.bit === 0 || !isStrong(command)) return rate;
  return {
    ...rate,
    ...causesOf(command, phase),
    ...followsOf(command, others, idOf),
    ...apartOf(command, others, idOf),
  };
}

function isStrong({ sightings }: LearnedCommand): boolean {
  return sightings.count >= STRONG.count && sightings.occasions >= STRONG.occasions;
}

function rateOf({ gaps, sightings }: LearnedCommand): Part {
  const { rhythm } = gaps;
  if (rhythm !== undefined && gaps.count >= 200 && rhythm.jitterMs <= rhythm.periodMs / 5)
    return { every: { period: duration(rhythm.periodMs), jitter: duration(rhythm.jitterMs) } };
  if (gaps.count === 0) return { most: { count: 3, per: "10s" } };
  const margin = sightings.count < STRONG.count ? MARGIN / 2 : MARGIN;
  const perMs = tenths(Math.min(LONGEST_RATE_MS, gaps.leastMs * margin));
  return perMs < LEAST_MS ? { most: { count: 5, per: "1s" } } : { most: { count: 1, per: duration(perMs) } };
}

/** Truth values that were set each time, for so long, and are not set all the time. */
function causesOf(command: LearnedCommand, phase: LearnedPhase): Part {
  const found = [...command.causes].flatMap(([tag, { whileSet, whileNot, shortestMs }]) => {
    const seen = phase.bits.get(tag);
    const absent = seen === undefined ? 0 : seen.not / Math.max(1, seen.set + seen.not);
    return whileNot === 0 && whileSet >= STRONG.count && absent >= ABSENT_SHARE ? [{ tag, absent, shortestMs }] : [];
  });
  const best = found.sort((a, b) => b.absent - a.absent).slice(0, MOST_CAUSES);
  if (best.length === 0) return {};
  const heldMs = tenths(Math.min(...best.map(({ shortestMs }) => shortestMs)) * MARGIN - 1000);
  const held = heldMs < 1000 ? {} : { for: duration(Math.min(heldMs, LONGEST_HELD_MS)) };
  return { after: { all: best.map(({ tag }) => ({ tag, is: 1 })), ...held } };
}

function followsOf(
  command: LearnedCommand,
  others: readonly LearnedCommand[],
  idOf: (command: LearnedCommand) => string,
): Part {
  let best: { readonly before: LearnedCommand; readonly order: Order } | undefined;
  for (const before of others) {
    const order = command.after.get(before);
    if (order === undefined || order.count < command.sightings.count) continue;
    // Set-points that are adjusted all day come after each other by chance.
    if (command.kind.bit === undefined && before.kind.bit === undefined) continue;
    if (before.sightings.count > command.sightings.count * MOST_TIMES) continue;
    if (best === undefined || order.longestMs < best.order.longestMs) best = { before, order };
  }
  if (best === undefined) return {};
  const { before, order } = best;
  const withinMs = Math.ceil((order.longestMs * 2 + HESITATION_MS) / 1000) * 1000;
  if (withinMs > LONGEST_WITHIN_MS) return {};
  const once = order.repeated ? {} : { once: true };
  return { follows: { rule: idOf(before), within: duration(withinMs), ...once } };
}

function apartOf(
  { aparts, apartMs }: LearnedCommand,
  others: readonly LearnedCommand[],
  idOf: (command: LearnedCommand) => string,
): Part {
  const withinMs = tenths(apartMs * MARGIN);
  if (others.length === 0 || aparts < STRONG.count || withinMs < LEAST_MS) return {};
  return { apart: { rules: others.map(idOf), within: duration(Math.min(withinMs, 5000)) } };
}

function tenths(ms: number): number {
  return Math.floor(ms / 100) * 100;
}
