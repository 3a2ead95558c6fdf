import { describe, expect, test } from "vitest";
import type { Detection } from "#coordinator/page-messages.ts";
import { type AttackId, findAttack } from "#sim/attacks/catalogue.ts";
import { type AttackRun, type Evidence, type OperatorCommand, score } from "#sim/exercises/score.ts";
import type { PlantRecord } from "#sim/water/harm.ts";

// An over-dose of 8.2 mg/L from 100 s to 110 s of a run of 200 s; each case says what is different in it.

const BEGIN_MS = 100_000;
const END_MS = 200_000;

function attackRun(id: AttackId = "hmi-overdose", over: Partial<AttackRun> = {}): AttackRun {
  const attack = findAttack(id);
  if (attack === undefined) throw new Error(`no attack ${id}`);
  const actions = [{ atMs: BEGIN_MS + 1000, tag: "DOS201.SP", value: 8.2 }];
  return { attack, fromMs: BEGIN_MS, toMs: BEGIN_MS + 10_000, actions, ...over };
}

function detection(over: Partial<Detection> = {}): Detection {
  return {
    id: "d-1",
    atMs: BEGIN_MS + 1000,
    lastMs: BEGIN_MS + 1000,
    count: 1,
    judgedMs: BEGIN_MS + 1500,
    realMs: 0,
    severity: "alarm",
    locus: ["hmi"],
    confidence: 1,
    says: "Operator station hmi-1 tried to set DOS201.SP = 8.2 mg/L at plc-1",
    row: "hmi-sent-it",
    sight: { hmi: "seen-violating", switch: "seen-violating", plc: "not-applicable" },
    reason: "VALUE_ABOVE",
    rule: "nm-dose-sp",
    tags: ["DOS201.SP"],
    source: "hmi-1",
    target: "plc-1",
    phase: "normal",
    epoch: 3,
    blocked: true,
    evidence: [],
    ...over,
  };
}

function plant(over: (record: PlantRecord) => Partial<PlantRecord> = () => ({})): readonly PlantRecord[] {
  return Array.from({ length: END_MS / 500 + 1 }, (_, i) => {
    const record = {
      atMs: i * 500,
      level101: 1.5,
      level401: 1.4,
      chlorine401: 1.8,
      spilled101L: 0,
      spilled401L: 0,
      dry101Ms: 0,
      dry401Ms: 0,
      deliveredM3: i * 0.004,
    };
    return { ...record, ...over(record) };
  });
}
const overdosed = plant(({ atMs }) => ({ chlorine401: atMs > BEGIN_MS + 30_000 ? 5 : 1.8 }));

const sent = (atMs: number, result: OperatorCommand["result"], value = 2): OperatorCommand => ({
  atMs,
  tag: "DOS201.SP",
  value,
  result,
});

/** Everything goes as it should in enforce. */
function evidence(over: Partial<Evidence> = {}): Evidence {
  return {
    exercise: "test",
    seed: 1,
    mode: "enforce",
    attacks: [attackRun()],
    detections: [detection()],
    denials: 1,
    operator: [sent(50_000, "ok")],
    accepted: [{ atMs: 50_100, accepted: { "DOS201.SP": 2 } }],
    changes: [
      { atMs: BEGIN_MS + 1500, to: "degraded.hmi-quarantined", emergency: true },
      { atMs: BEGIN_MS + 20_000, to: "recovery.verify", emergency: false },
      { atMs: BEGIN_MS + 40_000, to: "normal", emergency: false },
    ],
    plant: plant(),
    undisturbed: plant(),
    endMs: END_MS,
    productionAtLeast: 0.5,
    ...over,
  };
}

const inMonitor = {
  mode: "monitor",
  detections: [detection({ blocked: false })],
  accepted: [{ atMs: BEGIN_MS + 1100, accepted: { "DOS201.SP": 8.2 } }],
  changes: [],
  plant: overdosed,
} as const satisfies Partial<Evidence>;
const off = { ...inMonitor, mode: "off", detections: [], denials: 0 } as const satisfies Partial<Evidence>;
const quiet = { attacks: [], detections: [], denials: 0, changes: [] } as const satisfies Partial<Evidence>;

describe("whether an exercise passes", () => {
  test.each<[string, Partial<Evidence>, string[]]>([
    ["enforce: prevented, located, contained, led back", {}, []],
    ["enforce: the value reached the PLC", { accepted: inMonitor.accepted }, ["hmi-overdose put a value into a PLC"]],
    [
      "enforce: detected, not contained",
      { changes: [] },
      ["hmi-overdose was not contained", "the plant was not led back to normal after hmi-overdose"],
    ],
    [
      "enforce: contained, never led back",
      { changes: evidence().changes.slice(0, 2) },
      ["the plant was not led back to normal after hmi-overdose"],
    ],
    [
      "enforce: located elsewhere",
      { detections: [detection({ locus: ["path-hmi-switch"] })] },
      ["hmi-overdose was located at path-hmi-switch, not at hmi"],
    ],
    [
      "enforce: only a notice",
      { detections: [detection({ severity: "notice", locus: [] })] },
      ["hmi-overdose was not detected", "hmi-overdose was located at no place, not at hmi"],
    ],
    ["enforce: harmed", { plant: overdosed }, ["the plant was harmed"]],
    [
      "enforce: a third of the water",
      { plant: plant(({ deliveredM3 }) => ({ deliveredM3: deliveredM3 / 3 })) },
      ["only 0.333 of the water was produced"],
    ],
    ["monitor: seen and let through", inMonitor, []],
    [
      "monitor: something was blocked",
      { ...inMonitor, detections: [detection()] },
      ["something was blocked in monitor mode"],
    ],
    ["monitor: contained", { ...inMonitor, changes: evidence().changes }, ["a containment was taken in monitor mode"]],
    [
      "monitor: not seen",
      { ...inMonitor, detections: [] },
      ["hmi-overdose was not detected", "hmi-overdose was located at no place, not at hmi"],
    ],
    ["off: harm was done", off, []],
    ["off: no harm was done", { ...off, plant: plant() }, ["nothing was harmed although nothing stood in the way"]],
    ["no attack: nothing happens", quiet, []],
    [
      "no attack: a command was refused",
      { ...quiet, operator: [{ ...sent(50_000, "error"), told: "Timed out" }, sent(60_000, "exception")] },
      ["2 benign commands were refused, first DOS201.SP = 2 at 50 s of plant time (error: Timed out)"],
    ],
    [
      "no attack: a false alarm",
      { ...quiet, detections: [detection()], denials: 1 },
      ["1 denials without an attack", "1 detections without an attack"],
    ],
  ])("%s", (_name, over, failures) => {
    const result = score(evidence(over));
    expect([result.passed, result.failures]).toEqual([failures.length === 0, failures]);
  });
});

describe("commands of the operator that did not succeed", () => {
  test.each<[string, OperatorCommand[], Partial<Evidence>, { falseBlocks: number; cut: number }]>([
    ["refused in quiet operation", [sent(50_000, "exception")], {}, { falseBlocks: 1, cut: 0 }],
    ["connection lost in quiet operation", [sent(50_000, "error")], {}, { falseBlocks: 1, cut: 0 }],
    ["in the last round that the plant recorded", [sent(END_MS, "error")], { attacks: [] }, { falseBlocks: 1, cut: 0 }],
    ["while everything is being stopped", [sent(END_MS + 500, "error")], { attacks: [] }, { falseBlocks: 0, cut: 0 }],
    ["connection lost during the attack", [sent(BEGIN_MS + 5000, "error")], {}, { falseBlocks: 0, cut: 0 }],
    ["refused during the attack", [sent(BEGIN_MS + 5000, "exception")], {}, { falseBlocks: 1, cut: 0 }],
    ["under way at the emergency change", [sent(BEGIN_MS + 2900, "exception")], {}, { falseBlocks: 0, cut: 1 }],
    ["later than that", [sent(BEGIN_MS + 3001, "exception")], {}, { falseBlocks: 1, cut: 0 }],
    [
      "changed by the man in the middle",
      [sent(BEGIN_MS + 1200, "exception", 2)],
      { attacks: [attackRun("mitm-setpoint")], changes: [] },
      { falseBlocks: 0, cut: 0 },
    ],
    [
      "another tag than the one he changed",
      [{ ...sent(BEGIN_MS + 1200, "exception"), tag: "FIC101.SP" }],
      { attacks: [attackRun("mitm-setpoint")], changes: [] },
      { falseBlocks: 1, cut: 0 },
    ],
  ])("%s", (_name, operator, over, want) => {
    expect(score(evidence({ operator, ...over }))).toMatchObject(want);
  });
});

describe("what is measured of an attack", () => {
  test("time to detect ends when the coordinator judged, not when the message passed", () => {
    expect(score(evidence()).attacks[0]).toMatchObject({ detected: true, timeToDetectMs: 500, layer: "hmi" });
  });

  test("the first judgement counts; a notice before it does not", () => {
    const detections = [
      detection({ id: "d-1", severity: "notice", locus: [], atMs: BEGIN_MS + 900, judgedMs: BEGIN_MS + 900 }),
      detection({ id: "d-2", judgedMs: BEGIN_MS + 2200 }),
      detection({ id: "d-3", atMs: BEGIN_MS + 1100, judgedMs: BEGIN_MS + 1700 }),
    ];
    expect(score(evidence({ detections })).attacks[0]?.timeToDetectMs).toBe(700);
  });

  test("a detection of long before is not of this attack", () => {
    const detections = [detection({ atMs: 20_000, lastMs: 20_000, judgedMs: 20_400 })];
    expect(score(evidence({ detections })).attacks[0]).toMatchObject({ detected: false, timeToDetectMs: null });
  });

  test("containment and recovery are timed from the first malicious message and from the degraded phase", () => {
    const { timeToContainMs, timeToRecoverMs } = score(evidence());
    expect([timeToContainMs, timeToRecoverMs]).toEqual([500, 38_500]);
  });

  test("the operator's own value in the PLC is not the attacker's", () => {
    const run = attackRun("hmi-overdose", { actions: [{ atMs: BEGIN_MS + 1000, tag: "DOS201.SP", value: 2 }] });
    const same = {
      operator: [sent(BEGIN_MS + 800, "ok")],
      accepted: [{ atMs: BEGIN_MS + 900, accepted: { "DOS201.SP": 2 } }],
    };
    expect(score(evidence({ attacks: [run], ...same })).attacks[0]?.prevented).toBe(true);
    expect(score(evidence({ attacks: [run], ...same, operator: [] })).attacks[0]?.prevented).toBe(false);
  });
});
