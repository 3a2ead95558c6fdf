import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Monitor } from "#hmi-monitor/monitor.ts";
import { HEARTBEAT_MS } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import { type OwnNotice, Point } from "#point/point.ts";
import { buildBundle } from "#specs/bundle.ts";
import { DeviceId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { waterTreatment } from "../support/plant.ts";
import { adu } from "../switch-filter/raw-client.ts";
import { Capture } from "./capture.ts";

/** What the HMI asks, and what it is told, stops coming: seen on the mirror as what is missing. */
const PLC1 = { ip: "127.10.2.1", port: 1502 };
const period = { cadence: { period: { everyMs: 1000, jitterMs: 200 } } };
const common = { raw: [], mode: "enforce", safety: false } as const;
const POLLS: Rule = {
  ...{ ...common, ...period, id: RuleId("hmi-polls"), says: "The operator station asks for the level." },
  ...{ from: [DeviceId("hmi-1")], operation: "read", targets: [DeviceId("plc-1")], tags: [TagId("LIT101")] },
};
const TOLD: Rule = {
  ...{ ...common, ...period, id: RuleId("level-told"), says: "The operator station is told the level." },
  ...{ from: [DeviceId("plc-1")], operation: "report", targets: [DeviceId("hmi-1")], tags: [TagId("LIT101")] },
};
let nowMs = 1_000_000;
let point: Point;
let monitor: Monitor;
let notices: OwnNotice[];
let capture: Capture;
let shown = 0;

beforeEach(async () => {
  vi.useFakeTimers();
  nowMs = 1_000_000;
  const { plant, lifecycle } = waterTreatment();
  const clock: PlantClock = { now: () => nowMs, on: () => undefined, close: () => undefined };
  point = new Point({
    ...{
      point: "hmi-monitor",
      layer: "hmi",
      mode: "enforce",
      passive: true,
      clock,
      standalonePhase: PhaseId("stopped"),
    },
    bundle: buildBundle(plant, { ...lifecycle, rules: [POLLS, TOLD, ...lifecycle.rules] }),
  });
  await point.start();
  notices = [];
  vi.spyOn(point, "notice").mockImplementation((notice) => void notices.push(notice));
  monitor = new Monitor(point, plant, new Map([[PLC1.port, "modbus"]]));
  capture = new Capture(PLC1, 40_001);
  shown = 0;
});
afterEach(async () => {
  await point.close();
  vi.useRealTimers();
});

/** A second goes by in which the level is asked for, or answered, or neither. */
async function second(deed: { readonly ask: boolean; readonly tell: boolean }, n: number): Promise<void> {
  nowMs += 1000;
  if (deed.ask) capture.up(adu(n, "04 0000 0001"));
  if (deed.tell) capture.down(adu(n, "04 02 03e8"));
  for (const record of capture.records.slice(shown)) monitor.frame({ ...record, timeMs: nowMs });
  shown = capture.records.length;
  await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
}

const missed = () => notices.filter(({ code }) => code === "PERIOD_MISSED").map(({ says }) => says);

test("as long as the level is asked for and told, nothing is missed", async () => {
  for (let n = 1; n <= 5; n += 1) await second({ ask: true, tell: true }, n);
  expect(missed()).toEqual([]);
});

test("a server that no longer answers is missed by what it told, and not by what it is asked", async () => {
  for (let n = 1; n <= 3; n += 1) await second({ ask: true, tell: true }, n);
  for (let n = 4; n <= 6; n += 1) await second({ ask: true, tell: false }, n);
  expect(missed()).toEqual(["no message of `level-told` for more than 1.2 s: The operator station is told the level."]);
});

test("an operator station that no longer asks is missed in both, once each, and again after it came back", async () => {
  for (let n = 1; n <= 3; n += 1) await second({ ask: true, tell: true }, n);
  for (let n = 4; n <= 7; n += 1) await second({ ask: false, tell: false }, n);
  expect(missed().map((says) => says.split("`")[1])).toEqual(expect.arrayContaining(["hmi-polls", "level-told"]));
  expect(missed()).toHaveLength(2);
  await second({ ask: true, tell: true }, 8);
  for (let n = 9; n <= 11; n += 1) await second({ ask: false, tell: false }, n);
  expect(missed()).toHaveLength(4);
});

test("as long as the layer is blind nothing is missed, and each is waited for anew when it sees again", async () => {
  for (let n = 1; n <= 3; n += 1) await second({ ask: true, tell: true }, n);
  point.setBlind("the mirror is unplugged");
  for (let n = 4; n <= 9; n += 1) await second({ ask: false, tell: false }, n);
  point.setBlind(undefined);
  await second({ ask: false, tell: false }, 10);
  expect(missed()).toEqual([]);
  for (let n = 11; n <= 13; n += 1) await second({ ask: false, tell: false }, n);
  expect(missed()).toHaveLength(2);
});
