import type { PlantClock } from "#point/clock.ts";
import { type Judged, Point } from "#point/point.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Observation } from "#specs/decide/observation.ts";
import type { PhaseId } from "#specs/ids.ts";

const clock: PlantClock = { now: () => 1_000_000, on: () => undefined, close: () => undefined };

/** A point that keeps what it judged since somebody looked. Its plant time stands still. */
export class WatchedPoint extends Point {
  judged: Judged[] = [];

  constructor(bundle: Bundle, standalonePhase: PhaseId) {
    super({ point: "switch-filter", layer: "switch", bundle, mode: "enforce", clock, standalonePhase });
  }

  override judge(observation: Observation, atMs?: number): Judged {
    const judged = super.judge(observation, atMs);
    this.judged.push(judged);
    return judged;
  }
}
