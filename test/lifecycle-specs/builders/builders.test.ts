import { describe, expect, test } from "vitest";
import { defineLifecycle, definePlant } from "#specs/builders.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";

const plant = definePlant({
  id: "tank",
  title: "Tank",
  zones: { works: "Works" },
  devices: {
    "hmi-1": { title: "Operator station", role: "hmi", zone: "works", addresses: ["127.10.1.11"] },
    "plc-1": { title: "Tank", role: "plc", zone: "works", addresses: ["127.10.2.1"] },
    "srv-1": { title: "Mixer", role: "opcua-server", zone: "works", addresses: ["127.10.2.2"] },
  },
  links: {
    "hmi-plc1": { client: "hmi-1", server: "plc-1", protocol: "modbus", mode: "enforce", tls: true },
    "hmi-srv1": { client: "hmi-1", server: "srv-1", protocol: "opcua", mode: "enforce" },
  },
  tags: {
    PUMP: {
      title: "pump command",
      kind: "command",
      device: "plc-1",
      range: [0, 1],
      modbus: { unit: 1, table: "coil", address: 0 },
    },
    LEVEL: {
      title: "level",
      kind: "measurement",
      device: "plc-1",
      unit: "m",
      range: [0, 3],
      modbus: { unit: 1, table: "input-register", address: 0, type: "uint16", scale: 0.001 },
    },
    "PUMP.OUT": { title: "pump output", kind: "output", device: "plc-1", range: [0, 1], safe: 0 },
    MIX: {
      title: "mix",
      kind: "method",
      device: "srv-1",
      opcua: { nodeId: "ns=1;s=Mix", objectId: "ns=1;s=Mixer", arguments: ["MIX.TIME"] },
    },
    "MIX.TIME": { title: "time", kind: "argument", device: "srv-1", unit: "s", range: [0, 60] },
  },
  essential: { keep: { says: "The tank keeps its level", tags: ["PUMP", "LEVEL"] } },
  raw: {
    canopen: { says: "Drives", protocol: "modbus", function: 43, mei: 13, length: [2, 9], answer: [2, 9] },
    clock: { says: "Sets the clock", protocol: "modbus", function: 100, length: [4, 4], answer: [0, 0] },
  },
});

const lifecycle = defineLifecycle(plant, {
  plant: "tank",
  version: 1,
  initial: "off",
  isolated: "limited.local",
  lease: "10s",
  rules: {
    "hmi-reads": { says: "The operator station may read.", from: ["hmi-1"], may: "read", tags: { device: "plc-1" } },
    plate: { says: "Who it is.", from: ["hmi-1"], may: "diagnose", to: ["plc-1"], objects: ["basic", 5, [7, 9]] },
    echo: { says: "An echo.", from: ["hmi-1"], may: "diagnose", to: ["plc-1"], functions: ["8/0", 17] },
    files: {
      says: "An engineer may load recipes.",
      from: ["hmi-1"],
      roles: ["engineer"],
      may: "program",
      to: ["plc-1"],
      files: [{ file: 4, records: [0, 9] }],
      quantity: 10,
    },
    drives: { says: "Reaches the drives.", from: ["hmi-1"], may: "raw", raw: ["canopen"], to: ["plc-1"] },
    clock: { says: "The clock may be set.", from: ["hmi-1"], may: "raw", raw: ["clock"], to: ["plc-1"] },
    mix: { says: "May mix.", from: ["hmi-1"], may: "call", tags: ["MIX"] },
    "mix-time": { says: "Not for long.", from: ["hmi-1"], may: "call", tags: ["MIX.TIME"], value: { max: 30 } },
  },
  phases: {
    off: {
      says: "Everything is off.",
      rules: {
        "off-output": {
          says: "The pump stays off.",
          from: ["program"],
          may: "output",
          tags: ["PUMP.OUT"],
          value: { oneOf: [0] },
        },
      },
      on: [{ request: "start", roles: ["operator"], to: "run" }],
    },
    run: {
      says: "The tank is filled, then kept.",
      rules: {
        pump: {
          says: "The pump may be started with water before it.",
          from: ["hmi-1"],
          may: "write",
          tags: ["PUMP"],
          most: { count: 2, per: "5s" },
          after: { all: [{ tag: "LEVEL", atLeast: 0.3, release: 0.2 }], for: "3s" },
        },
      },
      initial: "fill",
      steps: {
        fill: { says: "Filled.", next: [{ to: "keep", when: { all: [{ tag: "LEVEL", atLeast: 1 }] } }] },
        keep: { says: "Kept.", next: [{ to: "fill", command: "pump" }], max: "10m" },
      },
      on: [{ request: "stop", roles: ["operator"], to: "off" }],
    },
    limited: {
      says: "Something is wrong.",
      phases: {
        local: {
          says: "Nobody writes.",
          containment: true,
          on: [{ request: "back", roles: ["operator"], to: "off", clean: "5s" }],
        },
      },
    },
  },
  masks: [{ levels: ["read-only", "cut"], of: ["hmi-1", "hmi-srv1"], from: ["run"] }],
  containments: [{ locus: ["hmi"], from: ["run"], says: "It is suspect.", level: "cut", of: "hmi-1" }],
});

describe("what the builders give", () => {
  test("is the data that was written, and loads", () => {
    expect(JSON.parse(JSON.stringify(plant))).toEqual(plant);
    const { plant: read, lifecycle: machine } = value(load());
    expect(read.tags.map(({ id }) => id)).toEqual(["PUMP", "LEVEL", "PUMP.OUT", "MIX", "MIX.TIME"]);
    expect(machine.phases.map(({ id }) => id)).toEqual([
      "off",
      "run",
      "limited.local",
      "contained.run.hmi-1.read-only",
      "contained.run.hmi-1.cut",
      "contained.run.hmi-srv1.read-only",
      "contained.run.hmi-srv1.cut",
    ]);
  });

  test("a lifecycle for another plant is refused at once", () => {
    expect(() => defineLifecycle(plant, { ...lifecycle, plant: "other" })).toThrow(/for plant `other`/);
  });
});

/** Each `@ts-expect-error` is a mistake that the compiler must find: without one, the type check of the project fails there. */
describe("what is misspelt is a compile error", () => {
  const head = { plant: "tank", version: 1, initial: "a", isolated: "a", lease: "10s" } as const;

  test("in a plant: zone, device, tag", () => {
    const zones = { works: "Works" } as const;
    const devices = { "plc-1": { title: "P", role: "plc", zone: "works", addresses: ["10.0.0.1"] } } as const;
    const A = { title: "a", kind: "output", device: "plc-1", range: [0, 1] } as const;
    const base = { id: "p", title: "P", zones, devices, links: {}, tags: { A } } as const;
    expect([
      // @ts-expect-error `wroks` is not a zone
      definePlant({ ...base, devices: { "plc-1": { title: "P", role: "plc", zone: "wroks", addresses: [] } } }),
      // @ts-expect-error `plc-2` is not a device
      definePlant({ ...base, links: { l: { client: "plc-1", server: "plc-2", protocol: "modbus", mode: "off" } } }),
      // @ts-expect-error `plc-3` is not a device
      definePlant({ ...base, tags: { A: { title: "a", kind: "output", device: "plc-3", range: [0, 1] } } }),
      // @ts-expect-error `B` is not a tag
      definePlant({ ...base, essential: { keep: { says: "x", tags: ["B"] } } }),
      // @ts-expect-error `plcc` is not a role
      definePlant({ ...base, devices: { "plc-1": { title: "P", role: "plcc", zone: "works", addresses: [] } } }),
      // @ts-expect-error `ranges` is not a key
      definePlant({ ...base, tags: { A: { ...A, ranges: [0, 1] } } }),
    ]).toHaveLength(6);
  });

  test("in a rule: device, tag, raw function, operation, key", () => {
    const base = { ...head, phases: { a: { says: "a" } } } as const;
    const rule = { says: "x", from: ["hmi-1"], may: "write", tags: ["PUMP"] } as const;
    const raw = { says: "x", from: ["hmi-1"], may: "raw", to: ["plc-1"] } as const;
    expect([
      // @ts-expect-error `hmi-2` is not a device
      defineLifecycle(plant, { ...base, rules: { r: { ...rule, from: ["hmi-2"] } } }),
      // @ts-expect-error `PUMPE` is not a tag
      defineLifecycle(plant, { ...base, rules: { r: { ...rule, tags: ["PUMPE"] } } }),
      // @ts-expect-error `plc-9` is not a device
      defineLifecycle(plant, { ...base, rules: { r: { ...rule, tags: { device: "plc-9" } } } }),
      // @ts-expect-error `clok` is not a raw function
      defineLifecycle(plant, { ...base, rules: { r: { ...raw, raw: ["clok"] } } }),
      // @ts-expect-error `wirte` is not an operation
      defineLifecycle(plant, { ...base, rules: { r: { ...rule, may: "wirte" } } }),
      // @ts-expect-error `maxSpet` is not a key
      defineLifecycle(plant, { ...base, rules: { r: { ...rule, value: { maxSpet: 1 } } } }),
      // @ts-expect-error `LEVLE` is not a tag
      defineLifecycle(plant, { ...base, rules: { r: { ...rule, after: { all: [{ tag: "LEVLE", is: 1 }] } } } }),
      // @ts-expect-error `5` is not a duration
      defineLifecycle(plant, { ...base, rules: { r: { ...rule, most: { count: 1, per: "5" } } } }),
    ]).toHaveLength(8);
  });

  test("in a phase: steps of this phase, in groups too", () => {
    const when = { all: [{ tag: "LEVEL", atLeast: 1 }] } as const;
    const f = { says: "f" } as const;
    const own = { says: "a", initial: "fill", steps: { fill: f } } as const;
    const wrong = { says: "a", initial: "fil", steps: { fill: f } } as const;
    const noInitial = { says: "a", steps: { fill: f } } as const;
    const noSteps = { says: "a", initial: "fill" } as const;
    expect([
      defineLifecycle(plant, { ...head, phases: { a: own } }),
      defineLifecycle(plant, {
        ...head,
        phases: {
          a: {
            says: "a",
            initial: "fill",
            steps: {
              // @ts-expect-error `keeep` is not a step of this phase
              fill: { says: "f", next: [{ to: "keeep", when }] },
              keep: { says: "k", next: [{ to: "fill", when }] },
            },
          },
        },
      }),
      // @ts-expect-error `fil` is not a step of this phase
      defineLifecycle(plant, { ...head, phases: { a: wrong } }),
      // @ts-expect-error there is no `initial`
      defineLifecycle(plant, { ...head, phases: { a: noInitial } }),
      // @ts-expect-error `fill` is a step of the other phase
      defineLifecycle(plant, { ...head, phases: { a: own, b: noSteps } }),
      // @ts-expect-error `fil` is not a step of this phase, within a group
      defineLifecycle(plant, { ...head, phases: { g: { says: "g", phases: { a: wrong } } } }),
    ]).toHaveLength(6);
  });

  test("in transitions, masks, containments and zones", () => {
    const phases = { a: { says: "a" } } as const;
    const base = { ...head, phases } as const;
    const locus = { locus: ["hmi"], from: ["a"], says: "x" } as const;
    const part = { initial: "a", isolated: "a", phases } as const;
    expect([
      defineLifecycle(plant, {
        ...head,
        // @ts-expect-error `operater` is not a role
        phases: { a: { says: "a", on: [{ request: "x", roles: ["operater"], to: "a" }] } },
      }),
      // @ts-expect-error a transition needs an event
      defineLifecycle(plant, { ...head, phases: { a: { says: "a", on: [{ to: "a" }] } } }),
      // @ts-expect-error `hmi-3` is neither a device nor a link
      defineLifecycle(plant, { ...base, masks: [{ levels: ["cut"], of: ["hmi-3"], from: ["a"] }] }),
      // @ts-expect-error `readonly` is not a level
      defineLifecycle(plant, { ...base, masks: [{ levels: ["readonly"], of: ["hmi-1"], from: ["a"] }] }),
      // @ts-expect-error `PUMPS` is not a tag
      defineLifecycle(plant, { ...base, containments: [{ ...locus, tags: ["PUMPS"], to: "a" }] }),
      // @ts-expect-error the plant has no zone `wroks`
      defineLifecycle(plant, { plant: "tank", version: 1, lease: "10s", zones: { wroks: part } }),
      // @ts-expect-error `leese` is not a key
      defineLifecycle(plant, { ...base, leese: "10s" }),
    ]).toHaveLength(7);
  });

  test("a plant without raw functions has none to name", () => {
    const { raw: _, ...rest } = plant;
    const without = definePlant({ ...rest });
    const rule = { says: "x", from: ["hmi-1"], may: "raw", to: ["plc-1"] } as const;
    // @ts-expect-error there is no raw function at all
    expect(defineLifecycle(without, { ...head, phases: {}, rules: { r: { ...rule, raw: ["clock"] } } })).toBeDefined();
  });
});

function load() {
  return loadPlant({ file: "plant.ts", value: plant }, { file: "lifecycle.ts", value: lifecycle });
}

function value(result: ReturnType<typeof loadPlant>): Loaded {
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return result.value;
}
