// What the last line of a test run says, and whether the run passed.

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts of tests */

/**
 * @param {Counts} counts
 * @returns {string} such as `812 passed, 0 failed, 3 skipped`
 */
export function formatCounts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * The end of a whole run. A failed static check counts as one failure; so does a run of the suites that failed without
 * a failed test to show for it (it crashed, or found no test).
 * @param {{ counts: Counts | undefined, failedChecks: readonly string[], suitesFailed: boolean }} outcome
 * @returns {{ line: string, ok: boolean }}
 */
export function closingLine({ counts, failedChecks, suitesFailed }) {
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const uncounted = (suitesFailed || counts === undefined) && failed === 0 ? 1 : 0;
  const allFailed = failed + failedChecks.length + uncounted;
  return { line: formatCounts({ passed, failed: allFailed, skipped }), ok: allFailed === 0 };
}
