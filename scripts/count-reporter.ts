import { writeFileSync } from "node:fs";
import type { Reporter } from "vitest/node";

/** Counts of tests. A test marked `todo` counts as skipped. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of Vitest's test module that is counted. */
export interface CountedModule {
  errors(): readonly unknown[];
  readonly children: {
    allTests(): Iterable<{ result(): { readonly state: "passed" | "failed" | "skipped" | "pending" } }>;
    allSuites(): Iterable<{ errors(): readonly unknown[] }>;
  };
}

/**
 * Counts the tests of a run. A file that does not load, a suite whose hooks fail, and an error outside every test count
 * as one failure each: without them a run could fail and still read `0 failed`.
 */
export function countTests(modules: Iterable<CountedModule>, unhandledErrors: readonly unknown[]): Counts {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) counts.failed += 1;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      counts[state === "pending" ? "skipped" : state] += 1;
    }
  }
  return counts;
}

/** Leaves the counts for `npm test` to print as its very last line, in the file that SEKISHO_TEST_COUNTS names. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: Iterable<CountedModule>, unhandledErrors: readonly unknown[]): void {
    const { passed, failed, skipped } = countTests(modules, unhandledErrors);
    const file = process.env["SEKISHO_TEST_COUNTS"];
    if (file !== undefined) writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
    else process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
}
