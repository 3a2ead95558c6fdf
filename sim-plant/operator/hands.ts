import { TagId } from "#specs/ids.ts";
import type { Random } from "../random.ts";
import type { Command, OperatorState, OperatorView } from "./view.ts";

/** What a procedure sees while it decides, and how it words what it wants. A procedure wants at most one command at a time. */
export interface Hands {
  readonly nowMs: number;
  readonly state: OperatorState;
  readonly rng: Random;
  /** Plant ms since the console showed this step. */
  readonly inPlaceMs: number;
  /** The plan's demand now, m³/h. */
  readonly demand: number;
  /** The step, when the console shows exactly one. */
  readonly step: string | undefined;
  /** undefined: the last poll did not bring it. */
  read(tag: string): number | undefined;
  /** Plant ms since this tag was written. */
  since(tag: string): number;
  /** A write from the operator station, unless the tag shows the value already or was written less than `gapMs` ago. */
  set(tag: string, value: number, gapMs?: number): Command | undefined;
  /** A step of a set-point towards a target, or undefined where no allowed step leads there. */
  towards(tag: string, target: number, limits: Limits): Command | undefined;
  report(says: string): void;
}

/** What a rule lets the operator do with a set-point. */
export interface Limits {
  readonly min: number;
  readonly max: number;
  /** Largest change against the reading. */
  readonly step: number;
  /** Least plant ms between two writes. */
  readonly gapMs: number;
  /** Write even where the reading is the target already: an operator who confirms his settings. */
  readonly reassert?: boolean;
}

/** Set-points are entered in tenths, except the dose in hundredths. */
const RESOLUTION: Readonly<Record<string, number>> = { "DOS201.SP": 0.01 };

/** Waiting this long for a write to show in the readings before it is made again. */
const DEFAULT_GAP_MS = 2500;

export function hands(
  state: OperatorState,
  view: OperatorView,
  nowMs: number,
  demand: number,
  rng: Random,
  report: (says: string) => void,
): Hands {
  const read = (tag: string) => view.tags.get(TagId(tag));
  const since = (tag: string) => nowMs - (state.writtenAtMs.get(tag) ?? Number.NEGATIVE_INFINITY);
  const steps = view.console?.steps ?? [];
  return {
    nowMs,
    state,
    rng,
    inPlaceMs: nowMs - state.placeSinceMs,
    demand,
    step: steps.length === 1 ? steps[0] : undefined,
    read,
    since,
    set(tag, value, gapMs = DEFAULT_GAP_MS) {
      const shown = read(tag);
      if (shown === undefined || Math.abs(shown - value) < 1e-6 || since(tag) < gapMs) return undefined;
      return { from: "hmi-1", tag: TagId(tag), value };
    },
    towards(tag, target, limits) {
      const shown = read(tag);
      if (shown === undefined || since(tag) < limits.gapMs) return undefined;
      const next = nextStep(shown, target, limits, RESOLUTION[tag] ?? 0.1);
      if (next === undefined) {
        report(`${tag} shows ${round(shown, 0.01)}; no allowed step leads back from there`);
        return undefined;
      }
      if (Math.abs(next - shown) < 1e-6 && limits.reassert !== true) return undefined;
      return { from: "hmi-1", tag: TagId(tag), value: next };
    },
    report,
  };
}

/**
 * The next value on the way to a target: within the range, and within the largest step of the reading. undefined where even the
 * largest step does not reach the range; then writing anything would break a rule, and nothing is written.
 */
export function nextStep(shown: number, target: number, limits: Limits, resolution: number): number | undefined {
  const wanted = Math.max(limits.min, Math.min(limits.max, target));
  // One count inside the largest step, since the reading is itself a rounded number.
  const most = limits.step - resolution;
  const next = round(shown + Math.max(-most, Math.min(most, wanted - shown)), resolution);
  return next >= limits.min && next <= limits.max ? next : undefined;
}

/** Whole steps of a resolution, as raw × scale, so that the value read back is the same number. */
export function round(value: number, resolution: number): number {
  return Math.round(value / resolution) * resolution;
}
