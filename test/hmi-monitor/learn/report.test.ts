import { expect, test } from "vitest";
import { type LearnReport, learnReportInWords } from "#cli/spec/learn-report.ts";
import { UnreadCount } from "#hmi-monitor/unread.ts";

test("what somebody sent is shown, and does nothing to the terminal", () => {
  const says = "hmi-1 → plc-2: Write to ns=1;s=\u001b[2J\r\nWritten\u202e";
  const report: LearnReport = {
    ...{ plant: "p", messages: 1, withoutPhase: 0, refused: 0, rules: 0, phases: [] },
    ...{ notDrafted: [says], overflow: [], notices: [says], unread: { ...new UnreadCount().count, unanswered: 3 } },
    ...{ orders: [], automata: [], captures: [], overlaps: [], widenings: [], widened: false, written: [] },
  };
  const text = learnReportInWords(report, undefined);
  expect(text).toContain("\nNever drafted\n  hmi-1 → plc-2: Write to ns=1;s=\ufffd[2J Written\ufffd\n");
  expect(text).toContain("\n  3 commands whose answer was not seen: they taught nothing\n");
  expect(text).not.toMatch(/[^\n\P{C}\ufffd]/u);
});
