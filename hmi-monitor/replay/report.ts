import type { Bundle } from "#specs/bundle.ts";
import { REASONS } from "#specs/decide/reasons.ts";
import { coverageOf } from "./coverage.ts";
import { type Moment, placeName } from "./phase-course.ts";
import type { Replay } from "./replay.ts";

/** Where the phases of a replay come from. */
export type PhasesFrom = "given" | "file" | "recognised";

/** What `sekisho replay --json` prints: docs/replay.md. A contract. */
export type ReplayReport = ReturnType<typeof reportOf>;

const SCHEMA = "sekisho-replay/1";

/** @param problem what is wrong with the capture, in one sentence; undefined: nothing */
export function reportOf(replay: Replay, bundle: Bundle, phasesFrom: PhasesFrom, problem: string | undefined) {
  const { counts, tally, unread, tables } = replay;
  const { allowed, denied, unjudged, receipts, excess, beyond, ambiguous } = tally.counts;
  const possible = new Set(tally.situations.flatMap(({ phases }) => phases));
  return {
    schema: SCHEMA,
    bundle: { id: bundle.id, plant: bundle.plant.id, version: bundle.lifecycle.version },
    layer: tables.layer,
    phasesFrom,
    capture: {
      frames: counts.frames,
      bytes: counts.bytes,
      cutFrames: counts.cutFrames,
      firstTime: counts.first === undefined ? null : secondsOf(counts.first.timeMs),
      lastTime: counts.first === undefined ? null : secondsOf(counts.at.timeMs),
      problem: problem ?? null,
    },
    judged: {
      ...{ messages: allowed + denied, allowed, denied, excess, ambiguous },
      ...{ unanswered: unread.unanswered, receiptsSuppressed: receipts },
    },
    notJudged: {
      noPhase: unjudged,
      blindConnections: unread.blind,
      blindBytes: unread.bytes,
      joinedLate: unread.joinedLate,
      gaps: unread.gaps,
      unreadable: unread.unreadable,
      resynchronised: unread.resynchronised,
      otherBytes: unread.strangerBytes,
      frames: unread.frames,
      answers: unread.answers,
      lost: replay.lost,
      notices: counts.notices.map(({ says, ...at }) => ({ ...momentOf(at), says })),
      noticesBeyond: counts.noticesBeyond,
    },
    denials: tally.denials.map(({ first, last, rule, reason, ...denial }) => ({
      ...{ reason, means: REASONS[reason], rule: rule ?? null },
      ...denial,
      first: momentOf(first),
      last: momentOf(last),
    })),
    denialsBeyond: beyond,
    situations: tally.situations.map(({ phases, first, last, ...judged }) => ({
      ...{ phases, ...judged },
      first: momentOf(first),
      last: momentOf(last),
    })),
    coverage: coverageOf(tables, tally.uses, possible),
    changes: replay.changes.map(({ cause, says, possible: places, ...at }) => ({
      ...momentOf(at),
      ...{ cause, says, possible: places },
    })),
    changesBeyond: replay.changesBeyond,
    possibleAtEnd: replay.course.possible.map(({ phase, steps }) => placeName(phase, steps)),
  };
}

function momentOf({ frame, timeMs }: Moment): { readonly frame: number; readonly time: number } {
  return { frame, time: secondsOf(timeMs) };
}

/** Seconds since the epoch, to the µs: what a double of ms holds in our days. */
function secondsOf(timeMs: number): number {
  return Math.round(timeMs * 1000) / 1e6;
}
