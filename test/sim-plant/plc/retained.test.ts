import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PROGRAM_PLC1 } from "#sim/plc/program-plc1.ts";
import { replay } from "#sim/plc/replay.ts";
import { Retained } from "#sim/plc/retained.ts";
import { NO_GUARD, scanCycle, tagValues } from "#sim/plc/scan-cycle.ts";
import { type ScanRecord, scanLine } from "#sim/plc/scan-log.ts";
import { TagId } from "#specs/ids.ts";

const TAGS = new Set(["MV101.CMD", "FIC101.SP"].map((name) => TagId(name)));
let folder: string;
let file: string;
const said: string[] = [];
const retained = () => new Retained(file, TAGS, (says) => void said.push(says));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sekisho-retain-"));
  file = join(folder, "plc-1.retain.json");
  said.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what the network wrote outlives a loss of power, measurements do not", () => {
  expect([...retained().load()]).toEqual([]);
  retained().keep(tagValues({ "MV101.CMD": 1, "FIC101.SP": 24.7, LIT101: 1.2 }));
  expect(Object.fromEntries(retained().load())).toEqual({ "MV101.CMD": 1, "FIC101.SP": 24.7 });
  expect(readdirSync(folder)).toEqual(["plc-1.retain.json"]);
});

test("nothing is written while nothing changes", () => {
  const memory = retained();
  memory.keep(tagValues({ "MV101.CMD": 1, "FIC101.SP": 24.7, LIT101: 1.2 }));
  rmSync(file);
  memory.keep(tagValues({ "MV101.CMD": 1, "FIC101.SP": 24.7, LIT101: 1.3 }));
  expect(existsSync(file)).toBe(false);
});

test.each([
  { name: "cut short", text: '{"MV101.CMD":' },
  { name: "no object", text: "7" },
  { name: "no numbers", text: '{"MV101.CMD":"1","FIC101.SP":null}' },
  { name: "other tags", text: '{"P101.CMD":1}' },
])("a file that is $name gives nothing back", ({ text }) => {
  writeFileSync(file, text);
  expect([...retained().load()]).toEqual([]);
});

test("a folder that cannot be written to is said once, and the scan goes on", () => {
  rmSync(folder, { recursive: true });
  const memory = retained();
  memory.keep(tagValues({ "MV101.CMD": 1 }));
  memory.keep(tagValues({ "MV101.CMD": 1 }));
  expect(said).toEqual([expect.stringContaining("cannot be kept")]);
});

test("a scan log that begins with retained values replays from them", () => {
  const kept = { "MV101.CMD": 1 };
  const field = { LIT101: 1, FIT101: 0, AIT201: 0, "MV101.POS": 0, "MV101.OPEN": 0, "P101.RUN": 0, "P201.RUN": 0 };
  const inputs = {
    ...{ scan: 1, atMs: 100, dtMs: 100 },
    ...{ field: tagValues(field), writes: tagValues({}), forces: tagValues({}) },
  };
  const result = scanCycle(PROGRAM_PLC1, PROGRAM_PLC1.write(PROGRAM_PLC1.initial, tagValues(kept)), inputs, NO_GUARD);
  expect(result.outputs.get(TagId("MV101.OUT"))).toBe(1);
  const log: readonly ScanRecord[] = [JSON.parse(scanLine(inputs, [], result, kept))];
  expect(replay(PROGRAM_PLC1, log, undefined)).toEqual({ scans: 1, differs: undefined });
  const without = log.map(({ retained: _left, ...record }) => record);
  expect(replay(PROGRAM_PLC1, without, undefined).differs?.scan).toBe(1);
});
