import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { EvidenceLog } from "#coordinator/evidence-log.ts";
import { PhaseRecord, parseEntries, type RecordEntry, summarise } from "#coordinator/phase-record.ts";
import { Epoch, PhaseId, StepId, ZoneId } from "#specs/ids.ts";

const folder = mkdtempSync(join(tmpdir(), "sekisho-record-"));
afterAll(() => rmSync(folder, { recursive: true }));

const zone = ZoneId("works");
const [stopped, startup] = [PhaseId("stopped"), PhaseId("startup")];
const standing = (epoch: number, phase = stopped): RecordEntry => ({
  entry: "standing",
  zone,
  epoch: Epoch(epoch),
  phase,
  steps: [],
});
const change = { zone, change: "c-2", epoch: Epoch(2), from: stopped, to: startup };
const opened: RecordEntry = { entry: "opened", ...change };
const committed: RecordEntry = { entry: "committed", ...change, steps: [StepId("fill")], window: [], emergency: false };
const aborted: RecordEntry = { entry: "aborted", ...change };

describe("what a record amounts to", () => {
  test.each([
    ["nothing", [], { epoch: 0 }],
    ["a standing", [standing(1)], { epoch: 1, standing: { phase: "stopped" } }],
    [
      "an opened change is to be taken back",
      [standing(1), opened],
      { epoch: 2, opened: { change: "c-2" }, standing: { epoch: 1 } },
    ],
    [
      "a committed change is to be rolled forward",
      [standing(1), opened, committed],
      { epoch: 2, opened: undefined, committed: { to: "startup" } },
    ],
    [
      "a finished change",
      [standing(1), opened, committed, standing(2, startup)],
      { epoch: 2, committed: undefined, standing: { phase: "startup" } },
    ],
    [
      "an aborted change has used its epoch up",
      [standing(1), opened, aborted],
      { epoch: 2, opened: undefined, standing: { epoch: 1 } },
    ],
  ])("%s", (_name, entries, want) => {
    expect(summarise(entries, zone)).toMatchObject(want);
  });

  test("a phase of the longest name is found again", () => {
    const long = standing(5, PhaseId("p".repeat(128)));
    expect(parseEntries(`${JSON.stringify(long)}\n`)).toEqual([long]);
  });

  test("a torn or foreign line is no entry", () => {
    const text = `${JSON.stringify(standing(3))}\nnot json\n{"entry":"standing"}\n${JSON.stringify(standing(4)).slice(0, 30)}`;
    expect(parseEntries(text)).toEqual([standing(3)]);
  });
});

test("the record survives a restart and a torn last line, and is rewritten small", () => {
  const dir = join(folder, "a");
  const record = new PhaseRecord(dir);
  for (const entry of [standing(1), opened, aborted]) record.append(entry);
  for (let n = 0; n < 2100; n += 1) record.append(standing(1));
  record.close();
  appendFileSync(join(dir, "phase-record.jsonl"), '{"entry":"committed","zone":"wor');
  const again = new PhaseRecord(dir);
  expect(again.left(zone)).toMatchObject({ epoch: 2, standing: { epoch: 1, phase: "stopped" }, committed: undefined });
  expect(readFileSync(join(dir, "phase-record.jsonl"), "utf8").split("\n").length).toBeLessThan(5);
  again.close();
});

test("the evidence log appends, goes on in new files and keeps a bounded number of them", () => {
  const dir = join(folder, "evidence");
  const log = new EvidenceLog(dir, { maxFileBytes: 300, maxFiles: 3 });
  for (let n = 0; n < 40; n += 1) log.append({ kind: "detection", atMs: n, text: "x".repeat(40) });
  log.close();
  const again = new EvidenceLog(dir, { maxFileBytes: 300, maxFiles: 3 });
  again.append({ kind: "start", atMs: 99 });
  again.close();
  const files = readdirSync(dir).sort();
  expect(files).toHaveLength(3);
  const kept = files.map((name) => readFileSync(join(dir, name), "utf8")).join("");
  expect(kept).toContain('"kind":"start"');
  expect(readFileSync(join(dir, files[0] ?? ""), "utf8")).toMatch(/"kind":"rotation".*"removed":\["evidence-/);
  expect(again.failure).toBeUndefined();
});
