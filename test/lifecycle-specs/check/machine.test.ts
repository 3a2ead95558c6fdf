import { describe, expect, test } from "vitest";
import { MACHINE_CODES } from "#specs/check/codes-machine.ts";
import { checkSpec } from "#specs/check.ts";
import { loaded } from "../specs.ts";
import { DEAD_MISTAKES } from "./mistakes-dead.ts";
import { TIME_MISTAKES } from "./mistakes-times.ts";
import { WAY_MISTAKES } from "./mistakes-ways.ts";
import { expectFound, reportOf } from "./support.ts";

const MACHINE_MISTAKES = [...WAY_MISTAKES, ...DEAD_MISTAKES, ...TIME_MISTAKES];

describe("what can be wrong with the machine", () => {
  test.each(["mixer", "line"] as const)("nothing is wrong with the %s", (plant) => {
    expect(reportOf(plant, [])).toMatchObject({ passed: true, findings: [], findingsLeftOut: 0 });
  });

  test.each(["water-treatment", "boiler"])("nothing is wrong with %s, which comes with the product", (plant) => {
    expect(checkSpec(loaded(plant))).toMatchObject({ passed: true, findings: [] });
  });

  test.each(MACHINE_MISTAKES)("$guarantee $code: $what", (mistake) => expectFound(mistake));

  test("every code has a mistake", () => {
    const shown = new Set<string>(MACHINE_MISTAKES.map(({ code }) => code));
    expect(Object.keys(MACHINE_CODES).filter((code) => !shown.has(code))).toEqual([]);
  });
});
