import { describe, expect, test } from "vitest";
import { plcCosts } from "#specs/check/plc-cost.ts";
import { checkSpec, type Report } from "#specs/check.ts";
import { DeviceId } from "#specs/ids.ts";
import { loaded } from "../specs.ts";
import { type Change, works } from "./works.ts";

function report(change: readonly Change[] = [], inPlant: readonly Change[] = []): Report {
  return checkSpec(works({ change, inPlant }));
}

describe("permissiveness", () => {
  const figures = (spec: Report) =>
    Object.fromEntries(spec.permissiveness.map(({ phase, changes, reads }) => [phase, [changes, reads]]));

  test("is the part of the tags' ranges that a phase allows, of what all phases allow", () => {
    // In each phase STOP 1 of 2. In `run` PUMP whole, FLOW.SP 5-40 of 601 raw numbers, TEMP.SP 60 of 90, HEAT whole, DUTY whole.
    // In `service` another source: FLOW.SP 0-10, MASS.SP whole.
    const [stop, run, service] = [1 / 2, 1 + 351 / 601 + (60 / 0.09 + 1) / 1001 + 2, 101 / 601 + 1];
    const all = stop + run + service;
    const rounded = (share: number) => Math.round(share * 1000) / 1000;
    expect(figures(report())).toMatchObject({
      off: [rounded(stop / all), 1],
      run: [rounded((stop + run) / all), 1],
      service: [rounded((stop + service) / all), 1],
      "contained.run.hmi-1.rate-limit": [rounded((stop + run) / all), 1],
      "contained.run.hmi-1.cut": [rounded(stop / all), 0],
    });
  });

  test("a phase that says why is not found, and its reason is reported", () => {
    const without: Change = [
      "      sv-flow: { says: The flow may be tested., from: [ews-1], may: write, tags: [FLOW.SP], value: { max: 10 } }\n      sv-mass: { says: The mass may be tested., from: [ews-1], may: write, tags: [MASS.SP] }\n",
      "",
    ];
    const rules: Change = [
      "    says: The engineering workstation tests the flow.\n    rules:\n",
      "    says: The engineering workstation tests the flow.\n",
    ];
    const because: Change = [
      "    says: The tank is filled, then kept.\n",
      "    says: The tank is filled, then kept.\n    because: Everything else is off.\n",
    ];
    const codes = (spec: Report) => spec.findings.map(({ code }) => code);
    expect(codes(report([without, rules]))).toContain("PERMISSIVE");
    const said = report([without, rules, because]);
    expect(codes(said)).not.toContain("PERMISSIVE");
    expect(said.permissiveness.find(({ phase }) => phase === "run")).toMatchObject({
      changes: 1,
      because: "Everything else is off.",
    });
  });

  test("each zone is measured by itself", () => {
    const { permissiveness } = checkSpec(loaded(new URL("line", import.meta.url).pathname));
    expect(permissiveness.map(({ phase, changes, reads }) => [phase, changes, reads])).toEqual(
      ["furnace.cold", "furnace.hot", "furnace.held", "mill.idle", "mill.rolling", "mill.held"].map((phase) => [
        phase,
        0,
        1,
      ]),
    );
  });
});

describe("exemptions", () => {
  test("the works have their safety command alone", () => {
    expect(report().exemptions).toMatchObject([
      { file: "lifecycle.yaml", line: 15, kind: "safety", subject: "stop", abusableBy: ["hmi-1"] },
    ]);
  });

  test("a signed link can be denied nothing but its channel, and has no finding beside that one", () => {
    const change: Change = ["protocol: opcua, mode: enforce }", "protocol: opcua, mode: enforce, way: signed }"];
    const { passed, exemptions, findings } = report([], [change]);
    expect(exemptions.filter(({ kind }) => kind !== "safety")).toMatchObject([
      { file: "plant.yaml", kind: "signed", subject: "hmi-plc2", abusableBy: ["hmi-1"] },
    ]);
    const before = report().findings;
    expect(findings.filter(({ code }) => !before.some((one) => one.code === code))).toMatchObject([
      { code: "DENIAL_ENDS_CHANNEL", severity: "warning", file: "plant.yaml" },
    ]);
    expect(passed).toBe(true);
  });

  test("everything else that passes unjudged is listed, with who could make use of it", () => {
    const { exemptions } = report(
      [
        [
          "  stop: {",
          "  program: { says: The workstation may load programs., from: [ews-1], may: program, to: [plc-1] }\n  diagnose: { says: It may ask for counters., from: [ews-1], may: diagnose, to: [plc-1] }\n  clock: { says: It may set the clock., from: [ews-1], may: raw, raw: [vendor-clock], to: [plc-1] }\n  told: { says: The level is plausible., from: [plc-1], may: report, tags: [LEVEL], to: [hmi-1], value: { max: 2.9 }, mode: enforce }\n  told-open: { says: So is the inlet., from: [plc-1], may: report, tags: [OPEN], to: [hmi-1] }\n  stop: {",
        ],
        ["value: { max: 60 } }", "value: { max: 60 }, mode: monitor }"],
        ["may: call, tags: [HEAT, DUTY] }", "may: call, tags: [HEAT, DUTY], mode: off }"],
      ],
      [
        [
          "server: plc-2, protocol: opcua, mode: enforce",
          "server: plc-2, protocol: opcua, mode: monitor, opaque: true, failOpen: true",
        ],
        [
          "client: ews-1, server: plc-1, protocol: modbus, mode: enforce",
          "client: ews-1, server: plc-1, protocol: modbus, mode: off",
        ],
        [
          "\nessential:",
          "\nraw:\n  vendor-clock: { says: Sets the clock., protocol: modbus, function: 100, length: [0, 10], answer: [0, 10] }\n\nessential:",
        ],
      ],
    );
    expect(exemptions.map(({ kind, subject, abusableBy }) => `${kind} ${subject} ${abusableBy.join()}`)).toEqual([
      "program program ews-1",
      "diagnose diagnose ews-1",
      "raw clock ews-1",
      "report told plc-1",
      "safety stop hmi-1",
      "monitor run-temp hmi-1",
      "off run-heat hmi-1",
      "opaque hmi-plc2 hmi-1",
      "fail-open hmi-plc2 hmi-1",
      "monitor hmi-plc2 hmi-1",
      "off ews-plc1 ews-1",
    ]);
    expect(exemptions.find(({ kind }) => kind === "raw")?.says).toBe(
      "nobody looks into `vendor-clock` (Sets the clock.): anything may stand in it",
    );
  });
});

describe("facts", () => {
  const saysOf = (spec: Report, guarantee: string) =>
    spec.facts.filter((fact) => fact.guarantee === guarantee).map(({ says }) => says);

  test("G2: where a safety command was found", () => {
    expect(saysOf(report(), "G2")).toEqual([
      "`stop` passes in 7 of 7 phases, in every window, and where no phase is held; beyond its rate it is reported and passes",
    ]);
  });

  test("G5: what lower layers let through beyond, each with its origin", () => {
    const inPlant: readonly Change[] = [
      ["plc-2: { title: Heater, role: plc", "plc-2: { title: Heater, role: opcua-server"],
      ["server: plc-2, protocol: opcua, mode: enforce", "server: plc-2, protocol: opcua, mode: monitor"],
    ];
    const { facts } = report([], inPlant);
    const excess = facts.filter(({ guarantee }) => guarantee === "G5");
    expect(
      excess.map(({ detail }) => [
        detail?.["layer"],
        detail?.["link"] ?? detail?.["device"] ?? "times",
        detail?.["origins"],
      ]),
    ).toEqual(
      expect.arrayContaining([
        ["switch", "hmi-plc2", ["hmi-1"]],
        ["plc", "plc-2", ["hmi-1", "program"]],
        ["plc", "plc-1", ["program"]],
        ["switch", "times", undefined],
      ]),
    );
    expect(saysOf(report([], inPlant), "G5")).toContain(
      "link `hmi-plc2` is in mode monitor: the switch layer lets through whatever hmi-1 sends to plc-2; nothing judges it then",
    );
  });

  test("G6: what becomes of every command while a phase changes", () => {
    const { facts } = report([["to: off, window: [stop]", "to: off, window: [run-flow]"]]);
    const change = facts.find(
      ({ guarantee, detail }) => guarantee === "G6" && detail?.["from"] === "run" && detail["to"] === "off",
    );
    expect(change?.detail).toMatchObject({ both: 1, byWindow: 1, waiting: 4, withinMs: 5000 });
  });

  test("G7: what containments name, and what is kept for essential functions", () => {
    const says = saysOf(report(), "G7");
    expect(says).toContain(
      "containment `limited.look` names what `run` does not allow: the control program may output PUMP.OUT with less asked for (after) (lim-output)",
    );
    expect(says).toContain("essential function `hold-level` in 4 containments: outputs that stay movable: PUMP.OUT");
  });

  test("G11: bounds that can be counted by hand, and what the PLC leaves to others", () => {
    const spec = works();
    // plc-2: `run` holds TEMP.SP (place 1, interval 2) and HEAT.OUT (3); `off` HEAT.OUT (place 1, one value 1). No condition on its tags.
    expect(plcCosts(spec).get(DeviceId("plc-2"))).toEqual({
      variables: 2,
      rules: 3,
      comparisons: 6,
      changing: 12,
      bytes: 32,
      ringBytes: 0,
    });
    // plc-1: a rate of two messages is the only ring; a safety rule is not counted against its rate.
    expect(plcCosts(spec).get(DeviceId("plc-1"))).toMatchObject({ ringBytes: 16, variables: 6 });
    const ordered = report([["maxStep: 5 }, most", "maxStep: 5 }, apart: { rules: [run-temp], within: 1s }, most"]]);
    const says = saysOf(ordered, "G11");
    expect(says).toContain(
      "`apart` of `run-flow` is not judged in the PLC, which sees changes and no messages; the layers above judge it",
    );
    expect(says).toContain(
      "in phase `run` these are told when a step ends, because what ends it is not all in their own PLC: plc-2 (fill, keep)",
    );
  });
});
