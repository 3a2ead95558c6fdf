import type { Judged } from "#point/point.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Outcome } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { TagId } from "#specs/ids.ts";
import type { TimedFrame } from "#wire/pcap/index.ts";
import { Monitor } from "../monitor.ts";
import type { ProtocolPorts } from "../parties.ts";
import { brief } from "../replay/brief.ts";
import type { PhaseCourse, TakesChange } from "../replay/phase-course.ts";
import { FrameClock, ReplayPoint } from "../replay/replay-point.ts";
import { Tally } from "../replay/tally.ts";
import type { Unread } from "../unread.ts";
import type { Learner } from "./learner.ts";
import { LEARN_LIMITS } from "./limits.ts";

const TICK_MS = 1000;
const LONG_AFTER_MS = 1e12;

export interface LearnCaptureOptions {
  /** Tells the phases: by marks, or by what this lifecycle recognises. Its rules play no other part. */
  readonly bundle: Bundle;
  readonly course: (tables: Tables, changed: TakesChange) => PhaseCourse;
  readonly ports: ProtocolPorts;
  readonly learner: Learner;
}

/**
 * Reads frames into a learner, of one capture or of several in the order of time: the same monitor as live, whose point passes on what was
 * answered and told. A frame that comes twice is a TCP segment that is sent again, and counts once.
 */
export class LearnCapture {
  readonly #point: LearnPoint;
  readonly #monitor: Monitor;
  readonly #tally: Tally;
  readonly #courseFrom: LearnCaptureOptions["course"];
  #course: PhaseCourse;
  #tickedMs = Number.NEGATIVE_INFINITY;
  #lastMs = 0;
  readonly #notices: string[] = [];
  #noticesBeyond = 0;
  frames = 0;

  constructor({ bundle, course, ports, learner }: LearnCaptureOptions) {
    this.#point = new LearnPoint(bundle, learner);
    const { tables } = this.#point;
    this.#tally = new Tally(tables);
    this.#courseFrom = course;
    this.#course = this.#begin();
    const options = { verifyChecksums: "auto" as const, announcements: false };
    this.#monitor = new Monitor(this.#point, bundle.plant, ports, options);
  }

  /** A course that knows nothing yet. */
  #begin(): PhaseCourse {
    const course = this.#courseFrom(this.#point.tables, () => undefined);
    this.#point.follow(course, this.#tally, (says) => this.#notice(says));
    return course;
  }

  #notice(says: string): void {
    if (this.#notices.length < LEARN_LIMITS.notices) this.#notices.push(brief(says));
    else this.#noticesBeyond += 1;
  }

  /** What is said of connections that cannot be read, or not from their beginning. */
  get notices(): readonly string[] {
    const more = this.#noticesBeyond === 0 ? [] : [`${this.#noticesBeyond} more of that kind`];
    return [...this.#notices, ...more];
  }

  /** What was captured and could not be read. */
  get unread(): Readonly<Unread> {
    return this.#monitor.unread;
  }

  /** Takes the next frame, whose bytes must not change afterwards. */
  frame(frame: TimedFrame): void {
    const { timeMs } = frame;
    this.frames += 1;
    this.#lastMs = timeMs;
    this.#point.frame({ frame: this.frames, timeMs });
    this.#point.stand(this.#course, timeMs);
    this.#monitor.frame(frame);
    if (Math.abs(timeMs - this.#tickedMs) > TICK_MS) {
      this.#tickedMs = timeMs;
      this.#monitor.tick(timeMs);
    }
    this.#point.frameDone();
  }

  /** No capture covers the time until the next frame: what was under way may have ended, and its phase with it. */
  gap(): void {
    this.#point.stop(this.#lastMs);
    this.#course = this.#begin();
  }

  /** There are no more frames. */
  end(): void {
    this.#monitor.tick(this.#lastMs + LONG_AFTER_MS);
    this.#point.stop(this.#lastMs);
  }
}

class LearnPoint extends ReplayPoint {
  readonly #learner: Learner;
  #nowMs = 0;

  constructor(bundle: Bundle, learner: Learner) {
    super({ bundle, layer: "switch", clock: new FrameClock() });
    this.#learner = learner;
  }

  /** Learns where exactly one phase is possible. */
  stand({ possible }: PhaseCourse, timeMs: number): void {
    this.#nowMs = timeMs;
    const [first, ...others] = possible;
    if (first === undefined || others.some(({ phase }) => phase !== first.phase)) this.#learner.noPhase(timeMs);
    else this.#learner.enterPhase(first.phase, timeMs);
  }

  /** From here on nobody knows what happens. */
  stop(timeMs: number): void {
    this.#learner.gap(timeMs);
  }

  override answered(judged: Judged, outcome: Outcome, atMs?: number): void {
    super.answered(judged, outcome, atMs);
    const { observation, atMs: askedMs, phase } = judged;
    this.#learner.exchange(observation, outcome === "answered-ok" ? "ok" : "error", askedMs, phase ?? undefined);
  }

  override sawTag(tag: TagId, value: number, atMs: number = this.#nowMs): void {
    super.sawTag(tag, value, atMs);
    this.#learner.told(tag, value, atMs);
  }
}
