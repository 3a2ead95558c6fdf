import { describe, expect, test } from "vitest";
import { stepsOf } from "#specs/check/phase-lists.ts";
import { bookOf, excessOf, type Permission, permissionsOf } from "#specs/check/whitelist.ts";
import { checkSpec } from "#specs/check.ts";
import { judge } from "#specs/decide/decide.ts";
import { createHistory } from "#specs/decide/history.ts";
import { compile } from "#specs/decide/tables.ts";
import { PhaseId, StepId } from "#specs/ids.ts";
import type { Loaded } from "#specs/load.ts";
import { loaded } from "../specs.ts";
import { askFor } from "./asks.ts";
import { loadSound } from "./support.ts";
import { works } from "./works.ts";

const PLANTS: readonly (readonly [string, Loaded])[] = [
  ["the works", works()],
  ["water-treatment", loaded("water-treatment")],
  ["the boiler", loaded("boiler")],
];

/**
 * The checker shows G5 for each rule and concludes to each position. Here the conclusion is compared with every position, one by one:
 * every phase, generated ones included, and every step.
 */
describe.each(PLANTS)("in every position of %s", (_, { plant, lifecycle }) => {
  const positions = lifecycle.phases.flatMap((phase) => stepsOf(phase).map((step) => ({ phase, step })));

  test("what may be commanded may cross the network", () => {
    for (const { phase, step } of positions) {
      const crossing = permissionsOf(plant, lifecycle, phase.id, step?.id, "switch");
      for (const permission of permissionsOf(plant, lifecycle, phase.id, step?.id, "hmi").values()) {
        const tag = permission.tag === undefined ? undefined : bookOf(plant, lifecycle).tag(permission.tag);
        const rounded = tag?.modbus === undefined ? permission : roundedTo(tag.modbus.scale, permission);
        expect(
          excessOf(plant, lifecycle, rounded, crossing.get(permission.key)),
          `${phase.id} ${permission.key}`,
        ).toEqual([]);
      }
    }
  });

  test("what may cross the network may change in a guarded PLC", () => {
    let compared = 0;
    for (const { phase, step } of positions) {
      const changing = permissionsOf(plant, lifecycle, phase.id, step?.id, "plc");
      for (const permission of permissionsOf(plant, lifecycle, phase.id, step?.id, "switch").values()) {
        const { operation, tag, target } = permission;
        if (operation !== "write" || !bookOf(plant, lifecycle).isGuarded(target)) continue;
        compared += 1;
        expect(
          excessOf(plant, lifecycle, permission, changing.get(`anyone write ${tag} ${target}`)),
          `${phase.id} ${permission.key}`,
        ).toEqual([]);
      }
    }
    expect(compared).toBeGreaterThan(0);
  });

  test("safety commands pass in the decision core: every phase, every window, and where no phase is held", () => {
    let passed = 0;
    for (const layer of ["hmi", "switch"] as const) {
      const tables = compile({ id: "test", plant, lifecycle }, layer);
      const history = createHistory(tables);
      const safety = lifecycle.rules.filter((rule) => rule.safety);
      expect(safety.length).toBeGreaterThan(0);
      for (const { key, grants, ...permission } of permissionsOf(
        plant,
        lifecycle,
        positions[0]?.phase.id ?? PhaseId("none"),
        positions[0]?.step?.id,
        layer,
      ).values()) {
        const grant = grants.find(({ rule }) => rule.safety);
        const observation =
          grant === undefined ? undefined : askFor(plant, { key, ...permission, grants }, grant.values?.[0]?.[0]);
        if (observation === undefined) continue;
        const allow = { verdict: "allow", safety: true };
        expect(judge(tables, { kind: "none" }, observation, history, 0)).toMatchObject(allow);
        for (const { phase, step } of positions) {
          const old = { phase: phase.id, steps: step === undefined ? [] : [step.id] };
          expect(judge(tables, { kind: "phase", position: old }, observation, history, 0)).toMatchObject(allow);
          for (const { to } of phase.transitions) {
            const change = { kind: "window", old, new: { phase: to, steps: [] }, window: [] } as const;
            expect(judge(tables, change, observation, history, 0)).toMatchObject(allow);
            passed += 1;
          }
        }
      }
    }
    expect(passed).toBeGreaterThan(0);
  });
});

/** The bounds of an interval, drawn in to whole raw numbers: nothing between them can be sent. */
function roundedTo(scale: number, permission: Permission): Permission {
  const up = (value: number) => Math.ceil(value / scale - 1e-6) * scale;
  const down = (value: number) => Math.floor(value / scale + 1e-6) * scale;
  const grants = permission.grants.map((grant) =>
    grant.values === undefined
      ? grant
      : { ...grant, values: grant.values.map(([low, high]) => [up(low), down(high)] as const) },
  );
  return { ...permission, grants };
}

describe("whitelists of a position", () => {
  const { plant, lifecycle } = works();
  const at = (phase: string, step: string | undefined, layer: "hmi" | "switch" | "plc") =>
    permissionsOf(plant, lifecycle, PhaseId(phase), step === undefined ? undefined : StepId(step), layer);

  test("a step adds to its phase, and to every phase", () => {
    const keep = at("run", "keep", "hmi");
    expect(keep.get("hmi-1 write PUMP plc-1")?.grants.map(({ rule, values }) => [rule.id, values])).toEqual([
      ["keep-pump", [[0, 0]]],
    ]);
    expect([...keep.keys()]).toEqual(
      expect.arrayContaining(["hmi-1 write FLOW.SP plc-1", "hmi-1 read LEVEL plc-1", "hmi-1 session - plc-2"]),
    );
    expect(at("run", undefined, "hmi").has("hmi-1 write PUMP plc-1")).toBe(false);
  });

  test("the PLC layer has no senders, no reads, and the outputs", () => {
    const keep = at("run", "keep", "plc");
    expect([...keep.keys()].sort()).toEqual([
      "anyone write FLOW.SP plc-1",
      "anyone write PUMP plc-1",
      "anyone write STOP plc-1",
      "anyone write TEMP.SP plc-2",
      "program output DRAIN.OUT plc-1",
      "program output HEAT.OUT plc-2",
      "program output PUMP.OUT plc-1",
    ]);
    expect(keep.get("anyone write FLOW.SP plc-1")).toMatchObject({
      source: "anyone",
      target: "plc-1",
      tag: "FLOW.SP",
      grants: [{ limits: { rates: [{ most: 2, perMs: 4800 }] } }],
    });
  });

  test("a mask takes all but safety, and limits what changes", () => {
    expect([...at("contained.run.hmi-1.cut", "fill", "switch").keys()]).toEqual(["hmi-1 write STOP plc-1"]);
    const limited = at("contained.run.hmi-1.rate-limit", "fill", "hmi");
    expect(limited.get("hmi-1 write PUMP plc-1")?.grants[0]?.limits.rates).toEqual([{ most: 1, perMs: 10_000 }]);
    expect(limited.get("hmi-1 read LEVEL plc-1")?.grants[0]?.limits.rates).toEqual([]);
    expect(at("contained.run.hmi-1.cut", "fill", "plc").has("program output PUMP.OUT plc-1")).toBe(true);
  });

  test("of the rules of every phase those about another zone's servers are not there", () => {
    const line = loadSound("line");
    const keys = [...permissionsOf(line.plant, line.lifecycle, PhaseId("furnace.cold"), undefined, "switch").keys()];
    expect(keys).toEqual(["hmi-1 read HOT plc-f"]);
  });

  test("a phase or step that is not there is refused in words", () => {
    expect(() => at("runn", undefined, "hmi")).toThrow("the lifecycle has no phase `runn`; name one that it declares");
    expect(() => at("run", "fil", "hmi")).toThrow("phase `run` has no step `fil`; name one that it declares");
  });

  test("two rules that both need one with a rate allow more often than it does", () => {
    const own = at("run", "fill", "hmi").get("hmi-1 write FLOW.SP plc-1");
    if (own === undefined) throw new Error("the works have no such permission");
    const [grant] = own.grants;
    if (grant === undefined) throw new Error("a permission has a grant");
    const twice = { ...own, grants: [grant, { ...grant, rule: { ...grant.rule } }] };
    expect(excessOf(plant, lifecycle, own, own)).toEqual([]);
    expect(excessOf(plant, lifecycle, twice, own)).toMatchObject([{ kind: "limits", limits: ["cadence"] }]);
    expect(excessOf(plant, lifecycle, twice, twice)).toEqual([]);
  });
});

describe("what only a lifecycle made in code can have", () => {
  test("LAYER_STRICTER: a skew below zero turns the layers round", () => {
    const { plant, lifecycle, locate } = works();
    const { findings } = checkSpec({ plant, lifecycle: { ...lifecycle, skewMs: -100 }, locate });
    const found = findings.filter(({ code }) => code === "LAYER_STRICTER");
    expect(found.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("rule `run-flow`: the switch layer is stricter than the HMI layer in `cadence`"),
    );
    expect(found[0]).toMatchObject({
      guarantee: "G5",
      severity: "error",
      trace: expect.arrayContaining([expect.stringContaining("HMI layer: ")]),
    });
  });

  test("CONTAINMENT_WIDENS: a generated containment with a rule that its origin has not", () => {
    const { plant, lifecycle, locate } = works();
    const service = lifecycle.phases.find(({ id }) => id === PhaseId("service"));
    const phases = lifecycle.phases.map((phase) =>
      phase.id === PhaseId("contained.run.hmi-1.cut")
        ? { ...phase, rules: [...phase.rules, ...(service?.rules ?? [])] }
        : phase,
    );
    const { findings } = checkSpec({ plant, lifecycle: { ...lifecycle, phases }, locate });
    expect(findings.filter(({ code }) => code === "CONTAINMENT_WIDENS")).toMatchObject([
      {
        guarantee: "G7",
        line: 79,
        message: expect.stringContaining("has rule `sv-flow`, which its origin `run` has not"),
      },
    ]);
  });
});
