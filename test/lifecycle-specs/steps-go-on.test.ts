import { describe, expect, test } from "vitest";
import { createHistory } from "#specs/decide/history.ts";
import { compile } from "#specs/decide/tables.ts";
import { PhaseId, RuleId, StepId, ZoneId } from "#specs/ids.ts";
import type { Phase, Step, StepTransition } from "#specs/lifecycle.ts";
import { StepTracker } from "#specs/steps.ts";
import { EXAMPLE } from "./decide/examples/lifecycle.ts";

const CYCLE = PhaseId("cycle");
const [CHARGE, HOLD, TURN] = [StepId("charge"), StepId("hold"), StepId("turn")];
const ARM = RuleId("arm");

const step = (id: StepId, next: readonly StepTransition[]): Step => ({ id, says: id, rules: [], next });
const armed: StepTransition = { to: HOLD, event: "command", rule: ARM, outcome: "answered-ok" };
const later = (ms: number): StepTransition => ({ to: TURN, event: "after", ms });
const STEPS = [step(CHARGE, [armed]), step(HOLD, [later(3000)]), step(TURN, [])];

/** A tracker of tables in which the phase has these steps. */
function trackerOf(steps: readonly Step[], id = CYCLE): StepTracker {
  const [initial] = steps;
  const phase: Phase = {
    ...{ id, zone: ZoneId("works"), says: "A cycle.", rules: [], steps, transitions: [], containment: false },
    ...(initial === undefined ? {} : { initial: initial.id }),
  };
  const lifecycle = { ...EXAMPLE.lifecycle, phases: [...EXAMPLE.lifecycle.phases, phase] };
  return new StepTracker(compile({ ...EXAMPLE, lifecycle }, "switch"));
}

/** In charge since 0 and, perhaps, in hold since 1000. */
function begun(): StepTracker {
  const tracker = trackerOf(STEPS);
  tracker.enter(CYCLE, [CHARGE], 0);
  tracker.command(ARM, "answered-ok", 1000);
  return tracker;
}

const none = createHistory(compile(EXAMPLE, "switch"));

describe("a tracker of other tables goes on", () => {
  test("in the same possible steps, in whatever order they are written, and counts their times on", () => {
    const tracker = trackerOf([...STEPS].reverse());
    expect(tracker.goOn(begun(), 2000)).toBe(true);
    expect(new Set(tracker.position?.steps)).toEqual(new Set([CHARGE, HOLD]));
    expect(tracker.observe(none, 3999)).toBe(false);
    expect(tracker.observe(none, 4000)).toBe(true);
    expect(tracker.position?.steps).toContain(TURN);
  });

  test("a step that leads on otherwise than before begins now", () => {
    const tracker = trackerOf([step(CHARGE, [armed]), step(HOLD, [later(2500)]), step(TURN, [])]);
    tracker.goOn(begun(), 2000);
    expect(tracker.observe(none, 4499)).toBe(false);
    expect(tracker.observe(none, 4500)).toBe(true);
  });

  test("without a step that is gone, and without one that is new", () => {
    const tracker = trackerOf([step(CHARGE, [armed]), step(StepId("new"), [])]);
    expect(tracker.goOn(begun(), 2000)).toBe(true);
    expect(tracker.position).toEqual({ phase: CYCLE, steps: [CHARGE] });
  });

  test("in a phase that has no steps any more", () => {
    const tracker = trackerOf([]);
    expect(tracker.goOn(begun(), 2000)).toBe(true);
    expect(tracker.position).toEqual({ phase: CYCLE, steps: [] });
  });
});

describe("it does not, and holds nothing", () => {
  test.each([
    { name: "the phase is not there", tracker: () => trackerOf(STEPS, PhaseId("other")), from: begun },
    { name: "none of the possible steps is", tracker: () => trackerOf([step(TURN, [])]), from: begun },
    { name: "nothing was held before", tracker: () => trackerOf(STEPS), from: () => trackerOf(STEPS) },
    {
      name: "the phase had no steps, and has some now: all of them would be possible",
      tracker: () => trackerOf(STEPS),
      from: () => {
        const tracker = trackerOf([]);
        tracker.enter(CYCLE, [], 0);
        return tracker;
      },
    },
  ])("$name", ({ tracker, from }) => {
    const made = tracker();
    expect(made.goOn(from(), 2000)).toBe(false);
    expect(made.position).toBeUndefined();
  });
});
