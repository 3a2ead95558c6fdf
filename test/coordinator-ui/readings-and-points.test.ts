import { describe, expect, test } from "vitest";
import type { PointHealth } from "#coordinator/page-messages.ts";
import { linkKind, linkLooks, NO_SOCKET, QUIET_AFTER_MS } from "#coordinator/ui/state/link.ts";
import { layers, pointLooks } from "#coordinator/ui/state/points.ts";
import { isStale, readingLooks, STALE_AFTER_MS } from "#coordinator/ui/state/readings.ts";
import { NORMAL, PLANT, pointView, START_REAL_MS } from "./water-treatment-view.ts";

describe("the connection to the coordinator", () => {
  const up = { open: true, ready: true, everReady: true, lastMessageMs: 1000 };
  test.each([
    { name: "before the first answer", facts: NO_SOCKET, nowMs: 0, want: "connecting" },
    { name: "open, no snapshot yet", facts: { ...NO_SOCKET, open: true }, nowMs: 0, want: "connecting" },
    { name: "hearing it", facts: up, nowMs: 1000 + QUIET_AFTER_MS, want: "live" },
    { name: "open without a word", facts: up, nowMs: 1001 + QUIET_AFTER_MS, want: "quiet" },
    { name: "closed", facts: { ...up, open: false, ready: false }, nowMs: 1000, want: "lost" },
    { name: "open again, no snapshot yet", facts: { ...up, ready: false }, nowMs: 1000, want: "lost" },
  ])("$name: $want", ({ facts, nowMs, want }) => expect(linkKind(facts, nowMs)).toBe(want));

  test("losing it is said with its age; being connected is not said", () => {
    expect(linkLooks({ ...up, open: false }, 13_000).says).toMatch(
      /^The connection to the coordinator was lost 12 s ago\./,
    );
    expect(linkLooks(up, 1000).says).toBe("");
  });
});

describe("a reading", () => {
  test("is stale past the limit of plant time, and whenever the coordinator is not heard", () => {
    expect(isStale(0, STALE_AFTER_MS, "live")).toBe(false);
    expect(isStale(0, STALE_AFTER_MS + 1, "live")).toBe(true);
    expect(isStale(0, 0, "lost")).toBe(true);
  });

  test("that never came is unknown and not off", () => {
    const { "P101.RUN": _, ...tags } = NORMAL.tags;
    expect(readingLooks(PLANT, { ...NORMAL, tags }, "P101.RUN", "live")).toMatchObject({
      freshness: "unknown",
      text: "?",
      on: undefined,
    });
  });

  test("says value, unit and age", () => {
    expect(readingLooks(PLANT, NORMAL, "FIT101", "live").says).toBe("FIT101, feed flow: 30.2 m³/h");
    const old = { ...NORMAL, tags: { FIT101: { value: 30.2, atMs: NORMAL.atMs - 12_000 } } };
    expect(readingLooks(PLANT, old, "FIT101", "live").says).toBe(
      "FIT101, feed flow: 30.2 m³/h, stale: last read 12 s ago",
    );
  });
});

describe("an enforcement point", () => {
  const looks = (more: Parameters<typeof pointView>[2], link: "live" | "lost" = "live") =>
    pointLooks(pointView("switch-filter", "switch", more), NORMAL, link, START_REAL_MS + 2500);

  test("every health has its own mark and its own word", () => {
    const all: PointHealth[] = ["up", "joining", "isolated", "blind", "silent", "down", "missing"];
    const drawn = all.map((health) => looks({ health }));
    expect(new Set(drawn.map((l) => l.mark)).size).toBe(all.length);
    expect(new Set(drawn.map((l) => l.label)).size).toBe(all.length);
    expect(drawn[0]).toMatchObject({ weight: "normal", heard: "2 s ago", mismatch: "" });
  });

  test("one at another epoch is marked, unless a change is under way", () => {
    const behind = { agrees: false, epoch: 1, phase: "startup" };
    expect(looks(behind).mismatch).toBe("coordinator is at epoch 2");
    expect(looks({ agrees: false, phase: "startup" }).mismatch).toBe("coordinator is in normal");
    const changing = {
      change: "c",
      from: "normal",
      to: "shutdown",
      epoch: 3,
      emergency: false,
      stage: "take",
      waitingFor: [],
    } as const;
    expect(pointLooks(pointView("p", "plc", behind), { ...NORMAL, changing }, "live", 0).mismatch).toBe("changing");
  });

  test("nothing is claimed of it while the coordinator is not heard", () => {
    expect(looks({}, "lost")).toMatchObject({ mark: "unknown", label: "was in force", weight: "normal" });
  });

  test("one that lets violations through is marked; the HMI layer always only watches", () => {
    expect(looks({ mode: "monitor" }).mode).toBe("monitor");
    expect(pointLooks(pointView("hmi-monitor", "hmi", { mode: "monitor" }), NORMAL, "live", 0).mode).toBe("");
  });

  test("one never heard says so", () =>
    expect(looks({ seenRealMs: 0, health: "missing", phase: null })).toMatchObject({
      heard: "never",
      holds: "no phase",
    }));

  test("stands in its layer", () => expect(layers(NORMAL).map((l) => l.points.length)).toEqual([1, 1, 2]));
});
