import { describe, expect, test } from "vitest";
import { type CountedModule, countTests } from "../../scripts/count-reporter.ts";

type State = "passed" | "failed" | "skipped" | "pending";

interface Shape {
  readonly tests?: readonly State[];
  readonly errors?: number;
  readonly suiteErrors?: number;
}

function module({ tests = [], errors = 0, suiteErrors = 0 }: Shape): CountedModule {
  const list = (length: number): readonly unknown[] => Array.from({ length }, () => new Error("broken"));
  return {
    errors: () => list(errors),
    children: {
      allTests: () => tests.map((state) => ({ result: () => ({ state }) })),
      allSuites: () => [{ errors: () => list(suiteErrors) }],
    },
  };
}

describe("counting a run", () => {
  test("adds the tests of every file by their result; a test that did not run is skipped", () => {
    const modules = [module({ tests: ["passed", "failed", "skipped"] }), module({ tests: ["passed", "pending"] })];
    expect(countTests(modules, [])).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });
  test("a file that does not load is one failure", () => {
    expect(countTests([module({ errors: 2 })], [])).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
  test("a suite whose hook fails is one failure", () => {
    const counts = countTests([module({ tests: ["skipped"], suiteErrors: 1 })], []);
    expect(counts).toEqual({ passed: 0, failed: 1, skipped: 1 });
  });
  test("an error outside every test is one failure", () => {
    expect(countTests([module({ tests: ["passed"] })], [new Error("late")])).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
    });
  });
});
