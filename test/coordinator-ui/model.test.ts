import { describe, expect, test } from "vitest";
import type { ToPage } from "#coordinator/page-messages.ts";
import { announcement, detectionSentence, drawnDetection, locusMarks } from "#coordinator/ui/state/detections.ts";
import { apply, type Known, MAX_DETECTIONS } from "#coordinator/ui/state/model.ts";
import { addToTrend, NO_TREND, TREND_MS, trendFromReadings, trendMarks } from "#coordinator/ui/state/trend.ts";
import {
  addVerdicts,
  commandWords,
  filterVerdicts,
  MAX_VERDICTS,
  NO_VERDICTS,
  verdictRow,
} from "#coordinator/ui/state/verdicts.ts";
import { ATTACK, CONTAINED, DETECTION, SNAPSHOT, verdict } from "./recorded-session.ts";
import { NORMAL, PLANT } from "./water-treatment-view.ts";

function play(messages: readonly ToPage[]): Known {
  let known: Known | undefined;
  for (const message of messages) {
    const applied = apply(known, message, 0);
    if (applied.outcome === "gap") throw new Error(`message ${message.seq} left a gap`);
    known = applied.known;
  }
  if (known === undefined) throw new Error("no message");
  return known;
}

describe("the model", () => {
  test("follows a session from quiet to contained", () => {
    const known = play([SNAPSHOT, ...ATTACK, ...CONTAINED]);
    expect(known.state).toMatchObject({ phase: "degraded.hmi-quarantined", epoch: 3, changing: null });
    expect(known.state.detections.map((d) => d.id)).toEqual(["d-1"]);
    expect(known.verdicts.rows[0]).toMatchObject({ verdict: "deny", action: "blocked" });
  });

  test("a delta of tags keeps the others", () => {
    const known = play([
      SNAPSHOT,
      { kind: "state", seq: 2, changed: { tags: { FIT101: { value: 12, atMs: 600_500 } } } },
    ]);
    expect(known.state.tags["FIT101"]?.value).toBe(12);
    expect(known.state.tags["LIT101"]).toEqual(NORMAL.tags["LIT101"]);
  });

  test("a missed message changes nothing, and only a snapshot heals it", () => {
    const known = play([SNAPSHOT]);
    const later: ToPage = { kind: "state", seq: 3, changed: { epoch: null } };
    expect(apply(known, later, 0)).toEqual({ outcome: "gap", known });
    expect(apply(known, { ...SNAPSHOT, seq: 9 }, 0)).toMatchObject({ outcome: "known", known: { seq: 9 } });
    expect(apply(undefined, later, 0)).toEqual({ outcome: "gap", known: undefined });
  });

  test("a detection that grew replaces itself; others are put in front and bounded", () => {
    const grown = play([SNAPSHOT, ...ATTACK, { kind: "detection", seq: 7, detection: { ...DETECTION, count: 5 } }]);
    expect(grown.state.detections).toMatchObject([{ id: "d-1", count: 5 }]);
    const many = Array.from(
      { length: MAX_DETECTIONS + 5 },
      (_, i): ToPage => ({ kind: "detection", seq: i + 2, detection: { ...DETECTION, id: `m-${i}` } }),
    );
    const { detections } = play([SNAPSHOT, ...many]).state;
    expect([detections.length, detections[0]?.id]).toEqual([MAX_DETECTIONS, `m-${MAX_DETECTIONS + 4}`]);
  });

  test("a snapshot without verdicts and trend keeps those of the same plant, and drops those of another", () => {
    const { verdicts: _v, trend: _t, ...bare } = SNAPSHOT;
    const before = play([SNAPSHOT]);
    const same = apply(before, { ...bare, seq: 5 }, 0);
    expect(same.known?.verdicts).toBe(before.verdicts);
    const other = apply(before, { ...bare, seq: 5, plant: { ...PLANT, bundle: "another" } }, 0);
    expect(other.known?.verdicts).toEqual(NO_VERDICTS);
  });
});

describe("verdicts", () => {
  test("are bounded, newest first, and count what was not listed", () => {
    let list = NO_VERDICTS;
    for (let i = 0; i < MAX_VERDICTS + 10; i += 1) list = addVerdicts(list, [verdict(i, i)], 1);
    expect([list.rows.length, list.rows[0]?.seq, list.omitted]).toEqual([
      MAX_VERDICTS,
      MAX_VERDICTS + 9,
      MAX_VERDICTS + 10,
    ]);
  });

  test("say the command in words, and fall back to the protocol's own", () => {
    expect(commandWords(PLANT, verdict(1, 0))).toBe("write FIC101.SP = 30.0 m³/h");
    const items = [1, 2, 3, 4, 5].map((n) => ({ tag: null, address: `unit 1 coil ${n}`, value: 1 }));
    expect(commandWords(PLANT, verdict(1, 0, { items }))).toBe(
      "write unit 1 coil 1 = 1, unit 1 coil 2 = 1, unit 1 coil 3 = 1 and 2 more",
    );
    expect(
      commandWords(PLANT, verdict(1, 0, { items: [], operation: "session", message: "OpenSecureChannelRequest" })),
    ).toBe("session: OpenSecureChannelRequest");
  });

  test.each([
    { layer: "switch", action: "blocked", want: "denied" },
    { layer: "switch", action: "forwarded", want: "denied, let through" },
    { layer: "hmi", action: "forwarded", want: "violation seen" },
  ] as const)("a deny at the $layer layer, $action, reads `$want`", ({ layer, action, want }) => {
    expect(verdictRow(PLANT, verdict(1, 0, { verdict: "deny", layer, action })).verdict).toBe(want);
  });

  test("an allow names its rule, and an operate when its object was selected", () => {
    expect(verdictRow(PLANT, verdict(1, 0)).reason).toBe("nm-feed-sp");
    expect(verdictRow(PLANT, verdict(1, 0, { selectedAtMs: 723_000 })).reason).toBe("nm-feed-sp, selected at 0:12:03");
  });

  test("what a rule allows, and is refused with the rest of its message, reads so", () => {
    expect(verdictRow(PLANT, verdict(1, 0, { action: "blocked" })).verdict).toBe("allowed, refused with the rest");
  });

  test("an undeclared source is named by its address", () => {
    expect(verdictRow(PLANT, verdict(1, 0, { source: null, sourceAddress: "127.10.9.66:40001" })).ends).toBe(
      "127.10.9.66 → plc-1",
    );
  });

  test.each([
    [null, "in plc-1"],
    ["program", "program of plc-1"],
  ])("inside a PLC a change of source %s is said to be there, not to come from nowhere", (source, want) => {
    expect(verdictRow(PLANT, verdict(1, 0, { layer: "plc", source, sourceAddress: "" })).ends).toBe(want);
  });

  test("can be narrowed to denies", () => {
    const rows = [verdict(2, 0, { verdict: "deny" }), verdict(1, 0)];
    expect(filterVerdicts(rows, "denies").map((v) => v.seq)).toEqual([2]);
    expect(filterVerdicts(rows, "all")).toBe(rows);
  });
});

describe("detections", () => {
  test("a sentence says what and where", () => {
    expect(detectionSentence({ ...DETECTION, says: "Two writes differ.", locus: ["switch"] })).toBe(
      "Two writes differ. Cause: at the switch.",
    );
  });

  test("only new ones are read aloud, three at most", () => {
    const five = [1, 2, 3, 4, 5].map((n) => ({ ...DETECTION, id: `d-${n}` }));
    expect(announcement(five, new Set(["d-1", "d-2", "d-3", "d-4", "d-5"]))).toBe("");
    expect(announcement(five, new Set(["d-5"])).match(/New alarm/g)).toHaveLength(3);
    expect(announcement(five, new Set(["d-5"]))).toMatch(/And 1 more\.$/);
  });

  test("the path shows the picked one, else the newest that matters", () => {
    const notice = { ...DETECTION, id: "n", severity: "notice" } as const;
    const state = { ...NORMAL, detections: [notice, DETECTION] };
    expect(drawnDetection(PLANT, state, undefined)?.id).toBe("d-1");
    expect(drawnDetection(PLANT, state, "n")?.id).toBe("n");
    expect(drawnDetection(PLANT, { ...state, atMs: DETECTION.lastMs + 11 * 60_000 }, undefined)).toBeUndefined();
  });

  test("once the plant is led back to where it was contained, the path is calm; what is picked or new is drawn", () => {
    const contained = {
      atMs: DETECTION.atMs + 500,
      from: "normal",
      to: "degraded.hmi-quarantined",
      epoch: 3,
      emergency: true,
      cause: "detection d-1",
      outcome: "done",
      says: "",
    } as const;
    const sinceMs = DETECTION.lastMs + 60_000;
    const state = { ...NORMAL, atMs: sinceMs, sinceMs, history: [contained], detections: [DETECTION] };
    expect(drawnDetection(PLANT, state, undefined)).toBeUndefined();
    expect(drawnDetection(PLANT, { ...state, phase: "recovery.verify" }, undefined)?.id).toBe("d-1");
    expect(drawnDetection(PLANT, state, "d-1")?.id).toBe("d-1");
    const again = { ...DETECTION, lastMs: sinceMs + 1 };
    expect(drawnDetection(PLANT, { ...state, detections: [again] }, undefined)?.id).toBe("d-1");
  });

  test("several possible places are each marked uncertain", () => {
    expect(locusMarks({ ...DETECTION, locus: ["hmi", "path-hmi-switch"] })).toEqual([
      { locus: "hmi", certain: false },
      { locus: "path-hmi-switch", certain: false },
    ]);
    expect(locusMarks(undefined)).toEqual([]);
  });
});

describe("the trend", () => {
  const at = (atMs: number, value = 1) => ({ atMs, tags: { LIT101: { value, atMs } } });

  test("takes one row a second and ten minutes of them", () => {
    let trend = NO_TREND;
    for (let ms = 0; ms <= 700_000; ms += 250) trend = addToTrend(trend, at(ms), 5000);
    expect(trend.times).toHaveLength(TREND_MS / 1000);
    expect(trend.values["LIT101"]).toHaveLength(TREND_MS / 1000);
    expect([trend.times[0], trend.times.at(-1)]).toEqual([101_000, 700_000]);
  });

  test("shows a gap where a value is stale or unknown, and starts anew when time runs backwards", () => {
    const trend = addToTrend(
      addToTrend(NO_TREND, at(1000), 5000),
      { atMs: 9000, tags: { LIT101: { value: 2, atMs: 1000 } } },
      5000,
    );
    expect(trend.values["LIT101"]).toEqual([1, null]);
    expect(trend.values["FIT101"]).toEqual([null, null]);
    expect(addToTrend(trend, at(500), 5000).times).toEqual([500]);
  });

  test("is filled from past readings by the last known value", () => {
    const trend = trendFromReadings(
      {
        LIT101: [
          [0, 1],
          [2500, 2],
        ],
        FIT101: [[1000, 9]],
      },
      4000,
    );
    expect(trend.times).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(trend.values["LIT101"]).toEqual([1, 1, 1, 2, 2]);
    expect(trend.values["FIT101"]).toEqual([null, 9, 9, 9, 9]);
    expect(trendFromReadings({}, 4000)).toBe(NO_TREND);
  });

  test("marks detections and finished changes, oldest first", () => {
    expect(trendMarks([DETECTION], NORMAL.history, 100_000).map((m) => m.kind)).toEqual(["phase", "detection"]);
  });
});
