import type { PlantClock } from "#point/clock.ts";
import { type Judged, type OwnNotice, Point } from "#point/point.ts";
import { NOT_RULED_NOW } from "#point/readings.ts";
import type { Bundle } from "#specs/bundle.ts";
import { commit, decide, resolve } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation, Outcome, Verdict } from "#specs/decide/observation.ts";
import type { Permit } from "#specs/decide/permit.ts";
import { NONE, readDeny, ruleIn } from "#specs/decide/verdict-id.ts";
import type { PhaseId, TagId } from "#specs/ids.ts";
import { UNANSWERED_SAYS, UNREAD_SAYS } from "../unread.ts";
import type { Moment, PhaseCourse, Possible } from "./phase-course.ts";
import type { Tally } from "./tally.ts";

/** Takes every verdict as it is given. */
export type TakesVerdict = (judged: Judged, possible: readonly Possible[], by: Possible | undefined) => void;

const NO_PHASE: Permit = { kind: "none" };
const START: Moment = { frame: 0, timeMs: 0 };

/** Time as the frames of a capture carry it. */
export class FrameClock implements PlantClock {
  timeMs = 0;

  now(): number {
    return this.timeMs;
  }

  on(): void {
    // Nothing happens between two frames.
  }

  close(): void {
    // There is nothing to close.
  }
}

export interface ReplayPointOptions {
  readonly bundle: Bundle;
  readonly layer: Layer;
  readonly clock: FrameClock;
}

/**
 * The point of a capture: it judges as a live one does, by the time of the frames and in the phases of a course. It is never started, so it
 * joins no bus, keeps no file and holds no lease; what a live point would tell is counted in the tally.
 */
export class ReplayPoint extends Point {
  readonly history: History;
  readonly #clock: FrameClock;
  #course: PhaseCourse | undefined;
  #tally: Tally | undefined;
  #taken: TakesVerdict | undefined;
  #noticed: ((says: string) => void) | undefined;
  #at: Moment = START;
  /** Denies of the frame in hand that are not reported yet: until then their reason may be named more exactly. */
  #denied: { readonly judged: Judged; readonly possible: readonly Possible[] }[] = [];
  #lost = 0;

  constructor({ bundle, layer, clock }: ReplayPointOptions) {
    // Passive: what was captured has happened, whatever is denied of it now.
    super({ point: "replay", layer, bundle, mode: "enforce", passive: true, clock });
    this.#clock = clock;
    this.history = createHistory(this.tables);
  }

  /** Who is asked and told from now on. The course is made of this point's tables, so it comes later. */
  follow(course: PhaseCourse, tally: Tally, noticed: (says: string) => void, taken?: TakesVerdict): void {
    this.#course = course;
    this.#tally = tally;
    this.#noticed = noticed;
    this.#taken = taken;
  }

  /** Frames, and parts of them, that the monitor says were lost. */
  get lost(): number {
    return this.#lost;
  }

  /** A frame comes. */
  frame(at: Moment): void {
    this.#at = at;
    this.#clock.timeMs = at.timeMs;
    this.#course?.begin(at, this.history);
  }

  override get phase(): PhaseId | null {
    const [first] = this.#course?.possible ?? [];
    return first?.phase ?? null;
  }

  override judge(observation: Observation, atMs: number = this.#at.timeMs): Judged {
    const { tables, history } = this;
    const count = tables.rules.length;
    const isReport = observation.operation === "report";
    this.#course?.asked(observation, history, this.#at);
    const possible = this.#course?.possible ?? [];
    let closest = 0;
    let near: Possible | undefined;
    let by: Possible | undefined;
    let verdict: Verdict | undefined;
    let isRuled = true;
    for (let n = 0; n < possible.length; n += 1) {
      const one = possible[n];
      if (one === undefined) continue;
      const id = decide(tables, one.permit, observation, history, atMs);
      if (id >= 0) {
        by = one;
        verdict = resolve(tables, one.permit, observation, history, atMs, id);
        break;
      }
      if (isReport && NOT_RULED_NOW.has(readDeny(count, id).reason)) isRuled = false;
      // Of several denies the first that has a rule to show.
      const shows = near === undefined || (ruleIn(count, closest) === NONE && ruleIn(count, id) !== NONE);
      if (shows) {
        near = one;
        closest = id;
      }
    }
    if (verdict === undefined) {
      const { permit } = near ?? { permit: NO_PHASE };
      const id = near === undefined ? decide(tables, permit, observation, history, atMs) : closest;
      verdict = resolve(tables, permit, observation, history, atMs, id);
    }
    const phase = by?.phase ?? near?.phase ?? null;
    const judged: Judged = { tables, observation, verdict, action: "forwarded", atMs, epoch: null, phase };
    if (verdict.verdict === "allow" || possible.length === 0) this.#count(judged, possible, by);
    else if (!isReport) this.#denied.push({ judged, possible });
    // A reading that no rule is about at present is not suspect.
    else if (isRuled) this.#count(judged, possible, by);
    return judged;
  }

  override forwarded(judged: Judged, atMs: number = this.#at.timeMs): void {
    this.#became(judged, "forwarded", atMs);
  }

  override answered(judged: Judged, outcome: Outcome, atMs: number = this.#at.timeMs): void {
    this.#became(judged, outcome, atMs);
  }

  #became({ observation, verdict }: Judged, outcome: Outcome, atMs: number): void {
    commit(this.history, observation, verdict, outcome, atMs);
    this.#course?.happened(verdict, outcome, this.#at);
  }

  override report(judged: Judged): void {
    const at = this.#denied.findIndex((one) => one.judged.observation === judged.observation);
    const [denied] = at === -1 ? [] : this.#denied.splice(at, 1);
    if (denied !== undefined) this.#count(judged, denied.possible, undefined);
  }

  /** All of the frame has been judged. */
  frameDone(): void {
    if (this.#denied.length === 0) return;
    for (const { judged, possible } of this.#denied.splice(0)) this.#count(judged, possible, undefined);
  }

  #count(judged: Judged, possible: readonly Possible[], by: Possible | undefined): void {
    if (possible.length === 0) this.#tally?.withoutPhase();
    else this.#tally?.judged(judged.observation, judged.verdict, possible, by, this.#at);
    this.#taken?.(judged, possible, by);
  }

  override notice({ code, says }: OwnNotice): void {
    // A suspect reading was judged, and is counted as a deny; what could not be judged, or got no answer, is counted for the capture as a
    // whole.
    const isCounted = says.startsWith(UNREAD_SAYS) || says.endsWith(UNANSWERED_SAYS);
    if (code === "TAP_BLIND" && !isCounted) this.#noticed?.(says);
  }

  override countLost(n: number): void {
    this.#lost += n;
  }

  override sawTag(tag: TagId, value: number, atMs: number = this.#at.timeMs): void {
    observeTag(this.history, tag, value, atMs);
  }

  override sawTags(): void {
    this.#course?.observe(this.history, this.#at);
  }
}
