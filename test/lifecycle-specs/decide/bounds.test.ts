import { describe, expect, test } from "vitest";
import { judge } from "#specs/decide/decide.ts";
import type { Layer, Observation } from "#specs/decide/observation.ts";
import type { Permitted } from "#specs/decide/permit.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import { at, type Event, sends, tells, writes } from "./examples/examples.ts";
import { historyAfter } from "./examples/history.ts";
import { EXAMPLE } from "./examples/lifecycle.ts";

/** Each bound from both sides, one unit away: 1 ms, or a hundredth of an engineering unit. The skew is 100 ms. */
const skewed = { ...EXAMPLE, lifecycle: { ...EXAMPLE.lifecycle, skewMs: 100 } };
const tablesOf: Readonly<Record<Layer, Tables>> = {
  hmi: compile(skewed, "hmi"),
  switch: compile(skewed, "switch"),
  plc: compile(skewed, "plc"),
};

interface Case {
  readonly name: string;
  readonly layer?: Layer;
  readonly permitted?: Permitted;
  readonly before?: readonly Event[];
  readonly nowMs?: number;
  readonly observation: Observation;
  readonly want: string;
}

const DOSING = at("running", "dose");
const LIMITED = at("contained.running.hmi-1.rate-limit", "fill");
const sent = (rule: string, atMs = 0): Event => ({ atMs, sent: rule });
const seen = (tag: string, value: number, atMs = 0): Event => ({ atMs, seen: tag, value });

function check(cases: readonly Case[]): void {
  test.each(cases)("$name: $want", ({ layer = "hmi", permitted = at("running", "fill"), want, ...entry }) => {
    const tables = tablesOf[layer];
    const history = historyAfter(tables, entry.before ?? []);
    const verdict = judge(tables, permitted, entry.observation, history, entry.nowMs ?? 0);
    expect(verdict.verdict === "allow" ? verdict.rule : verdict.reason).toBe(want);
  });
}

describe("values", () => {
  const before = [seen("DOSE.SP", 1), seen("SPEED.SP", 20)];
  const dose = (value: number) => ({ permitted: DOSING, observation: writes("DOSE.SP", value) });
  check([
    { name: "at the lower bound", ...dose(1), before, want: "dose" },
    { name: "a hundredth below it", ...dose(0.99), before, want: "VALUE_BELOW" },
    { name: "below it by rounding", ...dose(1 - 1e-9), before, want: "dose" },
    { name: "at the upper bound", ...dose(3), before: [seen("DOSE.SP", 3)], want: "dose" },
    { name: "a hundredth above it", ...dose(3.01), before: [seen("DOSE.SP", 3)], want: "VALUE_ABOVE" },
    { name: "as far as the largest step", ...dose(1.5), before, want: "dose" },
    { name: "a hundredth farther", ...dose(1.51), before, want: "STEP_TOO_LARGE" },
    { name: "as far down", ...dose(1), before: [seen("DOSE.SP", 1.5)], want: "dose" },
    { name: "a hundredth farther down", ...dose(1), before: [seen("DOSE.SP", 1.51)], want: "STEP_TOO_LARGE" },
    { name: "a value that is listed", observation: writes("MODE.SP", 2), want: "mode" },
    { name: "a hundredth beside it", observation: writes("MODE.SP", 1.99), want: "VALUE_NOT_LISTED" },
    { name: "the tag's own range, where the rule says nothing", observation: writes("ARM", 1), want: "arm" },
    { name: "a hundredth above the tag's own range", observation: writes("ARM", 1.01), want: "VALUE_ABOVE" },
    { name: "a hundredth below the tag's own range", observation: writes("ARM", -0.01), want: "VALUE_BELOW" },
    { name: "no number", observation: writes("ARM", Number.NaN), want: "TYPE_MISMATCH" },
    { name: "infinity", observation: writes("ARM", Number.POSITIVE_INFINITY), want: "TYPE_MISMATCH" },
  ]);
});

describe("the ramp of 5 % per second", () => {
  const speed = (value: number, nowMs: number, more: Partial<Case> = {}): Omit<Case, "name" | "want"> => ({
    before: [seen("SPEED.SP", 20)],
    nowMs,
    observation: writes("SPEED.SP", value),
    ...more,
  });
  check([
    { name: "half a second, 2.5 %", ...speed(22.5, 500), want: "speed" },
    { name: "half a second, 2.51 %", ...speed(22.51, 500), want: "RAMP_TOO_FAST" },
    { name: "downwards, 2.5 %", ...speed(17.5, 500), want: "speed" },
    { name: "downwards, 2.51 %", ...speed(17.49, 500), want: "RAMP_TOO_FAST" },
    { name: "a second, 5 %", ...speed(25, 1000), want: "speed" },
    { name: "a minute counts as one second", ...speed(25.01, 60_000), want: "RAMP_TOO_FAST" },
    { name: "at once, nothing", ...speed(20, 0), want: "speed" },
    { name: "at once, a hundredth", ...speed(20.01, 0), want: "RAMP_TOO_FAST" },
    { name: "switch: 100 ms more", ...speed(23, 500, { layer: "switch" }), want: "speed" },
    { name: "switch: no more than that", ...speed(23.01, 500, { layer: "switch" }), want: "RAMP_TOO_FAST" },
    { name: "PLC: 200 ms more", ...speed(23.5, 500, { layer: "plc" }), want: "speed" },
    { name: "PLC: no more than that", ...speed(23.51, 500, { layer: "plc" }), want: "RAMP_TOO_FAST" },
    { name: "from what was never seen", observation: writes("SPEED.SP", 20), want: "STEP_REFERENCE_UNKNOWN" },
    {
      name: "seen again unchanged: the time goes on",
      ...speed(25, 1000, { before: [seen("SPEED.SP", 20), seen("SPEED.SP", 20, 999)] }),
      want: "speed",
    },
  ]);
});

describe("a reading that stands still for 10 s", () => {
  const level = (nowMs: number, value = 1.5): Omit<Case, "name" | "want"> => ({
    before: [seen("LEVEL", 1.5)],
    nowMs,
    observation: tells("LEVEL", value),
  });
  check([
    { name: "for exactly so long", ...level(10_000), want: "level-told" },
    { name: "a millisecond longer", ...level(10_001), want: "STALE" },
    { name: "it moves", ...level(10_001, 1.51), want: "level-told" },
    { name: "told for the first time", ...level(10_001), before: [], want: "level-told" },
    { name: "switch: 100 ms more", ...level(10_100), layer: "switch", want: "level-told" },
    { name: "switch: no more than that", ...level(10_101), layer: "switch", want: "STALE" },
    { name: "out of the tag's range", ...level(0, 5.01), want: "VALUE_ABOVE" },
  ]);
});

describe("cadence", () => {
  const rinse = (first: number, nowMs: number): Omit<Case, "name" | "want"> => ({
    before: [sent("rinse", first), sent("rinse", first + 1)],
    nowMs,
    observation: writes("RINSE", 1),
  });
  const beat = (nowMs: number) => ({ before: [sent("beat")], nowMs, observation: writes("BEAT", 1) });
  const mode = (nowMs: number): Omit<Case, "name" | "want"> => ({
    permitted: LIMITED,
    before: [sent("mode")],
    nowMs,
    observation: writes("MODE.SP", 2),
  });
  check([
    { name: "2 in 60 s, the third at 59.999 s", ...rinse(0, 59_999), want: "TOO_OFTEN" },
    { name: "the third at 60 s", ...rinse(0, 60_000), want: "rinse" },
    { name: "switch: at 59.899 s", ...rinse(0, 59_899), layer: "switch", want: "TOO_OFTEN" },
    { name: "switch: at 59.9 s", ...rinse(0, 59_900), layer: "switch", want: "rinse" },
    { name: "PLC: at 59.799 s", ...rinse(0, 59_799), layer: "plc", want: "TOO_OFTEN" },
    { name: "PLC: at 59.8 s", ...rinse(0, 59_800), layer: "plc", want: "rinse" },
    { name: "1 s ± 200 ms: after 799 ms", ...beat(799), want: "TOO_EARLY" },
    { name: "after 800 ms", ...beat(800), want: "beat" },
    { name: "switch: after 699 ms", ...beat(699), layer: "switch", want: "TOO_EARLY" },
    { name: "switch: after 700 ms", ...beat(700), layer: "switch", want: "beat" },
    { name: "PLC: after 599 ms", ...beat(599), layer: "plc", want: "TOO_EARLY" },
    { name: "PLC: after 600 ms", ...beat(600), layer: "plc", want: "beat" },
    { name: "the first of all", observation: writes("BEAT", 1), want: "beat" },
    { name: "limited: after 9.999 s", ...mode(9999), want: "RATE_LIMITED" },
    { name: "limited: after 10 s", ...mode(10_000), want: "mode" },
    { name: "switch, limited: after 9.899 s", ...mode(9899), layer: "switch", want: "RATE_LIMITED" },
    { name: "switch, limited: after 9.9 s", ...mode(9900), layer: "switch", want: "mode" },
    { name: "PLC, limited: after 9.799 s", ...mode(9799), layer: "plc", want: "RATE_LIMITED" },
    { name: "PLC, limited: after 9.8 s", ...mode(9800), layer: "plc", want: "mode" },
  ]);
});

describe("after and not while", () => {
  const drain = (nowMs: number, before: readonly Event[]): Omit<Case, "name" | "want"> => ({
    permitted: DOSING,
    before,
    nowMs,
    observation: writes("DRAIN", 1),
  });
  const vent = (nowMs: number) => ({ before: [seen("DOOR", 1)], nowMs, observation: writes("VENT", 1) });
  const full = [seen("LEVEL", 0.5)];
  const sagging = [seen("LEVEL", 0.5), seen("LEVEL", 0.4, 1000)];
  const broken = [seen("LEVEL", 0.5), seen("LEVEL", 0.39, 1000), seen("LEVEL", 0.45, 1001)];
  check([
    { name: "held for 2.999 s", ...drain(2999, full), want: "CAUSE_MISSING" },
    { name: "held for 3 s", ...drain(3000, full), want: "drain" },
    { name: "switch: for 2.899 s", ...drain(2899, full), layer: "switch", want: "CAUSE_MISSING" },
    { name: "switch: for 2.9 s", ...drain(2900, full), layer: "switch", want: "drain" },
    { name: "PLC: for 2.799 s", ...drain(2799, full), layer: "plc", want: "CAUSE_MISSING" },
    { name: "PLC: for 2.8 s", ...drain(2800, full), layer: "plc", want: "drain" },
    { name: "at its release it still holds", ...drain(3000, sagging), want: "drain" },
    {
      name: "past its release it does not, nor between release and value again",
      ...drain(5000, broken),
      want: "CAUSE_MISSING",
    },
    {
      name: "between release and value it does not begin",
      ...drain(4000, [seen("LEVEL", 0.45)]),
      want: "CAUSE_MISSING",
    },
    { name: "a reading of 5 s", ...drain(5000, full), want: "drain" },
    { name: "a millisecond older", ...drain(5001, full), want: "CAUSE_UNKNOWN" },
    { name: "switch: 200 ms more", ...drain(5200, full), layer: "switch", want: "drain" },
    { name: "switch: no more than that", ...drain(5201, full), layer: "switch", want: "CAUSE_UNKNOWN" },
    { name: "PLC: 400 ms more", ...drain(5400, full), layer: "plc", want: "drain" },
    { name: "PLC: no more than that", ...drain(5401, full), layer: "plc", want: "CAUSE_UNKNOWN" },
    { name: "a pause of 5 s breaks nothing", ...drain(5000, [...full, seen("LEVEL", 0.5, 5000)]), want: "drain" },
    { name: "a longer pause does", ...drain(8000, [...full, seen("LEVEL", 0.5, 5001)]), want: "CAUSE_MISSING" },
    { name: "and it begins anew", ...drain(8001, [...full, seen("LEVEL", 0.5, 5001)]), want: "drain" },
    { name: "after it nothing is held", ...drain(9000, [...full, seen("LEVEL", 0.45, 5001)]), want: "CAUSE_MISSING" },
    { name: "not while for 3 s: open for 2.999 s", ...vent(2999), want: "vent" },
    { name: "open for 3 s", ...vent(3000), want: "CAUSE_AGAINST" },
    { name: "switch: for 3.199 s", ...vent(3199), layer: "switch", want: "vent" },
    { name: "switch: for 3.2 s", ...vent(3200), layer: "switch", want: "CAUSE_AGAINST" },
    { name: "PLC: for 3.399 s", ...vent(3399), layer: "plc", want: "vent" },
    { name: "PLC: for 3.4 s", ...vent(3400), layer: "plc", want: "CAUSE_AGAINST" },
    { name: "seen too long ago", ...vent(5001), want: "CAUSE_AGAINST_UNKNOWN" },
    { name: "the door is shut", before: [seen("DOOR", 0)], observation: writes("HEAT", 1), want: "heat" },
    { name: "the door is open", before: [seen("DOOR", 1)], observation: writes("HEAT", 1), want: "CAUSE_AGAINST" },
    {
      name: "PLC: the door is open, at once",
      layer: "plc",
      before: [seen("DOOR", 1)],
      observation: writes("HEAT", 1),
      want: "CAUSE_AGAINST",
    },
  ]);
});

describe("follows and apart", () => {
  const fire = (nowMs: number, before: readonly Event[] = [{ atMs: 0, answered: "arm" }]) => ({
    before,
    nowMs,
    observation: writes("FIRE", 1),
  });
  const inlet = (nowMs: number) => ({ before: [sent("outlet")], nowMs, observation: writes("INLET", 1) });
  const twice: readonly Event[] = [{ atMs: 0, answered: "arm" }, { atMs: 1, answered: "arm" }, sent("fire", 2)];
  check([
    { name: "10 s after the answer", ...fire(10_000), want: "fire" },
    { name: "a millisecond later", ...fire(10_001), want: "ORDER_MISSING" },
    { name: "switch: 200 ms more", ...fire(10_200), layer: "switch", want: "fire" },
    { name: "switch: no more than that", ...fire(10_201), layer: "switch", want: "ORDER_MISSING" },
    { name: "sent, but not answered", ...fire(1, [sent("arm")]), want: "ORDER_MISSING" },
    { name: "two answers permit two", ...fire(3, twice), want: "fire" },
    { name: "and no third", ...fire(4, [...twice, sent("fire", 3)]), want: "ORDER_USED" },
    { name: "PLC: messages are not seen, so it is not asked", ...fire(0, []), layer: "plc", want: "fire" },
    { name: "2 s apart: after 1.999 s", ...inlet(1999), want: "TOO_CLOSE" },
    { name: "after 2 s", ...inlet(2000), want: "inlet" },
    { name: "switch: after 1.899 s", ...inlet(1899), layer: "switch", want: "TOO_CLOSE" },
    { name: "switch: after 1.9 s", ...inlet(1900), layer: "switch", want: "inlet" },
    { name: "PLC: it is not asked", ...inlet(0), layer: "plc", want: "inlet" },
  ]);
});

describe("the length of a raw message, 8 to 10 bytes", () => {
  check([
    { name: "7", observation: sends("vendor-clock", 7), want: "LENGTH_FORBIDDEN" },
    { name: "8", observation: sends("vendor-clock", 8), want: "clock" },
    { name: "10", observation: sends("vendor-clock", 10), want: "clock" },
    { name: "11", observation: sends("vendor-clock", 11), want: "LENGTH_FORBIDDEN" },
    { name: "not known", observation: sends("vendor-clock", undefined), want: "LENGTH_FORBIDDEN" },
    { name: "a function that is not declared", observation: sends("other", 8), want: "FUNCTION_FORBIDDEN" },
    {
      name: "in a phase without the rule",
      permitted: at("stopped"),
      observation: sends("vendor-clock", 8),
      want: "PHASE_FORBIDS",
    },
  ]);
});
