import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExerciseResult } from "#sim/exercises/result.ts";
import { PROGRAM_PLC1 } from "#sim/plc/program-plc1.ts";
import { PROGRAM_PLC2 } from "#sim/plc/program-plc2.ts";
import { replay } from "#sim/plc/replay.ts";
import { RecordedGuard, type ScanRecord } from "#sim/plc/scan-log.ts";
import type { Bundle } from "#specs/bundle.ts";
import { DeviceId } from "#specs/ids.ts";
import { sekisho } from "../support/cli.ts";
import { bundleOfRun } from "../support/run-bundle.ts";
import { scanRecords } from "../support/scan-records.ts";

const SEED = 14;
const LIMIT_MS = 85_000;

/** An exercise under attack leaves logs from which every scan of both PLCs can be had again, the guards' decisions included. */
describe("the scan logs of an attacked plant", () => {
  let folder: string;
  let bundle: Bundle;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sekisho-replay-"));
    const flags = ["--mode", "enforce", "--seed", String(SEED), "--json", "--evidence", folder];
    const { stdout, stderr } = await sekisho(["exercise", "run", "first-run", ...flags], LIMIT_MS);
    expect(stdout, stderr).not.toBe("");
    const result: ExerciseResult = JSON.parse(stdout);
    expect(result.attacks.length).toBeGreaterThan(0);
    bundle = bundleOfRun(join(folder, `first-run-enforce-${SEED}`));
  }, LIMIT_MS);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const records = (device: string) => scanRecords(join(folder, `first-run-enforce-${SEED}`, `${device}.scans.jsonl`));
  const guard = (device: string) => new RecordedGuard(bundle, DeviceId(device), "enforce");
  const run = (device: string, log: readonly ScanRecord[]) =>
    device === "plc-1" ? replay(PROGRAM_PLC1, log, guard(device)) : replay(PROGRAM_PLC2, log, guard(device));

  test.each(["plc-1", "plc-2"])(
    "%s: the same inputs give the same decisions, outputs and variables, byte for byte",
    (device) => {
      const log = records(device);
      expect(log.length).toBeGreaterThan(1000);
      expect(log.map(({ scan }) => scan)).toEqual(log.map((_record, i) => i + 1));
      expect(log.some((record) => record.guard.length > 0)).toBe(true);
      expect(run(device, log)).toEqual({ scans: log.length, differs: undefined });
    },
  );

  test("the log says enough to matter: one input changed by the last digit is found at its scan", () => {
    const log = records("plc-1");
    const at = log.findIndex(({ field }) => (field["FIT101"] ?? 0) > 20);
    expect(at).toBeGreaterThan(0);
    const changed = log.map((record, i) =>
      i === at ? { ...record, field: { ...record.field, FIT101: (record.field["FIT101"] ?? 0) + 0.1 } } : record,
    );
    expect(run("plc-1", changed).differs?.scan).toBe(log[at]?.scan);
  });
});
