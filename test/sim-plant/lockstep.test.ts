import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readRecords } from "#sim/plant/plant-log.ts";
import { PROGRAM_PLC1 } from "#sim/plc/program-plc1.ts";
import { PROGRAM_PLC2 } from "#sim/plc/program-plc2.ts";
import { replay } from "#sim/plc/replay.ts";
import type { ScanRecord } from "#sim/plc/scan-log.ts";
import { runTwin } from "#sim/twin.ts";
import { runLockstep } from "./lockstep-run.ts";
import { waterBundle } from "./water-bundle.ts";

const UNTIL_MS = 160_000;
const SEED = 3;

describe("a quiet run over real sockets, through maintenance, a start that is broken off, and one that is not", () => {
  const runDir = mkdtempSync(join(tmpdir(), "sekisho-lockstep-"));
  const read = (name: string) => readFileSync(join(runDir, name), "utf8").trim().split("\n");

  beforeAll(
    () => runLockstep({ instance: 61, seed: SEED, script: "quiet-day", untilMs: UNTIL_MS, runDir, opcua: true }),
    60_000,
  );
  afterAll(() => rmSync(runDir, { recursive: true }));

  test("is byte for byte the in-process twin of the same seed", () => {
    const { plant, lifecycle } = waterBundle();
    const twin = runTwin({ plant, lifecycle, seed: SEED, script: "quiet-day", untilMs: UNTIL_MS });
    expect(twin.positions.at(-1)?.position.phase).toBe("normal");
    expect(read("plant.jsonl").join("\n")).toBe(twin.log.join("\n"));
    expect(readRecords(read("plant.jsonl").join("\n"))).toEqual(twin.records);
  });

  test("every write was answered ok, over Modbus and OPC UA, from the station that may make it", () => {
    const writes = read("operator.jsonl")
      .map((line) => JSON.parse(line))
      .filter((entry) => "tag" in entry);
    expect(writes.length).toBeGreaterThan(20);
    expect(writes.filter(({ result }) => result !== "ok")).toEqual([]);
    expect(new Set(writes.map(({ protocol }) => protocol))).toEqual(new Set(["modbus", "opcua"]));
    expect(writes.filter(({ phase }) => phase === "maintenance").every(({ from }) => from === "ews-1")).toBe(true);
  });

  test("replaying the scan logs gives the same bytes", () => {
    const scans = (device: string): readonly ScanRecord[] =>
      read(`${device}.scans.jsonl`).map((line) => JSON.parse(line));
    expect(replay(PROGRAM_PLC1, scans("plc-1"), undefined)).toEqual({ scans: UNTIL_MS / 100, differs: undefined });
    expect(replay(PROGRAM_PLC2, scans("plc-2"), undefined)).toEqual({ scans: UNTIL_MS / 100, differs: undefined });
  });
});

test("where there is one address only, source ports tell the stations apart, and the run is the same", async () => {
  const runDir = mkdtempSync(join(tmpdir(), "sekisho-single-"));
  const untilMs = 30_000;
  await runLockstep({ instance: 61, seed: 4, script: "quiet-day", untilMs, runDir, opcua: false, single: true });
  const { plant, lifecycle } = waterBundle();
  const twin = runTwin({ plant, lifecycle, seed: 4, script: "quiet-day", untilMs });
  expect(readFileSync(join(runDir, "plant.jsonl"), "utf8").trim()).toBe(twin.log.join("\n"));
  rmSync(runDir, { recursive: true });
}, 30_000);
