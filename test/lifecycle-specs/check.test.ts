import { describe, expect, test } from "vitest";
import { checkSpec } from "#specs/check.ts";
import { DIAGNOSTICS, formatDiagnostic } from "#specs/diagnostic.ts";
import { loadPlant } from "#specs/load.ts";
import { SMALL_LIFECYCLE, SMALL_PLANT, small } from "./specs.ts";

/** One mistake each, put into the small plant: text that loads, and means something that cannot be right. */
interface Mistake {
  readonly code: string;
  readonly line: number;
  readonly column: number;
  readonly change: readonly (readonly [find: string, put: string])[];
  readonly inPlant?: readonly (readonly [find: string, put: string])[];
  readonly says: string;
}

const MISTAKES: readonly Mistake[] = [
  {
    code: "PHASE_UNREACHABLE",
    line: 65,
    column: 3,
    change: [["      - { request: service, roles: [engineer], to: service }\n", "\n"]],
    says: "nothing leads to phase `service`",
  },
  {
    code: "PHASE_STUCK",
    line: 65,
    column: 3,
    change: [
      ["      - { request: end, roles: [engineer], to: off, when: { all: [{ tag: PUMP, is: 0 }] } }", "      []"],
    ],
    says: "no transition leads out of phase `service`",
  },
  {
    code: "STEP_UNREACHABLE",
    line: 38,
    column: 7,
    change: [["to: keep", "to: fill"]],
    says: "no step leads to `keep` of phase `run`",
  },
  {
    code: "STEP_STUCK",
    line: 38,
    column: 7,
    change: [["          - { to: fill, when: { all: [{ tag: LEVEL, atMost: 1 }] } }", "          []"]],
    says: "nothing leads out of step `keep`",
  },
  {
    code: "TRANSITION_AMBIGUOUS",
    line: 21,
    column: 9,
    change: [["request: service", "request: start"]],
    says: "phase `off` answers request `start` twice",
  },
  {
    code: "CONTAINMENT_TARGET",
    line: 73,
    column: 5,
    change: [["to: limited.look, says: The operator", "to: service, says: The operator"]],
    says: "the containment leads to `service`",
  },
  {
    code: "ISOLATED_NOT_CONTAINMENT",
    line: 5,
    column: 11,
    change: [["isolated: limited.local", "isolated: off"]],
    says: "the isolated phase `off` is not marked",
  },
  {
    code: "CONTAINMENT_GAP",
    line: 23,
    column: 3,
    change: [["plc-logic, field, engineering", "engineering"]],
    says: "phase `run` has containments, but none for every attack at plc-logic, field",
  },
  {
    code: "CONTAINMENT_GAP",
    line: 23,
    column: 3,
    change: [["from: [run, limited.look], to: limited.local", "from: [limited.look], to: limited.local"]],
    says: "add `run` to the `from`",
  },
  {
    code: "CONTAINMENT_SHADOWED",
    line: 74,
    column: 5,
    change: [["locus: [unknown-device], tags", "locus: [hmi], tags"]],
    says: "earlier entries fit wherever this one does",
  },
  {
    code: "SAFETY_NOT_EVERYWHERE",
    line: 28,
    column: 7,
    change: [["mode: monitor", "safety: true"]],
    says: "safety rule `run-temp`",
  },
  {
    code: "CONDITION_UNOBSERVABLE",
    line: 31,
    column: 7,
    change: [["{ tag: OPEN, is: 1 }], for: 1s", "{ tag: HIDDEN, is: 1 }], for: 1s"]],
    inPlant: [
      ["\nessential:", "  HIDDEN: { title: hidden, kind: status, device: ews-1, range: [0, 1] }\n\nessential:"],
    ],
    says: "step `fill` depends on `HIDDEN`, which no enforcement point can observe",
  },
  {
    code: "CAUSE_OTHER_DEVICE",
    line: 34,
    column: 11,
    change: [["{ tag: OPEN, is: 1 }], for: 3s", "{ tag: TEMP, atLeast: 20 }], for: 3s"]],
    says: "rule `fill-pump` on plc-1 depends on `TEMP` of plc-2",
  },
  {
    code: "RULE_WITHOUT_LINK",
    line: 11,
    column: 3,
    change: [["from: [hmi-1], may: subscribe", "from: [hmi-1, ews-1], may: subscribe"]],
    says: "rule `hmi-watch` allows `ews-1` what no declared link to `plc-2` carries",
  },
  {
    code: "RULE_WITHOUT_LINK",
    line: 11,
    column: 3,
    change: [],
    inPlant: [["protocol: opcua, mode: monitor", "protocol: modbus, mode: monitor"]],
    says: "rule `hmi-watch`",
  },
];

describe("what a lifecycle means", () => {
  test("the small plant is clean", () => {
    expect(checkSpec(small())).toEqual([]);
  });

  test.each(MISTAKES)("$code: $says", ({ code, line, column, change, inPlant = [], says }) => {
    const result = loadPlant(
      { ...SMALL_PLANT, text: replaced(SMALL_PLANT.text, inPlant) },
      { ...SMALL_LIFECYCLE, text: replaced(SMALL_LIFECYCLE.text, change) },
    );
    if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
    const found = checkSpec(result.value);
    expect(found.map(formatDiagnostic).join("\n")).toContain(`lifecycle.yaml:${line}:${column}: `);
    expect(found).toContainEqual({
      file: "lifecycle.yaml",
      line,
      column,
      code,
      message: expect.stringContaining(says),
    });
  });

  test("every code of the check has a mistake above", () => {
    const codes = Object.keys(DIAGNOSTICS);
    const ofCheck = codes.slice(codes.indexOf("PHASE_UNREACHABLE"));
    expect(ofCheck.filter((code) => !MISTAKES.some((mistake) => mistake.code === code))).toEqual([]);
  });

  test("without a loader's positions, findings still have a place", () => {
    const { plant, lifecycle } = small();
    const broken = { ...lifecycle, isolated: lifecycle.initial };
    expect(checkSpec({ plant, lifecycle: broken })).toMatchObject([{ file: "lifecycle.yaml", line: 1, column: 1 }]);
  });
});

function replaced(text: string, changes: readonly (readonly [find: string, put: string])[]): string {
  return changes.reduce((done, [find, put]) => {
    expect(done, "the fixture has the text to be replaced").toContain(find);
    return done.replace(find, () => put);
  }, text);
}
