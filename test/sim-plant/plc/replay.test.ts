import { expect, test } from "vitest";
import { PROGRAM_PLC1 } from "#sim/plc/program-plc1.ts";
import { replay } from "#sim/plc/replay.ts";
import { scanCycle, tagValues } from "#sim/plc/scan-cycle.ts";
import { RecordedGuard, type ScanRecord, scanLine } from "#sim/plc/scan-log.ts";
import { random } from "#sim/random.ts";
import { DeviceId, Epoch, PhaseId, StepId, ZoneId } from "#specs/ids.ts";
import { waterBundle } from "../water-bundle.ts";

const bundle = waterBundle();
const PLC1 = DeviceId("plc-1");

/** Two hundred scans under an enforcing guard: phases come and go, writes are good and bad, the lease ends and comes back. */
function record(seed: number): readonly ScanRecord[] {
  const guard = new RecordedGuard(bundle, PLC1, "enforce");
  const rng = random(seed, "test");
  const at = (phase: string, steps: readonly string[], epoch: number, atMs: number) => ({
    zone: ZoneId("works"),
    phase: PhaseId(phase),
    steps: steps.map(StepId),
    epoch: Epoch(epoch),
    atMs,
  });
  let memory = PROGRAM_PLC1.initial;
  const lines: string[] = [];
  for (let scan = 1; scan <= 200; scan += 1) {
    const atMs = scan * 100;
    if (scan === 5) guard.adopt(at("startup", ["prime"], 1, atMs), atMs);
    if (scan === 60) guard.adopt(at("normal", ["produce"], 2, atMs), atMs);
    if (scan === 80) guard.renew(1000, 8000);
    if (scan === 120) guard.checkLease(9500);
    if (scan === 150) guard.adopt(at("normal", ["produce"], 2, atMs), atMs);
    if (scan % 10 === 0) guard.observeOthers(atMs, tagValues({ LIT401: 1 + rng() }));
    const inputs = {
      scan,
      atMs,
      dtMs: 100,
      field: tagValues({
        LIT101: 0.2 + rng(),
        FIT101: 30 * rng(),
        AIT201: 2,
        "MV101.POS": 100,
        "MV101.OPEN": 1,
        "P101.RUN": 1,
        "P201.RUN": 0,
      }),
      writes: tagValues(scan % 7 === 0 ? { "P101.CMD": 1, "FIC101.SP": 5 + 14 * rng(), "DOS201.SP": 4 * rng() } : {}),
      forces: tagValues(scan > 180 ? { "P201.OUT": 90 } : {}),
    };
    const events = guard.takeEvents();
    const result = scanCycle(PROGRAM_PLC1, memory, inputs, guard);
    memory = result.memory;
    lines.push(scanLine(inputs, events, result));
  }
  return lines.map((line) => JSON.parse(line));
}

const guard = () => new RecordedGuard(bundle, PLC1, "enforce");

test("a scan log replays to the same bytes, the guard's decisions included", () => {
  const log = record(1);
  const outcomes = new Set(
    log.map(({ writes, out }) => (Object.keys(writes).length === 0 ? 0 : Object.keys(out.accepted).length)),
  );
  expect(outcomes.size, "some writes were refused, some taken").toBeGreaterThan(1);
  expect(replay(PROGRAM_PLC1, log, guard())).toEqual({ scans: 200, differs: undefined });
});

test("one changed input is found at its scan", () => {
  const log = record(1).map((entry) =>
    entry.scan === 90 ? { ...entry, field: { ...entry.field, FIT101: 1 } } : entry,
  );
  expect(replay(PROGRAM_PLC1, log, guard()).differs?.scan).toBe(90);
});

test("without the guard's messages the outcome is another", () => {
  const log = record(1).map((entry) => ({ ...entry, guard: [] }));
  expect(replay(PROGRAM_PLC1, log, guard()).differs).toBeDefined();
});

test("a lease that nobody ever renewed ends at the same scan again", () => {
  const recorded = new RecordedGuard(bundle, PLC1, "enforce");
  recorded.restore(JSON.stringify({ epoch: 3, phase: "normal", steps: ["produce"] }), 0);
  let memory = PROGRAM_PLC1.initial;
  const lines: string[] = [];
  for (let scan = 1; scan <= 150; scan += 1) {
    const atMs = scan * 100;
    const inputs = {
      ...{ scan, atMs, dtMs: 100 },
      field: tagValues({
        ...{ LIT101: 1.5, FIT101: 30, AIT201: 2, "MV101.POS": 100 },
        ...{ "MV101.OPEN": 1, "P101.RUN": 1, "P201.RUN": 1 },
      }),
      // Allowed in normal, not when isolated.
      writes: tagValues({ "LIT101.SP": 1.4 + (scan % 3) / 10 }),
      forces: tagValues({}),
    };
    const events = recorded.takeEvents();
    const result = scanCycle(PROGRAM_PLC1, memory, inputs, recorded);
    memory = result.memory;
    lines.push(scanLine(inputs, events, result));
    recorded.checkLease(5000 + atMs);
  }
  const log: readonly ScanRecord[] = lines.map((line) => JSON.parse(line));
  expect(log.some((entry) => entry.guard.some((event) => "leaseEnded" in event))).toBe(true);
  expect(replay(PROGRAM_PLC1, log, guard())).toEqual({ scans: 150, differs: undefined });
});
