import { describe, expect, test } from "vitest";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import { compile } from "#specs/decide/tables.ts";
import { PhaseId, StepId, TagId } from "#specs/ids.ts";
import { StepTracker } from "#specs/steps.ts";
import { bundleOf, loaded, small } from "./specs.ts";

const tables = compile(bundleOf(small()), "switch");
const RUN = PhaseId("run");
const [FILL, KEEP] = [StepId("fill"), StepId("keep")];

function started(): { tracker: StepTracker; history: History } {
  const tracker = new StepTracker(tables);
  tracker.enter(RUN, undefined, 0);
  return { tracker, history: createHistory(tables) };
}

function full(history: History, nowMs: number): void {
  observeTag(history, TagId("LEVEL"), 1.2, nowMs);
  observeTag(history, TagId("OPEN"), 1, nowMs);
}

describe("the set of possible steps", () => {
  test("nothing is held before a phase is entered", () => {
    expect(new StepTracker(tables).position).toBeUndefined();
  });

  test.each([
    { name: "the initial step, where none is given", phase: "run", steps: undefined, want: ["fill"] },
    { name: "the steps that are given", phase: "run", steps: ["keep"], want: ["keep"] },
    { name: "every step, where the step is not known", phase: "run", steps: [], want: ["fill", "keep"] },
    {
      name: "every step, where none of those given is of this phase",
      phase: "run",
      steps: ["ramp"],
      want: ["fill", "keep"],
    },
    { name: "no step, in a phase without steps", phase: "off", steps: ["fill"], want: [] },
  ])("entering a phase: $name", ({ phase, steps, want }) => {
    const tracker = new StepTracker(tables);
    expect(tracker.enter(PhaseId(phase), steps?.map(StepId), 0)).toBe(true);
    expect(tracker.position).toEqual({ phase, steps: want });
  });

  test("a phase that the bundle does not have is not entered, and the old one is left", () => {
    const { tracker } = started();
    expect(tracker.enter(PhaseId("nowhere"), undefined, 5)).toBe(false);
    expect(tracker.position).toBeUndefined();
  });

  test("own observation adds a step; until the record both are possible", () => {
    const { tracker, history } = started();
    full(history, 1000);
    expect(tracker.observe(history, 1999)).toBe(false);
    expect(tracker.observe(history, 2000)).toBe(true);
    expect(tracker.position?.steps).toEqual([FILL, KEEP]);
    expect(tracker.observe(history, 2001)).toBe(false);
    expect(tracker.sinceMs).toBe(2000);
  });

  test("the record settles it", () => {
    const { tracker, history } = started();
    full(history, 0);
    tracker.observe(history, 1000);
    expect(tracker.record([KEEP], 1500)).toBe(true);
    expect(tracker.position?.steps).toEqual([KEEP]);
    expect(tracker.observe(history, 1500)).toBe(false);
    expect(tracker.record([KEEP], 1600)).toBe(false);
  });

  test("after the record, a step whose own condition is seen to hold joins again", () => {
    const { tracker, history } = started();
    tracker.record([KEEP], 0);
    observeTag(history, TagId("LEVEL"), 0.9, 100);
    expect(tracker.observe(history, 100)).toBe(true);
    expect(tracker.position?.steps).toEqual([FILL, KEEP]);
  });

  test("what was seen before the record is in it already: it does not lead back out of the recorded step", () => {
    const water = compile(bundleOf(loaded("water-treatment")), "switch");
    const tracker = new StepTracker(water);
    const history = createHistory(water);
    tracker.enter(PhaseId("normal"), [StepId("backwash")], 0);
    observeTag(history, TagId("BW301.ACTIVE"), 1, 282_000);
    tracker.record([StepId("produce")], 282_000);
    // Another answer comes in before the backwash's own status is polled again.
    observeTag(history, TagId("LIT401"), 1.2, 282_500);
    expect(tracker.observe(history, 282_500)).toBe(false);
    expect(tracker.position?.steps).toEqual(["produce"]);
    observeTag(history, TagId("BW301.ACTIVE"), 1, 283_000);
    expect(tracker.observe(history, 283_000)).toBe(true);
  });

  test("what was not seen widens nothing", () => {
    const { tracker, history } = started();
    observeTag(history, TagId("LEVEL"), 2, 0);
    expect(tracker.observe(history, 60_000)).toBe(false);
  });

  test("a record never leads out of the phase, and an empty one changes nothing", () => {
    const { tracker } = started();
    expect(tracker.record([StepId("ramp")], 1)).toBe(false);
    expect(tracker.record([], 1)).toBe(false);
    expect(tracker.record([StepId("ramp"), KEEP], 1)).toBe(true);
    expect(tracker.position).toEqual({ phase: RUN, steps: [KEEP] });
  });

  test("several steps at once, when all their conditions hold", () => {
    const water = compile(bundleOf(loaded("water-treatment")), "hmi");
    const tracker = new StepTracker(water);
    tracker.enter(PhaseId("startup"), undefined, 0);
    const history = createHistory(water);
    for (const [tag, value] of [
      ["LIT101", 1.5],
      ["MV101.OPEN", 1],
      ["FIT101", 10],
    ] as const) {
      observeTag(history, TagId(tag), value, 1);
    }
    tracker.observe(history, 5000);
    expect(tracker.position?.steps).toEqual(["fill", "prime", "dose-check"]);
  });
});
