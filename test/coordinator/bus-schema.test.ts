import { expect, test } from "vitest";
import { readReceipt } from "#coordinator/bus-schema.ts";
import { OPERATIONS } from "#specs/lifecycle.ts";

const RECEIPT = {
  ...{ point: "switch-filter", layer: "switch", seq: 1, atMs: 1, epoch: 1, phase: "normal", source: "hmi" },
  ...{ sourceAddress: "127.0.0.1:1", target: "plc-1", link: null, message: "Write Single Register (06)", items: [] },
  ...{ verdict: "allow", rule: "a-rule", reason: null, says: "", action: "forwarded", outcome: "answered-ok" },
};

test.each(OPERATIONS)("a receipt of operation %s is read", (operation) => {
  expect(readReceipt({ ...RECEIPT, operation })).toBeDefined();
});

test("a receipt of an operation that there is not is none", () => {
  expect(readReceipt({ ...RECEIPT, operation: "wish" })).toBeUndefined();
});
