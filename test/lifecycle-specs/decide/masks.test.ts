import { describe, expect, test } from "vitest";
import { judge } from "#specs/decide/decide.ts";
import type { Layer, Observation } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, LinkId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import { LEVELS, type Level, type Mask, type Phase, type Rule } from "#specs/lifecycle.ts";
import { at, type Event, sends, tells, writes } from "./examples/examples.ts";
import { historyAfter } from "./examples/history.ts";
import { EXAMPLE, EXAMPLE_LIFECYCLE } from "./examples/lifecycle.ts";

const SUBJECTS: Readonly<Record<string, Mask["subject"]>> = {
  hmi: { device: DeviceId("hmi-1") },
  ews: { device: DeviceId("ews-1") },
  plc: { device: DeviceId("plc-1") },
  link: { link: LinkId("hmi-plc") },
  other: { link: LinkId("hmi-ua") },
};

/** `running` with two rules more, one of both stations and one of the control program, and every containment of it. */
const bundle = { ...EXAMPLE, lifecycle: { ...EXAMPLE_LIFECYCLE, phases: phases() } };
const tablesOf = { hmi: compile(bundle, "hmi"), switch: compile(bundle, "switch"), plc: compile(bundle, "plc") };

const fromEws = { source: DeviceId("ews-1"), link: LinkId("ews-plc") };
const reads = { ...writes("LEVEL", undefined), operation: "read" } as const;
const stops = writes("STOP", 1);
const turns = { ...writes("PUMP.OUT", 50), source: "program", operation: "output" } as const;

describe("what each level withholds, message by message", () => {
  const messages: readonly { readonly name: string; readonly message: Observation; readonly layer?: Layer }[] = [
    { name: "reads", message: reads },
    { name: "is told", message: tells("LEVEL", 1) },
    { name: "writes", message: writes("ARM", 1) },
    { name: "sends a vendor function", message: sends("vendor-clock", 8) },
    { name: "stops", message: stops },
    { name: "the workstation writes", message: writes("TEST", 1, fromEws) },
    { name: "the program puts out", message: turns, layer: "plc" },
  ];

  test.each([
    { subject: "hmi", level: "observe", withheld: [] },
    { subject: "hmi", level: "rate-limit", withheld: [] },
    { subject: "hmi", level: "read-only", withheld: ["writes", "sends a vendor function"] },
    { subject: "hmi", level: "quarantine", withheld: ["reads", "is told", "writes", "sends a vendor function"] },
    { subject: "hmi", level: "cut", withheld: ["reads", "is told", "writes", "sends a vendor function"] },
    { subject: "link", level: "read-only", withheld: ["writes", "sends a vendor function"] },
    { subject: "link", level: "quarantine", withheld: ["reads", "is told", "writes", "sends a vendor function"] },
    { subject: "other", level: "cut", withheld: [] },
    { subject: "ews", level: "cut", withheld: ["the workstation writes"] },
    { subject: "plc", level: "observe", withheld: [] },
    { subject: "plc", level: "read-only", withheld: ["writes", "sends a vendor function", "the workstation writes"] },
    { subject: "plc", level: "quarantine", withheld: ["writes", "sends a vendor function", "the workstation writes"] },
    {
      subject: "plc",
      level: "cut",
      withheld: ["reads", "is told", "writes", "sends a vendor function", "the workstation writes"],
    },
  ] as const)("$subject, $level: $withheld", ({ subject, level, withheld }) => {
    const denied = messages.filter(({ message, layer = "switch" }) => {
      const verdict = judgedIn(subject, level, message, layer);
      if (verdict.verdict === "deny")
        expect(verdict).toMatchObject({ reason: "CONTAINED", rule: undefined, mode: "enforce" });
      return verdict.verdict === "deny";
    });
    expect(denied.map(({ name }) => name)).toEqual(withheld);
  });
});

describe("the PLC, which does not see who writes", () => {
  const shared = { ...writes("TEST", 1), source: undefined, link: undefined };
  const own = { ...writes("ARM", 1), source: undefined, link: undefined };

  test("lets pass what any source that is not limited may still cause", () => {
    expect(judgedIn("hmi", "cut", shared, "plc")).toMatchObject({ verdict: "allow", rule: "shared" });
    expect(judgedIn("hmi", "cut", own, "plc")).toMatchObject({ reason: "CONTAINED" });
    expect(judgedIn("plc", "cut", shared, "plc")).toMatchObject({ reason: "CONTAINED" });
  });

  test("limits a rule only where every source of it is limited", () => {
    const just = (rule: string): Event[] => [{ atMs: 0, sent: rule }];
    expect(judgedIn("hmi", "rate-limit", own, "plc", just("arm"))).toMatchObject({ reason: "RATE_LIMITED" });
    expect(judgedIn("hmi", "rate-limit", shared, "plc", just("shared"))).toMatchObject({ verdict: "allow" });
    expect(judgedIn("plc", "rate-limit", shared, "plc", just("shared"))).toMatchObject({ reason: "RATE_LIMITED" });
  });
});

describe("reasons in a containment", () => {
  test("what another step allows, and the containment would let pass, is another step's", () => {
    const deny = judgedIn("ews", "cut", writes("DOSE.SP", 2), "switch");
    expect(deny).toMatchObject({ reason: "STEP_FORBIDS", says: expect.stringContaining("(dose in running/dose)") });
  });

  test("what another step allows, and the containment would withhold, is not: it is the phase's", () => {
    expect(judgedIn("hmi", "cut", writes("DOSE.SP", 2), "switch")).toMatchObject({ reason: "PHASE_FORBIDS" });
  });

  test("a limited rule passes once in ten seconds, and says so under its own name", () => {
    const verdict = judgedIn("hmi", "rate-limit", writes("MODE.SP", 2), "switch", [{ atMs: 0, sent: "mode" }]);
    expect(verdict).toMatchObject({ reason: "RATE_LIMITED", rule: "mode", mode: "enforce" });
    expect(judgedIn("hmi", "rate-limit", { ...reads }, "switch", [{ atMs: 0, sent: "reads" }]).verdict).toBe("allow");
  });

  test("a containment without its origin is a mistake in the bundle, not a phase without rules", () => {
    const lost = bundle.lifecycle.phases.filter(({ id }) => id !== "running");
    expect(() => compile({ ...bundle, lifecycle: { ...bundle.lifecycle, phases: lost } }, "switch")).toThrow(
      "containment `contained.running.hmi.observe` comes before its origin",
    );
  });
});

test("however many containments there are, they share the bits of their origin and one mask for each level and subject", () => {
  const { phases: compiled } = tablesOf.switch;
  const origin = compiled.get(PhaseId("running"));
  const contained = [...compiled.values()].filter(({ phase }) => phase.mask !== undefined);
  expect(contained.length).toBe(LEVELS.length * Object.keys(SUBJECTS).length);
  for (const { base, steps, automaton } of contained) {
    expect(base.rules).toBe(origin?.base.rules);
    expect([...steps.values()].map(({ rules }) => rules)).toEqual(
      [...(origin?.steps.values() ?? [])].map(({ rules }) => rules),
    );
    expect(automaton).toBe(origin?.automaton);
    for (const step of steps.values()) expect(step.mask).toBe(base.mask);
  }
  expect(new Set(contained.map(({ base }) => base.mask)).size).toBe(contained.length);
});

function judgedIn(subject: string, level: Level, message: Observation, layer: Layer, before: readonly Event[] = []) {
  const tables = tablesOf[layer];
  return judge(tables, at(containedId(subject, level), "fill"), message, historyAfter(tables, before), 5000);
}

function containedId(subject: string, level: Level): PhaseId {
  return PhaseId(`contained.running.${subject}.${level}`);
}

function phases(): readonly Phase[] {
  const written = EXAMPLE_LIFECYCLE.phases.filter(({ mask }) => mask === undefined);
  const arm = written.flatMap(({ rules }) => rules).find((rule) => rule.id === "arm");
  if (arm === undefined) throw new Error("the examples have lost their rule");
  const stations = [DeviceId("hmi-1"), DeviceId("ews-1")];
  const shared: Rule = { ...arm, id: RuleId("shared"), from: stations, tags: [TagId("TEST")] };
  const turn: Rule = { ...arm, id: RuleId("turn"), from: ["program"], operation: "output", tags: [TagId("PUMP.OUT")] };
  return written.flatMap((phase) => {
    if (phase.id !== "running") return phase;
    const running = { ...phase, rules: [...phase.rules, shared, turn] };
    const contained = Object.entries(SUBJECTS).flatMap(([name, subject]) =>
      LEVELS.map((level) => {
        const mask: Mask = { origin: running.id, level, subject };
        return { ...running, id: containedId(name, level), mask, containment: true };
      }),
    );
    return [running, ...contained];
  });
}
