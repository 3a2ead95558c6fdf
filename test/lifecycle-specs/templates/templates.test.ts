import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import type { Phase } from "#specs/lifecycle.ts";
import { TEMPLATES, templateNames } from "#specs/load/templates.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";

/** A template as it is written. */
interface Written {
  readonly dialects?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly phases: Readonly<Record<string, { on?: readonly { to: string }[]; phases?: Written["phases"] }>>;
}

const written = (name: string): Written => parse(readFileSync(join(TEMPLATES, `${name}.yaml`), "utf8"));

const PLANT = `
id: unit
title: Unit
zones: { works: Works }
devices:
  hmi-1: { title: Panel, role: hmi, zone: works, addresses: [10.0.0.11] }
  plc-1: { title: Unit, role: plc, zone: works, addresses: [10.0.0.1] }
links: { l: { client: hmi-1, server: plc-1, protocol: opcua, mode: enforce } }
tags:
  STATE: { title: state, kind: status, device: plc-1, range: [0, 131072], states: DIALECT, opcua: { nodeId: "ns=1;s=STATE", type: Int32 } }
  OUT: { title: output, kind: output, device: plc-1, range: [0, 1], safe: 0 }
`;

function load(part: string, dialect = "packml-tr88"): Loaded {
  const result = loadPlant(
    { file: "plant.yaml", text: PLANT.replace("DIALECT", dialect) },
    { file: "lifecycle.yaml", text: `plant: unit\nversion: 1\nlease: 10s\n${part}` },
  );
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return result.value;
}

function whole(name: string): readonly Phase[] {
  const [first = ""] = Object.keys(written(name).phases);
  return load(`template: ${name}\ninitial: ${first}\nisolated: ${first}\n`).lifecycle.phases;
}

/** `stopped: reset → resetting, abort → aborting` */
function ways(phases: readonly Phase[]): readonly string[] {
  return phases.map(({ id, transitions }) => {
    const exits = transitions.map((exit) => `${exit.event === "operator" ? exit.request : exit.event} → ${exit.to}`);
    return `${id}: ${exits.join(", ")}`;
  });
}

test("the templates are these", () => expect(templateNames()).toEqual(["continuous", "isa-88", "packml"]));

describe.each(templateNames())("%s", (name) => {
  const phases = whole(name);

  test("needs nothing of the file but where it begins, and none of its ways out is lost", () => {
    const count = (level: Written["phases"]): number =>
      Object.values(level).reduce((sum, { on, phases: nested }) => sum + (on?.length ?? 0) + count(nested ?? {}), 0);
    expect(phases.reduce((sum, { transitions }) => sum + transitions.length, 0)).toBe(count(written(name).phases));
    expect(phases.map(({ says }) => says.length > 10)).not.toContain(false);
  });

  test("every phase is reached from the first, and can be left", () => {
    const reached = new Set(phases.slice(0, 1).map(({ id }) => id));
    for (const id of reached)
      for (const exit of phases.find((phase) => phase.id === id)?.transitions ?? []) reached.add(exit.to);
    expect(reached.size).toBe(phases.length);
    expect(phases.filter(({ transitions }) => transitions.length === 0)).toEqual([]);
  });

  test("a request has one answer in each phase", () => {
    for (const { transitions } of phases) {
      const requests = transitions.flatMap((exit) => (exit.event === "operator" ? exit.request : []));
      expect(new Set(requests).size).toBe(requests.length);
    }
  });
});

describe("PackML", () => {
  test("the states and commands of ISA-TR88.00.02-2015", () => {
    expect(ways(whole("packml"))).toEqual([
      "stopped: reset → resetting, abort → aborting",
      "resetting: state-complete → idle, stop → stopping, abort → aborting",
      "idle: start → starting, stop → stopping, abort → aborting",
      "starting: state-complete → execute, stop → stopping, abort → aborting",
      "execute: state-complete → completing, hold → holding, suspend → suspending, stop → stopping, abort → aborting",
      "completing: state-complete → complete, stop → stopping, abort → aborting",
      "complete: reset → resetting, stop → stopping, abort → aborting",
      "holding: state-complete → held, stop → stopping, abort → aborting",
      "held: unhold → unholding, stop → stopping, abort → aborting",
      "unholding: state-complete → execute, stop → stopping, abort → aborting",
      "suspending: state-complete → suspended, stop → stopping, abort → aborting",
      "suspended: unsuspend → unsuspending, hold → holding, stop → stopping, abort → aborting",
      "unsuspending: state-complete → execute, stop → stopping, abort → aborting",
      "stopping: state-complete → stopped, abort → aborting",
      "aborting: state-complete → aborted",
      "aborted: clear → clearing",
      "clearing: state-complete → stopped, abort → aborting",
    ]);
  });

  test("every dialect names phases of the template, and what only a machine has", () => {
    const { dialects = {}, phases } = written("packml");
    expect(Object.keys(dialects)).toEqual(["packml-tr88", "packml-tmc", "packml-v2", "packml-ros"]);
    for (const states of Object.values(dialects)) {
      const others = Object.keys(states).filter((state) => !Object.hasOwn(phases, state));
      expect(["undefined", "off"]).toEqual(expect.arrayContaining(others));
    }
    for (const full of ["packml-tr88", "packml-tmc", "packml-ros"])
      expect(Object.keys(dialects[full] ?? {})).toEqual(expect.arrayContaining(Object.keys(phases)));
  });

  /** Read off the sources that the template names; a number that slips here is a wrong state everywhere. */
  test.each([
    ["packml-tr88", { stopped: 2, idle: 4, execute: 6, aborted: 9, held: 11, suspended: 5, complete: 17, clearing: 1 }],
    ["packml-tmc", { stopped: 0, idle: 2, execute: 4, aborted: 8, held: 15, suspended: 12, complete: 6, clearing: 10 }],
    ["packml-v2", { off: 1, stopped: 2, idle: 4, execute: 6, aborted: 9, held: 11 }],
    ["packml-ros", { off: 1, stopped: 2, execute: 6, held: 11, clearing: 103, complete: 106 }],
    ["isa-88-factorytalk", { running: 50, idle: 100, held: 60, stopped: 80, aborted: 90, complete: 70 }],
    ["mtp-2658", { idle: 16, execute: 64, stopped: 4, held: 2048, aborted: 512, completed: 131_072 }],
  ])("a tag in the dialect %s", (dialect, numbers) => {
    const [tag] = load("template: packml\ninitial: stopped\nisolated: stopped\n", dialect).plant.tags;
    expect(tag?.states).toMatchObject(numbers);
  });
});

test("ISA-88: the procedural states and commands", () => {
  expect(ways(whole("isa-88"))).toEqual([
    "idle: start → running",
    "running: state-complete → complete, pause → pausing, hold → holding, stop → stopping, abort → aborting",
    "pausing: state-complete → paused, hold → holding, stop → stopping, abort → aborting",
    "paused: resume → running, hold → holding, stop → stopping, abort → aborting",
    "holding: state-complete → held, stop → stopping, abort → aborting",
    "held: restart → restarting, stop → stopping, abort → aborting",
    "restarting: state-complete → running, hold → holding, stop → stopping, abort → aborting",
    "stopping: state-complete → stopped, abort → aborting",
    "stopped: reset → idle, abort → aborting",
    "aborting: state-complete → aborted",
    "aborted: reset → idle",
    "complete: reset → idle",
  ]);
});

describe("what a file makes of a template", () => {
  test("with `use` only these phases and groups; ways to others are dropped, the file's own phases stay", () => {
    const { phases } = load(`
template: { name: continuous, use: [normal, degraded, recovery.verify] }
initial: normal
isolated: degraded.local-control
phases:
  stopped: { says: By hand., on: [{ request: go, roles: [operator], to: normal }] }
`).lifecycle;
    expect(ways(phases)).toEqual([
      "stopped: go → normal",
      "normal: quarantine-hmi → degraded.hmi-quarantined, local-control → degraded.local-control",
      "degraded.hmi-quarantined: return-to-normal → recovery.verify",
      "degraded.local-control: return-to-normal → recovery.verify",
      "recovery.verify: ",
    ]);
    expect(phases[0]?.says).toBe("By hand.");
  });

  test("its ways out come first, its requests take the place of the template's, and its sentence too", () => {
    const { phases } = load(`
template: { name: packml, use: [stopped, resetting, idle] }
initial: stopped
isolated: stopped
phases:
  stopped:
    says: Still.
    containment: true
    on:
      - { request: reset, roles: [engineer], to: resetting, clean: 5s }
  resetting:
    on:
      - { when: { all: [{ tag: STATE, is: idle }] }, to: idle }
`).lifecycle;
    expect(ways(phases)).toEqual([
      "stopped: reset → resetting",
      "resetting: condition → idle, state-complete → idle",
      "idle: ",
    ]);
    expect(phases[0]).toMatchObject({ says: "Still.", containment: true });
    expect(phases[0]?.transitions[0]).toMatchObject({ roles: ["engineer"], cleanMs: 5000 });
    expect(phases[1]?.says).toBe("Faults are cleared and the machine is made ready to start.");
  });

  test("rules of the file's group reach the template's phases of that group", () => {
    const { phases } = load(`
template: continuous
initial: stopped
isolated: degraded.local-control
phases:
  degraded:
    rules:
      out: { says: The output may go on., from: [program], may: output, tags: [OUT] }
    phases:
      mine: { says: Mine., on: [{ request: back, roles: [operator], to: normal }] }
`).lifecycle;
    const inGroup = phases.filter(({ id }) => id.startsWith("degraded."));
    expect(inGroup.map(({ id }) => id)).toEqual([
      "degraded.hmi-quarantined",
      "degraded.local-control",
      "degraded.mine",
    ]);
    for (const { rules } of inGroup) expect(rules.map(({ id }) => id)).toEqual(["out"]);
  });
});
