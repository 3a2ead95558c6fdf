import { DeviceId, PhaseId, PlantId, RawId, RuleId, StepId, TagId, ZoneId } from "#specs/ids.ts";
import type { Comparison, Condition, Lifecycle, Mask, Operation, Phase, Rule, Step } from "#specs/lifecycle.ts";
import { EXAMPLE_PLANT } from "./plant.ts";

/** The lifecycle of the examples: in `running` one rule for each thing that a rule can ask for. Times without any skew. */
const zone = ZoneId("works");

const fill: Step = step("fill", [rule("rinse", "write", ["RINSE"], { cadence: { rate: { most: 2, perMs: 60_000 } } })]);
const dose: Step = step("dose", [
  rule("dose", "write", ["DOSE.SP"], { value: { min: 1, max: 3, maxStep: 0.5 } }),
  rule("drain", "write", ["DRAIN"], {
    causality: { after: condition({ tag: TagId("LEVEL"), test: "at-least", value: 0.5, release: 0.4 }, 3000, 5000) },
  }),
]);

const running: Phase = {
  ...phase("running", [
    rule("speed", "write", ["SPEED.SP"], { value: { rampPerS: 5 } }),
    rule("mode", "write", ["MODE.SP"], { value: { oneOf: [0, 2] } }),
    rule("beat", "write", ["BEAT"], { cadence: { period: { everyMs: 1000, jitterMs: 200 } } }),
    rule("heat", "write", ["HEAT"], {
      causality: { notWhile: condition({ tag: TagId("DOOR"), test: "is", value: 1 }, 0) },
    }),
    rule("vent", "write", ["VENT"], {
      causality: { notWhile: condition({ tag: TagId("DOOR"), test: "is", value: 1 }, 3000, 5000) },
    }),
    rule("arm", "write", ["ARM"]),
    rule("fire", "write", ["FIRE"], {
      causality: { follows: { rule: RuleId("arm"), withinMs: 10_000, once: true } },
    }),
    rule("inlet", "write", ["INLET"], { causality: { apart: { rules: [RuleId("outlet")], withinMs: 2000 } } }),
    rule("outlet", "write", ["OUTLET"]),
    rule("level-told", "report", ["LEVEL"], {
      from: [DeviceId("plc-1")],
      targets: [DeviceId("hmi-1")],
      value: { staleMs: 10_000 },
      mode: "monitor",
    }),
    rule("lamp", "write", ["LAMP"], { roles: ["operator", "engineer"] }),
    rule("look", "read", ["SPEED.SP", "DOSE.SP"], { form: { quantity: 2 } }),
    rule("horn", "write", ["HORN"], { form: { functions: [{ code: 5 }] } }),
    rule("recipes", "read", [], { form: { files: [{ files: [4, 4], records: [0, 99] }] } }),
    rule("name-plate", "diagnose", [], { form: { objects: [[0, 2]] } }),
    rule("clock", "raw", [], { targets: [DeviceId("plc-1")], raw: [RawId("vendor-clock")] }),
    rule("calibrate", "call", ["CALIBRATE", "CALIBRATE.GAIN"], { targets: [DeviceId("ua-1")] }),
  ]),
  steps: [fill, dose],
  initial: fill.id,
};

export const EXAMPLE_LIFECYCLE: Lifecycle = {
  plant: PlantId("skid"),
  version: 1,
  regions: [{ zone, initial: PhaseId("stopped"), isolated: PhaseId("stopped") }],
  leaseMs: 10_000,
  skewMs: 0,
  changeMs: 5000,
  rules: [
    rule("reads", "read", ["LEVEL", "DOOR"]),
    rule("stop", "write", ["STOP"], {
      value: { oneOf: [1] },
      cadence: { rate: { most: 2, perMs: 1000 } },
      safety: true,
    }),
  ],
  phases: [
    phase("stopped", []),
    running,
    phase("service", [rule("test", "write", ["TEST"], { from: [DeviceId("ews-1")] })]),
    contained({ origin: running.id, level: "read-only", subject: { device: DeviceId("hmi-1") } }),
    contained({ origin: running.id, level: "rate-limit", subject: { device: DeviceId("hmi-1") } }),
  ],
  containments: [],
};

/** From the operator station to the PLC, unless told otherwise. */
function rule(id: string, operation: Operation, tags: readonly string[], more: Partial<Rule> = {}): Rule {
  return {
    id: RuleId(id),
    says: id,
    from: [DeviceId("hmi-1")],
    operation,
    targets: [DeviceId("plc-1")],
    tags: tags.map(TagId),
    raw: [],
    mode: "enforce",
    safety: false,
    ...more,
  };
}

function condition(comparison: Comparison, forMs: number, freshMs?: number): Condition {
  return { all: [comparison], forMs, ...(freshMs === undefined ? {} : { freshMs }) };
}

function step(id: string, rules: readonly Rule[]): Step {
  return { id: StepId(id), says: id, rules, next: [] };
}

function phase(id: string, rules: readonly Rule[]): Phase {
  return { id: PhaseId(id), zone, says: id, rules, steps: [], transitions: [], containment: false };
}

function contained(mask: Mask): Phase {
  return { ...running, id: PhaseId(`contained.running.hmi-1.${mask.level}`), mask, containment: true };
}

/** What a layer compiles of a bundle. */
export const EXAMPLE = { id: "example", plant: EXAMPLE_PLANT, lifecycle: EXAMPLE_LIFECYCLE };
