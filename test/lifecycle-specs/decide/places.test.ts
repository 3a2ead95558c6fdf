import { describe, expect, test } from "vitest";
import { judge, type Permitted } from "#specs/decide/decide.ts";
import { createHistory } from "#specs/decide/history.ts";
import type { Layer, Observation, Position } from "#specs/decide/observation.ts";
import { REASONS } from "#specs/decide/reasons.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, PhaseId, RawId, RuleId, StepId, TagId } from "#specs/ids.ts";
import type { Lifecycle, Mask, Operation, Phase, Rule } from "#specs/lifecycle.ts";
import { at, sends, tells, writes } from "./examples/examples.ts";
import { EXAMPLE, EXAMPLE_LIFECYCLE } from "./examples/lifecycle.ts";
import { EXAMPLE_PLANT } from "./examples/plant.ts";

/** Four phases in which the same few rules stand at different places, so that a wrong place shows. */
const arm = rule("arm", ["ARM"]);
const vent = rule("vent", ["VENT"]);
const heat = rule("heat", ["HEAT"]);
const armToo = rule("arm-too", ["ARM"]);
const ventToo = rule("vent-too", ["VENT"]);
const serve = rule("serve", ["TEST"], { from: [DeviceId("ews-1")] });

const lifecycle: Lifecycle = {
  ...EXAMPLE_LIFECYCLE,
  rules: [heat],
  phases: [
    phase("wide", [arm, vent]),
    phase("stepped", [ventToo], { idle: [], armed: [arm] }),
    phase("other", [], { idle: [], armed: [arm], spare: [armToo] }),
    phase("bare", [serve]),
    contained("wide", "read-only"),
    contained("stepped", "read-only"),
  ],
};
/** Here `arm` is the very first of all rules. */
const armFirst: Lifecycle = { ...lifecycle, rules: [] };

interface Named {
  readonly name: string;
  readonly permitted: Permitted;
  readonly observation?: Observation;
  readonly layer?: Layer;
  readonly says: string;
}

describe("a deny names the places where it would be allowed", () => {
  test.each<Named>([
    {
      name: "another step of this phase, and not the steps of others",
      permitted: at("stepped", "idle"),
      says: `hmi-1 may not write ARM of plc-1: ${REASONS.STEP_FORBIDS} (arm in stepped/armed)`,
    },
    {
      name: "whole phases and steps, three at most",
      permitted: at("bare"),
      says: `hmi-1 may not write ARM of plc-1: ${REASONS.PHASE_FORBIDS} (arm in wide, arm in stepped/armed, arm in other/armed and 1 more)`,
    },
    {
      name: "in a containment the rule of its origin, and not the same rule elsewhere",
      permitted: at("contained.wide.hmi-1.read-only"),
      says: `hmi-1 may not write ARM of plc-1: ${REASONS.CONTAINED} (arm in wide)`,
    },
    {
      name: "in a containment the rule of a possible step",
      permitted: at("contained.stepped.hmi-1.read-only", "idle", "armed"),
      says: `hmi-1 may not write ARM of plc-1: ${REASONS.CONTAINED} (arm in stepped/armed)`,
    },
    {
      name: "in a containment nothing for a step that is not possible",
      permitted: at("contained.stepped.hmi-1.read-only", "idle"),
      says: `hmi-1 may not write ARM of plc-1: ${REASONS.PHASE_FORBIDS} (arm in wide, arm in stepped/armed, arm in other/armed and 1 more)`,
    },
    {
      name: "in a containment a rule of every phase",
      permitted: at("contained.wide.hmi-1.read-only"),
      observation: writes("HEAT", 1),
      says: `hmi-1 may not write HEAT of plc-1: ${REASONS.CONTAINED} (heat)`,
    },
    {
      name: "in a containment only the rules that hold there",
      permitted: at("contained.stepped.hmi-1.read-only", "idle"),
      observation: writes("VENT", 1),
      says: `hmi-1 may not write VENT of plc-1: ${REASONS.CONTAINED} (vent-too in stepped)`,
    },
    {
      name: "what another device may do, whose rule it is",
      permitted: at("wide"),
      observation: writes("TEST", 1),
      says: `hmi-1 may not write TEST of plc-1: ${REASONS.SOURCE_FORBIDS} (serve in bare)`,
    },
    {
      name: "nothing where there is nothing",
      permitted: at("wide"),
      observation: writes("RINSE", 1),
      says: `hmi-1 may not write RINSE of plc-1: ${REASONS.NO_RULE}`,
    },
    {
      name: "in a PLC nobody is named who wrote",
      permitted: at("wide"),
      observation: writes("RINSE", 1, { source: undefined, link: undefined }),
      layer: "plc",
      says: `nobody may not write RINSE of plc-1: ${REASONS.NO_RULE}`,
    },
    {
      name: "a report without any item",
      permitted: at("wide"),
      observation: { ...tells("LEVEL", 1), items: [] },
      says: `plc-1 may not report anything to hmi-1: ${REASONS.NO_RULE}`,
    },
    {
      name: "a vendor function by its own name",
      permitted: at("wide"),
      observation: sends("vendor-clock", 8),
      says: `hmi-1 may not send vendor-clock to plc-1: ${REASONS.NO_RULE}`,
    },
  ])("$name", ({ permitted, observation = writes("ARM", 1), layer = "switch", says }) => {
    expect(judged(permitted, observation, lifecycle, layer)).toMatchObject({ verdict: "deny", says });
  });

  test("it is by the tag's name that a value is told, not by its address", () => {
    const observation = { ...writes("ARM", 7), items: [{ tag: TagId("ARM"), address: "unit 1 coil 3", value: 7 }] };
    expect(judged(at("wide"), observation)).toMatchObject({ says: "ARM 7 is above 1 (arm)" });
  });
});

describe("the words of what a rule asks for", () => {
  test("all rules that it must be kept apart from", () => {
    const fire = rule("fire", ["FIRE"], { causality: { apart: { rules: [arm.id, vent.id], withinMs: 2000 } } });
    const tables = compile({ ...EXAMPLE, lifecycle: { ...lifecycle, rules: [fire] } }, "switch");
    const history = createHistory(tables);
    history.forwardedAt.fill(0);
    expect(judge(tables, at("wide"), writes("FIRE", 1), history, 1000)).toMatchObject({
      says: `FIRE needs 2 s after arm, vent: ${REASONS.TOO_CLOSE} (fire)`,
    });
  });

  test("a vendor function of one length only, and of a length that nobody knows", () => {
    const clock = rule("clock", [], { operation: "raw", raw: [RawId("vendor-clock")] });
    const raw = EXAMPLE_PLANT.raw.map((one) => ({ ...one, length: [8, 8] as const }));
    const plant = { ...EXAMPLE_PLANT, raw };
    const tables = compile({ ...EXAMPLE, plant, lifecycle: { ...lifecycle, rules: [clock] } }, "switch");
    const says = (bytes: number | undefined) =>
      judge(tables, at("wide"), sends("vendor-clock", bytes), createHistory(tables), 0);
    expect(says(7)).toMatchObject({ says: "function code 100 has 7 bytes, and 8 are declared (clock)" });
    expect(says(undefined)).toMatchObject({
      says: "function code 100 has an unknown number of bytes, and 8 are declared (clock)",
    });
    expect(says(8)).toMatchObject({ verdict: "allow", rule: "clock" });
  });
});

describe("a message that several rules allow", () => {
  const both: Observation = { ...writes("ARM", 1), items: items("ARM", "VENT") };

  test("is told by the rules of the position that allows all of it, not by those of another possible one", () => {
    expect(judged(at("stepped", "idle", "armed"), both)).toEqual({
      ...{ verdict: "allow", rule: "arm", also: ["vent-too"], safety: false },
    });
  });

  test("is by safety where all of them are safety rules, with any phase, with none, and with one that there is not", () => {
    const safe = [rule("stop", ["STOP"], { safety: true }), rule("test-stop", ["TEST"], { safety: true })];
    const withSafety = { ...lifecycle, rules: safe };
    const stops: Observation = { ...writes("STOP", 1), items: items("STOP", "TEST") };
    const allowed = { verdict: "allow", rule: "stop", also: ["test-stop"], safety: true };
    for (const permitted of [at("bare"), at("nowhere"), { kind: "none" } as const]) {
      expect(judged(permitted, stops, withSafety)).toEqual(allowed);
    }
    const mixed: Observation = { ...writes("STOP", 1), items: items("STOP", "ARM") };
    expect(judged(at("wide"), mixed, withSafety)).toMatchObject({ rule: "stop", also: ["arm"], safety: false });
  });

  test("in a window: by old where both allow, by the list where only one does, by the one that allows where either will do", () => {
    const [wide, bare, stepped] = [position("wide"), position("bare"), position("stepped", "armed")];
    const list = [armToo.id, ventToo.id];
    const by = (old: Position, next: Position, judgedBy: "both" | "either") =>
      judged({ kind: "window", old, new: next, window: list, judgedBy }, both);
    expect(by(wide, stepped, "both")).toMatchObject({ rule: "arm", also: ["vent"] });
    expect(by(stepped, wide, "both")).toMatchObject({ rule: "arm", also: ["vent-too"] });
    expect(by(wide, bare, "both")).toMatchObject({ rule: "arm-too", also: ["vent-too"] });
    expect(by(bare, wide, "both")).toMatchObject({ rule: "arm-too", also: ["vent-too"] });
    expect(by(wide, bare, "either")).toMatchObject({ rule: "arm", also: ["vent"] });
    expect(by(bare, wide, "either")).toMatchObject({ rule: "arm", also: ["vent"] });
  });
});

describe("a window in which the first of all rules allows on one side only", () => {
  const [wide, bare] = [position("wide"), position("bare")];
  const window = (old: Position, next: Position, judgedBy: "both" | "either"): Permitted => {
    return { kind: "window", old, new: next, window: [], judgedBy };
  };
  const elsewhere = `hmi-1 may not write ARM of plc-1: ${REASONS.PHASE_FORBIDS} (arm in wide, arm in stepped/armed, arm in other/armed and 1 more)`;
  const denied = { verdict: "deny", reason: "WINDOW_FORBIDS", rule: undefined, item: 0, mode: "enforce" };

  test("both must: it is denied for what the other side says", () => {
    expect(judged(window(wide, bare, "both"), writes("ARM", 1), armFirst)).toEqual({
      ...denied,
      says: `during the change from wide to bare: ${elsewhere}`,
    });
    expect(judged(window(bare, wide, "both"), writes("ARM", 1), armFirst)).toEqual({
      ...denied,
      says: `during the change from bare to wide: ${elsewhere}`,
    });
  });

  test("either may: it is allowed", () => {
    for (const [old, next] of [
      [wide, bare],
      [bare, wide],
    ] as const) {
      expect(judged(window(old, next, "either"), writes("ARM", 1), armFirst)).toMatchObject({ rule: "arm" });
    }
  });
});

describe("of several possible steps the one that came closest tells the reason", () => {
  const dosing = rule("dosing", ["DOSE.SP"], { value: { max: 5 } });
  const steps = phase("dosing", [], { first: [arm, dosing], second: [dosing] });
  const tables = compile({ ...EXAMPLE, lifecycle: { ...lifecycle, phases: [steps, ...lifecycle.phases] } }, "switch");

  test.each([
    ["first", "second"],
    ["second", "first"],
  ])("%s, %s: further along the items", (...possible) => {
    const observation: Observation = {
      ...writes("ARM", 1),
      items: [...items("ARM"), ...items("DOSE.SP", "RINSE")].map((item, n) => (n === 1 ? { ...item, value: 9 } : item)),
    };
    const verdict = judge(tables, at("dosing", ...possible), observation, createHistory(tables), 0);
    expect(verdict).toMatchObject({ reason: "VALUE_ABOVE", rule: "dosing", item: 1 });
  });
});

function judged(permitted: Permitted, observation: Observation, of: Lifecycle = lifecycle, layer: Layer = "switch") {
  const tables = compile({ ...EXAMPLE, lifecycle: of }, layer);
  return judge(tables, permitted, observation, createHistory(tables), 0);
}

function rule(id: string, tags: readonly string[], more: Partial<Rule> = {}): Rule {
  const operation: Operation = "write";
  const who = { from: [DeviceId("hmi-1")], operation, targets: [DeviceId("plc-1")] };
  const what = { tags: tags.map(TagId), raw: [], mode: "enforce", safety: false } as const;
  return { id: RuleId(id), says: id, ...who, ...what, ...more };
}

function phase(id: string, rules: readonly Rule[], stepRules: Readonly<Record<string, readonly Rule[]>> = {}): Phase {
  const steps = Object.entries(stepRules).map(([name, own]) => ({
    id: StepId(name),
    says: name,
    rules: own,
    next: [],
  }));
  const zone = EXAMPLE_LIFECYCLE.phases[0]?.zone;
  if (zone === undefined) throw new Error("unreachable: the example has a phase");
  const begin = steps[0] === undefined ? {} : { initial: steps[0].id };
  return { id: PhaseId(id), zone, says: id, rules, steps, transitions: [], containment: false, ...begin };
}

function contained(origin: string, level: Mask["level"]): Phase {
  const of = origin === "wide" ? phase("wide", [arm, vent]) : phase("stepped", [ventToo], { idle: [], armed: [arm] });
  const mask: Mask = { origin: of.id, level, subject: { device: DeviceId("hmi-1") } };
  return { ...of, id: PhaseId(`contained.${origin}.hmi-1.${level}`), containment: true, mask };
}

function position(id: string, ...steps: readonly string[]): Position {
  return { phase: PhaseId(id), steps: steps.map(StepId) };
}

function items(...tags: readonly string[]): Observation["items"] {
  return tags.map((tag) => ({ tag: TagId(tag), address: tag, value: 1 }));
}
