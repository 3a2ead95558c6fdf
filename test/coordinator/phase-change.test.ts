import { describe, expect, test } from "vitest";
import {
  beginChange,
  type ChangeState,
  type ChangeStep,
  REPEAT_MS,
  STAGE_MS,
  stepChange,
} from "#coordinator/phase-change.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { firstWorld, keyOf, next, planOf, type Scenario, settle, type World } from "./phase-change-model.ts";

const AT = (realMs: number) => ({ realMs, atMs: 0, stageMs: STAGE_MS });

function orders(step: ChangeStep): string[] {
  return step.outputs.map((o) =>
    o.kind === "order" ? `${o.order.order}${"layer" in o.order ? ` ${o.order.layer}` : ""}` : o.kind,
  );
}

function agree(state: ChangeState, point: string, agreed = true): ChangeStep {
  const order = state.at.stage;
  if (order !== "prepare" && order !== "window" && order !== "take" && order !== "abort") throw new Error(order);
  const answer = { point, layer: "plc" as const, change: "c-2", order, agreed, says: "not now" };
  return stepChange(state, { kind: "answer", answer }, AT(0));
}

describe("a planned change", () => {
  test("goes prepare, window from the top, commit, take from the bottom", () => {
    const seen: string[] = [];
    let step = beginChange(planOf({ emergency: false, withoutAbsent: false }), AT(0));
    for (const point of ["hmi", "switch", "plc", "hmi", "switch", "plc"]) {
      seen.push(...orders(step));
      step = agree(step.state, point);
    }
    seen.push(...orders(step));
    step = stepChange(step.state, { kind: "durable" }, AT(0));
    for (const point of ["plc", "switch", "hmi"]) {
      seen.push(...orders(step));
      step = agree(step.state, point);
    }
    seen.push(...orders(step));
    const windows = ["window hmi", "window switch", "window plc"];
    expect(seen).toEqual(["prepare", ...windows, "commit", "take plc", "take switch", "take hmi", "done"]);
  });

  test("that widens is not begun while a point cannot be reached, and names it", () => {
    const step = beginChange(
      planOf({ emergency: false, withoutAbsent: false }, (layer) => layer !== "plc"),
      AT(0),
    );
    expect(step.state.at).toMatchObject({
      stage: "aborted",
      because: expect.stringContaining("plc cannot be reached"),
    });
  });

  test("that leads to safety goes on without an absent and a refusing point, and reports both", () => {
    const step = beginChange(
      planOf({ emergency: false, withoutAbsent: true }, (layer) => layer !== "plc"),
      AT(0),
    );
    const refused = agree(step.state, "switch", false);
    expect([...refused.state.without]).toEqual([
      ["plc", "not reachable"],
      ["switch", "not now"],
    ]);
    expect(orders(agree(refused.state, "hmi"))).toEqual(["window hmi"]);
  });

  test("repeats an unanswered order, and takes it back after the time-out", () => {
    const first = beginChange(planOf({ emergency: false, withoutAbsent: false }), AT(0));
    const repeated = stepChange(first.state, { kind: "time" }, AT(REPEAT_MS));
    expect(orders(repeated)).toEqual(["prepare"]);
    const ended = stepChange(repeated.state, { kind: "time" }, AT(STAGE_MS));
    expect(orders(ended)).toEqual(["abort"]);
  });

  test("waits longer for the HMI layer's window alone, which first judges what its mirror shows late", () => {
    const late = (realMs: number) => ({ ...AT(realMs), drainMs: 1000 });
    const agreed = (state: ChangeState, point: string): ChangeState => {
      const { at } = state;
      if (at.stage !== "prepare" && at.stage !== "window") throw new Error(at.stage);
      const answer = { point, layer: "plc", change: "c-2", order: at.stage, agreed: true, says: "" } as const;
      return stepChange(state, { kind: "answer", answer }, late(0)).state;
    };
    const prepared = beginChange(planOf({ emergency: false, withoutAbsent: false }), late(0)).state;
    const hmi = ["hmi", "switch", "plc"].reduce(agreed, prepared);
    const atSwitch = agreed(hmi, "hmi");
    expect([prepared, hmi, atSwitch].map(({ stageEndsMs }) => stageEndsMs - STAGE_MS)).toEqual([0, 1000, 0]);
  });

  test("whose commit record cannot be written goes back to old whole", () => {
    let step = beginChange(planOf({ emergency: false, withoutAbsent: false }), AT(0));
    for (const point of ["hmi", "switch", "plc", "hmi", "switch", "plc"]) step = agree(step.state, point);
    expect(orders(stepChange(step.state, { kind: "cancel", because: "disk full" }, AT(0)))).toEqual(["abort"]);
  });
});

test("after the commit nothing takes a change back", () => {
  const first = beginChange(planOf({ emergency: true, withoutAbsent: true }), AT(0));
  const taking = stepChange(first.state, { kind: "durable" }, AT(0));
  const cancelled = stepChange(taking.state, { kind: "cancel", because: "too late" }, AT(0));
  expect([cancelled.state.at.stage, orders(cancelled)]).toEqual(["take", []]);
});

test("an emergency change commits first and then takes everywhere at once", () => {
  const first = beginChange(planOf({ emergency: true, withoutAbsent: true }), AT(0));
  expect(orders(first)).toEqual(["commit"]);
  const taken = stepChange(first.state, { kind: "durable" }, AT(0));
  expect(orders(taken)).toEqual(["take all"]);
});

const SCENARIOS: readonly (Scenario & { readonly name: string })[] = [
  { name: "widening, nobody dies", emergency: false, withoutAbsent: false, deaths: 0 },
  { name: "widening, one death", emergency: false, withoutAbsent: false, deaths: 1 },
  { name: "widening, the PLC layer refuses", emergency: false, withoutAbsent: false, refusing: "plc", deaths: 2 },
  { name: "narrowing, nobody dies", emergency: false, withoutAbsent: true, deaths: 0 },
  { name: "narrowing, one death", emergency: false, withoutAbsent: true, deaths: 1 },
  { name: "narrowing, the switch layer refuses", emergency: false, withoutAbsent: true, refusing: "switch", deaths: 0 },
  { name: "emergency, two deaths", emergency: true, withoutAbsent: true, deaths: 2 },
];

describe("every reachable state, with messages lost, late, doubled and out of order", () => {
  test.each(SCENARIOS)("$name", (scenario) => {
    const { worlds, whole } = explore(scenario);
    expect(worlds.length).toBeGreaterThan(10);
    for (const world of worlds) {
      checkCommitPoint(world);
      if (world.deathsLeft === scenario.deaths) checkOrder(world);
    }
    // Running every state on to its end is dear; every seventh and all of the small models are enough to meet each stage.
    const stride = worlds.length > 3000 ? 7 : 1;
    for (let i = 0; i < worlds.length; i += stride) {
      const world = worlds[i];
      if (world !== undefined) checkEnd(world, settle(world, scenario));
    }
    expect(whole).toBe(true);
  });
});

const MAX_WORLDS = 150_000;

function explore(scenario: Scenario): { readonly worlds: readonly World[]; readonly whole: boolean } {
  const first = firstWorld(scenario);
  const seen = new Set([keyOf(first)]);
  const worlds = [first];
  for (let i = 0; i < worlds.length && worlds.length < MAX_WORLDS; i += 1) {
    const world = worlds[i];
    if (world === undefined) break;
    for (const after of next(world, scenario)) {
      const key = keyOf(after);
      if (seen.has(key)) continue;
      seen.add(key);
      worlds.push(after);
    }
  }
  return { worlds, whole: worlds.length < MAX_WORLDS };
}

/** A layer holds the new phase only once the commit is on record; and an aborted change has left nobody in the new phase. */
function checkCommitPoint(world: World): void {
  const committed = world.record === "committed" || world.record === "standing";
  if (committed) return;
  for (const point of world.points) if (point.holds === "new") throw new Error(`new without a commit: ${keyOf(world)}`);
}

/** Of the layers that take part, an upper one never allows what a lower one has already given up or not yet got. */
function checkOrder(world: World): void {
  const given = world.coordinator?.without ?? new Map<string, string>();
  if (world.coordinator === undefined || world.coordinator.plan.emergency || given.size > 0) return;
  const rank = (layer: Layer): "old" | "window" | "new" => {
    const point = world.points.find((p) => p.layer === layer);
    return point?.holds === "new" ? "new" : point?.narrowed === true ? "window" : "old";
  };
  const stage = world.coordinator.at.stage;
  if (stage === "abort" || stage === "aborted") return;
  for (const [upper, lower] of [
    ["hmi", "switch"],
    ["switch", "plc"],
  ] as const) {
    const narrowedBelow = rank(lower) === "window" && rank(upper) === "old";
    const widenedAbove = rank(upper) === "new" && rank(lower) !== "new";
    if (narrowedBelow || widenedAbove)
      throw new Error(`${upper} ${rank(upper)}, ${lower} ${rank(lower)}: ${keyOf(world)}`);
  }
}

/** Before the commit a change ends in old whole, after it in new everywhere; nobody stays in the window. */
function checkEnd(before: World, end: World): void {
  const committed = end.record === "standing";
  const wasCommitted = before.record === "committed" || before.record === "standing";
  if (wasCommitted && !committed) throw new Error(`a committed change was not finished: ${keyOf(before)}`);
  for (const point of end.points) {
    const right = committed ? point.holds === "new" : point.holds === "old" && !point.narrowed;
    if (!right) throw new Error(`${point.point} ends in the wrong phase: ${keyOf(before)} → ${keyOf(end)}`);
  }
}
