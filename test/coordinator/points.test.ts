import { describe, expect, test } from "vitest";
import { Points, SILENT_AFTER_MS } from "#coordinator/points.ts";
import { HEARTBEAT_MS, type StatusMessage } from "#point/bus.ts";
import { Epoch, PhaseId, ZoneId } from "#specs/ids.ts";

const normal = PhaseId("normal");

function status(over: Partial<StatusMessage> = {}): StatusMessage {
  return {
    point: "hmi-monitor",
    layer: "hmi",
    state: "in-force",
    says: "",
    mode: "enforce",
    zone: ZoneId("works"),
    phase: normal,
    steps: [],
    epoch: Epoch(4),
    bundle: "b",
    pid: 1,
    atMs: 1000,
    judgedUpToMs: 1000,
    judged: 0,
    denied: 0,
    lost: 0,
    ...over,
  };
}

function known(...statuses: StatusMessage[]): Points {
  const points = new Points([{ point: "hmi-monitor", layer: "hmi" }]);
  for (const message of statuses) points.onStatus(message, 0, 0);
  return points;
}

test("an expected point is missing, up, silent after three heartbeats, and down when its connection ends", () => {
  const points = known();
  expect(points.health("hmi-monitor", 0)).toBe("missing");
  points.onStatus(status(), 0, 0);
  expect(SILENT_AFTER_MS).toBe(3 * HEARTBEAT_MS);
  expect(points.health("hmi-monitor", SILENT_AFTER_MS)).toBe("up");
  expect(points.health("hmi-monitor", SILENT_AFTER_MS + 1)).toBe("silent");
  points.onPresence("hmi-monitor", false);
  expect(points.health("hmi-monitor", 0)).toBe("down");
});

test.each([
  ["in-force", "up"],
  ["isolated", "isolated"],
  ["joining", "joining"],
  ["blind", "blind"],
  ["down", "down"],
] as const)("a status `%s` is shown as %s", (state, health) => {
  expect(known(status({ state })).health("hmi-monitor", 0)).toBe(health);
});

test("a point agrees when it holds the coordinator's phase and epoch", () => {
  const views = (epoch: number) => known(status()).views(0, { phase: normal, epoch: Epoch(epoch) });
  expect([views(4)[0]?.agrees, views(5)[0]?.agrees]).toEqual([true, false]);
});

test("an expected point takes part even while it is away; another only while it is live", () => {
  const points = known(status(), status({ point: "extra", layer: "plc" }));
  expect(points.participants(0).map((p) => [p.point, p.reachable])).toEqual([
    ["hmi-monitor", true],
    ["extra", true],
  ]);
  expect(points.participants(SILENT_AFTER_MS + 1)).toEqual([{ point: "hmi-monitor", layer: "hmi", reachable: false }]);
});

describe("what a layer saw", () => {
  test("nothing before its first word", () => {
    const points = known(status({ atMs: 1000 }));
    expect([points.saw("hmi", 999, 0), points.saw("hmi", 1001, 0)]).toEqual([false, true]);
  });

  test("nothing while it is blind, joining or restarted; all of it after that", () => {
    const blind = status({ state: "blind", atMs: 2000, judgedUpToMs: 2000 });
    const points = known(status(), blind, status({ atMs: 3000, judgedUpToMs: 3000 }));
    expect([1001, 2500, 3001].map((atMs) => (points.saw("hmi", atMs, 0) ? atMs : 0))).toEqual([0, 0, 3001]);
    const restarted = known(status(), status({ pid: 2, atMs: 3000, judgedUpToMs: 3000 }));
    expect([restarted.saw("hmi", 2000, 0), restarted.saw("hmi", 3001, 0)]).toEqual([false, true]);
  });

  test("a dead point still vouches for what it had reported", () => {
    const points = known(status(), status({ atMs: 2000, judgedUpToMs: 2000 }));
    points.onPresence("hmi-monitor", false);
    expect([points.saw("hmi", 1500, 0), points.saw("hmi", 2100, 0)]).toEqual([true, false]);
    expect(points.judgedUpToMs("hmi", 0)).toBe(Number.NEGATIVE_INFINITY);
  });

  test("a layer without points sees nothing", () => {
    expect(known().saw("switch", 1, 0)).toBe(false);
  });
});

test("who is behind a plant time", () => {
  const points = known(status({ judgedUpToMs: 900 }));
  expect([points.behind(1000, 0), points.behind(900, 0)]).toEqual([["hmi-monitor"], []]);
  expect(points.behind(1000, SILENT_AFTER_MS + 1)).toEqual([]);
});
