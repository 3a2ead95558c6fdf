import { describe, expect, test } from "vitest";
import { hasBit } from "#specs/decide/bits.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import type { Rule } from "#specs/lifecycle.ts";
import { effectiveRules } from "#specs/positions.ts";
import { LARGE, largePlant } from "../../../bench/bundle/large-plant.ts";
import { type bundleOf, loaded, small } from "../specs.ts";
import { EXAMPLE } from "./examples/lifecycle.ts";

type Compilable = Pick<ReturnType<typeof bundleOf>, "id" | "plant" | "lifecycle">;

const bundles: readonly { readonly name: string; readonly bundle: Compilable }[] = [
  { name: "the examples", bundle: EXAMPLE },
  { name: "small", bundle: { id: "small", ...small() } },
  { name: "water-treatment", bundle: { id: "water", ...loaded("water-treatment") } },
];

describe.each(bundles)("the tables of $name", ({ bundle }) => {
  test.each(["hmi", "switch", "plc"] as const)("hold at the %s what `effectiveRules` says, and safety", (layer) => {
    const tables = compile(bundle, layer);
    for (const phase of bundle.lifecycle.phases) {
      const table = tables.phases.get(phase.id);
      expect(idsIn(tables, table?.base.rules)).toEqual(
        judged(tables, effectiveRules(bundle.lifecycle, phase, undefined)),
      );
      for (const step of phase.steps) {
        const wanted = judged(tables, effectiveRules(bundle.lifecycle, phase, step));
        expect(idsIn(tables, table?.steps.get(step.id)?.rules)).toEqual(wanted);
      }
      expect([...(table?.steps.keys() ?? [])]).toEqual(phase.steps.map(({ id }) => id));
    }
    expect(idsIn(tables, tables.safety.rules)).toEqual(judged(tables, []));
  });
});

test("the HMI and the switch judge what crosses the network, the PLC what is written and put out", () => {
  const operations = (layer: "hmi" | "switch" | "plc") =>
    [...new Set(compile({ id: "", ...small() }, layer).rules.map(({ rule }) => rule.operation))].toSorted();
  expect(operations("hmi")).toEqual(["read", "session", "subscribe", "write"]);
  expect(operations("switch")).toEqual(operations("hmi"));
  expect(operations("plc")).toEqual(["output", "write"]);
});

test("rules come in the order of judgement: safety first, else as they are written", () => {
  const ids = compile(EXAMPLE, "switch").rules.map(({ rule }) => rule.id);
  expect(ids.slice(0, 4)).toEqual(["stop", "reads", "speed", "mode"]);
});

test("a cause on a tag that the plant does not have is a mistake in the bundle", () => {
  const { plant } = EXAMPLE;
  const less = { ...EXAMPLE, plant: { ...plant, tags: plant.tags.filter(({ id }) => id !== "DOOR") } };
  expect(() => compile(less, "hmi")).toThrow("the causality of rule `heat` names a tag that the plant does not have");
});

test("120 generated containments more of 10,000 rules in 12 phases cost nothing in bits", () => {
  const { plant, lifecycle } = largePlant(LARGE);
  const written = { ...lifecycle, phases: lifecycle.phases.filter(({ mask }) => mask === undefined) };
  const [all, own] = [lifecycle, written].map((each) => compile({ id: "", plant, lifecycle: each }, "switch"));
  if (all === undefined || own === undefined) throw new Error("unreachable: two were compiled");
  expect([all.phases.size, own.phases.size]).toEqual([132, 12]);
  const positions = LARGE.phases * (LARGE.stepsPerPhase + 2) + 1;
  expect(bitBytes(own)).toBe(positions * 4 * Math.ceil(LARGE.rules / 32));
  expect(bitBytes(all)).toBe(bitBytes(own));
});

/** Of every set of rules, counted once. */
function bitBytes({ phases, safety }: Tables): number {
  const tables = [...phases.values()];
  const positions = tables.flatMap(({ base, steps }) => [base, ...steps.values()]).map(({ rules }) => rules);
  const sets = new Set([safety.rules, ...positions, ...tables.map(({ inSteps }) => inSteps)]);
  return [...sets].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function judged(tables: Tables, rules: readonly Rule[]): readonly string[] {
  const safety = tables.rules.filter((rule) => rule.safety).map(({ rule }) => rule.id);
  const here = rules.filter(({ id }) => tables.ruleIndex.has(id)).map(({ id }) => id);
  return [...new Set<string>([...safety, ...here])].toSorted();
}

function idsIn(tables: Tables, bits: Parameters<typeof hasBit>[0] | undefined): readonly string[] {
  if (bits === undefined) return ["there is no table"];
  return tables.rules
    .filter(({ index }) => hasBit(bits, index))
    .map(({ rule }) => rule.id)
    .toSorted();
}
