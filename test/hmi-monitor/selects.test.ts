import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import { HEARTBEAT_MS, type NoticeMessage, type ReceiptMessage } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import { type Judged, Point } from "#point/point.ts";
import { MAX_SELECTS, Selects } from "#point/selects.ts";
import { buildBundle } from "#specs/bundle.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { Capture } from "./capture.ts";

/** The inlet valve is operated in two messages: coil 4 selects it, coil 0 operates it within two seconds. */
const WITHIN_MS = 2000;
const common = { from: [DeviceId("hmi-1")], operation: "write", targets: [DeviceId("plc-1")], raw: [] } as const;
const held = { mode: "enforce", safety: false } as const;
const SELECT: Rule = { id: RuleId("valve-select"), says: "Select.", ...common, tags: [TagId("AUTO101")], ...held };
const OPERATE: Rule = {
  ...{ id: RuleId("valve-operate"), says: "Operate.", ...common, tags: [TagId("MV101.CMD")], ...held },
  value: { oneOf: [1] },
  causality: { follows: { rule: SELECT.id, withinMs: WITHIN_MS, once: true, select: true } },
};
const { plant, lifecycle } = waterTreatment();
const bundle = buildBundle(plant, { ...lifecycle, rules: [SELECT, OPERATE, ...lifecycle.rules] });
const GONE_MS = WITHIN_MS + 2 * lifecycle.skewMs;

const select = (n: number) => adu(n, "05 0004 ff00");
const operate = (n: number, value = "ff00") => adu(n, `05 0000 ${value}`);

const folder = mkdtempSync(join(tmpdir(), "sekisho-selects-"));
let [nowMs, runs, shown] = [0, 0, 0];
let log = "";
let point: Point;
let monitor: Monitor;
let capture: Capture;

beforeEach(async () => {
  vi.useFakeTimers();
  [nowMs, shown, runs] = [1_000_000, 0, runs + 1];
  log = join(folder, `${runs}.jsonl`);
  const clock: PlantClock = { now: () => nowMs, on: () => undefined, close: () => undefined };
  point = new Point({
    ...{ point: "hmi-monitor", layer: "hmi", bundle, mode: "enforce", passive: true, clock, logFile: log },
    standalonePhase: PhaseId("stopped"),
  });
  await point.start();
  monitor = new Monitor(point, plant, new Map([[1502, "modbus"]]));
  capture = new Capture({ ip: "127.10.2.1", port: 1502 }, 40_001);
});
afterEach(() => vi.useRealTimers());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function passes(ms: number): Promise<void> {
  for (const record of capture.records.slice(shown)) monitor.frame({ ...record, timeMs: nowMs });
  shown = capture.records.length;
  nowMs += ms;
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
}

async function told() {
  await passes(0);
  vi.useRealTimers();
  await point.close();
  const lines = readFileSync(log, "utf8").trim().split("\n");
  const all = lines.map((line): { kind: string } & ReceiptMessage & NoticeMessage => JSON.parse(line));
  return {
    receipts: all
      .filter(({ kind }) => kind === "receipt")
      .map(({ seq, rule, reason, select: of }) => [seq, reason ?? rule, of?.seq ?? null]),
    unfinished: all.filter(({ code }) => code === "COMMAND_UNFINISHED").map(({ says, severity }) => [severity, says]),
  };
}

describe("select and operate are one command in two messages", () => {
  test("the operate's receipt names that of its select, and nothing is left unfinished", async () => {
    capture.up(select(1)).down(select(1)).up(operate(2)).down(operate(2));
    await passes(10 * GONE_MS);
    expect(await told()).toEqual({
      receipts: [
        [1, "valve-select", null],
        [2, "valve-operate", 1],
      ],
      unfinished: [],
    });
  });

  test("a select that is not operated in time is told once, and lets nothing be operated any more", async () => {
    capture.up(select(1)).down(select(1));
    await passes(GONE_MS + 1);
    await passes(GONE_MS + 1);
    capture.up(operate(2));
    expect(await told()).toEqual({
      receipts: [
        [1, "valve-select", null],
        [2, "ORDER_MISSING", null],
      ],
      unfinished: [["info", "AUTO101 was selected (receipt 1), and not operated within 2.2 s"]],
    });
  });

  test("a select that the server refused is over, and is no command that was not finished", async () => {
    capture.up(select(1)).down(adu(1, "85 04"));
    await passes(GONE_MS + 1);
    expect((await told()).unfinished).toEqual([]);
  });

  test("of two selects each is operated once, in their order", async () => {
    capture.up(select(1)).down(select(1)).up(select(2)).down(select(2));
    capture.up(operate(3)).down(operate(3)).up(operate(4)).down(operate(4)).up(operate(5));
    expect((await told()).receipts.slice(2)).toEqual([
      [3, "valve-operate", 1],
      [4, "valve-operate", 2],
      [5, "ORDER_USED", null],
    ]);
  });

  test("an operate of another value than is allowed names its select, and does not use it up", async () => {
    capture.up(select(1)).down(select(1)).up(operate(2, "0000")).up(operate(3));
    expect((await told()).receipts.slice(1)).toEqual([
      [2, "VALUE_NOT_LISTED", 1],
      [3, "valve-operate", 1],
    ]);
  });
});

test("selects that wait are bounded: the oldest is forgotten", () => {
  const selects = new Selects(bundle.lifecycle);
  const observation: Observation = {
    ...{ source: DeviceId("hmi-1"), sourceAddress: "", target: DeviceId("plc-1"), link: undefined },
    ...{ operation: "write", message: "", items: [] },
  };
  const judged = (rule: RuleId, atMs: number): Judged => ({
    ...{ tables: compile(bundle, "hmi"), observation, action: "forwarded", atMs, epoch: null, phase: null },
    verdict: { verdict: "allow", rule, safety: false },
  });
  for (let n = 0; n <= MAX_SELECTS; n += 1) selects.reported(judged(SELECT.id, n), "forwarded", n);
  expect(selects.size).toBe(MAX_SELECTS);
  expect(selects.operatedBy(judged(OPERATE.id, MAX_SELECTS))).toEqual({ seq: 1, atMs: 1 });
});
