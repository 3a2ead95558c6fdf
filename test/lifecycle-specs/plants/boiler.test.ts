import { describe, expect, test } from "vitest";
import { BoilerLayers, boiler, type Wish } from "./boiler-layers.ts";

const S = 1000;
const M = 60 * S;

/** Readings that do not change in a scene. */
const COLD = {
  "GV101.CLOSED": 1,
  "GV102.CLOSED": 1,
  "GV102.OPEN": 0,
  BS101: 0,
  BE101: 0,
  BE102: 0,
  FT101: 0,
  "BMS101.STATE": 0,
  LT201: 0,
  PT301: 0,
  LT202: 80,
};
const PURGING = { ...COLD, FT101: 80, "BMS101.STATE": 1 };
const PILOT = { ...COLD, FT101: 25, "BMS101.STATE": 3, "GV101.CLOSED": 0, BS101: 1, BE101: 60, BE102: 60 };
const FIRED = {
  ...PILOT,
  "BMS101.STATE": 5,
  "GV101.CLOSED": 1,
  "GV102.CLOSED": 0,
  "GV102.OPEN": 1,
  BE101: 80,
  BE102: 80,
};
const RUNNING = {
  ...FIRED,
  FT101: 40,
  PT301: 9,
  LT201: 0,
  "FRC101.PV": 15,
  "FRC101.AUTO": 1,
  "FRC101.SP": 30,
  "BDV101.OPEN": 0,
  AT101: 3.5,
};

const call = (from: string, method: string, args?: Readonly<Record<string, number>>): Wish => ({
  kind: "call",
  from,
  method,
  ...(args === undefined ? {} : { args }),
});
const write = (tag: string, value: number, from = "hmi-1"): Wish => ({ kind: "write", from, tag, value });
const output = (tag: string, value: number): Wish => ({ kind: "output", tag, value });
const reset = call("panel-1", "BRN.RESET", { "BRN.RESET.CODE": 0 });
const blow = (seconds: number): Wish => call("hmi-1", "BDV101.BLOW", { "BDV101.BLOW.DURATION": seconds });
const everywhere = (word: string) => ({ hmi: word, switch: word, plc: word });
const onTheWire = (word: string) => ({ hmi: word, switch: word });

/** Reset at the boiler, then the phase in which the burner is lit. */
function readyToPurge(): BoilerLayers {
  const layers = new BoilerLayers("off", undefined, 0);
  layers.hold(0, 5 * S, COLD);
  expect(layers.do(reset, 5 * S)).toEqual(onTheWire("allow"));
  layers.enter("start-up", undefined, 6 * S);
  layers.hold(6 * S, 10 * S, COLD);
  return layers;
}

/** The purge runs since `atMs`, 12 s into the scene. */
function purging(): { layers: BoilerLayers; atMs: number } {
  const layers = readyToPurge();
  expect(layers.do(call("hmi-1", "BRN.PURGE"), 10 * S)).toEqual(onTheWire("allow"));
  layers.see(12 * S, PURGING);
  layers.record("purge", 12 * S);
  return { layers, atMs: 12 * S };
}

describe("the boiler is lit in order", () => {
  test("a purge needs a reset at the boiler, and each reset permits one", () => {
    const unreset = new BoilerLayers("start-up", undefined, 0);
    unreset.hold(0, 5 * S, COLD);
    expect(unreset.ask(call("hmi-1", "BRN.PURGE"), 5 * S)).toEqual(onTheWire("ORDER_MISSING"));

    const layers = readyToPurge();
    expect(layers.do(call("hmi-1", "BRN.PURGE"), 10 * S)).toEqual(onTheWire("allow"));
    expect(layers.ask(call("hmi-1", "BRN.PURGE"), 12 * S)).toEqual(onTheWire("ORDER_USED"));
  });

  test("a reset is good for ten minutes", () => {
    const layers = readyToPurge();
    layers.hold(9 * M + 50 * S, 10 * M + 5 * S, COLD);
    expect(layers.ask(call("hmi-1", "BRN.PURGE"), 5 * S + 10 * M)).toEqual(onTheWire("allow"));
    expect(layers.ask(call("hmi-1", "BRN.PURGE"), 5 * S + 10 * M + 1)).toEqual({
      hmi: "ORDER_MISSING",
      switch: "allow",
    });
    expect(layers.ask(call("hmi-1", "BRN.PURGE"), 10 * M + 6 * S)).toEqual(onTheWire("ORDER_MISSING"));
  });

  test("the reset is for the panel only, and with a code that the controller can have", () => {
    const layers = new BoilerLayers("lockout", undefined, 0);
    expect(layers.ask({ ...call("hmi-1", "BRN.RESET", { "BRN.RESET.CODE": 3 }) }, 0)).toEqual(
      onTheWire("SOURCE_FORBIDS"),
    );
    expect(layers.ask(call("panel-1", "BRN.RESET", { "BRN.RESET.CODE": 100 }), 0)).toEqual(onTheWire("VALUE_ABOVE"));
    expect(layers.ask(call("panel-1", "BRN.RESET", { "BRN.RESET.CODE": 3 }), 0)).toEqual(onTheWire("allow"));
  });

  test("no gas, no spark and no start in the purge: another step allows them", () => {
    const { layers, atMs } = purging();
    layers.hold(atMs, atMs + 59 * S, PURGING);
    const now = atMs + 59 * S;
    expect(layers.ask(write("GV102.CMD", 1), now)).toEqual(everywhere("STEP_FORBIDS"));
    expect(layers.ask(call("hmi-1", "BRN.START"), now)).toEqual(onTheWire("STEP_FORBIDS"));
    // The rule that lets these close in every phase comes closest.
    for (const tag of ["GV101.OUT", "GV102.OUT", "IGN101.OUT"]) {
      expect(layers.ask(output(tag, 1), now)).toEqual({ plc: "VALUE_NOT_LISTED" });
      expect(layers.ask(output(tag, 0), now)).toEqual({ plc: "allow" });
    }
  });

  test("the purge counts after a minute of air without a break, and then one start is allowed", () => {
    const { layers, atMs } = purging();
    layers.hold(atMs, atMs + 60 * S - 500, PURGING);
    expect(layers.steps("hmi")).toEqual(["purge"]);
    layers.see(atMs + 60 * S, PURGING);
    for (const layer of ["hmi", "switch", "plc"] as const) expect(layers.steps(layer)).toEqual(["purge", "purged"]);
    layers.record("purged", atMs + 60 * S);

    const turnedDown = atMs + 64 * S;
    expect(layers.ask(call("hmi-1", "BRN.START"), turnedDown)).toEqual(onTheWire("CAUSE_MISSING"));
    layers.hold(turnedDown, turnedDown + 2 * S, { ...COLD, FT101: 25, "BMS101.STATE": 2 });
    expect(layers.do(call("hmi-1", "BRN.START"), turnedDown + 2 * S)).toEqual(onTheWire("allow"));
    expect(layers.ask(call("hmi-1", "BRN.START"), turnedDown + 4 * S)).toEqual(onTheWire("ORDER_USED"));
  });

  test("an air flow that falls off begins the minute anew", () => {
    const { layers, atMs } = purging();
    layers.hold(atMs, atMs + 40 * S, PURGING);
    layers.see(atMs + 41 * S, { FT101: 64 });
    layers.hold(atMs + 42 * S, atMs + 101 * S, PURGING);
    expect(layers.steps("plc")).toEqual(["purge"]);
    layers.hold(atMs + 102 * S, atMs + 103 * S, PURGING);
    expect(layers.steps("plc")).toContain("purged");
  });

  test("main gas is released only over a pilot that both scanners have seen for five seconds", () => {
    const layers = new BoilerLayers("start-up", "pilot-proven", 0);
    layers.hold(0, 8 * S, { ...PILOT, BE102: 10 });
    expect(layers.ask(write("GV102.CMD", 1), 8 * S)).toEqual(everywhere("CAUSE_MISSING"));
    layers.hold(9 * S, 13 * S, PILOT);
    expect(layers.ask(write("GV102.CMD", 1), 13 * S)).toEqual(everywhere("CAUSE_MISSING"));
    layers.hold(13 * S, 14 * S, PILOT);
    expect(layers.ask(write("GV102.CMD", 1), 14 * S)).toEqual(everywhere("allow"));
    expect(layers.ask(write("GV102.CMD", 0), 14 * S)).toEqual(everywhere("VALUE_NOT_LISTED"));
    // A signal that is two seconds old says nothing of the flame any more.
    expect(layers.ask(write("GV102.CMD", 1), 17 * S)).toEqual(everywhere("CAUSE_UNKNOWN"));
  });

  test("the trial for the pilot ends after ten seconds, that for the main flame after five", () => {
    const trial = (step: string, atMs: number, tag: string): string | undefined => {
      const layers = new BoilerLayers("start-up", step, 0);
      layers.hold(0, atMs, { ...COLD, "BMS101.STATE": 3, FT101: 25 }, 100);
      expect(layers.steps("plc")).toContain("ready");
      layers.record("ready", atMs);
      return layers.ask(output(tag, 1), atMs).plc;
    };
    expect(trial("pilot", 10 * S, "GV101.OUT")).toBe("VALUE_NOT_LISTED");
    expect(trial("main-flame", 5 * S, "GV102.OUT")).toBe("VALUE_NOT_LISTED");
  });

  test("all three layers follow the whole sequence, and each output is allowed in its step alone", () => {
    const { layers, atMs } = purging();
    const outputs = ["IGN101.OUT", "GV101.OUT", "GV102.OUT"] as const;
    const open = (nowMs: number) => outputs.filter((tag) => layers.ask(output(tag, 1), nowMs).plc === "allow");
    let nowMs = atMs;
    const hold = (forMs: number, readings: Readonly<Record<string, number>>) => {
      layers.hold(nowMs + 100, nowMs + forMs, readings, 100);
      nowMs += forMs;
    };
    const arrive = (step: string) => {
      for (const layer of ["hmi", "switch", "plc"] as const) expect(layers.steps(layer), layer).toContain(step);
      layers.record(step, nowMs);
    };
    expect(open(nowMs)).toEqual([]);
    hold(60_500, PURGING);
    arrive("purged");
    hold(5 * S, { ...COLD, FT101: 25, "BMS101.STATE": 2 });
    expect(open(nowMs)).toEqual(["IGN101.OUT"]);
    expect(layers.do(call("hmi-1", "BRN.START"), nowMs)).toEqual(onTheWire("allow"));
    hold(S, { ...COLD, FT101: 25, "BMS101.STATE": 3 });
    arrive("pilot");
    expect(open(nowMs)).toEqual(["IGN101.OUT", "GV101.OUT"]);
    hold(2 * S, PILOT);
    arrive("pilot-proven");
    expect(open(nowMs)).toEqual(["GV101.OUT"]);
    hold(6 * S, PILOT);
    expect(layers.do(write("GV102.CMD", 1), nowMs)).toEqual(everywhere("allow"));
    hold(S, { ...PILOT, "BMS101.STATE": 4 });
    arrive("main-flame");
    expect(open(nowMs)).toEqual(["GV101.OUT", "GV102.OUT"]);
    hold(2 * S, { ...FIRED, "BMS101.STATE": 4 });
    arrive("lit");
    expect(open(nowMs)).toEqual(["GV102.OUT"]);
  });

  test("without a flame the main gas valves may close and not open", () => {
    const layers = new BoilerLayers("run", undefined, 0);
    layers.hold(0, S, RUNNING);
    expect(layers.ask(output("GV102.OUT", 1), S)).toEqual({ plc: "allow" });
    layers.see(2 * S, { BS101: 0 });
    expect(layers.ask(output("GV102.OUT", 1), 2 * S)).toEqual({ plc: "CAUSE_MISSING" });
    expect(layers.ask(output("GV102.OUT", 0), 2 * S)).toEqual({ plc: "allow" });
  });
});

describe("the boiler in its run", () => {
  const running = (): BoilerLayers => {
    const layers = new BoilerLayers("run", undefined, 0);
    layers.hold(0, 20 * S, RUNNING);
    return layers;
  };

  test("a blowdown lasts 2 to 10 s", () => {
    const layers = running();
    expect(layers.ask(blow(1.9), 20 * S)).toEqual(onTheWire("VALUE_BELOW"));
    expect(layers.ask(blow(10.1), 20 * S)).toEqual(onTheWire("VALUE_ABOVE"));
    expect(layers.verdicts(blow(10.1), 20 * S).switch).toMatchObject({ rule: "blow-down-duration", item: 1 });
    expect(layers.do(blow(10), 20 * S)).toEqual(onTheWire("allow"));
    expect(layers.ask(blow(10), 21 * S)).toEqual(onTheWire("TOO_OFTEN"));
  });

  test("blowdown and the test of the limiter keep ten minutes apart", () => {
    const layers = running();
    expect(layers.do(blow(5), 20 * S)).toEqual(onTheWire("allow"));
    const limiter = call("panel-1", "LSL201.TEST");
    layers.hold(8 * M, 9 * M, RUNNING);
    expect(layers.ask(limiter, 9 * M)).toEqual(onTheWire("TOO_CLOSE"));
    layers.hold(9 * M + 500, 11 * M, RUNNING);
    expect(layers.ask(limiter, 11 * M)).toEqual(onTheWire("allow"));
  });

  test("no blowdown with the water low, nor above low fire", () => {
    const layers = running();
    layers.hold(21 * S, 30 * S, { LT201: -25 });
    expect(layers.ask(blow(5), 30 * S)).toEqual(onTheWire("CAUSE_MISSING"));
    layers.hold(31 * S, 40 * S, { ...RUNNING, "FRC101.PV": 50 });
    layers.record("modulate", 40 * S);
    expect(layers.ask(blow(5), 40 * S)).toEqual(onTheWire("STEP_FORBIDS"));
  });

  test("hysteresis: the level counts from -10 mm until it falls below -20 mm", () => {
    const layers = new BoilerLayers("run", undefined, 0);
    layers.hold(0, 10 * S, { ...RUNNING, LT201: -15 });
    expect(layers.ask(blow(5), 10 * S)).toEqual(onTheWire("CAUSE_MISSING"));
    layers.hold(11 * S, 16 * S, { LT201: -10 });
    layers.hold(17 * S, 20 * S, { LT201: -20 });
    expect(layers.ask(blow(5), 20 * S)).toEqual(onTheWire("allow"));
    layers.see(21 * S, { LT201: -20.5 });
    layers.hold(22 * S, 30 * S, { LT201: -15 });
    expect(layers.ask(blow(5), 30 * S)).toEqual(onTheWire("CAUSE_MISSING"));
  });

  test("by hand the firing rate ramps by 2 % per second, and only while automatic is off", () => {
    const layers = running();
    expect(layers.ask(write("FRC101.SP", 31), 20 * S)).toEqual(everywhere("CAUSE_AGAINST"));
    layers.see(21 * S, { "FRC101.AUTO": 0 });
    expect(layers.do(write("FRC101.SP", 32), 21 * S)).toEqual(everywhere("allow"));
    expect(layers.ask(write("FRC101.SP", 38), 22 * S)).toEqual(everywhere("RAMP_TOO_FAST"));
    expect(layers.ask(write("FRC101.SP", 34), 22 * S)).toEqual(everywhere("allow"));
    expect(layers.ask(write("FRC101.SP", 34), 21 * S + 400)).toEqual({
      hmi: "RAMP_TOO_FAST",
      switch: "RAMP_TOO_FAST",
      plc: "RAMP_TOO_FAST",
    });
  });

  test("the gas control valve moves by 5 % per second", () => {
    const layers = running();
    layers.see(20 * S, { "FCV101.OUT": 30 });
    expect(layers.ask(output("FCV101.OUT", 30.5), 20 * S + 100)).toEqual({ plc: "allow" });
    expect(layers.ask(output("FCV101.OUT", 45), 20 * S + 100)).toEqual({ plc: "RAMP_TOO_FAST" });
  });

  test("the life counter comes once a second, not before 700 ms", () => {
    const layers = running();
    expect(layers.do(write("HMI101.BEAT", 1), 20 * S)).toEqual(everywhere("allow"));
    expect(layers.ask(write("HMI101.BEAT", 2), 20 * S + 200)).toEqual(everywhere("TOO_EARLY"));
    // 700 ms at the operator station; 200 ms of skew less at the switch, 400 ms less in the PLC.
    expect(layers.ask(write("HMI101.BEAT", 2), 20 * S + 550)).toEqual({
      hmi: "TOO_EARLY",
      switch: "allow",
      plc: "allow",
    });
    expect(layers.ask(write("HMI101.BEAT", 2), 20 * S + 700)).toEqual(everywhere("allow"));
  });

  test("a life counter that stops is overdue after period and jitter", () => {
    const layers = running();
    layers.do(write("HMI101.BEAT", 1), 20 * S);
    expect(layers.overdue("hmi", 20 * S + 1300)).toEqual([]);
    expect(layers.overdue("hmi", 20 * S + 1301)).toEqual(["hmi-beat"]);
    expect(layers.overdue("switch", 20 * S + 1501)).toEqual(["hmi-beat"]);
  });

  test("a feed pump stops only when the other has run for ten seconds", () => {
    const layers = running();
    layers.see(20 * S, { "P201.RUN": 1, "P202.RUN": 0 });
    expect(layers.ask(write("P201.CMD", 0), 30 * S)).toEqual(everywhere("CAUSE_MISSING"));
    layers.hold(30 * S, 40 * S, { "P202.RUN": 1 });
    expect(layers.ask(write("P201.CMD", 0), 40 * S)).toEqual(everywhere("allow"));
  });

  test("a water level that jumps is marked and forwarded", () => {
    const layers = running();
    layers.see(20 * S, { LT201: 0 });
    const verdict = layers.verdicts({ kind: "report", to: "hmi-1", tag: "LT201", value: 90 }, 21 * S).switch;
    expect(verdict).toMatchObject({ verdict: "deny", reason: "RAMP_TOO_FAST", rule: "told-level", mode: "monitor" });
    expect(layers.ask({ kind: "report", to: "hmi-1", tag: "LT201", value: 20 }, 21 * S)).toEqual(onTheWire("allow"));
  });

  test("nobody lights a burner in a degraded phase, and one that burns goes on", () => {
    for (const phase of ["degraded.hmi-quarantined", "degraded.local-control", "degraded.low-fire-hold"]) {
      const layers = new BoilerLayers(phase, undefined, 0);
      layers.hold(0, S, RUNNING);
      expect(layers.ask(output("IGN101.OUT", 1), S), phase).toEqual({ plc: "VALUE_NOT_LISTED" });
      expect(layers.ask(output("GV101.OUT", 1), S), phase).toEqual({ plc: "VALUE_NOT_LISTED" });
      expect(layers.ask(output("GV102.OUT", 1), S), phase).toEqual({ plc: "allow" });
      layers.see(2 * S, { BS101: 0 });
      expect(layers.ask(output("GV102.OUT", 1), 2 * S), phase).toEqual({ plc: "CAUSE_MISSING" });
    }
  });

  test("a contained operator station may not write, and the panel still stops the burner", () => {
    const layers = new BoilerLayers("contained.warm-up.hmi-1.read-only", undefined, 0);
    layers.hold(0, S, { ...FIRED, "FRC101.SP": 10 });
    expect(layers.ask(write("FRC101.SP", 12), S)).toMatchObject({ hmi: "CONTAINED", switch: "CONTAINED" });
    expect(layers.ask(call("hmi-1", "BRN.STOP"), S)).toEqual(onTheWire("CONTAINED"));
    expect(layers.ask(call("panel-1", "BRN.STOP"), S)).toEqual(onTheWire("allow"));
  });
});

describe("what is allowed always", () => {
  const emergency: readonly Wish[] = ["hmi-1", "panel-1"].flatMap((from) => [
    write("ES101.CMD", 1, from),
    call(from, "BRN.CUT"),
  ]);

  test("emergency stop and fuel cut-off, in every phase, step and containment", () => {
    let positions = 0;
    for (const { id, steps } of boiler.lifecycle.phases) {
      for (const step of steps.length === 0 ? [undefined] : steps.map((each) => each.id)) {
        positions += 1;
        const layers = new BoilerLayers(id, step, 0);
        for (const wish of emergency) {
          for (const word of Object.values(layers.ask(wish, 0))) expect(word, `${id} ${step}`).toBe("allow");
        }
      }
    }
    expect(positions).toBeGreaterThan(40);
  });

  test("and in every change of phase", () => {
    let changes = 0;
    for (const { id, transitions } of boiler.lifecycle.phases) {
      for (const { to } of transitions) {
        changes += 1;
        const layers = new BoilerLayers(id, undefined, 0);
        layers.change(id, to);
        for (const wish of emergency) {
          for (const word of Object.values(layers.ask(wish, 0))) expect(word, `${id} → ${to}`).toBe("allow");
        }
      }
    }
    expect(changes).toBeGreaterThan(30);
  });

  test("more often than declared is reported and not blocked", () => {
    const layers = new BoilerLayers("off", undefined, 0);
    for (let press = 0; press < 20; press += 1) {
      expect(layers.verdicts(write("ES101.CMD", 1), press).switch).not.toHaveProperty("excess");
      layers.do(write("ES101.CMD", 1), press);
    }
    expect(layers.verdicts(write("ES101.CMD", 1), 20).switch).toMatchObject({ verdict: "allow", excess: true });
    expect(layers.ask(write("ES101.CMD", 0), 20)).toMatchObject({ hmi: "VALUE_NOT_LISTED" });
  });
});

describe("maintenance", () => {
  test("valves are tested one by one, with the gas cock closed by hand", () => {
    const layers = new BoilerLayers("maintenance", undefined, 0);
    layers.hold(0, 12 * S, { ...COLD, "HV101.CLOSED": 0 });
    const pilot = write("GV101.TEST", 1, "ews-1");
    const main = write("GV102.TEST", 1, "ews-1");
    expect(layers.ask(pilot, 12 * S)).toEqual(everywhere("CAUSE_MISSING"));
    layers.hold(13 * S, 25 * S, { "HV101.CLOSED": 1 });
    expect(layers.do(pilot, 25 * S)).toEqual(everywhere("allow"));
    layers.hold(26 * S, 60 * S, { "HV101.CLOSED": 1 });
    expect(layers.ask(main, 45 * S)).toMatchObject(onTheWire("TOO_CLOSE"));
    expect(layers.ask(main, 56 * S)).toEqual(everywhere("allow"));
  });

  test("the clock of the flow computer is set by its own function, of its own length, in this phase alone", () => {
    const layers = new BoilerLayers("maintenance", undefined, 0);
    const clock = (bytes: number): Wish => ({ kind: "raw", from: "ews-1", to: "flow-1", raw: "flow-clock", bytes });
    expect(layers.ask(clock(7), 0)).toEqual(onTheWire("LENGTH_FORBIDDEN"));
    expect(layers.ask(clock(9), 0)).toEqual(onTheWire("LENGTH_FORBIDDEN"));
    expect(layers.do(clock(8), 0)).toEqual(onTheWire("allow"));
    expect(layers.ask(clock(8), S)).toEqual(onTheWire("TOO_OFTEN"));
    layers.enter("run", undefined, 0);
    expect(layers.ask(clock(8), 2 * M)).toEqual(onTheWire("PHASE_FORBIDS"));
  });
});
