import { describe, expect, test } from "vitest";
import { carriesValue, linksFor, unsayable, valuesOnLink } from "#specs/check/carry.ts";
import { rulesAreNotShadowed } from "#specs/check/shadowed.ts";
import { LinkId, RawId, TagId } from "#specs/ids.ts";
import type { Operation, Rule } from "#specs/lifecycle.ts";
import type { Link, ModbusBinding, Plant, Tag } from "#specs/plant.ts";
import { type Change, works } from "./works.ts";

const { plant, lifecycle } = works();
const RAW = {
  id: RawId("clock"),
  says: "Sets the clock.",
  length: [0, 9],
  answer: [0, 9],
  changes: true,
  protocol: "modbus",
  function: 100,
} as const;
const withRaw: Plant = { ...plant, raw: [RAW] };
const links: readonly Link[] = plant.links.flatMap((link, n) =>
  n === 0
    ? [
        { ...link, id: LinkId("by-modbus") },
        { ...link, id: LinkId("by-opcua"), protocol: "opcua" },
      ]
    : [],
);

function tag(id: string, more: Partial<Tag> = {}): Tag {
  const found = plant.tags.find((candidate) => candidate.id === TagId(id));
  if (found === undefined) throw new Error(`the works have no tag \`${id}\``);
  return { ...found, ...more };
}

const both = (table: ModbusBinding["table"]): Tag =>
  tag("FLOW.SP", { modbus: { ...binding(), table }, opcua: { nodeId: "ns=1;s=F", type: "Double" } });

function binding(more: Partial<ModbusBinding> = {}): ModbusBinding {
  return {
    unit: 1,
    table: "holding-register",
    address: 0,
    type: "uint16",
    wordOrder: "big",
    byteOrder: "big",
    scale: 0.1,
    ...more,
  };
}

describe("links that carry an operation", () => {
  const cases: readonly {
    readonly says: string;
    readonly operation: Operation;
    readonly subject: Parameters<typeof linksFor>[3];
    readonly want: readonly string[];
  }[] = [
    {
      says: "a tag bound to both is read over both",
      operation: "read",
      subject: { tag: both("input-register") },
      want: ["by-modbus", "by-opcua"],
    },
    {
      says: "an input register is not written",
      operation: "write",
      subject: { tag: both("input-register") },
      want: ["by-opcua"],
    },
    {
      says: "a holding register is",
      operation: "write",
      subject: { tag: both("holding-register") },
      want: ["by-modbus", "by-opcua"],
    },
    { says: "subscriptions are OPC UA", operation: "subscribe", subject: { tag: both("coil") }, want: ["by-opcua"] },
    {
      says: "an argument travels with its method",
      operation: "call",
      subject: { tag: tag("DUTY") },
      want: ["by-opcua"],
    },
    { says: "an argument is not read", operation: "read", subject: { tag: tag("DUTY") }, want: [] },
    { says: "sessions are OPC UA", operation: "session", subject: {}, want: ["by-opcua"] },
    { says: "diagnosis is Modbus", operation: "diagnose", subject: {}, want: ["by-modbus"] },
    { says: "programs are loaded over both", operation: "program", subject: {}, want: ["by-modbus", "by-opcua"] },
    { says: "a raw function belongs to its protocol", operation: "raw", subject: { raw: RAW.id }, want: ["by-modbus"] },
    { says: "an output crosses no link", operation: "output", subject: { tag: tag("PUMP.OUT") }, want: [] },
  ];

  test.each(cases)("$says", ({ operation, subject, want }) => {
    expect(linksFor(withRaw, links, operation, subject).map(({ id }) => id)).toEqual(want);
  });

  test("reads and methods carry no value; writes, outputs, reports and arguments do", () => {
    const asked = (operation: Operation, id: string) => {
      const [rule] = lifecycle.rules;
      if (rule === undefined) throw new Error("the works have rules");
      return carriesValue({ ...rule, operation }, tag(id));
    };
    expect([asked("read", "LEVEL"), asked("subscribe", "TEMP"), asked("call", "HEAT")]).toEqual([false, false, false]);
    expect([
      asked("write", "PUMP"),
      asked("output", "PUMP.OUT"),
      asked("report", "LEVEL"),
      asked("call", "DUTY"),
    ]).toEqual([true, true, true, true]);
  });
});

describe("values that a link carries", () => {
  const [byModbus, byOpcUa] = links;
  if (byModbus === undefined || byOpcUa === undefined) throw new Error("two links were made");
  const rule = (value: NonNullable<Rule["value"]>): Rule => {
    const found = lifecycle.phases.flatMap((phase) => phase.rules).find(({ tags }) => tags.includes(TagId("FLOW.SP")));
    if (found === undefined) throw new Error("the works have a rule on the flow");
    return { ...found, value };
  };

  test.each([
    { says: "whole raw numbers within the bounds", value: { min: 4.96, max: 40.04 }, want: [[5, 40]] },
    {
      says: "listed values that have a number",
      value: { oneOf: [5, 7.25, 10] },
      want: [
        [5, 5],
        [10, 10],
      ],
    },
    { says: "nothing between two numbers", value: { min: 5.02, max: 5.08 }, want: [] },
  ])("Modbus: $says", ({ value, want }) => {
    const carried = valuesOnLink(byModbus, tag("FLOW.SP"), rule(value));
    expect(carried.map((ends) => ends.map((end) => Math.round(end * 1e6) / 1e6))).toEqual(want);
  });

  test("OPC UA: as they are", () => {
    expect(valuesOnLink(byOpcUa, both("coil"), rule({ oneOf: [7.25] }))).toEqual([[7.25, 7.25]]);
  });

  test.each([
    { type: "uint16", scale: 0.0005, want: [[0, 32.7675]] },
    { type: "uint16", scale: 0.1, want: [[0, 60]] },
    { type: "int16", scale: 0.001, want: [[0, 32.767]] },
    { type: "bool", scale: 1, want: [[0, 1]] },
    { type: "float32", scale: 0.0001, want: [[0, 60]] },
  ] as const)("a $type of scale $scale holds $want", ({ type, scale, want }) => {
    expect(valuesOnLink(byModbus, tag("FLOW.SP", { modbus: binding({ type, scale }) }), rule({}))).toEqual(want);
  });

  test("OPC UA: whole numbers where the type has no others", () => {
    const counted = tag("FLOW.SP", { opcua: { nodeId: "ns=1;s=F", type: "UInt16" } });
    expect(valuesOnLink(byOpcUa, counted, rule({ min: 4.5, max: 7.25 }))).toEqual([[5, 7]]);
    expect(valuesOnLink(byOpcUa, counted, rule({ oneOf: [7.25] }))).toEqual([]);
  });

  test("an interval may lose less than one number at an end, a single value nothing", () => {
    expect(unsayable(tag("FLOW.SP"), [[5, 40.06]], [[5, 40]])).toEqual([]);
    expect(unsayable(tag("TEMP.SP"), [[5, 40.06]], [[5, 40]])).toEqual([[40, 40.06]]);
    expect(unsayable(tag("FLOW.SP"), [[5, 40.2]], [[5, 40]])).toEqual([[40, 40.2]]);
    expect(unsayable(tag("FLOW.SP"), [[40.06, 40.06]], [[5, 40]])).toEqual([[40.06, 40.06]]);
  });
});

describe("rules that only look shadowed", () => {
  const shadowedWith = (change: readonly Change[]) => rulesAreNotShadowed(works({ change })).map(({ at }) => at);
  const beside = (rule: string): Change => ["      run-flow: {", `      ${rule}\n      run-flow: {`];

  test.each([
    {
      says: "the wider one has a rate, and this one brings its own",
      rule: "low-flow: { says: A low flow may be set., from: [hmi-1], may: write, tags: [FLOW.SP], value: { min: 5, max: 6, maxStep: 1 }, most: { count: 1, per: 1h } }",
    },
    {
      says: "the wider one asks for a smaller step",
      rule: "any-flow: { says: A flow may be set., from: [hmi-1], may: write, tags: [FLOW.SP], value: { min: 5, max: 40 } }",
    },
    {
      says: "another device",
      rule: "ews-temp: { says: The flow may be set., from: [ews-1], may: write, tags: [FLOW.SP], value: { min: 5, max: 6 } }",
    },
    {
      says: "a value more",
      rule: "high-temp: { says: A high temperature., from: [hmi-1], may: write, tags: [TEMP.SP], value: { max: 61 } }",
    },
  ])("$says", ({ rule }) => {
    expect(shadowedWith([beside(rule)])).not.toContain(`rule:${rule.split(":")[0]}`);
  });

  test("and one that is", () => {
    expect(
      shadowedWith([
        beside("temp: { says: A temperature., from: [hmi-1], may: write, tags: [TEMP.SP], value: { max: 59 } }"),
      ]),
    ).toEqual(["rule:temp"]);
  });
});
