import { brief } from "./brief.ts";
import type { Moment } from "./phase-course.ts";

/** Sentences about what was not judged that are kept; further ones are counted. */
export const MAX_NOTICES = 1000;

/** What was said of a connection, or of the capture, while this frame was in hand. */
export interface Notice extends Moment {
  readonly says: string;
}

/** What a capture holds, and what was said of that which could not be judged. */
export class CaptureCounts {
  frames = 0;
  bytes = 0;
  /** frames of which the capture holds less than was on the wire */
  cutFrames = 0;
  readonly notices: Notice[] = [];
  noticesBeyond = 0;
  /** of the first frame; undefined: there was none */
  first: Moment | undefined;
  /** the frame in hand */
  at: Moment = { frame: 0, timeMs: 0 };

  frame(at: Moment, captured: number, original: number): void {
    this.first ??= at;
    this.at = at;
    this.frames += 1;
    this.bytes += captured;
    if (captured < original) this.cutFrames += 1;
  }

  notice(says: string): void {
    if (this.notices.length < MAX_NOTICES) this.notices.push({ ...this.at, says: brief(says) });
    else this.noticesBeyond += 1;
  }
}
