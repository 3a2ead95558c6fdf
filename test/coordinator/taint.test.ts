import { describe, expect, test } from "vitest";
import { AFTERMATH_MS, Taint } from "#coordinator/taint.ts";
import type { ReceiptMessage } from "#point/bus.ts";
import { DeviceId, LinkId, TagId } from "#specs/ids.ts";

function write(over: Partial<ReceiptMessage>): ReceiptMessage {
  return {
    ...{
      point: "switch-filter",
      layer: "switch",
      seq: 1,
      atMs: 1000,
      epoch: null,
      phase: null,
      source: DeviceId("hmi-1"),
      sourceAddress: "",
    },
    ...{
      target: DeviceId("plc-1"),
      link: LinkId("hmi-plc1"),
      operation: "write",
      message: "",
      rule: null,
      reason: null,
      says: "",
    },
    items: [{ tag: TagId("DOS201.SP"), address: "", value: 8 }],
    verdict: "deny",
    action: "forwarded",
    outcome: "answered-ok",
    ...over,
  };
}

describe("a forbidden value that passed", () => {
  test("explains what the controller does with it, until an allowed one has taken its place and its effects are over", () => {
    const taint = new Taint();
    expect(taint.explains(1000)).toBe(false);
    taint.add(write({}));
    expect(taint.explains(10_000_000)).toBe(true);
    taint.add(write({ verdict: "allow", atMs: 50_000 }));
    expect(taint.explains(50_000 + AFTERMATH_MS)).toBe(true);
    expect(taint.explains(50_001 + AFTERMATH_MS)).toBe(false);
  });

  test.each([
    { name: "blocked", over: { action: "blocked" as const } },
    { name: "refused by the server", over: { outcome: "answered-error" as const } },
    { name: "a read", over: { operation: "read" as const } },
    { name: "allowed", over: { verdict: "allow" as const } },
  ])("one that was $name explains nothing", ({ over }) => {
    const taint = new Taint();
    taint.add(write(over));
    expect(taint.explains(1000)).toBe(false);
  });
});
