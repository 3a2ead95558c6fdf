import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Guard } from "#plc-guard/guard.ts";
import { DeviceId, Epoch, PhaseId, TagId } from "#specs/ids.ts";
import type { Mode } from "#specs/plant.ts";
import { PLC1, PLC2, position, take, values, WORKS, waterTreatment } from "./support.ts";

const NORMAL = {
  "FIC101.SP": 30,
  "DOS201.SP": 2,
  "LIT101.SP": 1.5,
  "MV101.CMD": 1,
  "P101.CMD": 1,
  AUTO101: 1,
  ESTOP1: 0,
};
const SENSED = { LIT101: 1.5, FIT101: 30, AIT201: 2, "MV101.OPEN": 1, "MV101.POS": 100, "P101.RUN": 1, "P201.RUN": 1 };

function guardIn(phase: string, steps: readonly string[] = [], mode: Mode = "enforce", maxReceipts?: number): Guard {
  const guard = new Guard(waterTreatment(), PLC1, mode, maxReceipts);
  expect(guard.adopt(position(phase, steps), 0)).toBe(true);
  return guard;
}

const entries = (map: ReadonlyMap<TagId, number>): Record<string, number> => Object.fromEntries(map);

describe("network writes", () => {
  test("an allowed change is accepted and reported with its rule, scan and old value", () => {
    const guard = guardIn("normal", ["produce"]);
    expect(entries(guard.latch(7, 700, values(NORMAL), values({ "FIC101.SP": 33 })))).toEqual({ "FIC101.SP": 33 });
    expect(guard.takeReceipts()).toMatchObject([
      {
        point: "guard-plc-1",
        layer: "plc",
        seq: 1,
        atMs: 700,
        epoch: 1,
        phase: "normal",
        source: null,
        target: "plc-1",
        operation: "write",
        items: [{ tag: "FIC101.SP", value: 33, before: 30 }],
        verdict: "allow",
        rule: "nm-feed-sp",
        reason: null,
        action: "forwarded",
        scan: 7,
      },
    ]);
  });

  test.each([
    { name: "a dose above the phase's range", write: { "DOS201.SP": 8.2 }, reason: "VALUE_ABOVE" },
    { name: "too large a step", write: { "FIC101.SP": 38 }, reason: "STEP_TOO_LARGE" },
    { name: "the inlet closed in normal", write: { "MV101.CMD": 0 }, reason: "PHASE_FORBIDS" },
    { name: "a tag of another PLC", write: { "FIC401.SP": 30 }, reason: "TAG_UNKNOWN" },
    { name: "a tag that no plant has", write: { XYZ: 1 }, reason: "TAG_UNKNOWN" },
    { name: "a value that is no number", write: { "FIC101.SP": Number.NaN }, reason: "TYPE_MISMATCH" },
    { name: "an infinite value", write: { "FIC101.SP": Number.POSITIVE_INFINITY }, reason: "TYPE_MISMATCH" },
  ])("$name is denied: the variable keeps its value", ({ write, reason }) => {
    const guard = guardIn("normal", ["produce"]);
    expect(entries(guard.latch(1, 100, values(NORMAL), values(write)))).toEqual({});
    const [receipt] = guard.takeReceipts();
    expect(receipt).toMatchObject({ verdict: "deny", reason, action: "blocked" });
    expect(receipt?.says).not.toBe("");
    expect(guard.status()).toMatchObject({ judged: 1, denied: 1 });
  });

  test("each variable of one scan is judged by itself, and unchanged ones not at all", () => {
    const guard = guardIn("normal", ["produce"]);
    const wanted = values({ ...NORMAL, "FIC101.SP": 32, "DOS201.SP": 9 });
    expect(entries(guard.latch(1, 100, values(NORMAL), wanted))).toEqual({ "FIC101.SP": 32 });
    expect(guard.status()).toMatchObject({ judged: 2, denied: 1 });
  });

  test("a rule's rate counts accepted changes in plant time", () => {
    const guard = guardIn("normal", ["produce"]);
    const change = (scan: number, from: number, to: number): number =>
      guard.latch(scan, scan * 100, values({ "FIC101.SP": from }), values({ "FIC101.SP": to })).size;
    expect([change(1, 30, 31), change(2, 31, 32), change(3, 32, 33), change(52, 32, 33)]).toEqual([1, 1, 0, 1]);
  });

  test("a cause that was seen in the scans opens the rule, and its duration counts", () => {
    const guard = guardIn("startup", ["prime"]);
    const start = (atMs: number): number =>
      guard.latch(1, atMs, values({ "P101.CMD": 0 }), values({ "P101.CMD": 1 })).size;
    expect(start(0)).toBe(0);
    guard.outputs(1, 100, values({}), values({ "MV101.OPEN": 1 }));
    // 3 s, less twice the skew of 100 ms.
    expect(start(2899)).toBe(0);
    expect(start(2900)).toBe(1);
    expect(guard.takeReceipts().map((receipt) => receipt.reason)).toEqual(["CAUSE_UNKNOWN", "CAUSE_MISSING", null]);
  });

  test("the emergency stop passes in every phase, and before one is held", () => {
    const { lifecycle } = waterTreatment();
    for (const phase of lifecycle.phases) {
      const guard = guardIn(phase.id, []);
      expect(guard.latch(1, 0, values({ ESTOP1: 0 }), values({ ESTOP1: 1 })).size).toBe(1);
    }
    const joining = new Guard(waterTreatment(), PLC1, "enforce");
    expect(joining.latch(1, 0, values({ ESTOP1: 0 }), values({ ESTOP1: 1 })).size).toBe(1);
  });
});

describe("outputs", () => {
  const OUT = TagId("P201.OUT");
  const run = (guard: Guard, atMs: number, value: number): number | undefined =>
    guard.outputs(atMs / 100, atMs, new Map([[OUT, value]]), values(SENSED)).get(OUT);

  test("an allowed output goes out; a denied one keeps the last allowed value", () => {
    const guard = guardIn("normal", ["produce"]);
    expect([run(guard, 100, 12), run(guard, 200, 80), run(guard, 300, 13)]).toEqual([12, 12, 13]);
    expect(guard.takeReceipts()).toMatchObject([
      {
        operation: "output",
        source: "program",
        reason: "VALUE_ABOVE",
        action: "blocked",
        items: [{ tag: "P201.OUT", value: 80 }],
      },
    ]);
  });

  test("the last allowed value goes too once the phase no longer allows it: then the safe one is put out", () => {
    const guard = guardIn("normal", ["produce"]);
    expect(run(guard, 100, 12)).toBe(12);
    expect(guard.order(take("stopped", 2), 150)).toMatchObject({ agreed: true });
    expect([run(guard, 200, 12), run(guard, 300, 12)]).toEqual([0, 0]);
  });

  test("a pump is stopped when what it needs is gone", () => {
    const guard = guardIn("normal", ["produce"]);
    const feed = TagId("P101.OUT");
    const at = (atMs: number, level: number): number | undefined =>
      guard.outputs(1, atMs, new Map([[feed, 60]]), values({ ...SENSED, LIT101: level })).get(feed);
    expect([at(100, 1.5), at(200, 0.29), at(300, 0.3)]).toEqual([60, 0, 60]);
    expect(guard.takeReceipts()).toMatchObject([{ reason: "CAUSE_MISSING" }]);
  });

  test("a sensor that shows no number makes its condition unknown, not true", () => {
    const guard = guardIn("normal", ["produce"]);
    const feed = TagId("P101.OUT");
    guard.outputs(1, 100, new Map(), values(SENSED));
    expect(guard.outputs(2, 200, new Map([[feed, 60]]), values({ LIT101: Number.NaN })).get(feed)).toBe(0);
    expect(guard.takeReceipts()).toMatchObject([{ reason: "CAUSE_UNKNOWN" }]);
  });

  test("the safe value is never withheld, in no phase and before one is held", () => {
    const outputs = waterTreatment().plant.tags.filter((tag) => tag.kind === "output" && tag.device === PLC1);
    const safe = new Map(outputs.map((tag) => [tag.id, tag.safe ?? 0]));
    const { phases } = waterTreatment().lifecycle;
    const guards = [new Guard(waterTreatment(), PLC1, "enforce"), ...phases.map((phase) => guardIn(phase.id))];
    for (const guard of guards) expect(guard.outputs(1, 100, safe, values({}))).toEqual(safe);
  });

  test("a repeated deny of one output is reported once per second, and counted", () => {
    const guard = guardIn("normal", ["produce"]);
    for (let atMs = 0; atMs < 2500; atMs += 100) run(guard, atMs, 80 + atMs / 1000);
    expect(guard.takeReceipts().map((receipt) => receipt.atMs)).toEqual([0, 1000, 2000]);
    expect(guard.status()).toMatchObject({ denied: 25, suppressed: 22, lost: 0 });
  });

  test("an output of another PLC has no place in the image", () => {
    const guard = guardIn("normal", ["produce"]);
    expect(entries(guard.outputs(1, 100, values({ "P401.OUT": 50, NONE: 1 }), values(SENSED)))).toEqual({});
  });
});

describe("modes", () => {
  test("monitor records and does not act", () => {
    const guard = guardIn("normal", ["produce"], "monitor");
    expect(entries(guard.latch(1, 100, values(NORMAL), values({ "DOS201.SP": 9 })))).toEqual({ "DOS201.SP": 9 });
    expect(entries(guard.outputs(1, 100, values({ "P201.OUT": 80 }), values(SENSED)))).toEqual({ "P201.OUT": 80 });
    expect(guard.takeReceipts()).toMatchObject([
      { verdict: "deny", action: "forwarded" },
      { verdict: "deny", action: "forwarded" },
    ]);
  });

  test("off passes everything and records nothing", () => {
    const guard = guardIn("normal", ["produce"], "off");
    expect(entries(guard.latch(1, 100, values(NORMAL), values({ ...NORMAL, "DOS201.SP": 9 })))).toEqual({
      "DOS201.SP": 9,
    });
    expect(entries(guard.outputs(1, 100, values({ "P201.OUT": 80 }), values(SENSED)))).toEqual({ "P201.OUT": 80 });
    expect(guard.takeReceipts()).toEqual([]);
    expect(guard.status()).toMatchObject({ judged: 0, denied: 0, mode: "off" });
  });
});

describe("the phase", () => {
  test("before one is held, writes are denied and outputs stay safe", () => {
    const guard = new Guard(waterTreatment(), PLC1, "enforce");
    expect(guard.status()).toMatchObject({ state: "joining", phase: null, epoch: null });
    expect(guard.latch(1, 0, values({ "FIC101.SP": 0 }), values({ "FIC101.SP": 5 })).size).toBe(0);
    expect(entries(guard.outputs(1, 0, values({ "P101.OUT": 40, "MV101.OUT": 1 }), values(SENSED)))).toEqual({
      "P101.OUT": 0,
      "MV101.OUT": 0,
    });
    expect(new Set(guard.takeReceipts().map((receipt) => receipt.reason))).toEqual(new Set(["PHASE_UNKNOWN"]));
  });

  test("an older epoch is refused", () => {
    const guard = guardIn("normal", ["produce"]);
    expect(guard.order(take("shutdown", 3), 0)).toMatchObject({ agreed: true });
    expect(guard.order(take("normal", 2), 0)).toMatchObject({ agreed: false });
    expect(guard.adopt(position("normal", [], 2), 0)).toBe(false);
    expect(guard.status()).toMatchObject({ phase: "shutdown", epoch: 3 });
  });

  test("in a window only what old and new both allow passes", () => {
    const guard = guardIn("normal", ["produce"]);
    const change = {
      zone: WORKS,
      change: "c2",
      epoch: Epoch(2),
      to: PhaseId("degraded.dosing-held"),
      steps: [],
      atMs: 0,
    };
    expect(guard.order({ ...change, order: "prepare", from: PhaseId("normal"), window: [] }, 0)?.agreed).toBe(true);
    expect(guard.order({ ...change, order: "window", layer: "plc" }, 0)?.agreed).toBe(true);
    const wanted = values({ "FIC101.SP": 31, "DOS201.SP": 2.2 });
    expect(entries(guard.latch(1, 100, values(NORMAL), wanted))).toEqual({ "FIC101.SP": 31 });
  });

  test("the end of the lease leads to the isolated phase, a new position back", () => {
    const guard = guardIn("normal", ["produce"]);
    guard.renew(10_000, 5000);
    expect(guard.checkLease(14_999)).toBe(false);
    expect(guard.checkLease(15_000)).toBe(true);
    expect(guard.checkLease(15_001)).toBe(false);
    expect(guard.status()).toMatchObject({ state: "isolated", phase: "degraded.local-control", epoch: 1 });
    expect(guard.latch(1, 100, values(NORMAL), values({ "FIC101.SP": 31 })).size).toBe(0);
    expect(entries(guard.outputs(1, 100, values({ "P101.OUT": 50 }), values(SENSED)))).toEqual({ "P101.OUT": 50 });
    expect(guard.adopt(position("normal", ["produce"]), 200)).toBe(true);
    expect(guard.status()).toMatchObject({ state: "in-force", phase: "normal" });
  });

  test("a restarted guard comes back on its last epoch", () => {
    const guard = guardIn("normal", ["produce"]);
    guard.order(take("degraded.dosing-held", 9), 0);
    const again = new Guard(waterTreatment(), PLC1, "enforce");
    expect(again.restore(guard.save(), 0)).toBe(true);
    expect(again.status()).toMatchObject({ state: "in-force", phase: "degraded.dosing-held", epoch: 9 });
    expect(again.order(take("normal", 9), 0)).toMatchObject({ agreed: false });
  });

  test.each(["", "{}", '{"epoch":1,"phase":"no-such-phase","steps":[]}', '{"epoch":-1,"phase":"normal","steps":[]}'])(
    "what is no saved phase is not taken up: %s",
    (text) => {
      const guard = new Guard(waterTreatment(), PLC1, "enforce");
      expect(guard.restore(text, 0)).toBe(false);
      expect(guard.status().state).toBe("joining");
    },
  );

  test("steps follow what the scans show", () => {
    const guard = new Guard(waterTreatment(), PLC2, "enforce");
    guard.adopt(position("normal", ["produce"]), 0);
    const open = (atMs: number): number =>
      guard.latch(1, atMs, values({ "V301.CMD": 0 }), values({ "V301.CMD": 1 })).size;
    expect(open(100)).toBe(0);
    guard.outputs(1, 200, new Map(), values({ "BW301.ACTIVE": 1 }));
    expect(open(300)).toBe(1);
  });

  test("steps follow what other PLCs report, but nobody else speaks for this PLC's tags", () => {
    const guard = new Guard(waterTreatment(), PLC2, "enforce");
    guard.adopt(position("startup", ["dose-check"]), 0);
    guard.observeOthers(0, values({ AIT201: 1, "BW301.ACTIVE": 1, LIT401: 2 }));
    guard.observeOthers(3000, values({ AIT201: 1 }));
    expect(guard.status().steps).toEqual(["dose-check", "ramp"]);
    expect(guard.latch(1, 3000, values({ "P401.CMD": 0 }), values({ "P401.CMD": 1 })).size).toBe(0);
    expect(guard.takeReceipts()).toMatchObject([{ reason: "CAUSE_UNKNOWN" }]);
  });
});

describe("bounds", () => {
  test.each([
    { denies: 4, kept: [1, 2, 3, 4], lost: 0 },
    { denies: 5, kept: [2, 3, 4, 5], lost: 1 },
  ])("$denies receipts in a ring of 4: $lost lost, the oldest first", ({ denies, kept, lost }) => {
    const guard = guardIn("normal", ["produce"], "enforce", 4);
    for (let scan = 1; scan <= denies; scan += 1)
      guard.latch(scan, scan * 100, values(NORMAL), values({ "DOS201.SP": 9 }));
    expect(guard.status()).toMatchObject({ waiting: 4, lost });
    expect(guard.takeReceipts().map((receipt) => receipt.seq)).toEqual(kept);
    expect(guard.status()).toMatchObject({ waiting: 0, lost });
  });

  test("only a declared PLC has a guard", () => {
    expect(() => new Guard(waterTreatment(), DeviceId("plc-9"), "enforce")).toThrow("device `plc-9` is not in plant");
    expect(() => new Guard(waterTreatment(), DeviceId("hmi-1"), "enforce")).toThrow("only a PLC has a guard");
  });
});

describe("properties", () => {
  const tags = [...waterTreatment().plant.tags.map((tag) => tag.id), TagId("no-such-tag")];
  const anyValues = fc.array(fc.tuple(fc.constantFrom(...tags), fc.double({ min: -10, max: 120 })), { maxLength: 12 });
  const wild = fc.array(fc.tuple(fc.constantFrom(...tags), fc.double()), { maxLength: 12 });
  const scans = fc.array(fc.record({ before: anyValues, wanted: wild, outputs: wild, seen: wild, atMs: fc.double() }), {
    minLength: 1,
    maxLength: 6,
  });
  const phases = fc.option(fc.constantFrom(...waterTreatment().lifecycle.phases.map((phase) => phase.id)));

  test("never throws, and accepts nothing but wanted changes", () => {
    fc.assert(
      fc.property(scans, phases, (run, phase) => {
        const guard = new Guard(waterTreatment(), PLC1, "enforce");
        if (phase !== null) guard.adopt(position(phase), 0);
        for (const [scan, { before, wanted, outputs, seen, atMs }] of run.entries()) {
          const asked = new Map(wanted);
          const accepted = guard.latch(scan, atMs, new Map(before), asked);
          for (const [tag, value] of accepted) expect(Object.is(asked.get(tag), value)).toBe(true);
          guard.outputs(scan, atMs, new Map(outputs), new Map(seen));
        }
        expect(guard.status().waiting).toBeLessThanOrEqual(512);
      }),
      { numRuns: 150 },
    );
  });

  test("every value in the output image is finite, within the tag's range, and of this PLC", () => {
    const declared = new Map(waterTreatment().plant.tags.map((tag) => [tag.id, tag]));
    fc.assert(
      fc.property(scans, phases, (run, phase) => {
        const guard = new Guard(waterTreatment(), PLC1, "enforce");
        if (phase !== null) guard.adopt(position(phase), 0);
        for (const [scan, { outputs, seen, atMs }] of run.entries()) {
          for (const [id, value] of guard.outputs(scan, atMs, new Map(outputs), new Map(seen))) {
            const tag = declared.get(id);
            expect(tag?.device).toBe(PLC1);
            expect(value).toBeGreaterThanOrEqual((tag?.range[0] ?? Number.NaN) - 1e-6);
            expect(value).toBeLessThanOrEqual((tag?.range[1] ?? Number.NaN) + 1e-6);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
