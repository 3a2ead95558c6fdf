import { describe, expect, test } from "vitest";
import { candidates } from "#coordinator/adoption.ts";
import { exitStates, openByItself, Readings, STALE_MS, stepTaken } from "#coordinator/evidence.ts";
import { LifecycleActor } from "#coordinator/lifecycle-actor.ts";
import { answerRequest } from "#coordinator/recovery.ts";
import { PhaseId, StepId, TagId } from "#specs/ids.ts";
import { mayGoWithoutAbsent } from "#specs/widening.ts";
import { LIFECYCLE, PLANT } from "./plant.ts";

const TAGS = PLANT.tags.map((tag) => tag.id);
const startup = PhaseId("startup");

function readings(...seen: readonly (readonly [atMs: number, values: Readonly<Record<string, number>>])[]): Readings {
  const held = new Readings(LIFECYCLE, TAGS);
  for (const [atMs, values] of seen)
    for (const [tag, value] of Object.entries(values)) held.observe(TagId(tag), value, atMs);
  return held;
}

function exits(
  phase: string,
  held: Readings,
  nowMs: number,
  over: { enteredMs?: number; lastDetectionMs?: number } = {},
) {
  const { enteredMs = 0, lastDetectionMs } = over;
  return exitStates(LIFECYCLE, PhaseId(phase), { nowMs, enteredMs, lastDetectionMs, view: held.view(nowMs) });
}

const WORKING = { FIT101: 28, FIT401: 25, LIT401: 1 };

describe("a way out that a condition opens", () => {
  test("only once every part has held for its time without a break", () => {
    const steady = readings([0, WORKING], [1000, WORKING], [2000, WORKING], [3000, WORKING]);
    expect(openByItself(exits("startup", steady, 2999))).toBeUndefined();
    expect(openByItself(exits("startup", steady, 3000))?.event).toBe("condition.0");
    const broken = readings([0, WORKING], [1000, { FIT101: 20 }], [1500, WORKING], [3000, WORKING]);
    expect(openByItself(exits("startup", broken, 3000))).toBeUndefined();
  });

  test("a reading that is stale is not known, and a gap in it breaks the time", () => {
    const old = readings([0, WORKING]);
    expect(exits("startup", old, STALE_MS + 1)[0]?.missing[0]).toContain("is not known now");
    const back = readings([0, WORKING], [10_000, WORKING]);
    expect(openByItself(exits("startup", back, 10_500))).toBeUndefined();
  });

  test("a clean time counts from the last detection, and an `after` from the start of the phase", () => {
    const none = readings();
    const at = (nowMs: number, lastDetectionMs?: number) =>
      exits("recovery.probation", none, nowMs, {
        enteredMs: 1000,
        ...(lastDetectionMs === undefined ? {} : { lastDetectionMs }),
      })[0]?.missing;
    expect(at(11_000)).toEqual([]);
    expect(at(10_000)).toEqual(["1 s of 10 s in this phase remain"]);
    expect(at(11_000, 6000)).toEqual(["5 s more without a new detection (10 s are asked for)"]);
  });
});

describe("requests", () => {
  const contained = exits("degraded.hmi-quarantined", readings(), 10_000, { lastDetectionMs: 8000 });
  test.each([
    ["return-to-normal", "operator", "is not possible yet: 3 s more without a new detection"],
    ["return-to-normal", "viewer", "needs the role operator, not viewer"],
    ["start", "operator", "here one may request return-to-normal, stop"],
  ] as const)("%s by %s is answered with what is missing", (request, role, says) => {
    const answer = answerRequest(PhaseId("degraded.hmi-quarantined"), contained, request, role);
    expect(answer).toMatchObject({ accepted: false, says: expect.stringContaining(says) });
  });

  test("what is open is accepted", () => {
    expect(answerRequest(PhaseId("degraded.hmi-quarantined"), contained, "stop", "operator")).toMatchObject({
      accepted: true,
    });
  });
});

const at = (nowMs: number) => ({ nowMs, stepSinceMs: 0, commanded: () => undefined });

test("steps follow from what was observed", () => {
  const filled = readings([0, { LIT101: 1.3, "MV101.OPEN": 1 }], [1000, { LIT101: 1.3, "MV101.OPEN": 1 }]);
  expect(stepTaken(LIFECYCLE, startup, StepId("fill"), { ...at(900), view: filled.view(900) })).toBeUndefined();
  expect(stepTaken(LIFECYCLE, startup, StepId("fill"), { ...at(1000), view: filled.view(1000) })).toBe(0);
});

test("the actor says where an event leads, takes it, and begins where the record says", () => {
  const actor = new LifecycleActor(LIFECYCLE);
  expect(actor.position).toBeUndefined();
  actor.start({ phase: PhaseId("stopped"), steps: [] });
  expect(actor.leadsTo("request.start")).toEqual({ phase: "startup", steps: ["fill"] });
  expect(actor.leadsTo("request.stop")).toBeUndefined();
  actor.send("request.start");
  actor.send("step.0");
  expect(actor.position).toEqual({ phase: "startup", steps: ["prime"] });
  actor.send("containment.degraded.start-held");
  expect(actor.position).toEqual({ phase: "degraded.start-held", steps: [] });
  actor.stop();
});

test.each([
  ["normal", "shutdown", true],
  ["normal", "degraded.dosing-held", true],
  ["maintenance", "stopped", true],
  ["recovery.probation", "recovery.verify", true],
  ["stopped", "startup", false],
  ["startup", "normal", false],
  ["recovery.verify", "recovery.probation", false],
  ["recovery.probation", "normal", false],
])("from %s to %s absent points may be left out: %s", (from, to, want) => {
  expect(mayGoWithoutAbsent(LIFECYCLE, PhaseId(from), PhaseId(to))).toBe(want);
});

test("adoption: what the outputs do speaks for and against phases", () => {
  const off = readings([
    0,
    { "MV101.OUT": 0, "P101.OUT": 0, "P201.OUT": 0, "P401.OUT": 0, "P301.OUT": 0, "V301.OUT": 0 },
  ]);
  expect(candidates(LIFECYCLE, (tag) => off.get(tag))[0]).toMatchObject({ phase: "stopped", fit: 1, contradicts: [] });
  const running = readings([0, { "P101.OUT": 60, LIT101: 1.5, "P401.OUT": 55, LIT401: 1 }]);
  const all = candidates(LIFECYCLE, (tag) => running.get(tag));
  expect(all.find((c) => c.phase === "stopped")?.contradicts).toEqual([
    "P101.OUT is 60, which no rule of this phase allows",
    "P401.OUT is 55, which no rule of this phase allows",
  ]);
  expect(all[0]?.fit).toBe(1);
});
