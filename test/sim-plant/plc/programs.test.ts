import { describe, expect, test } from "vitest";
import type { ControlProgram, ProgramMemory } from "#sim/plc/program.ts";
import { PROGRAM_PLC1 } from "#sim/plc/program-plc1.ts";
import { BACKWASH_MS, PROGRAM_PLC2, trimmed } from "#sim/plc/program-plc2.ts";
import { NO_GUARD, scanCycle, tagValues } from "#sim/plc/scan-cycle.ts";

const FIELD1 = { LIT101: 1.5, FIT101: 30, AIT201: 2, "MV101.POS": 100, "MV101.OPEN": 1, "P101.RUN": 1, "P201.RUN": 1 };
const FIELD2 = { LIT401: 1.5, FIT401: 30, AIT401: 2, PDT301: 10, "P401.RUN": 1, "V301.OPEN": 0 };

class Bench<M extends ProgramMemory> {
  readonly #program: ControlProgram<M>;
  readonly #field: Readonly<Record<string, number>>;
  #memory: M;
  #scan = 0;

  constructor(program: ControlProgram<M>, field: Readonly<Record<string, number>>) {
    this.#program = program;
    this.#field = field;
    this.#memory = program.initial;
  }

  run(options: {
    writes?: Record<string, number>;
    field?: Record<string, number>;
    scans?: number;
    forces?: Record<string, number>;
  }) {
    let last = new Map<string, number>();
    for (let i = 0; i < (options.scans ?? 1); i += 1) {
      this.#scan += 1;
      const inputs = {
        scan: this.#scan,
        atMs: this.#scan * 100,
        dtMs: 100,
        field: tagValues({ ...this.#field, ...options.field }),
        writes: tagValues(i === 0 ? (options.writes ?? {}) : {}),
        forces: tagValues(options.forces ?? {}),
      };
      const result = scanCycle(this.#program, this.#memory, inputs, NO_GUARD);
      this.#memory = result.memory;
      last = new Map(result.tags);
    }
    return Object.fromEntries(last);
  }
}

describe("PLC 1", () => {
  test("manual: the inlet follows its command", () => {
    const bench = new Bench(PROGRAM_PLC1, FIELD1);
    expect(bench.run({ writes: { "MV101.CMD": 1 } })["MV101.OUT"]).toBe(1);
    expect(bench.run({ writes: { "MV101.CMD": 0 } })["MV101.OUT"]).toBe(0);
  });

  test.each([
    { level: 1.34, filling: 1, name: "below the band: opens" },
    { level: 1.66, filling: 0, name: "above the band: closes" },
  ])("automatic level control, $name", ({ level, filling }) => {
    const bench = new Bench(PROGRAM_PLC1, FIELD1);
    expect(bench.run({ writes: { AUTO101: 1, "LIT101.SP": 1.5 }, field: { LIT101: level } })["MV101.OUT"]).toBe(
      filling,
    );
    expect(bench.run({ field: { LIT101: 1.5 } })["MV101.OUT"], "inside the band it stays").toBe(filling);
  });

  test("the feed pump's speed settles where the flow is", () => {
    const bench = new Bench(PROGRAM_PLC1, FIELD1);
    const out = bench.run({ writes: { "P101.CMD": 1, "FIC101.SP": 30 }, scans: 100 });
    expect(out["P101.OUT"]).toBeCloseTo(50, 0);
    expect(bench.run({ writes: { "P101.CMD": 0 } })["P101.OUT"]).toBe(0);
  });

  test("the stroke follows the flow, so that the concentration stays: 2 mg/L × 30 m³/h of 600 g/h", () => {
    const bench = new Bench(PROGRAM_PLC1, FIELD1);
    expect(bench.run({ writes: { "P201.CMD": 1, "DOS201.SP": 2 } })["P201.OUT"]).toBeCloseTo(10);
    expect(bench.run({ field: { FIT101: 0 } })["P201.OUT"]).toBe(0);
    expect(bench.run({ writes: { "DOS201.SP": 10 }, field: { FIT101: 80 } })["P201.OUT"]).toBe(100);
  });

  test("there is no low-level cut-out: the pump turns on an empty tank", () => {
    const bench = new Bench(PROGRAM_PLC1, FIELD1);
    const out = bench.run({ writes: { "P101.CMD": 1, "FIC101.SP": 50 }, field: { LIT101: 0, FIT101: 0 }, scans: 50 });
    expect(out["P101.OUT"]).toBeGreaterThan(50);
  });

  test("the emergency stop clears all commands, so that its release starts nothing", () => {
    const bench = new Bench(PROGRAM_PLC1, FIELD1);
    bench.run({ writes: { "MV101.CMD": 1, "P101.CMD": 1, "P201.CMD": 1, "FIC101.SP": 30, "DOS201.SP": 2 }, scans: 50 });
    const stopped = bench.run({ writes: { ESTOP1: 1 } });
    expect(stopped).toMatchObject({ "MV101.OUT": 0, "P101.OUT": 0, "P201.OUT": 0, "P101.CMD": 0 });
    expect(bench.run({ writes: { ESTOP1: 0 }, scans: 20 })).toMatchObject({ "P101.OUT": 0, "MV101.OUT": 0 });
  });

  test("a missing field input stops the scan with a sentence", () => {
    const bench = new Bench(PROGRAM_PLC1, { LIT101: 1 });
    expect(() => bench.run({})).toThrow("field input `FIT101` is missing");
  });

  test("forced outputs replace those of the program", () => {
    const bench = new Bench(PROGRAM_PLC1, FIELD1);
    expect(bench.run({ forces: { "P101.OUT": 80 } })["P101.OUT"]).toBe(80);
  });
});

describe("PLC 2", () => {
  test.each([
    { level: 1.5, want: 30 },
    { level: 0.8, want: 30 },
    { level: 2, want: 30 },
    { level: 2.4, want: 35 },
    { level: 2.8, want: 40 },
    { level: 0.4, want: 25 },
    { level: 0, want: 20 },
  ])("level trim at $level m aims at $want m³/h", ({ level, want }) => expect(trimmed(30, level)).toBeCloseTo(want));

  test("trim stays within what the pump can do", () => {
    expect(trimmed(58, 2.8)).toBe(60);
    expect(trimmed(3, 0)).toBe(0);
  });

  test("a backwash takes its time, then takes back its command and closes the rinse", () => {
    const bench = new Bench(PROGRAM_PLC2, FIELD2);
    expect(bench.run({ writes: { "BW301.CMD": 1 } })).toMatchObject({ "BW301.ACTIVE": 1, "P301.OUT": 1 });
    expect(bench.run({ writes: { "V301.CMD": 1 }, scans: BACKWASH_MS / 100 - 1 })).toMatchObject({
      "BW301.ACTIVE": 1,
      "V301.OUT": 1,
    });
    expect(bench.run({})).toMatchObject({
      "BW301.ACTIVE": 0,
      "BW301.CMD": 0,
      "V301.CMD": 0,
      "P301.OUT": 0,
      "V301.OUT": 0,
    });
  });

  test("a backwash ends when its command is taken back", () => {
    const bench = new Bench(PROGRAM_PLC2, FIELD2);
    bench.run({ writes: { "BW301.CMD": 1 }, scans: 20 });
    expect(bench.run({ writes: { "BW301.CMD": 0 } })).toMatchObject({ "BW301.ACTIVE": 0, "P301.OUT": 0 });
  });

  test("a drain opened outside a backwash stays open: nothing in the program closes it", () => {
    const bench = new Bench(PROGRAM_PLC2, FIELD2);
    expect(bench.run({ writes: { "V301.CMD": 1 }, scans: 600 })["V301.OUT"]).toBe(1);
  });

  test("the emergency stop ends everything", () => {
    const bench = new Bench(PROGRAM_PLC2, FIELD2);
    bench.run({ writes: { "P401.CMD": 1, "FIC401.SP": 30, "BW301.CMD": 1, "V301.CMD": 1 }, scans: 50 });
    expect(bench.run({ writes: { ESTOP2: 1 } })).toMatchObject({
      "P401.OUT": 0,
      "P301.OUT": 0,
      "V301.OUT": 0,
      "BW301.ACTIVE": 0,
    });
  });
});
