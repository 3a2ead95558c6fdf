import { describe, expect, test } from "vitest";
import { checkSpec } from "#specs/check.ts";
import { randomPlant } from "../../support/random-plant.ts";
import { seededDraw } from "../../support/random-plant-draw.ts";
import { randomLifecycle } from "../../support/random-plant-lifecycle.ts";
import { type Change, reportOf, type Sound } from "./support.ts";

/** Nothing is wrong, and yet a reader must know it. */
const FACTS: readonly {
  readonly guarantee: string;
  readonly what: string;
  readonly plant: Sound;
  readonly change: readonly Change[];
  /** Default: lifecycle.yaml. */
  readonly file?: string;
  readonly line: number;
  readonly says: string;
  readonly detail: object;
}[] = [
  {
    guarantee: "G1",
    what: "a change towards the safe phase adds something",
    plant: "mixer",
    change: [],
    line: 58,
    says: "the change from `run` to `shutdown` leads towards the safe phase and is made even while points are dead or refuse, though it adds `sd-pump`",
    detail: { from: "run", to: "shutdown", rules: ["sd-pump"] },
  },
  {
    guarantee: "G3",
    what: "a step and its phase can end at once",
    plant: "mixer",
    change: [],
    line: 31,
    says: "one observation (LEVEL = 1.2 m, OPEN = 1, STATE = ready) can end step `fill` and phase `run` at once: first the step (to `mix`, `drain`), then the phase (to `shutdown`, `off`)",
    detail: { phase: "run", step: "fill", stepTo: ["mix", "drain"], phaseTo: ["shutdown", "off"] },
  },
  {
    guarantee: "G3",
    what: "two zones can lead one of them to different phases at once",
    plant: "line",
    change: [["to: idle, with: [furnace.cold]", "to: idle, with: [furnace.hot]"]],
    line: 46,
    says: "one observation (HOT = 0, JAM = 1) can lead zone `furnace` from `furnace.hot` to `furnace.cold` and from `mill.rolling` to `furnace.hot`",
    detail: { zone: "furnace", first: "furnace.cold", second: "furnace.hot" },
  },
  {
    guarantee: "G8",
    what: "a command may only ever be given one value",
    plant: "mixer",
    change: [["tags: [STOP], safety: true", "tags: [STOP], value: { oneOf: [1] }, safety: true"]],
    file: "plant.yaml",
    line: 21,
    says: "`STOP` may only ever be set to 1: nothing that is allowed sets it back",
    detail: { tag: "STOP", value: "1" },
  },
  {
    guarantee: "G9",
    what: "a phase has no containment",
    plant: "mixer",
    change: [],
    line: 61,
    says: "from phase `shutdown` there is no sure way back when `hmi-1`, `ews-1`, `plc-1`, `meter-1` have been taken over: no containment is named for where they sit",
    detail: { phase: "shutdown", devices: ["hmi-1", "ews-1", "plc-1", "meter-1"] },
  },
  {
    guarantee: "G9",
    what: "a containment leaves the suspect a command",
    plant: "mixer",
    change: [
      [
        "    rules:\n      run-output: *run-output\n    on:",
        "    rules:\n      run-output: *run-output\n      lim-flow: { says: The flow may be set., from: [hmi-1], may: write, tags: [FLOW.SP], value: { min: 5, max: 40, maxStep: 5 }, most: { count: 2, per: 5s } }\n    on:",
      ],
    ],
    line: 24,
    says: "from phase `run` there is no sure way back when `hmi-1` has been taken over: `limited` leaves it rule `lim-flow`",
    detail: { phase: "run", devices: ["hmi-1"], why: "`limited` leaves it rule `lim-flow`" },
  },
  {
    guarantee: "G9",
    what: "every way back trusts the suspect",
    plant: "mixer",
    change: [
      ["      - { request: shut, roles: [operator], to: shutdown }\n", ""],
      ["clean: 10s, to: run }", "clean: 10s, to: run, when: { all: [{ tag: STATE, is: idle }] }, ttl: 30s }"],
    ],
    line: 24,
    says: "from phase `run` there is no sure way back when `plc-1` has been taken over: no way leads back from `limited` without trusting it",
    detail: { phase: "run", devices: ["plc-1"] },
  },
];

describe("what is always listed", () => {
  test.each(FACTS)("$guarantee: $what", ({ guarantee, plant, change, file, line, says, detail }) => {
    const { facts } = reportOf(plant, change);
    const found = facts.find((fact) => fact.guarantee === guarantee && fact.says.includes(says));
    expect(found, facts.map((fact) => `${fact.line}: ${fact.says}`).join("\n")).toMatchObject({ detail });
    expect(found).toMatchObject({ file: file ?? "lifecycle.yaml", line });
  });

  test("a pair that has a recovery is not listed", () => {
    const { facts } = reportOf("mixer", []);
    const of = facts.filter(({ guarantee, detail }) => guarantee === "G9" && detail?.["phase"] === "run");
    expect(of).toEqual([]);
  });
});

describe("random plants", () => {
  test("any lifecycle is answered, by a report that is JSON", () => {
    const codes = new Set<string>();
    for (let seed = 0; seed < 150; seed += 1) {
      const draw = seededDraw(seed);
      const plant = randomPlant(draw);
      const report = checkSpec({ plant, lifecycle: randomLifecycle(draw, plant) });
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
      for (const { code, message } of report.findings) {
        codes.add(code);
        expect(message).toMatch(/^[a-z`].*[^.]$/);
      }
    }
    expect(codes.size, [...codes].join()).toBeGreaterThan(15);
  });
});
