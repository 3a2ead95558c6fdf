import { describe, expect, test } from "vitest";
import type { Plant } from "#specs/plant.ts";
import { positionsOf, project } from "#specs/project.ts";
import { SERVICE_NAMES, SERVICES } from "#wire/opcua/services/service-table.ts";
import { LIFECYCLE, PLANT, RULES } from "./everything.ts";

const projections = project(PLANT, LIFECYCLE);

function entry<E extends { readonly rule: string }>(
  { rules }: { readonly rules: readonly E[] },
  rule: string,
): E | undefined {
  return rules.find((candidate) => candidate.rule === rule);
}

function names({ rules }: { readonly rules: readonly { readonly rule: string }[] }): readonly string[] {
  return rules.map(({ rule }) => rule);
}

describe("one rule, three layers", () => {
  test("the form goes with each layer that sees messages, the role with the switch alone", () => {
    expect(entry(projections.hmi, "total")).toMatchObject({ form: RULES.total.form });
    expect(entry(projections.switch, "total")?.crossings[0]?.messages).toMatchObject([{ functions: [16] }]);
    expect(entry(projections.switch, "files")).toMatchObject({ quantity: 20 });
    expect(entry(projections.switch, "mass")).toMatchObject({ roles: ["engineer", "tester"] });
    for (const other of [
      entry(projections.hmi, "total"),
      entry(projections.plc, "total"),
      entry(projections.plc, "mass"),
    ])
      expect(other).not.toHaveProperty("roles");
    expect(entry(projections.plc, "total")).not.toHaveProperty("form");
    // Nobody at the mirror port sees into TLS.
    expect(entry(projections.hmi, "mass")).toBeUndefined();
  });

  test("HMI: the command in engineering units, with the times of the file", () => {
    expect(entry(projections.hmi, "flow")).toEqual({
      rule: "flow",
      mode: "enforce",
      safety: false,
      cadence: { rate: { most: 2, perMs: 5000 }, period: { leastMs: 800, mostMs: 1200 } },
      causality: RULES.flow.causality,
      operation: "write",
      commands: [
        {
          clients: ["hmi-1"],
          server: "plc-1",
          tags: [{ tag: "FLOW", unit: "m³/h", value: { min: 5, max: 40, maxStep: 5, rampPerS: 2.5 } }],
        },
      ],
    });
  });

  test("switch: the exact Modbus message in raw values, with times that are wider by the skew", () => {
    expect(entry(projections.switch, "flow")).toEqual({
      rule: "flow",
      mode: "enforce",
      safety: false,
      cadence: { rate: { most: 2, perMs: 4900 }, period: { leastMs: 700, mostMs: 1300 } },
      causality: {
        after: { ...RULES.flow.causality?.after, forMs: 2900, freshMs: 10_200 },
        notWhile: { ...RULES.flow.causality?.notWhile, forMs: 700 },
        follows: { rule: "start", withinMs: 60_200, once: true, select: true },
        apart: { rules: ["total", "count"], withinMs: 1900 },
      },
      direction: "request",
      crossings: [
        {
          links: ["hmi-plc"],
          messages: [
            {
              protocol: "modbus",
              functions: [6, 16, 22, 23],
              tag: "FLOW",
              unit: 1,
              table: "holding-register",
              address: 0,
              quantity: 1,
              type: "uint16",
              wordOrder: "big",
              byteOrder: "little",
              value: { min: 50, max: 400, maxStep: 50, rampPerS: 25 },
            },
          ],
        },
      ],
    });
  });

  test("PLC: the variable, wider by twice the skew, and nothing of the order of messages", () => {
    expect(entry(projections.plc, "flow")).toEqual({
      rule: "flow",
      mode: "enforce",
      safety: false,
      cadence: { rate: { most: 2, perMs: 4800 }, period: { leastMs: 600, mostMs: 1400 } },
      causality: {
        after: { ...RULES.flow.causality?.after, forMs: 2800, freshMs: 10_400 },
        notWhile: { ...RULES.flow.causality?.notWhile, forMs: 900 },
      },
      operation: "write",
      variables: [
        { device: "plc-1", variable: "FLOW", unit: "m³/h", value: { min: 5, max: 40, maxStep: 5, rampPerS: 2.5 } },
      ],
    });
  });

  test("a time cannot become shorter than nothing", () => {
    const { cadence, causality } = entry(project(PLANT, { ...LIFECYCLE, skewMs: 60_000 }).switch, "flow") ?? {};
    expect(cadence).toMatchObject({ rate: { perMs: 0 }, period: { leastMs: 0 } });
    expect(causality).toMatchObject({ after: { forMs: 0 }, apart: { withinMs: 0 } });
  });

  test("each rule stands in a layer once, and only where the layer judges it", () => {
    expect(projections.hmi.slackMs).toBe(0);
    expect(names(projections.plc)).toEqual(["stop", "start", "flow", "output", "total", "mass", "count"]);
    expect(names(projections.switch)).not.toContain("output");
    expect(names(projections.switch)).toEqual(
      expect.arrayContaining(["reads", "told", "clock", "look", "load", "session", "watch", "heat", "purge", "query"]),
    );
    for (const layer of [projections.hmi, projections.switch, projections.plc]) {
      expect(new Set(names(layer)).size).toBe(names(layer).length);
    }
  });
});

describe("messages on the switch", () => {
  const messages = (rule: string) =>
    entry(projections.switch, rule)?.crossings.flatMap((crossing) => crossing.messages);

  test("a value of several registers is never written by function 06", () => {
    expect(messages("total")).toMatchObject([
      {
        functions: [16],
        quantity: 2,
        type: "float32",
        wordOrder: "little",
        value: { min: 99.9999008178711, max: 5000.2998046875 },
      },
    ]);
    expect(messages("mass")).toMatchObject([{ functions: [16, 23], quantity: 4, value: { min: -5, max: 2.5 } }]);
    expect(messages("count")).toMatchObject([
      {
        quantity: 2,
        value: {
          oneOf: [
            [7, 7],
            [70_000, 70_000],
          ],
        },
      },
    ]);
  });

  test("a coil by 05 and 15, with neither byte nor word order", () => {
    expect(messages("stop")).toEqual([
      {
        ...{ protocol: "modbus", functions: [5, 15], tag: "PUMP", unit: 1, table: "coil", address: 0, quantity: 1 },
        type: "bool",
        value: { min: 0, max: 1, oneOf: [[0, 0]] },
      },
    ]);
  });

  test("reads by the table's function, the same over each link", () => {
    const [crossing] = entry(projections.switch, "reads")?.crossings ?? [];
    expect(crossing?.links).toEqual(["hmi-plc", "ews-plc"]);
    expect(messages("reads")?.map((message) => ("functions" in message ? message.functions : []))).toEqual([
      [1],
      [3, 23],
      [3, 23],
      [3, 23],
      [3, 23],
      [4],
    ]);
  });

  test("what a server tells is an answer", () => {
    expect(entry(projections.switch, "told")).toMatchObject({
      ...{ direction: "answer", mode: "monitor", staleMs: 60_100 },
      crossings: [{ links: ["hmi-plc"], messages: [{ functions: [4], value: { min: 100, max: 3000, maxStep: 500 } }] }],
    });
  });

  test("OPC UA: NodeId, attribute, service and type", () => {
    expect(messages("heat")).toEqual([
      {
        ...{ protocol: "opcua", services: ["Write"], tag: "HEAT", nodeId: "ns=1;s=HEAT", attribute: "Value" },
        ...{ type: "Double", value: { min: 9.5, max: 60 } },
      },
      {
        ...{ protocol: "opcua", services: ["Write"], tag: "TURNS", nodeId: "ns=1;i=7", attribute: "Value" },
        ...{ type: "Int16", value: { min: 10, max: 60 } },
      },
    ]);
  });

  test("a method by its object, and each of its arguments by its place", () => {
    const call = { protocol: "opcua", services: ["Call"], objectId: "ns=1;s=Burner", methodId: "ns=1;s=Purge" };
    expect(messages("purge")).toEqual([
      { ...call, tag: "PURGE", arguments: ["PURGE.T", "PURGE.ALL"] },
      { ...call, tag: "PURGE.T", index: 0, value: { min: 0, max: 1 } },
      { ...call, tag: "PURGE.ALL", index: 1, value: { min: 0, max: 1 } },
    ]);
  });

  test("raw functions with their lengths, each on its own protocol", () => {
    expect(messages("clock")).toEqual([
      { protocol: "modbus", raw: "vendor-clock", code: 100, length: [0, 10], answer: [0, 12] },
    ]);
    expect(messages("query")).toEqual([
      { protocol: "opcua", raw: "query", code: 615, length: [4, 400], answer: [0, 4000] },
    ]);
  });

  test("a device as a whole by function codes or services", () => {
    expect(messages("look")).toEqual([
      {
        protocol: "modbus",
        functions: [7, 8, 11, 12, 17, 24, 43],
        subFunctions: { 8: [0, 2, 11, 12, 13, 14, 15, 16, 17, 18], 43: [14] },
      },
    ]);
    expect(messages("load")).toEqual([
      { protocol: "modbus", functions: [8, 21], subFunctions: { 8: [1, 3, 4, 10, 20] } },
    ]);
    expect(messages("echo")).toEqual([{ protocol: "modbus", functions: [8, 17], subFunctions: { 8: [0] } }]);
    expect(messages("plate")).toEqual([
      ...[
        {
          protocol: "modbus",
          functions: [43],
          subFunctions: { 43: [14] },
          objects: [
            [0, 2],
            [128, 128],
          ],
        },
      ],
    ]);
    expect(messages("files")).toEqual([
      { protocol: "modbus", functions: [20], files: [{ files: [4, 4], records: [0, 99] }] },
    ]);
    expect(messages("recipes")).toMatchObject([{ functions: [21], files: [{ files: [4, 9] }] }]);
    expect(messages("drives")).toMatchObject([{ code: 43, mei: 13, length: [2, 60] }]);
    expect(messages("around")).toMatchObject([{ services: expect.arrayContaining(["Browse", "Read"]) }]);
  });

  test("every OPC UA service belongs to the operation that the filter takes it for", () => {
    const of = (operation: "session" | "browse" | "subscribe" | "program"): readonly string[] => {
      const rule = { ...RULES.session, operation };
      const [first] = project(PLANT, { ...LIFECYCLE, rules: [rule], phases: [] }).switch.rules;
      const [message] = first?.crossings[0]?.messages ?? [];
      return message !== undefined && "services" in message ? message.services : [];
    };
    const groups = {
      session: ["discovery", "channel", "session"],
      browse: ["browse"],
      subscribe: ["subscribe"],
      program: ["node-management", "history", "query"],
    } as const;
    // Registering servers makes no sense for a client; registering nodes is a part of browsing.
    const registering = {
      browse: ["RegisterNodes", "UnregisterNodes"],
      program: ["RegisterServer", "RegisterServer2"],
    };
    for (const operation of ["session", "browse", "subscribe", "program"] as const) {
      const wanted: readonly string[] = groups[operation];
      const ofGroup = SERVICE_NAMES.filter(
        (name) => wanted.includes(SERVICES[name].group) && !name.startsWith("RegisterServer"),
      );
      const more = operation === "browse" || operation === "program" ? registering[operation] : [];
      const read = operation === "browse" ? ["Read"] : [];
      expect([...of(operation)].sort(), operation).toEqual([...ofGroup, ...more, ...read].sort());
    }
  });
});

describe("what a layer cannot see is not its to judge", () => {
  const changed = (change: Partial<Plant["links"][number]>) =>
    project({ ...PLANT, links: PLANT.links.map((link) => ({ ...link, ...change })) }, LIFECYCLE);

  test("without a mirror the HMI layer sees nothing", () => {
    expect(names(projections.hmi)).not.toContain("heat");
    expect(changed({ mirror: false }).hmi.rules).toEqual([]);
    expect(names(changed({ mirror: true }).hmi)).toContain("heat");
  });

  test("what is secured over OPC UA passes the mirror unread, and the switch judges it as before", () => {
    const ua = (change: Partial<Plant["links"][number]>) =>
      project(
        { ...PLANT, links: PLANT.links.map((link) => (link.protocol === "opcua" ? { ...link, ...change } : link)) },
        LIFECYCLE,
      );
    const unread = names(ua({ mirror: false }).hmi);
    for (const way of ["ended", "signed"] as const) expect(names(ua({ mirror: true, way }).hmi), way).toEqual(unread);
    const clear = ua({ mirror: true, way: "clear" });
    expect(names(clear.hmi).length).toBeGreaterThan(unread.length);
    expect(names(clear.hmi)).toEqual(names(ua({ mirror: true }).hmi));
    expect(ua({ way: "signed" }).switch).toEqual(ua({}).switch);
  });

  test("into an opaque link neither HMI nor switch can look", () => {
    const opaque = changed({ mirror: true, opaque: true });
    expect([opaque.hmi.rules, opaque.switch.rules]).toEqual([[], []]);
    expect(names(opaque.plc)).toEqual(names(projections.plc));
  });

  test("without a guard there is no PLC layer", () => {
    const devices = PLANT.devices.map((device) => ({ ...device, guard: false }));
    expect(project({ ...PLANT, devices }, LIFECYCLE).plc.rules).toEqual([]);
  });
});

test("positions name the rules of every phase, of the phase and of the step, and the mask", () => {
  const positions = positionsOf(LIFECYCLE);
  expect(positions.map(({ phase, step }) => `${phase}/${step ?? ""}`)).toEqual([
    "works.off/",
    "works.run/fill",
    "works.run/keep",
    "works.limited.service/",
    "power.on/",
    "works.contained.run.hmi-1.read-only/fill",
    "works.contained.run.hmi-1.read-only/keep",
    "works.contained.run.plc-1.quarantine/fill",
    "works.contained.run.plc-1.quarantine/keep",
    "works.contained.run.ews-plc.cut/fill",
    "works.contained.run.ews-plc.cut/keep",
    "works.contained.run.hmi-1.rate-limit/fill",
    "works.contained.run.hmi-1.rate-limit/keep",
    "power.contained.on.ews-1.cut/",
    "power.contained.on.hmi-1.observe/",
  ]);
  expect(positions[2]?.rules).toEqual(["stop", "reads", "told", "flow", "output", "clock", "mass", "count"]);
  expect(positions[6]).toMatchObject({ rules: positions[2]?.rules, mask: { level: "read-only" } });
});
