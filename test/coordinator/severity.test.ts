import { describe, expect, test } from "vitest";
import { Correlator } from "#coordinator/correlate.ts";
import { Detections, FOLD_MS, fromFinding, INSISTS_AFTER } from "#coordinator/detections.ts";
import type { Detection } from "#coordinator/page-messages.ts";
import type { ReceiptMessage } from "#point/bus.ts";
import { DeviceId, TagId } from "#specs/ids.ts";
import { aReceipt } from "./fake-point.ts";
import { PLANT } from "./plant.ts";

/** A stranger that looks is a warning, one that reaches is an alarm. See docs/decisions/0003-strangers.md. */
const items = [{ tag: TagId("FIC101.SP"), address: "unit 1 holding register 0", value: 30 }];
const stranger = {
  source: null,
  link: null,
  sourceAddress: "127.10.9.66:40000",
  verdict: "deny",
  reason: "SOURCE_UNKNOWN",
  action: "blocked",
} as const;
const reader = {
  source: DeviceId("test-1"),
  link: null,
  verdict: "deny",
  reason: "SOURCE_FORBIDS",
  action: "blocked",
} as const;

function detections(receipts: readonly Partial<ReceiptMessage>[]): readonly Detection[] {
  const list = new Detections();
  const correlator = new Correlator(PLANT);
  for (const receipt of receipts) {
    correlator.add(aReceipt({ items, ...receipt }));
    const found = correlator.judge({ judgedUpToMs: () => 1e9, saw: () => true }, receipt.atMs ?? 1000);
    for (const finding of found)
      list.note(fromFinding(PLANT, finding, undefined, { nowMs: receipt.atMs ?? 1000, wallMs: 1 }));
  }
  return list.latest(100);
}

const severities = (receipts: readonly Partial<ReceiptMessage>[]): readonly string[] =>
  detections(receipts).map((d) => d.severity);

describe("a device that nobody declared", () => {
  test.each(["read", "browse", "session", "subscribe"] as const)("%s: a warning", (operation) => {
    expect(severities([{ ...stranger, operation }])).toEqual(["warning"]);
  });

  test.each(["write", "call", "program"] as const)("%s: an alarm", (operation) => {
    expect(severities([{ ...stranger, operation }])).toEqual(["alarm"]);
  });

  test("a write after a read of the same tag raises the warning to an alarm", () => {
    expect(
      severities([
        { ...stranger, operation: "read" },
        { ...stranger, operation: "write" },
      ]),
    ).toEqual(["alarm"]);
  });

  test("logging on again and again: an alarm from the third time on, unless it has given up in between", () => {
    const logon = (atMs: number) => ({ ...stranger, operation: "session" as const, items: [], atMs });
    expect(severities([logon(1000), logon(2000)])).toEqual(["warning"]);
    expect(severities(Array.from({ length: INSISTS_AFTER }, (_, i) => logon(1000 * (i + 1))))).toEqual(["alarm"]);
    expect(severities([logon(1000), logon(2000), logon(2001 + FOLD_MS)])).toEqual(["warning", "warning"]);
  });

  test("reading again and again stays a warning", () => {
    expect(severities([1000, 2000, 3000, 4000].map((atMs) => ({ ...stranger, operation: "read", atMs })))).toEqual([
      "warning",
    ]);
  });
});

test("a declared reader that writes gets the benefit of the doubt twice", () => {
  const write = (atMs: number) => ({ ...reader, operation: "write" as const, atMs });
  expect(severities([write(1000), write(2000)])).toEqual(["warning"]);
  expect(severities([write(1000), write(2000), write(3000)])).toEqual(["alarm"]);
});
