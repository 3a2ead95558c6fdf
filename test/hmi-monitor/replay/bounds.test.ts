import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_KEPT } from "#hmi-monitor/replay/brief.ts";
import { CaptureCounts, MAX_NOTICES } from "#hmi-monitor/replay/capture-counts.ts";
import { FrameComments, MAX_COMMENTS } from "#hmi-monitor/replay/comments.ts";
import { MAX_CHANGES } from "#hmi-monitor/replay/replay.ts";
import { reportOf } from "#hmi-monitor/replay/report.ts";
import { reportText } from "#hmi-monitor/replay/report-text.ts";
import { MAX_DENIALS, MAX_SITUATIONS, Tally } from "#hmi-monitor/replay/tally.ts";
import type { Observation, Verdict } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, PhaseId } from "#specs/ids.ts";
import { bundle, marked, phase, placed, recognised, replayed, Talk } from "./talk.ts";

const tables = compile(bundle, "hmi");
const AT = { frame: 1, timeMs: 0 };
const NORMAL = { phase: PhaseId("normal"), steps: [], permit: { kind: "none" as const } };

function denied(about: string): [Observation, Verdict] {
  const observation: Observation = {
    ...{ source: undefined, sourceAddress: "10.0.0.1:1", target: DeviceId("plc-1"), link: undefined },
    ...{ operation: "write", message: "write", items: [{ tag: undefined, address: about, value: undefined }] },
  };
  return [observation, { verdict: "deny", reason: "NO_RULE", rule: undefined, item: 0, mode: "enforce", says: about }];
}

describe("what a replay keeps is bounded, and what is beyond is counted", () => {
  test("kinds of denies", () => {
    const tally = new Tally(tables);
    for (let n = 0; n < MAX_DENIALS + 3; n += 1) tally.judged(...denied(`register ${n}`), [NORMAL], undefined, AT);
    tally.judged(...denied("register 0"), [NORMAL], undefined, AT);
    expect(tally.denials).toHaveLength(MAX_DENIALS);
    expect(tally.denials[0]?.count).toBe(2);
    expect(tally.counts).toMatchObject({ denied: MAX_DENIALS + 4, beyond: 3 });
  });

  test("names, of which one in OPC UA may have 65,536 bytes", () => {
    const tally = new Tally(tables);
    const counts = new CaptureCounts();
    const comments = new FrameComments();
    const [observation, verdict] = denied(`ns=1;s=${"x".repeat(1e6)}`);
    tally.judged(observation, verdict, [NORMAL], undefined, AT);
    counts.notice("x".repeat(1e6));
    const judged = { tables, observation, verdict, action: "forwarded", atMs: 0, epoch: null, phase: null } as const;
    comments.verdict(judged, [NORMAL], undefined);
    for (const kept of [tally.denials, counts.notices, comments.take()])
      expect(JSON.stringify(kept).length).toBeLessThan(3 * MAX_KEPT);
    expect(tally.denials[0]?.about.slice(-23)).toBe("xxxx… (1000007 characters)".slice(-23));
  });

  test("sets of possible phases: those beyond are one", () => {
    const tally = new Tally(tables);
    for (let n = 0; n < MAX_SITUATIONS + 3; n += 1)
      tally.judged(...denied("x"), [{ ...NORMAL, phase: PhaseId(`p${n}`) }], undefined, AT);
    expect(tally.situations).toHaveLength(MAX_SITUATIONS + 1);
    expect(tally.situations.at(-1)).toMatchObject({ phases: [], denied: 3 });
    tally.judged(...denied("x"), [{ ...NORMAL, phase: PhaseId("p0") }], undefined, AT);
    expect(tally.situations[0]).toMatchObject({ phases: ["p0"], denied: 2 });
  });

  test("notices", () => {
    const counts = new CaptureCounts();
    for (let n = 0; n < MAX_NOTICES + 2; n += 1) counts.notice("x");
    expect(counts.notices).toHaveLength(MAX_NOTICES);
    expect(counts.noticesBeyond).toBe(2);
  });

  test("comments of a frame", () => {
    const comments = new FrameComments();
    for (let n = 0; n < MAX_COMMENTS + 2; n += 1)
      comments.changed({ ...AT, cause: "mark", says: "x", possible: ["normal"] });
    const lines = comments.take();
    expect(lines).toHaveLength(MAX_COMMENTS + 1);
    expect(lines.at(-1)).toBe("sekisho: and 2 more");
    expect(comments.take()).toEqual([]);
  });

  test("changes of phase", () => {
    const talk = new Talk();
    talk.setCoil(0, true);
    const marks = Array.from({ length: MAX_CHANGES + 2 }, (_, n) => ({
      ...{ at: { kind: "frame" as const, frame: 1 } },
      ...placed(n % 2 === 0 ? "normal" : "stopped"),
    }));
    const { replay } = replayed(talk, marked(...marks));
    expect(replay.changes).toHaveLength(MAX_CHANGES);
    expect(replay.changesBeyond).toBe(2);
  });
});

describe("broken captures", () => {
  const talk = new Talk();
  talk.exchange("hmi-1", 1, "0300000003", "0306 012c 00c8 05dc");
  talk.setRegister(1, 800);
  const whole = talk.pcap();

  test("a capture that is cut short is judged as far as it goes, and says so in a sentence", () => {
    for (let end = 0; end < whole.length; end += 7) {
      const { problem, replay } = replayed(whole.subarray(0, end), phase("normal"));
      const cut = end < 24 || !endsWithRecord(end);
      expect(problem === undefined, `${end} bytes`).toBe(!cut);
      if (problem !== undefined) expect(problem).toMatch(/^the capture (is cut short|has no header)/);
      expect(replay.counts.frames).toBeLessThanOrEqual(talk.count);
    }
    function endsWithRecord(end: number): boolean {
      let at = 24;
      for (const { frame } of talk.frames) {
        if (at === end) return true;
        at += 16 + frame.length;
      }
      return at === end;
    }
  });

  test("mutated captures never throw: they are judged, or there is a sentence", () => {
    const mutations = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(mutations, fc.boolean(), (changes, byTraffic) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes.writeUInt8(value, at);
        const { problem, replay } = replayed(bytes, byTraffic ? recognised : phase("normal"));
        expect(problem === undefined || /^the capture .+[^.]$/.test(problem)).toBe(true);
        expect(replay.counts.frames).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 400 },
    );
  });

  test("after a gap the connection is judged again from where an answer confirms a request, and the gap is counted", () => {
    const gap = new Talk();
    gap.setRegister(1, 800);
    gap.lose("hmi-1", 1);
    gap.setRegister(1, 800);
    gap.wait(5000);
    gap.exchange("hmi-1", 2, "0300000001", "0302 012c");
    gap.setRegister(1, 800);
    const { replay, denied: said } = replayed(gap, phase("normal"));
    expect(said).toEqual([expect.stringContaining("DOS201.SP ×3")]);
    expect(replay.unread).toMatchObject({ gaps: 1, resynchronised: 1, blind: 0 });
    expect(replay.counts.notices.map(({ says }) => says).join()).toContain("bytes are missing");
  });

  test("a command without an answer is judged, and counted once for the capture as a whole", () => {
    const unanswered = new Talk();
    unanswered.setRegister(1, 250);
    unanswered.frames.pop();
    const { replay, problem } = replayed(unanswered, phase("normal"));
    const { judged, notJudged } = reportOf(replay, bundle, "given", problem);
    expect([judged.messages, judged.unanswered, notJudged.notices]).toEqual([1, 1, []]);
  });

  test("a time that is no date is told in seconds", () => {
    const { replay } = replayed(talk, phase("normal"));
    const report = reportOf(replay, bundle, "given", undefined);
    const beyond = { ...report, capture: { ...report.capture, firstTime: 9.2e18, lastTime: 9.2e18 } };
    expect(reportText(beyond)).toContain("frames, 9200000000000000000 s to 9200000000000000000 s;");
  });

  test("what is no server of the bundle's is counted, not judged", () => {
    const { replay } = replayed(talk, phase("normal"), { ports: new Map([[1502, "modbus" as const]]) });
    expect(replay.tally.counts).toMatchObject({ allowed: 0, denied: 0 });
    expect(replay.unread.strangerBytes).toBeGreaterThan(0);
  });
});
