import { duration, type RuleFields } from "./draft.ts";
import type { LearnedPhase } from "./evidence.ts";
import type { CommandKind, LearnedCommand, Order } from "./learned-command.ts";

/**
 * On fewer occasions no order, no cause and no step is drafted. What never came on n occasions comes on less than 3/n of them (rule of three,
 * J. A. Hanley, A. Lippman-Hand, JAMA 249, 1983).
 */
export const STRONG = { count: 15, occasions: 15 } as const;
/**
 * On fewer occasions the pace of a phase says little: whoever works faster may not have worked in it yet. What was shortest in any phase
 * counts then.
 */
const OWN_PACE_OCCASIONS = 100;
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
/**
 * What came on few occasions came once on each, and the time between them is that between two visits of the phase: how soon it may come
 * again nobody has seen. Twice, since an answer may get lost.
 */
const RARE_RATE = { count: 2, per: "10s" } as const;
const RARE_PER_MS = 10_000;
/** Whoever wants something to stand still presses more than once; where it was seen to come faster, that is its rate. */
const OFF_RATE = { count: 5, per: "10s" } as const;
const OFF_RATE_FROM_MS = 2000;

type Part = Pick<RuleFields, "after" | "follows" | "apart" | "most" | "every">;

/**
 * Rhythm, order and causes of one command, where the evidence is strong.
 * Switching off is tied to nothing: it is the way to a standstill, and must not wait for a cause.
 */
export function orderOf(
  command: LearnedCommand,
  others: readonly LearnedCommand[],
  phase: LearnedPhase,
  pace: Pace,
): Part {
  const rate = rateOf(command, pace);
  if (command.kind.bit === 0 || !isStrong(command)) return rate;
  return {
    ...rate,
    ...causesOf(command, phase),
    ...followsOf(command, others),
    ...apartOf(command, others, pace),
  };
}

/** The shortest times that were seen in any phase, ms. */
export interface Pace {
  /** Between two of the same kind. */
  gapMs(command: LearnedCommand): number;
  /** Between any two of one client. */
  apartMs(client: string): number;
}

export function paceOf(commands: readonly LearnedCommand[]): Pace {
  const gaps = new Map<string, number>();
  const aparts = new Map<string, number>();
  for (const { kind, gaps: own, apartMs } of commands) {
    gaps.set(kindName(kind), Math.min(gaps.get(kindName(kind)) ?? Number.POSITIVE_INFINITY, own.leastMs));
    aparts.set(kind.source, Math.min(aparts.get(kind.source) ?? Number.POSITIVE_INFINITY, apartMs, own.leastMs));
  }
  return {
    gapMs: ({ kind }) => gaps.get(kindName(kind)) ?? Number.POSITIVE_INFINITY,
    apartMs: (client) => aparts.get(client) ?? Number.POSITIVE_INFINITY,
  };
}

function kindName({ source, protocol, operation, tag, bit }: CommandKind): string {
  return `${source} ${protocol} ${operation} ${tag} ${bit ?? ""}`;
}

function isStrong({ sightings }: LearnedCommand): boolean {
  return sightings.count >= STRONG.count && sightings.occasions >= STRONG.occasions;
}

function rateOf(command: LearnedCommand, pace: Pace): Part {
  const { gaps, sightings } = command;
  const { rhythm } = gaps;
  if (rhythm !== undefined && gaps.count >= 200 && rhythm.jitterMs <= rhythm.periodMs / 5)
    return { every: { period: duration(rhythm.periodMs), jitter: duration(rhythm.jitterMs) } };
  if (gaps.count === 0) return { most: { count: 3, per: "10s" } };
  const margin = sightings.count < STRONG.count ? MARGIN / 2 : MARGIN;
  const leastMs = sightings.occasions < OWN_PACE_OCCASIONS ? pace.gapMs(command) : gaps.leastMs;
  const perMs = tenths(Math.min(LONGEST_RATE_MS, leastMs * margin));
  if (command.kind.bit === 0 && perMs >= OFF_RATE_FROM_MS) return { most: OFF_RATE };
  if (sightings.occasions < OWN_PACE_OCCASIONS && perMs > RARE_PER_MS) return { most: RARE_RATE };
  return perMs < LEAST_MS ? { most: { count: 5, per: "1s" } } : { most: { count: 1, per: duration(perMs) } };
}

/** Truth values that were set each time, for so long, and are not set all the time. */
function causesOf(command: LearnedCommand, phase: LearnedPhase): Part {
  // A set-point is adjusted when somebody thinks fit; that it never was before something else began says little for a long time.
  if (command.kind.bit === undefined && command.sightings.occasions < OWN_PACE_OCCASIONS) return {};
  const found = [...command.causes].flatMap(([tag, { whileSet, whileNot, shortestMs }]) => {
    const seen = phase.bits.get(tag);
    const absent = seen === undefined ? 0 : seen.not / Math.max(1, seen.set + seen.not);
    return whileNot === 0 && whileSet >= STRONG.count && absent >= ABSENT_SHARE ? [{ tag, absent, shortestMs }] : [];
  });
  const best = found.sort((a, b) => b.absent - a.absent).slice(0, MOST_CAUSES);
  if (best.length === 0) return {};
  const shortestMs = Math.min(...best.map(({ shortestMs }) => shortestMs));
  // A set-point is adjusted when somebody thinks fit, not so long after something: how long it was is chance.
  const held = command.kind.bit === undefined ? {} : heldFor(shortestMs);
  return { after: { all: best.map(({ tag }) => ({ tag, is: 1 })), ...held } };
}

/** How long a cause must have stood that had stood for so long at the least; too short to be asked for: nothing. */
export function heldFor(shortestMs: number): { readonly for?: string } {
  const heldMs = tenths(shortestMs * MARGIN - 1000);
  return heldMs < 1000 ? {} : { for: duration(Math.min(heldMs, LONGEST_HELD_MS)) };
}

function followsOf(command: LearnedCommand, others: readonly LearnedCommand[]): Part {
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
  const withinMs = longestWaitMs(order.longestMs);
  if (withinMs > LONGEST_WITHIN_MS) return {};
  const once = order.repeated ? {} : { once: true };
  return { follows: { rule: before.id, within: duration(withinMs), ...once } };
}

/** How long a command is waited for that came so long after another at the most. */
export function longestWaitMs(seenMs: number): number {
  return Math.ceil((seenMs * 2 + HESITATION_MS) / 1000) * 1000;
}

function apartOf(
  { aparts, apartMs, sightings, kind }: LearnedCommand,
  others: readonly LearnedCommand[],
  pace: Pace,
): Part {
  const leastMs = sightings.occasions < OWN_PACE_OCCASIONS ? pace.apartMs(kind.source) : apartMs;
  const withinMs = tenths(leastMs * MARGIN);
  if (others.length === 0 || aparts < STRONG.count || withinMs < LEAST_MS) return {};
  return { apart: { rules: others.map(({ id }) => id), within: duration(Math.min(withinMs, 5000)) } };
}

function tenths(ms: number): number {
  return Math.floor(ms / 100) * 100;
}
