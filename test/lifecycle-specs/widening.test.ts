import { describe, expect, test } from "vitest";
import { PhaseId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { mayGoWithoutAbsent, narrows } from "#specs/widening.ts";
import { loadSound } from "./check/support.ts";

const { lifecycle } = loadSound("mixer");
const phase = (id: string) => {
  const found = lifecycle.phases.find((each) => each.id === id);
  if (found === undefined) throw new Error(`the mixer has no phase \`${id}\``);
  return found;
};
const may = (from: string, to: string) => mayGoWithoutAbsent(lifecycle, PhaseId(from), PhaseId(to));

describe("changes that are made without an absent point", () => {
  test.each([
    { from: "run", to: "limited", want: true, why: "a containment narrows" },
    { from: "run", to: "shutdown", want: true, why: "it is nearer to the safe phase" },
    { from: "shutdown", to: "off", want: true, why: "it is the safe phase" },
    { from: "off", to: "run", want: false, why: "it allows more, though it can run into the safe phase by itself" },
    { from: "limited", to: "run", want: false, why: "it gives back what the containment took" },
    { from: "off", to: "nowhere", want: false, why: "there is no such phase" },
  ])("$from to $to: $want, for $why", ({ from, to, want }) => expect(may(from, to)).toBe(want));
});

describe("narrowing", () => {
  const run = phase("run");
  const flow = run.rules.find(({ id }) => id === "run-flow");
  if (flow === undefined) throw new Error("the mixer has this rule");
  const wide = { ...run, rules: [flow] };
  const next = (change: Partial<Rule>) => ({ ...run, steps: [], rules: [{ ...flow, ...change }] });

  test.each([
    { what: "the same", change: {}, want: true },
    { what: "a smaller range", change: { value: { min: 10, max: 20, maxStep: 5 } }, want: true },
    { what: "single values of the range", change: { value: { oneOf: [10, 20], maxStep: 5 } }, want: true },
    { what: "fewer in more time", change: { cadence: { rate: { most: 1, perMs: 6000 } } }, want: true },
    { what: "a larger range", change: { value: { min: 5, max: 41, maxStep: 5 } }, want: false },
    { what: "a larger step", change: { value: { min: 5, max: 40, maxStep: 6 } }, want: false },
    { what: "no bounds", change: { value: {} }, want: false },
    { what: "more in the same time", change: { cadence: { rate: { most: 3, perMs: 5000 } } }, want: false },
    { what: "another operation", change: { operation: "read" }, want: false },
    { what: "monitored only", change: { mode: "monitor" }, want: false },
  ] as const)("$what: $want", ({ change, want }) => expect(narrows(wide, next(change))).toBe(want));

  test("what a step of the old phase alone allows is not allowed throughout it", () => {
    const inStep = { ...run, rules: [] };
    expect(narrows(inStep, next({}))).toBe(false);
  });
});
