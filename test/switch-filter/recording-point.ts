import { vi } from "vitest";
import type { PlantClock } from "#point/clock.ts";
import { type Judged, Point } from "#point/point.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Outcome } from "#specs/decide/observation.ts";
import { PhaseId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import type { SessionOutput } from "#switch-filter/session.ts";

/** A real point, in phase normal if not told otherwise, that also keeps what it judged, reported and noticed. Its plant time stands still. */
export interface Recorded {
  readonly point: Point;
  readonly judged: Judged[];
  readonly settled: { readonly judged: Judged; readonly outcome: Outcome }[];
  readonly says: string[];
}

export async function recordingPoint(bundle: Bundle, mode: Mode = "enforce", phase = "normal"): Promise<Recorded> {
  const clock: PlantClock = { now: () => 1_000_000, on: () => undefined, close: () => undefined };
  const point = new Point({
    point: "switch-filter",
    layer: "switch",
    bundle,
    mode,
    clock,
    standalonePhase: PhaseId(phase),
  });
  await point.start();
  const recorded: Recorded = { point, judged: [], settled: [], says: [] };
  const { judge, settle } = point;
  vi.spyOn(point, "judge").mockImplementation((observation, atMs) => {
    const judged = judge.call(point, observation, atMs);
    recorded.judged.push(judged);
    return judged;
  });
  vi.spyOn(point, "settle").mockImplementation((judged, outcome) => {
    recorded.settled.push({ judged, outcome });
    settle.call(point, judged, outcome);
  });
  vi.spyOn(point, "notice").mockImplementation((notice) => void recorded.says.push(`${notice.code}: ${notice.says}`));
  return recorded;
}

/** What a session put out, and whether it ended. */
export class RecordingOutput implements SessionOutput {
  readonly up: Buffer[] = [];
  readonly down: Buffer[] = [];
  ended: string | undefined;

  toServer(bytes: Buffer): void {
    this.up.push(Buffer.from(bytes));
  }

  toClient(bytes: Buffer): void {
    this.down.push(Buffer.from(bytes));
  }

  close(says: string): void {
    this.ended = says;
  }
}
