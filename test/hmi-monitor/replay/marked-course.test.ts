import { describe, expect, test } from "vitest";
import type { PhaseMark } from "#hmi-monitor/replay/marked-course.ts";
import { marked, phase, placed, replayed, START_MS, Talk } from "./talk.ts";

/** DOS201.SP and FIC101.SP of PLC 1, as registers. */
const [FEED_SP, DOSE_SP] = [0, 1];

describe("one phase for the whole capture", () => {
  test("what the phase allows is allowed, and the rules that allowed it are counted", () => {
    const talk = new Talk();
    talk.exchange("hmi-1", 1, "0300000003", "0306 012c 00c8 05dc");
    talk.setRegister(FEED_SP, 320);
    const { replay, denied } = replayed(talk, phase("normal"));
    expect(denied).toEqual([]);
    expect(replay.tally.counts).toMatchObject({ allowed: 2, denied: 0, receipts: 1 });
    const uses = replay.tally.uses.get(placed("normal").phase);
    expect(uses?.[replay.tables.rules.findIndex(({ rule }) => rule.id === "nm-feed-sp")]).toBe(1);
  });

  test("a deny says its reason, the closest rule, how often, first and last frame", () => {
    const talk = new Talk();
    talk.exchange("hmi-1", 1, "0300000003", "0306 012c 00c8 05dc");
    const first = talk.setRegister(DOSE_SP, 800);
    talk.setRegister(DOSE_SP, 800);
    const last = talk.setRegister(DOSE_SP, 900);
    const { replay, denied } = replayed(talk, phase("normal"));
    expect(denied).toEqual([`VALUE_ABOVE nm-dose-sp DOS201.SP ×3 ${first}-${last}`]);
    expect(replay.tally.denials[0]).toMatchObject({
      wouldBlock: true,
      source: "hmi-1",
      says: "DOS201.SP 8 mg/L is above 3 mg/L (nm-dose-sp)",
    });
  });

  test("what has no rule here and one elsewhere is told from what has none anywhere", () => {
    const talk = new Talk();
    const valve = talk.setCoil(0, true);
    const strange = talk.setRegister(77, 1);
    const stranger = talk.exchange("nobody", 1, "0300000003", "0306 012c 00c8 05dc");
    expect(replayed(talk, phase("normal")).denied).toEqual([
      `PHASE_FORBIDS - MV101.CMD ×1 ${valve}-${valve}`,
      `TAG_UNKNOWN - unit 1 holding register 77 ×1 ${strange}-${strange}`,
      `SOURCE_UNKNOWN -  ×1 ${stranger}-${stranger}`,
    ]);
  });

  test("a phase without a step may be in any of them; with one, only what leads on leads on", () => {
    const talk = new Talk();
    const dose = talk.setRegister(DOSE_SP, 100);
    expect(replayed(talk, phase("startup")).denied).toEqual([]);
    expect(replayed(talk, phase("startup/fill")).denied).toEqual([`STEP_FORBIDS - DOS201.SP ×1 ${dose}-${dose}`]);
    // Level and open inlet for a second lead from fill to prime, where the feed may be set.
    const filling = new Talk();
    const early = filling.setRegister(FEED_SP, 100);
    filling.see1([1500, 0, 0, 1000], [1, 0, 0]).wait(1500).see1([1500, 0, 0, 1000], [1, 0, 0]);
    filling.setRegister(FEED_SP, 100);
    expect(replayed(filling, phase("startup/fill")).denied).toEqual([`STEP_FORBIDS - FIC101.SP ×1 ${early}-${early}`]);
  });

  test("the switch layer judges by its own projection", () => {
    const talk = new Talk();
    talk.setRegister(DOSE_SP, 800);
    const { replay } = replayed(talk, phase("normal"), { layer: "switch" });
    expect(replay.tables.layer).toBe("switch");
    expect(replay.tally.counts.denied).toBe(1);
  });
});

describe("a file of marks", () => {
  test("each mark holds until the next: by frame, by time, by seconds since the first frame", () => {
    const talk = new Talk();
    talk.setCoil(0, true);
    const second = talk.setCoil(0, true);
    talk.wait(60_000);
    const third = talk.setCoil(0, true);
    const changes = (at: PhaseMark["at"]) => {
      const { replay, denied } = replayed(
        talk,
        marked({ at: { kind: "start" }, ...placed("startup/fill") }, { at, ...placed("normal") }),
      );
      return { denied, at: replay.changes.map(({ frame, possible }) => `${frame} ${possible}`) };
    };
    const byFrame = changes({ kind: "frame", frame: second });
    expect(byFrame.denied).toEqual([`PHASE_FORBIDS - MV101.CMD ×2 ${second}-${third}`]);
    // A phase that begins within the capture begins in its initial step.
    expect(byFrame.at).toEqual(["1 startup/fill", `${second} normal/produce`]);
    expect(changes({ kind: "time", timeMs: START_MS + 60_000 }).denied).toEqual([
      `PHASE_FORBIDS - MV101.CMD ×1 ${third}-${third}`,
    ]);
    expect(changes({ kind: "after", ms: 30_000 }).denied).toEqual([`PHASE_FORBIDS - MV101.CMD ×1 ${third}-${third}`]);
  });

  test("before the first mark nothing is judged, and it is counted", () => {
    const talk = new Talk();
    talk.setCoil(0, true);
    const from = talk.setCoil(0, true);
    const { replay, denied } = replayed(talk, marked({ at: { kind: "frame", frame: from }, ...placed("normal") }));
    expect(denied).toEqual([`PHASE_FORBIDS - MV101.CMD ×1 ${from}-${from}`]);
    expect(replay.tally.counts).toMatchObject({ unjudged: 1, denied: 1 });
  });

  test("a mark with a step of the held phase is the word on which step it is", () => {
    const talk = new Talk();
    const drain = talk.setCoil(2, true, 2);
    const { denied } = replayed(
      talk,
      marked(
        { at: { kind: "start" }, ...placed("normal") },
        { at: { kind: "frame", frame: 3 }, ...placed("normal/produce") },
      ),
    );
    expect(denied).toEqual([`VALUE_NOT_LISTED nm-drain-close V301.CMD ×1 ${drain}-${drain}`]);
  });
});
