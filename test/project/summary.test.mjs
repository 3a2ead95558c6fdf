import { describe, expect, test } from "vitest";
import { missingPackages } from "../../scripts/debian-packages.mjs";
import { closingLine } from "../../scripts/summary.mjs";

describe("the last line of a test run", () => {
  test.each([
    {
      name: "all passed",
      outcome: { counts: { passed: 812, failed: 0, skipped: 3 }, failedChecks: [], suitesFailed: false },
      want: { line: "812 passed, 0 failed, 3 skipped", ok: true },
    },
    {
      name: "failed tests are not counted twice",
      outcome: { counts: { passed: 5, failed: 2, skipped: 0 }, failedChecks: [], suitesFailed: true },
      want: { line: "5 passed, 2 failed, 0 skipped", ok: false },
    },
    {
      name: "a failed check is a failure",
      outcome: { counts: { passed: 5, failed: 0, skipped: 0 }, failedChecks: ["types"], suitesFailed: false },
      want: { line: "5 passed, 1 failed, 0 skipped", ok: false },
    },
    {
      name: "a run without counts crashed",
      outcome: { counts: undefined, failedChecks: [], suitesFailed: true },
      want: { line: "0 passed, 1 failed, 0 skipped", ok: false },
    },
    {
      name: "a run that failed without a failed test",
      outcome: { counts: { passed: 0, failed: 0, skipped: 0 }, failedChecks: [], suitesFailed: true },
      want: { line: "0 passed, 1 failed, 0 skipped", ok: false },
    },
  ])("$name", ({ outcome, want }) => expect(closingLine(outcome)).toEqual(want));
});

test("Debian packages that were removed but left their configuration are missing", () => {
  const listing = "tshark installed\nmbpoll config-files\n";
  expect(missingPackages(["tshark", "mbpoll", "tcpdump"], listing)).toEqual(["mbpoll", "tcpdump"]);
});
