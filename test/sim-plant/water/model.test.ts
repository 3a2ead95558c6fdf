import { describe, expect, test } from "vitest";
import { random } from "#sim/random.ts";
import { type FieldOutputs, POWER_LOSS } from "#sim/water/field-tags.ts";
import { initialState, type PlantState, STEP_MS, step } from "#sim/water/model.ts";
import { T101, T401 } from "#sim/water/parameters.ts";
import { WaterPlant } from "#sim/water/plant.ts";

const RUNNING: FieldOutputs = { ...POWER_LOSS, "MV101.OUT": 1, "P101.OUT": 50, "P201.OUT": 10, "P401.OUT": 50 };

function run(
  state: PlantState,
  outputs: FieldOutputs,
  steps: number,
  each: (before: PlantState, after: PlantState) => void = () => undefined,
): PlantState {
  const rng = random(7, "physics");
  let now = state;
  for (let i = 0; i < steps; i += 1) {
    const next = step(now, outputs, STEP_MS, rng);
    each(now, next);
    now = next;
  }
  return now;
}

describe("mass balance", () => {
  const hours = STEP_MS / 3_600_000;

  test.each([
    { name: "in ordinary running", outputs: RUNNING, steps: 600 },
    { name: "while T101 spills", outputs: { ...POWER_LOSS, "MV101.OUT": 1 }, steps: 2000 },
    { name: "while T401 spills", outputs: { ...RUNNING, "P401.OUT": 0 }, steps: 2500 },
    {
      name: "while T401 is drained and washed from",
      outputs: { ...RUNNING, "P301.OUT": 1, "V301.OUT": 1 },
      steps: 600,
    },
  ])("closes to a millilitre $name", ({ outputs, steps }) => {
    run({ ...initialState(1), level101: 1.5, level401: 1.5 }, outputs, steps, (before, after) => {
      const in101 = after.supply * after.valve101 * hours;
      const out101 = after.feedFlow * hours + (after.spilled101L - before.spilled101L) / 1000;
      expect((after.level101 - before.level101) * T101.areaM2).toBeCloseTo(in101 - out101, 6);
      const out401 = (after.distributionFlow + after.drainFlow + after.backwashFlow) * hours;
      const spill401 = (after.spilled401L - before.spilled401L) / 1000;
      expect((after.level401 - before.level401) * T401.areaM2).toBeCloseTo(
        after.feedFlow * hours - out401 - spill401,
        6,
      );
    });
  });

  test("chlorine in the clean tank settles at what is dosed: g/h over m³/h is mg/L", () => {
    const settled = run({ ...initialState(1), level101: 1.5, level401: 1.5 }, RUNNING, 6000);
    expect(settled.doseRate).toBeCloseTo(60, 1);
    expect(settled.chlorine401 / (settled.doseRate / settled.feedFlow)).toBeCloseTo(1, 1);
  });
});

describe("machines", () => {
  test("the inlet valve takes 2 s from closed to open", () => {
    const after = run(initialState(1), { ...POWER_LOSS, "MV101.OUT": 1 }, 19);
    expect(after.valve101).toBeCloseTo(0.95);
    expect(run(initialState(1), { ...POWER_LOSS, "MV101.OUT": 1 }, 20).valve101).toBeCloseTo(1);
  });

  test("a feed pump without water runs dry, and its flow breaks off", () => {
    const dry = run({ ...initialState(1), level101: 0.19 }, { ...POWER_LOSS, "P101.OUT": 60 }, 40);
    expect(dry.dry101Ms).toBe(4000);
    expect(dry.feedFlow).toBeLessThan(0.1);
  });

  test("a standing pump without water is not dry running", () => {
    expect(run({ ...initialState(1), level101: 0.1 }, POWER_LOSS, 40).dry101Ms).toBe(0);
  });

  test("the filter clogs with throughput, and a backwash of 30 s restores it", () => {
    const clogged = run({ ...initialState(1), level101: 2, level401: 1.5 }, RUNNING, 2000);
    expect(clogged.filtered).toBeGreaterThan(1.3);
    const washed = run(clogged, { ...RUNNING, "P301.OUT": 1 }, 300);
    expect(washed.filtered).toBeLessThan(0.05);
  });
});

describe("determinism", () => {
  const trace = (seed: number): string => {
    const plant = new WaterPlant(seed);
    const lines: string[] = [];
    for (let i = 0; i < 300; i += 1) {
      plant.advance(RUNNING);
      lines.push(JSON.stringify([plant.state, plant.inputs]));
    }
    return lines.join("\n");
  };

  test("the same seed gives the same bytes", () => expect(trace(5)).toBe(trace(5)));
  test("another seed gives others", () => expect(trace(5)).not.toBe(trace(6)));

  test("readings are whole steps of the tag's scale", () => {
    const plant = new WaterPlant(3);
    for (let i = 0; i < 50; i += 1) plant.advance(RUNNING);
    const { LIT101, FIT101, AIT201 } = plant.inputs;
    expect(Math.round(LIT101 / 0.001) * 0.001).toBe(LIT101);
    expect(Math.round(FIT101 / 0.1) * 0.1).toBe(FIT101);
    expect(Math.round(AIT201 / 0.01) * 0.01).toBe(AIT201);
  });
});
