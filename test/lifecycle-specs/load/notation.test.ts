import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import type { Phase, Rule } from "#specs/lifecycle.ts";
import { type Loaded, loadPlant, plantNames } from "#specs/load.ts";
import { allRules } from "#specs/positions.ts";
import { loaded } from "../specs.ts";
import { diagnosticsOf, type Fixture, FULL, SMALL } from "./mistake.ts";

const small = load(SMALL);
const full = load(FULL);

test.each(plantNames())("the shipped plant %s loads", (name) => {
  expect(loaded(name).plant.id).toBe(name);
});

describe("a plant", () => {
  test("what is left out has the value that is usual", () => {
    expect(small.plant.raw).toEqual([]);
    expect(small.plant.devices.map(({ id, guard }) => `${id} ${guard}`)).toEqual([
      "hmi-1 false",
      "ews-1 false",
      "plc-1 true",
      "plc-2 true",
    ]);
    expect(small.plant.links[0]).toMatchObject({ mirror: true, failOpen: false, opaque: false });
    expect(tag(small, "FLOW.SP").modbus).toMatchObject({ wordOrder: "big", byteOrder: "big" });
  });

  test("what is written is taken", () => {
    expect(full.plant.devices.map(({ id, guard }) => `${id} ${guard}`)).toEqual(
      expect.arrayContaining(["plc-m true", "plc-old false", "rtu-l true", "srv-l false"]),
    );
    expect(full.plant.links.map(({ id, mirror, failOpen, opaque }) => [id, mirror, failOpen, opaque])).toEqual([
      ["hmi-m", true, false, false],
      ["hmi-l", false, false, false],
      ["ews-m", true, true, false],
      ["hist-l", true, false, true],
      ["hmi-old", true, false, false],
      ["hmi-rtu", true, false, false],
    ]);
    expect(tag(full, "MASS.SP").modbus).toMatchObject({ wordOrder: "little", byteOrder: "little", type: "float32" });
    expect(tag(full, "LINE.STATE").states).toMatchObject({ idle: 4, execute: 6, complete: 17 });
    expect(tag(full, "LINE.CMD").states).toEqual({ none: 0, reset: 1, start: 2, stop: 3 });
  });

  test("methods have the range of a truth value, and arguments are looked up wherever they are declared", () => {
    expect(tag(full, "FILL")).toEqual({
      id: "FILL",
      title: "fill one bottle",
      kind: "method",
      device: "srv-l",
      unit: "",
      range: [0, 1],
      opcua: {
        nodeId: "ns=2;s=Line.Fill",
        objectId: "ns=2;s=Line",
        type: "Boolean",
        arguments: ["FILL.VOLUME", "FILL.GLASS"],
      },
    });
    expect(tag(full, "CUT").opcua).not.toHaveProperty("arguments");
    expect(tag(full, "FILL.VOLUME")).toMatchObject({ kind: "argument", range: [0, 2] });
  });

  test("raw functions change the plant unless they say otherwise", () => {
    expect(full.plant.raw).toEqual([
      {
        id: "vendor-clock",
        says: "Sets the clock of the mixer",
        protocol: "modbus",
        function: 100,
        length: [6, 10],
        answer: [0, 2],
        changes: false,
      },
      {
        id: "canopen",
        says: "Reaches into the drives of the mixer",
        protocol: "modbus",
        function: 43,
        mei: 13,
        length: [2, 60],
        answer: [2, 60],
        changes: true,
      },
      {
        id: "vendor-recipe",
        says: "Loads a recipe",
        protocol: "modbus",
        function: 65,
        length: [4, 4],
        answer: [4, 4],
        changes: true,
      },
      {
        id: "query",
        says: "Looks up what the line has made",
        protocol: "opcua",
        service: 615,
        length: [0, 4096],
        answer: [0, 65_536],
        changes: false,
      },
    ]);
  });
});

describe("rules", () => {
  test("tags of a device: for `subscribe` those with a node, for `read` all that are bound, never outputs or methods", () => {
    expect(rule(small, "hmi-reads").tags).toEqual(["PUMP", "STOP", "FLOW.SP", "TOTAL.SP", "LEVEL", "OPEN"]);
    expect(rule(small, "hmi-watch").tags).toEqual(["TEMP.SP", "TEMP"]);
    expect(rule(full, "hmi-watch").tags).toEqual(["LINE.STATE", "LINE.CMD", "SPEED"]);
  });

  test("value, rate and mode", () => {
    expect(rule(small, "run-flow")).toEqual({
      id: "run-flow",
      says: "The flow may be changed step by step.",
      from: ["hmi-1"],
      operation: "write",
      targets: ["plc-1"],
      tags: ["FLOW.SP"],
      raw: [],
      value: { min: 5, max: 40, maxStep: 5 },
      cadence: { rate: { most: 2, perMs: 5000 } },
      mode: "enforce",
      safety: false,
    });
    expect(rule(small, "run-temp").mode).toBe("monitor");
    expect(rule(full, "stop-m")).toMatchObject({ safety: true, cadence: { rate: { most: 20, perMs: 10_000 } } });
  });

  test("in which form and by whom: functions, quantity, files, objects and roles", () => {
    const all: readonly [number, number] = [0, 9999];
    expect(rule(full, "temp-sp").form).toEqual({ functions: [{ code: 6 }, { code: 16 }], quantity: 1 });
    expect(rule(full, "look-into")).toMatchObject({
      operation: "diagnose",
      form: { functions: [{ code: 8, sub: 0 }, { code: 8, sub: 11 }, { code: 17 }] },
    });
    // Basic and regular objects lie side by side, and 130 to 132 by themselves.
    const objects = [
      [0, 128],
      [130, 132],
    ];
    expect(rule(full, "name-plate").form).toEqual({ objects });
    expect(rule(full, "stored-recipes")).toMatchObject({
      ...{ operation: "read", tags: [], targets: ["plc-m"] },
      form: {
        quantity: 20,
        files: [
          { files: [4, 4], records: [0, 99] },
          { files: [7, 9], records: all },
        ],
      },
    });
    expect(rule(full, "load-recipes")).toMatchObject({
      ...{ operation: "program", roles: ["engineer", "site engineer"] },
      form: { functions: [{ code: 21 }], files: [{ files: [4, 4], records: [5, 5] }] },
    });
    expect(rule(full, "hmi-reads")).not.toHaveProperty("form");
    expect(rule(full, "hmi-reads")).not.toHaveProperty("roles");
    expect(full.plant.links.flatMap(({ id, tls }) => (tls === undefined ? [] : [id]))).toEqual(["ews-m"]);
  });

  test("a condition before, with hysteresis and dwell", () => {
    expect(rule(full, "temp-sp")).toMatchObject({
      value: { min: 10, max: 80, maxStep: 5, rampPerS: 1 },
      causality: {
        after: {
          all: [
            { tag: "TEMP", test: "at-least", value: 5, release: 3 },
            { tag: "TEMP", test: "at-most", value: 85, release: 88 },
          ],
          forMs: 2000,
        },
      },
    });
  });

  test("what must not hold, what must come before, what must be kept apart, and the beat", () => {
    expect(rule(full, "run-output").causality).toEqual({
      notWhile: { all: [{ tag: "LID", test: "is", value: 0 }], forMs: 0 },
    });
    expect(rule(full, "agitate").causality).toEqual({
      follows: { rule: "recipe", withinMs: 30_000, once: true, select: true },
      apart: { rules: ["temp-sp", "agitate"], withinMs: 5000 },
    });
    expect(rule(full, "beat").cadence).toEqual({ period: { everyMs: 1000, jitterMs: 200 } });
  });

  test("reports go from the server to the client, and are only watched unless they say otherwise", () => {
    expect(rule(full, "told-temp")).toMatchObject({
      from: ["plc-m"],
      targets: ["hmi-1"],
      operation: "report",
      tags: ["TEMP"],
      value: { min: 5, max: 100, maxStep: 4, rampPerS: 2, staleMs: 30_000 },
      mode: "monitor",
    });
    expect(rule(full, "told-state")).toMatchObject({ mode: "enforce", value: { oneOf: [4, 3, 6, 11] } });
  });

  test("calls name methods and arguments, raw rules name functions, and states have their numbers", () => {
    expect(rule(full, "fill")).toMatchObject({ operation: "call", tags: ["FILL"], targets: ["srv-l"] });
    expect(rule(full, "fill-glass").value).toEqual({ oneOf: [1] });
    expect(rule(full, "line-cmd").value).toEqual({ oneOf: [0, 3] });
    expect(rule(full, "recipe")).toMatchObject({ raw: ["vendor-recipe"], tags: [], targets: ["plc-m"] });
  });
});

describe("phases", () => {
  test("a plant of one zone has its part at the top, and its phases no prefix", () => {
    expect(small.lifecycle).toMatchObject({
      regions: [{ zone: "works", initial: "off", isolated: "limited.local" }],
      skewMs: 100,
      changeMs: 5000,
    });
    expect(new Set(small.lifecycle.phases.map(({ zone }) => zone))).toEqual(new Set(["works"]));
  });

  test("of several zones each has its part, and phases begin with the zone", () => {
    expect(full.lifecycle).toMatchObject({ leaseMs: 10_000, skewMs: 250, changeMs: 8000, mirrorDelayMs: 2000 });
    expect(full.lifecycle.regions).toEqual([
      {
        zone: "mix",
        initial: "mix.stopped",
        isolated: "mix.degraded.local-control",
        safe: { phase: "mix.stopped", withinMs: 600_000 },
      },
      { zone: "line", initial: "line.stopped", isolated: "line.local" },
    ]);
    expect(phase(full, "line.execute").zone).toBe("line");
  });

  test("groups give their rules to their phases, and aliases their transitions", () => {
    const [look, local] = [phase(small, "limited.look"), phase(small, "limited.local")];
    expect(look.rules.map(({ id }) => id)).toEqual(["lim-output"]);
    expect(local.rules[0]).toBe(look.rules[0]);
    expect(local.transitions).toEqual(look.transitions);
  });

  test("every event of a step", () => {
    expect(phase(full, "mix.normal").initial).toBe("empty");
    expect(phase(full, "mix.normal").steps).toEqual([
      {
        id: "empty",
        says: "Nothing is in the mixer.",
        rules: [],
        next: [{ to: "loaded", event: "command", rule: "recipe", outcome: "answered-ok" }],
      },
      {
        id: "loaded",
        says: "The recipe is there.",
        rules: [],
        next: [
          { to: "turning", event: "command", rule: "agitate", outcome: "forwarded" },
          { to: "empty", event: "after", ms: 300_000 },
        ],
        minMs: 2000,
        maxMs: 600_000,
      },
      {
        id: "turning",
        says: "The agitator turns.",
        rules: [],
        next: [
          {
            to: "empty",
            event: "condition",
            when: { all: [{ tag: "AGI.CMD", test: "is", value: 0 }], forMs: 5000 },
          },
        ],
        maxMs: 7_200_000,
      },
    ]);
  });

  test("every event of a transition", () => {
    expect(phase(full, "mix.stopped").transitions).toContainEqual({
      event: "operator",
      request: "start",
      roles: ["operator"],
      persons: 2,
      ttlMs: 120_000,
      when: { all: [{ tag: "LID", test: "is", value: 1 }], forMs: 0, freshMs: 5000 },
      to: "mix.normal",
      with: ["line.idle"],
      window: ["temp-sp"],
    });
    expect(phase(full, "mix.normal").transitions[0]).toEqual({
      event: "condition",
      when: { all: [{ tag: "TEMP", test: "at-least", value: 110 }], forMs: 0 },
      withinMs: 300_000,
      to: "mix.shutdown",
      with: ["line.stopping"],
      window: [],
    });
    expect(phase(full, "mix.shutdown").transitions[0]).toEqual({
      event: "after",
      ms: 10_000,
      when: { all: [{ tag: "AGI.CMD", test: "is", value: 0 }], forMs: 0 },
      withinMs: 60_000,
      to: "mix.stopped",
      with: [],
      window: [],
    });
    expect(phase(small, "limited.local").transitions).toContainEqual({
      event: "after",
      ms: 3_600_000,
      cleanMs: 10_000,
      to: "off",
      with: [],
      window: [],
    });
  });

  test("one rule is one object wherever it counts", () => {
    const seen = new Map<string, Rule>();
    for (const { rules, steps } of full.lifecycle.phases) {
      for (const each of [...rules, ...steps.flatMap((step) => step.rules)]) {
        expect(seen.get(each.id) ?? each).toBe(each);
        seen.set(each.id, each);
      }
    }
  });

  test("negative zero is zero", () => {
    const lifecycle = SMALL.lifecycle.text.replace(
      "value: { oneOf: [0] } }\n    on:",
      "value: { oneOf: [-0] } }\n    on:",
    );
    expect(lifecycle).not.toBe(SMALL.lifecycle.text);
    const value = rule(load({ ...SMALL, lifecycle: { file: "l", text: lifecycle } }), "off-output").value;
    expect(Object.is(value?.oneOf?.[0], 0)).toBe(true);
  });
});

test("the same file in JSON is the same plant, and its mistakes have lines and columns too", () => {
  const plain = JSON.stringify(JSON.parse(JSON.stringify({ id: "j", title: "J", zones: {} })), null, 2);
  expect(diagnosticsOf(SMALL, { plant: plain }).map(formatDiagnostic)).toContain(
    "plant.yaml:4:12: the plant has no zone; name at least one [LIST_EMPTY]",
  );
});

function load(fixture: Fixture): Loaded {
  const result = loadPlant(fixture.plant, fixture.lifecycle);
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return result.value;
}

function tag({ plant }: Loaded, id: string) {
  const found = plant.tags.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no tag ${id}`);
  return found;
}

function rule({ lifecycle }: Loaded, id: string): Rule {
  const found = allRules(lifecycle).find((each) => each.id === id);
  if (found === undefined) throw new Error(`no rule ${id}`);
  return found;
}

function phase({ lifecycle }: Loaded, id: string): Phase {
  const found = lifecycle.phases.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no phase ${id}`);
  return found;
}
