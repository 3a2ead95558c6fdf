import type { Bundle } from "#specs/bundle.ts";
import type { Layer } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { ChecksumRule } from "#wire/packet/index.ts";
import { CaptureReader, type TimedFrame } from "#wire/pcap/index.ts";
import { MirrorLoss } from "../mirror-loss.ts";
import { Monitor } from "../monitor.ts";
import type { ProtocolPorts } from "../parties.ts";
import type { Unread } from "../unread.ts";
import { CaptureCounts } from "./capture-counts.ts";
import type { PhaseChange, PhaseCourse, TakesChange } from "./phase-course.ts";
import { FrameClock, ReplayPoint, type TakesVerdict } from "./replay-point.ts";
import { Tally } from "./tally.ts";

/** ms of capture time between two looks at connections that fell silent. */
const TICK_MS = 1000;
/** ms after which no gap may still be filled and no connection still be open. */
const LONG_AFTER_MS = 1e12;
/** Changes of what is possible that are kept; further ones are counted. */
export const MAX_CHANGES = 10_000;

export interface ReplayOptions {
  readonly bundle: Bundle;
  readonly layer: Layer;
  /** Makes the course of the phases. @throws Error in one sentence */
  readonly course: (tables: Tables, changed: TakesChange) => PhaseCourse;
  /** Which TCP port of a server speaks which protocol. */
  readonly ports: ProtocolPorts;
  /** What becomes of frames whose checksums are wrong; default auto: a capture on the sending host has them before its card filled them in. */
  readonly verifyChecksums?: ChecksumRule;
  /** Every verdict, while its frame is in hand. */
  readonly onVerdict?: TakesVerdict;
  /** Every change of what is possible, while its frame is in hand. */
  readonly onChange?: TakesChange;
  /** After a frame and all its verdicts. */
  readonly onFrame?: (frame: TimedFrame) => void;
}

/**
 * Judges a capture. Pure: bytes in, counts out; asks no clock and opens nothing. Memory is bounded by the connections that are open at once
 * and by the plant, not by the length of the capture.
 */
export class Replay {
  readonly counts = new CaptureCounts();
  readonly tally: Tally;
  readonly course: PhaseCourse;
  readonly tables: Tables;
  readonly changes: PhaseChange[] = [];
  /** Changes that are not kept. */
  changesBeyond = 0;
  readonly #reader = new CaptureReader();
  readonly #point: ReplayPoint;
  readonly #monitor: Monitor;
  readonly #loss = new MirrorLoss();
  readonly #onChange: TakesChange | undefined;
  readonly #onFrame: ReplayOptions["onFrame"];
  #tickedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReplayOptions) {
    const { bundle, layer, course, ports, verifyChecksums = "auto", onVerdict, onChange, onFrame } = options;
    this.#onChange = onChange;
    this.#point = new ReplayPoint({ bundle, layer, clock: new FrameClock() });
    this.tables = this.#point.tables;
    this.tally = new Tally(this.tables);
    this.course = course(this.tables, (change) => this.#changed(change));
    this.#point.follow(this.course, this.tally, (says) => this.counts.notice(says), onVerdict);
    this.#onFrame = onFrame;
    this.#monitor = new Monitor(this.#point, bundle.plant, ports, { verifyChecksums, announcements: false });
  }

  /** What was captured and could not be judged. */
  get unread(): Readonly<Unread> {
    return this.#monitor.unread;
  }

  /** Frames that were lost before the capture, as its own announcements prove, or that cannot be read. */
  get lost(): number {
    return this.#point.lost;
  }

  /** Connections that are followed at present. */
  get open(): number {
    return this.#monitor.size;
  }

  /** Nothing more of the capture can be read. */
  get failed(): boolean {
    return this.#reader.state.kind === "failed";
  }

  /** Takes the next bytes of the capture, which must not change afterwards. */
  push(chunk: Buffer): void {
    const frames = this.#reader.push(chunk);
    for (let n = 0; n < frames.length; n += 1) {
      const frame = frames[n];
      if (frame !== undefined) this.#frame(frame);
    }
  }

  /** The capture is over: answers in a sentence what is wrong with it; undefined: nothing. */
  end(): string | undefined {
    this.#monitor.tick(this.counts.at.timeMs + LONG_AFTER_MS);
    this.#point.frameDone();
    const { checksumNote } = this.#monitor;
    if (checksumNote !== undefined) this.counts.notice(checksumNote);
    return this.#reader.end();
  }

  #frame(frame: TimedFrame): void {
    const { timeMs } = frame;
    const at = { frame: frame.number, timeMs };
    this.counts.frame(at, frame.frame.length, frame.originalLength);
    this.#point.frame(at);
    const lost = this.#loss.frame(frame.frame);
    if (lost === undefined) this.#monitor.frame(frame);
    else if (lost > 0) this.#monitor.lost(lost, `${lost} mirrored frames were lost`);
    // A capture whose time goes back is looked at anew from there.
    if (lost !== undefined || Math.abs(timeMs - this.#tickedMs) > TICK_MS) {
      this.#tickedMs = timeMs;
      this.#monitor.tick(timeMs);
    }
    this.#point.frameDone();
    this.#onFrame?.(frame);
  }

  #changed(change: PhaseChange): void {
    this.#onChange?.(change);
    if (this.changes.length < MAX_CHANGES) this.changes.push(change);
    else this.changesBeyond += 1;
  }
}
