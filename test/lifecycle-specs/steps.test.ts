import { describe, expect, test } from "vitest";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, PhaseId, RuleId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import type { Condition, Mask, Phase, Step, StepTransition } from "#specs/lifecycle.ts";
import { StepTracker } from "#specs/steps.ts";
import { EXAMPLE } from "./decide/examples/lifecycle.ts";
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

/** charge (1 s at least, 5 s at most) ─ arm answered → hold ─ 3 s → run ─ level → charge; charge ─ drain forwarded → vent */
const CYCLE = PhaseId("cycle");
const [CHARGE, HOLD, TURN, VENT] = [StepId("charge"), StepId("hold"), StepId("turn"), StepId("vent")];
const [ARM, DRAIN] = [RuleId("arm"), RuleId("drain")];
const high: Condition = { all: [{ tag: TagId("LEVEL"), test: "at-least", value: 1, release: 0.5 }], forMs: 0 };

function step(id: StepId, next: readonly StepTransition[], more: { minMs?: number; maxMs?: number } = {}): Step {
  return { id, says: id, rules: [], next, ...more };
}

const cycle: Phase = {
  id: CYCLE,
  zone: ZoneId("works"),
  says: "A cycle.",
  rules: [],
  initial: CHARGE,
  steps: [
    step(
      CHARGE,
      [
        { to: HOLD, event: "command", rule: ARM, outcome: "answered-ok" },
        { to: VENT, event: "command", rule: DRAIN, outcome: "forwarded" },
      ],
      { minMs: 1000, maxMs: 5000 },
    ),
    step(HOLD, [{ to: TURN, event: "after", ms: 3000 }], { maxMs: 3000 }),
    step(TURN, [{ to: CHARGE, event: "condition", when: high }]),
    step(VENT, [{ to: HOLD, event: "command", rule: DRAIN, outcome: "forwarded" }]),
  ],
  transitions: [],
  containment: false,
};
const mask: Mask = { origin: CYCLE, level: "cut", subject: { device: DeviceId("hmi-1") } };
const contained: Phase = { ...cycle, id: PhaseId("contained.cycle.hmi-1.cut"), containment: true, mask };
const lifecycle = { ...EXAMPLE.lifecycle, phases: [...EXAMPLE.lifecycle.phases, cycle, contained] };

function cycling(layer: Layer = "switch", phase = CYCLE, steps?: readonly StepId[]) {
  const cycled = compile({ ...EXAMPLE, lifecycle }, layer);
  const tracker = new StepTracker(cycled);
  tracker.enter(phase, steps, 0);
  return { tracker, history: createHistory(cycled) };
}

describe("steps that follow from commands", () => {
  test("an answer leads on where it is asked for, and only of that rule", () => {
    const { tracker } = cycling();
    expect(tracker.command(ARM, "forwarded", 2000)).toBe(false);
    expect(tracker.command(RuleId("rinse"), "answered-ok", 2000)).toBe(false);
    expect(tracker.command(ARM, "answered-ok", 2000)).toBe(true);
    expect(tracker.position?.steps).toEqual([CHARGE, HOLD]);
    expect(tracker.sinceMs).toBe(2000);
    expect(tracker.command(ARM, "answered-ok", 2001)).toBe(false);
  });

  test("one message leads one step on, however the steps hang together", () => {
    const { tracker } = cycling();
    expect(tracker.command(DRAIN, "forwarded", 1000)).toBe(true);
    expect(tracker.position?.steps).toEqual([CHARGE, VENT]);
    expect(tracker.command(DRAIN, "answered-ok", 1001)).toBe(false);
    expect(tracker.command(DRAIN, "forwarded", 1002)).toBe(true);
    expect(tracker.position?.steps).toEqual([CHARGE, HOLD, VENT]);
  });

  test("in a PLC what is let through has happened, and no other answer comes", () => {
    const { tracker } = cycling("plc");
    expect(tracker.command(ARM, "answered-ok", 2000)).toBe(false);
    expect(tracker.command(ARM, "forwarded", 2000)).toBe(true);
    expect(tracker.position?.steps).toEqual([CHARGE, HOLD]);
  });

  test("before its least time a step is not left, and what came then does not count later", () => {
    const { tracker, history } = cycling();
    expect(tracker.command(ARM, "answered-ok", 999)).toBe(false);
    expect(tracker.observe(history, 1000)).toBe(false);
    expect(tracker.command(ARM, "answered-ok", 1000)).toBe(true);
  });
});

describe("steps that follow from time", () => {
  test("counted from when the step became possible", () => {
    const { tracker, history } = cycling();
    tracker.command(ARM, "answered-ok", 1500);
    expect(tracker.observe(history, 4499)).toBe(false);
    expect(tracker.observe(history, 4500)).toBe(true);
    expect(tracker.position?.steps).toEqual([CHARGE, HOLD, TURN]);
  });

  test("a record that confirms a step does not begin it anew; one that names it for the first time begins it", () => {
    const { tracker, history } = cycling();
    tracker.command(ARM, "answered-ok", 1500);
    expect(tracker.record([HOLD], 4000)).toBe(true);
    expect(tracker.observe(history, 4500)).toBe(true);
    tracker.record([CHARGE], 5000);
    tracker.record([HOLD], 6000);
    expect(tracker.observe(history, 8999)).toBe(false);
    expect(tracker.observe(history, 9000)).toBe(true);
  });

  test("a step that joins is asked for its own successors at once, unless it has a least time", () => {
    const { tracker, history } = cycling("switch", CYCLE, [HOLD]);
    observeTag(history, TagId("LEVEL"), 1, 1);
    expect(tracker.observe(history, 3000)).toBe(true);
    expect(tracker.position?.steps).toEqual([CHARGE, HOLD, TURN]);
    tracker.command(ARM, "answered-ok", 3999);
    tracker.record([CHARGE], 3999);
    expect(tracker.command(ARM, "answered-ok", 3999)).toBe(false);
    expect(tracker.command(ARM, "answered-ok", 4000)).toBe(true);
  });

  test("staying longer than a step may last is told, to the millisecond", () => {
    const { tracker } = cycling();
    expect(tracker.overstayed(5000)).toEqual([]);
    expect(tracker.overstayed(5001)).toEqual([CHARGE]);
    tracker.record([HOLD], 5001);
    expect(tracker.overstayed(8001)).toEqual([]);
    expect(tracker.overstayed(8002)).toEqual([HOLD]);
    expect(new StepTracker(tables).overstayed(1e9)).toEqual([]);
  });
});

describe("a generated containment", () => {
  test("has the steps of its origin, and stays itself", () => {
    const { tracker } = cycling("switch", contained.id);
    expect(tracker.position).toEqual({ phase: contained.id, steps: [CHARGE] });
    expect(tracker.command(ARM, "answered-ok", 1000)).toBe(true);
    expect(tracker.position).toEqual({ phase: contained.id, steps: [CHARGE, HOLD] });
  });
});

test("the position is one object until the set changes", () => {
  const { tracker } = cycling();
  const before = tracker.position;
  tracker.record([CHARGE], 10);
  tracker.command(RuleId("rinse"), "forwarded", 20);
  expect(tracker.position).toBe(before);
  tracker.record([HOLD], 30);
  expect(tracker.position).not.toBe(before);
});
