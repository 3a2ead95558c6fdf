import { expect, test } from "vitest";
import { readReport } from "#plc-guard/link-messages.ts";

const report = {
  ...{
    scan: 1,
    atMs: 100,
    device: "plc-1",
    bundle: "7f".repeat(32),
    zone: "works",
    mode: "enforce",
    state: "in-force",
    says: "",
    phase: "normal",
    steps: ["produce"],
    epoch: 3,
  },
  ...{ judged: 1, denied: 0, waiting: 0, lost: 0, suppressed: 0, tags: { LIT101: 1.2 }, receipts: [] },
};

test("a guard's report is read", () => {
  const tags = { ["t".repeat(128)]: 1 };
  expect(readReport({ ...report, phase: "p".repeat(128), tags })).toMatchObject({ tags });
  expect(readReport(report)).toMatchObject({ phase: "normal", steps: ["produce"] });
});

test.each([
  { name: "a phase that is no name", over: { phase: "nor mal" } },
  { name: "an empty phase", over: { phase: "" } },
  { name: "a step that is no name", over: { steps: ["§"] } },
  { name: "a step of 129 letters", over: { steps: ["s".repeat(129)] } },
])("$name makes it unreadable: a PLC in wrong hands must not end the agent", ({ over }) => {
  expect(readReport({ ...report, ...over })).toBeUndefined();
});
