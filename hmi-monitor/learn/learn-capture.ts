import type { Judged } from "#point/point.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Outcome } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { TagId } from "#specs/ids.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { Monitor, type ProtocolPorts } from "../monitor.ts";
import type { PhaseCourse, TakesChange } from "../replay/phase-course.ts";
import { FrameClock, ReplayPoint } from "../replay/replay-point.ts";
import { Tally } from "../replay/tally.ts";
import type { Unread } from "../unread.ts";
import type { Learner } from "./learner.ts";

/** Connections that are followed at once. */
const MAX_FLOWS = 32_768;
const TICK_MS = 1000;
const LONG_AFTER_MS = 1e12;

export interface LearnCaptureOptions {
  /** Tells the phases: by marks, or by what this lifecycle recognises. Its rules play no other part. */
  readonly bundle: Bundle;
  readonly course: (tables: Tables, changed: TakesChange) => PhaseCourse;
  readonly ports: ProtocolPorts;
  readonly learner: Learner;
}

/** Reads one capture into a learner: the same monitor as live, whose point passes on what was answered and told. Pure: bytes in. */
export class LearnCapture {
  readonly #reader = new CaptureReader();
  readonly #point: LearnPoint;
  readonly #monitor: Monitor;
  readonly #course: PhaseCourse;
  #tickedMs = Number.NEGATIVE_INFINITY;
  #lastMs = 0;
  frames = 0;

  constructor({ bundle, course, ports, learner }: LearnCaptureOptions) {
    this.#point = new LearnPoint(bundle, learner);
    const { tables } = this.#point;
    this.#course = course(tables, () => undefined);
    const silent = (): void => undefined;
    this.#point.follow(this.#course, new Tally(tables), silent);
    const options = { maxFlows: MAX_FLOWS, verifyChecksums: false, announcements: false };
    this.#monitor = new Monitor(this.#point, bundle.plant, ports, options);
  }

  /** What was captured and could not be read. */
  get unread(): Readonly<Unread> {
    return this.#monitor.unread;
  }

  get failed(): boolean {
    return this.#reader.state.kind === "failed";
  }

  /** Takes the next bytes of the capture, which must not change afterwards. */
  push(chunk: Buffer): void {
    for (const frame of this.#reader.push(chunk)) {
      const { timeMs, number } = frame;
      this.frames += 1;
      this.#lastMs = timeMs;
      this.#point.frame({ frame: number, timeMs });
      this.#point.stand(this.#course, timeMs);
      this.#monitor.frame(frame);
      if (Math.abs(timeMs - this.#tickedMs) > TICK_MS) {
        this.#tickedMs = timeMs;
        this.#monitor.tick(timeMs);
      }
      this.#point.frameDone();
    }
  }

  /** The capture is over: answers in a sentence what is wrong with it; undefined: nothing. */
  end(): string | undefined {
    this.#monitor.tick(this.#lastMs + LONG_AFTER_MS);
    this.#point.stop(this.#lastMs);
    return this.#reader.end();
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

  /** Between two captures nobody knows what happened. */
  stop(timeMs: number): void {
    this.#learner.noPhase(timeMs);
  }

  override answered(judged: Judged, outcome: Outcome): void {
    super.answered(judged, outcome);
    this.#learner.exchange(judged.observation, outcome === "answered-ok" ? "ok" : "error", judged.atMs);
  }

  override sawTag(tag: TagId, value: number, atMs: number = this.#nowMs): void {
    super.sawTag(tag, value, atMs);
    this.#learner.told(tag, value, atMs);
  }
}
