import { describe, expect, test } from "vitest";
import { Correlator } from "#coordinator/correlate.ts";
import { headline, describe as inFull } from "#coordinator/detection-words.ts";
import { Detections, fromFinding } from "#coordinator/detections.ts";
import type { Vouched } from "#coordinator/vouched.ts";
import type { ReceiptMessage } from "#point/bus.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { DeviceId, TagId } from "#specs/ids.ts";
import { aReceipt } from "./fake-point.ts";
import { PLANT } from "./plant.ts";

const DOSE = TagId("DOS201.SP");
const denied = {
  verdict: "deny",
  reason: "VALUE_ABOVE",
  says: "DOS201.SP 8.2 mg/L is above 3 mg/L",
  action: "blocked",
} as const;
const through = { ...denied, action: "forwarded" } as const;

function write(value: number, over: Partial<ReceiptMessage> = {}): ReceiptMessage {
  return aReceipt({ items: [{ tag: DOSE, address: "unit 1 holding register 1", value }], ...over });
}
const atHmi = (value: number, over: Partial<ReceiptMessage> = {}) =>
  write(value, { layer: "hmi", point: "hmi-monitor", ...over });
const stranger = { ...denied, source: null, link: null, sourceAddress: "127.10.9.66:40001" } as const;

function found(receipts: readonly ReceiptMessage[], blind: readonly Layer[] = []) {
  const correlator = new Correlator(PLANT);
  for (const receipt of receipts) correlator.add(receipt);
  const vouched: Vouched = { judgedUpToMs: () => 1e9, saw: (layer) => !blind.includes(layer) };
  const [finding] = correlator.judge(vouched, 2000);
  if (finding === undefined) throw new Error("nothing was found");
  return finding;
}

test("what a rule allows, and is refused with the rest of its message, is told as that", () => {
  expect(inFull(write(2, { action: "blocked", outcome: "denied" }))).toMatch(
    /, allowed, and refused with the rest of its message$/,
  );
});

describe("what the operator reads", () => {
  const inPlc = { layer: "plc", point: "guard-plc-1", link: null, sourceAddress: "" } as const;
  const coil = { items: [{ tag: TagId("MV101.CMD"), address: "unit 1 coil 0", value: 0 }] };
  const valve = { items: [{ tag: TagId("P101.OUT"), address: "output", value: 90 }] };
  test.each([
    [[atHmi(8.2, through), write(8.2, denied)], "Operator station hmi-1 tried to set DOS201.SP = 8.2 mg/L at plc-1"],
    [[atHmi(8.2, through), write(8.2, through)], "Operator station hmi-1 set DOS201.SP = 8.2 mg/L at plc-1"],
    [[atHmi(2), write(4)], "A command of hmi-1 to plc-1 was altered: DOS201.SP = 4 mg/L arrived, 2 mg/L was sent"],
    [[write(2)], "Something with the address of hmi-1 set DOS201.SP = 2 mg/L at plc-1"],
    [[write(0, { ...stranger, ...coil })], "Unknown device 127.10.9.66 tried to set MV101.CMD = off at plc-1"],
    [
      [
        write(0, {
          ...stranger,
          operation: "session",
          items: [],
          message: "OpenSecureChannel",
          target: DeviceId("plc-2"),
        }),
      ],
      "Unknown device 127.10.9.66 tried to connect at plc-2",
    ],
    [
      [write(0, { ...stranger, operation: "diagnose", items: [], message: "Diagnostics (08)" })],
      "Unknown device 127.10.9.66 tried to run a diagnosis (Diagnostics (08)) at plc-1",
    ],
    [
      [aReceipt({ ...inPlc, ...denied, ...valve, source: "program", operation: "output" })],
      "The control program of plc-1 tried to set P101.OUT = 90 %",
    ],
    [[write(5, { ...inPlc, source: null })], "DOS201.SP = 5 mg/L in plc-1 without a command for it"],
  ])("%#: %s", (receipts, words) => {
    expect(headline(PLANT, found(receipts))).toBe(words);
  });

  test("a long message is cut short, and what is left out is counted", () => {
    const items = Array.from({ length: 9 }, (_, i) => ({ tag: null, address: `unit 1 coil ${i}`, value: 1 }));
    expect(headline(PLANT, found([write(0, { ...stranger, items })]))).toBe(
      "Unknown device 127.10.9.66 tried to set unit 1 coil 0 = 1, unit 1 coil 1 = 1 and 7 more at plc-1",
    );
    expect(inFull(write(0, { ...stranger, items }))).toContain(
      "unit 1 coil 3 = 1 and 5 more from an undeclared device",
    );
  });
});

describe("a finding as a detection", () => {
  const finding = found([atHmi(8.2, through), write(8.2, denied)]);

  test.each([
    ["after the receipt's own time", 1400, 1400],
    ["never before it, whatever the clock says", 900, 1000],
  ])("is judged %s", (_what, nowMs, judgedMs) => {
    expect(fromFinding(PLANT, finding, undefined, { nowMs, wallMs: 7 })).toMatchObject({
      atMs: 1000,
      judgedMs,
      realMs: 7,
    });
  });

  test("keeps the row's sentence and the receipts for the evidence", () => {
    const draft = fromFinding(PLANT, finding, undefined, { nowMs: 1400, wallMs: 7 });
    expect(draft.because).toContain("the HMI layer saw the same command leave it");
    expect(draft.evidence.map((e) => e.says)).toContainEqual(
      expect.stringContaining("denied: DOS201.SP 8.2 mg/L is above"),
    );
  });

  test("that is no sign of an attack says so, and why", () => {
    const draft = fromFinding(PLANT, finding, "`startup`, which had just ended, allowed it", {
      nowMs: 1400,
      wallMs: 7,
    });
    expect(draft).toMatchObject({ severity: "notice", locus: [], because: expect.stringContaining("startup") });
    expect(draft.says).toMatch(/; no sign of an attack$/);
  });

  test("is judged when the first of it was, however often it is repeated", () => {
    const list = new Detections();
    list.note(fromFinding(PLANT, finding, undefined, { nowMs: 1400, wallMs: 7 }));
    const again = list.note(fromFinding(PLANT, finding, undefined, { nowMs: 3000, wallMs: 8 }));
    expect(again).toMatchObject({ fresh: false, detection: { count: 2, judgedMs: 1400, realMs: 7 } });
  });

  test("is one however the reason changes, and keeps how it began and the newest", () => {
    const list = new Detections();
    const draft = fromFinding(PLANT, finding, undefined, { nowMs: 1400, wallMs: 7 });
    const other = { ...draft, reason: "PHASE_FORBIDS" };
    list.note(draft);
    for (let i = 1; i <= 15; i += 1) {
      list.note({ ...other, evidence: other.evidence.map((e) => ({ ...e, atMs: 1000 + i })) });
    }
    const [only, ...more] = list.latest(10);
    expect([only?.count, more]).toEqual([16, []]);
    expect(only?.evidence.map((e) => e.atMs - 1000)).toEqual([
      0, 0, 1, 1, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15,
    ]);
  });
});
