import { describe, expect, test } from "vitest";
import type { ModbusBinding } from "#specs/plant.ts";
import { rawOf } from "#specs/raw.ts";
import { bundleOf, small } from "./specs.ts";

const { projections } = bundleOf(small());

describe("one rule, three projections", () => {
  const at = <E extends { readonly rule: string }>(
    layer: { positions: readonly { phase: string; step: string | null; entries: readonly E[] }[] },
    rule: string,
  ) =>
    layer.positions
      .find(({ phase, step }) => phase === "run" && step === "keep")
      ?.entries.filter((entry) => entry.rule === rule);

  test("HMI: the command in engineering units", () => {
    expect(at(projections.hmi, "run-flow")).toEqual([
      {
        rule: "run-flow",
        mode: "enforce",
        safety: false,
        cadence: { most: 2, perMs: 5000 },
        source: "hmi-1",
        target: "plc-1",
        operation: "write",
        tag: "FLOW.SP",
        unit: "m³/h",
        value: { min: 5, max: 40, maxStep: 5 },
      },
    ]);
  });

  test("switch: the exact Modbus message in raw values", () => {
    expect(at(projections.switch, "run-flow")?.[0]).toMatchObject({
      link: "hmi-plc1",
      message: {
        protocol: "modbus",
        functions: [6, 16],
        unit: 1,
        table: "holding-register",
        address: 0,
        quantity: 1,
        type: "uint16",
        raw: { min: 50, max: 400, maxStep: 50 },
      },
    });
  });

  test("switch: a value of two registers is never written by function 06", () => {
    expect(at(projections.switch, "keep-batch")?.[0]?.message).toMatchObject({
      functions: [16],
      quantity: 2,
      raw: { min: 100, max: 5000 },
    });
  });

  test("switch: the exact OPC UA message", () => {
    expect(at(projections.switch, "run-temp")?.[0]?.message).toEqual({
      protocol: "opcua",
      services: ["Write"],
      nodeId: "ns=1;s=TEMP.SP",
      attribute: "Value",
      type: "Double",
      value: { min: 0, max: 60 },
    });
  });

  test("PLC: the variable, and outputs with their cause", () => {
    expect(at(projections.plc, "run-flow")).toMatchObject([
      { device: "plc-1", variable: "FLOW.SP", operation: "write", value: { min: 5, max: 40, maxStep: 5 } },
    ]);
    expect(at(projections.plc, "run-output")).toMatchObject([
      {
        variable: "PUMP.OUT",
        operation: "output",
        value: { min: 0, max: 100 },
        cause: { all: [{ tag: "LEVEL", test: "at-least", value: 0.3 }], forMs: 0 },
      },
    ]);
  });

  test("outputs are the PLC's alone, and reads never reach it", () => {
    expect(at(projections.hmi, "run-output")).toEqual([]);
    expect(at(projections.switch, "run-output")).toEqual([]);
    expect(at(projections.plc, "hmi-reads")).toEqual([]);
  });
});

test("every phase has a position, one for each step, with inherited rules first", () => {
  expect(projections.hmi.positions.map(({ phase, step }) => `${phase}/${step ?? ""}`)).toEqual([
    "off/",
    "run/fill",
    "run/keep",
    "limited.look/",
    "limited.local/",
    "service/",
  ]);
  for (const { entries } of projections.hmi.positions) expect(entries[0]?.rule).toBe("hmi-reads");
});

describe("raw bounds lie within the engineering bounds", () => {
  const binding: ModbusBinding = {
    unit: 1,
    table: "holding-register",
    address: 0,
    type: "uint16",
    wordOrder: "big",
    scale: 0.1,
  };
  test.each([
    {
      name: "whole raw values stay",
      bounds: { min: 0.3, max: 2.9, maxStep: 0.7, oneOf: [0.3] },
      want: { min: 3, max: 29, maxStep: 7, oneOf: [3] },
    },
    {
      name: "others are drawn inwards",
      bounds: { min: 0.31, max: 2.99, maxStep: 0.79 },
      want: { min: 4, max: 29, maxStep: 7 },
    },
  ])("$name", ({ bounds, want }) => {
    expect(rawOf(binding, bounds)).toEqual(want);
  });
});
