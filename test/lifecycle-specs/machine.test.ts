import { describe, expect, test } from "vitest";
import { createActor } from "xstate";
import type { Position } from "#specs/decide/observation.ts";
import { PhaseId, PlantId, StepId, ZoneId } from "#specs/ids.ts";
import type { Lifecycle, Phase, Transition } from "#specs/lifecycle.ts";
import { nextPosition, toMachine } from "#specs/machine.ts";
import { exitsOf, initialPosition } from "#specs/positions.ts";
import { loaded, small } from "./specs.ts";

const SPECS: readonly (readonly [string, Lifecycle])[] = [
  ["small", small().lifecycle],
  ["water-treatment", loaded("water-treatment").lifecycle],
];

/** Every phase, and every step of it. */
function positionsOf({ phases }: Lifecycle): readonly Position[] {
  return phases.flatMap((phase) =>
    phase.steps.length === 0
      ? [{ phase: phase.id, steps: [] }]
      : phase.steps.map(({ id }) => ({ phase: phase.id, steps: [id] })),
  );
}

/** Where an event leads by the lifecycle itself, without the machine. */
function expected(lifecycle: Lifecycle, position: Position, event: string): Position | undefined {
  const phase = lifecycle.phases.find(({ id }) => id === position.phase);
  const step = phase?.steps.find(({ id }) => id === position.steps[0]);
  const next = step?.next.find((_, n) => event === `step.${n}`);
  if (next !== undefined) return { phase: position.phase, steps: [next.to] };
  const exit = exitsOf(lifecycle, position.phase).find((candidate) => candidate.event === event)?.transition.to;
  const contained = lifecycle.containments.find(
    ({ from, to }) => from.includes(position.phase) && event === `containment.${to}`,
  )?.to;
  const target = lifecycle.phases.find(({ id }) => id === (exit ?? contained));
  return target === undefined ? undefined : initialPosition(target);
}

describe.each(SPECS)("%s", (_name, lifecycle) => {
  const machine = toMachine(lifecycle);

  test("from every position every event leads where the lifecycle says, or nowhere", () => {
    const events = new Set([
      ...lifecycle.phases.flatMap(({ id }) => exitsOf(lifecycle, id).map(({ event }) => event)),
      ...lifecycle.containments.map(({ to }) => `containment.${to}`),
      ...["step.0", "step.1", "condition.7", "request.nothing", ""],
    ]);
    for (const position of positionsOf(lifecycle)) {
      for (const type of events) {
        const want = expected(lifecycle, position, type);
        const got = nextPosition(machine, position, { type });
        expect(got, `${JSON.stringify(position)} ${type}`).toEqual(
          want === undefined ? { ok: false, error: "no-transition" } : { ok: true, value: want },
        );
      }
    }
  });

  test("its content is data only", () => {
    expect(JSON.parse(JSON.stringify(machine.config))).toEqual(machine.config);
  });

  test("phases and steps carry their rules", () => {
    for (const { id, rules, steps } of lifecycle.phases) {
      expect(machine.getStateNodeById(`lifecycle.${id}`).meta).toMatchObject({ kind: "phase", phase: id, rules });
      for (const step of steps) {
        expect(machine.getStateNodeById(`lifecycle.${id}.${step.id}`).meta).toMatchObject({
          kind: "step",
          rules: step.rules,
        });
      }
    }
  });

  test("an actor starts in the initial phase", () => {
    const actor = createActor(machine).start();
    const [first] = lifecycle.phases;
    expect(actor.getSnapshot().value).toEqual(first?.id);
    actor.stop();
  });
});

describe("no transition", () => {
  const { lifecycle } = small();
  const machine = toMachine(lifecycle);

  test("from a phase or step that the lifecycle does not have", () => {
    const none = { ok: false, error: "no-transition" };
    expect(nextPosition(machine, { phase: PhaseId("nowhere"), steps: [] }, { type: "request.stop" })).toEqual(none);
    expect(nextPosition(machine, { phase: PhaseId("run"), steps: [StepId("x")] }, { type: "request.stop" })).toEqual(
      none,
    );
    expect(nextPosition(machine, { phase: PhaseId("limited"), steps: [] }, { type: "request.stop" })).toEqual(none);
  });

  test("where a guard throws", () => {
    const guarded = toMachine(lifecycle);
    const node = guarded.getStateNodeById("lifecycle.off");
    for (const transition of node.transitions.get("request.start") ?? []) {
      transition.guard = () => {
        throw new Error("a guard that fails");
      };
    }
    expect(nextPosition(guarded, { phase: PhaseId("off"), steps: [] }, { type: "request.start" })).toEqual({
      ok: false,
      error: "no-transition",
    });
  });

  test("a set of possible steps: the first that answers the event", () => {
    const both = { phase: PhaseId("run"), steps: [StepId("keep"), StepId("fill")] };
    expect(nextPosition(machine, both, { type: "step.0" })).toEqual({
      ok: true,
      value: { phase: "run", steps: ["fill"] },
    });
  });
});

test("a lifecycle that begins within a group", () => {
  const { lifecycle } = small();
  const actor = createActor(
    toMachine({ ...lifecycle, regions: lifecycle.regions.map((r) => ({ ...r, initial: PhaseId("limited.local") })) }),
  ).start();
  expect(actor.getSnapshot().value).toEqual({ limited: "local" });
  actor.stop();
});

describe("several zones", () => {
  const go = (request: string, to: string, also: readonly string[] = []): Transition => ({
    event: "operator",
    request,
    roles: ["operator"],
    persons: 1,
    to: PhaseId(to),
    with: also.map(PhaseId),
    window: [],
  });
  const phase = (zone: string, name: string, transitions: readonly Transition[]): Phase => ({
    id: PhaseId(`${zone}.${name}`),
    zone: ZoneId(zone),
    says: "",
    rules: [],
    steps: [],
    transitions,
    containment: false,
  });
  const lifecycle: Lifecycle = {
    plant: PlantId("two"),
    version: 1,
    regions: ["feed", "burner", "stack"].map((zone) => ({
      zone: ZoneId(zone),
      initial: PhaseId(`${zone}.off`),
      isolated: PhaseId(`${zone}.off`),
    })),
    leaseMs: 1000,
    skewMs: 100,
    changeMs: 1000,
    rules: [],
    phases: [
      phase("feed", "off", [go("start", "feed.on"), go("start-both", "feed.on", ["burner.on"])]),
      phase("feed", "on", [go("stop", "feed.off")]),
      phase("burner", "off", [go("start", "burner.on")]),
      phase("burner", "on", [go("stop", "burner.off")]),
      phase("stack", "off", [go("start", "stack.on")]),
      phase("stack", "on", [go("stop", "stack.off")]),
    ],
    containments: [],
  };
  const machine = toMachine(lifecycle);
  const run = (...events: readonly string[]) => {
    const actor = createActor(machine).start();
    for (const type of events) actor.send({ type });
    return actor.getSnapshot().value;
  };

  test("run side by side: an event moves its own zone only", () => {
    expect(run("burner.request.start")).toEqual({ feed: "off", burner: "on", stack: "off" });
    expect(run("burner.request.start", "feed.request.start", "burner.request.stop")).toEqual({
      feed: "on",
      burner: "off",
      stack: "off",
    });
  });

  test("a transition over two zones moves both and leaves the third where it is", () => {
    expect(run("stack.request.start", "feed.request.start-both")).toEqual({ feed: "on", burner: "on", stack: "on" });
  });

  test("the next position of one zone does not depend on where the others stand", () => {
    const next = (at: string, type: string) => nextPosition(machine, { phase: PhaseId(at), steps: [] }, { type });
    expect(next("burner.off", "burner.request.start")).toEqual({ ok: true, value: { phase: "burner.on", steps: [] } });
    expect(next("burner.on", "burner.request.start")).toEqual({ ok: false, error: "no-transition" });
    expect(next("feed.off", "burner.request.stop")).toEqual({ ok: false, error: "no-transition" });
  });
});
