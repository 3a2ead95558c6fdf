import { expect, test } from "vitest";
import { progressOn } from "#cli/spec/progress.ts";

/** A check whose steps begin at these times, ms; what is written. */
function written(isTTY: boolean, timesMs: readonly number[]): readonly string[] {
  const lines: string[] = [];
  let now = 0;
  const progress = progressOn({ isTTY, write: (text) => lines.push(text) }, () => now);
  for (const [done, at] of timesMs.entries()) {
    now = at;
    progress.report(done, timesMs.length, `step ${done}`);
  }
  progress.end();
  return lines;
}

test("within the first second nothing is said", () => {
  expect(written(true, [0, 500, 999])).toEqual([]);
  expect(written(false, [0, 500, 999])).toEqual([]);
});

test("a terminal has one line, which is gone in the end", () => {
  expect(written(true, [0, 1000, 1200])).toEqual([
    "\r\u001b[2Kchecking 2 of 3: step 1",
    "\r\u001b[2Kchecking 3 of 3: step 2",
    "\r\u001b[2K",
  ]);
});

test("elsewhere there is a line every three seconds at most", () => {
  expect(written(false, [0, 1000, 1500, 3999, 4000, 5000])).toEqual([
    "checking 2 of 6: step 1\n",
    "checking 5 of 6: step 4\n",
  ]);
});
