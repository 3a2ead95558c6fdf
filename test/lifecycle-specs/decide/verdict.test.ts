import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, judge, type Permit, type Permitted, permit, resolve } from "#specs/decide/decide.ts";
import { createHistory } from "#specs/decide/history.ts";
import type { Observation, Position } from "#specs/decide/observation.ts";
import { REASONS } from "#specs/decide/reasons.ts";
import { compile } from "#specs/decide/tables.ts";
import { codeOf, denyId, readDeny } from "#specs/decide/verdict-id.ts";
import { DeviceId, LinkId, PhaseId, RuleId, StepId, TagId } from "#specs/ids.ts";
import { at, type Event, writes } from "./examples/examples.ts";
import { historyAfter } from "./examples/history.ts";
import { EXAMPLE } from "./examples/lifecycle.ts";

const tables = compile(EXAMPLE, "switch");
const RUNNING = at("running", "fill");
const reasons = Object.keys(REASONS).filter((text): text is keyof typeof REASONS => text in REASONS);

function asked(observation: Observation, before: readonly Event[] = [], permitted: Permitted = RUNNING) {
  const history = historyAfter(tables, before);
  const by = permit(tables, permitted);
  const id = decide(tables, by, observation, history, 1000);
  return { id, verdict: resolve(tables, by, observation, history, 1000, id), by, history };
}

/** One message with several items. */
function writesAll(...items: readonly (readonly [tag: string, value: number])[]): Observation {
  return { ...writes("STOP", 1), items: items.map(([tag, value]) => ({ tag: TagId(tag), address: tag, value })) };
}

describe("a verdict as a number", () => {
  test("a deny holds its reason, its rule and its item, whatever they are", () => {
    const counts = fc.integer({ min: 0, max: 200_000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...reasons),
        counts,
        fc.nat(),
        fc.integer({ min: -1, max: 100_000 }),
        (reason, count, r, item) => {
          const rule = (r % (count + 1)) - 1;
          const id = denyId(count, codeOf(reason), rule, item);
          expect(id).toBeLessThan(0);
          expect(Number.isSafeInteger(id)).toBe(true);
          expect(readDeny(count, id)).toEqual({ reason, rule, item });
        },
      ),
    );
  });

  test("from 0 it is allowed, below it is denied", () => {
    expect(asked(writes("ARM", 1)).id).toBeGreaterThanOrEqual(0);
    expect(asked(writes("ARM", 2)).id).toBeLessThan(0);
  });

  test("an allow by one rule is the same object each time, and nobody can change it", () => {
    const { verdict } = asked(writes("ARM", 1));
    expect(asked(writes("ARM", 0)).verdict).toBe(verdict);
    expect(Object.isFrozen(verdict)).toBe(true);
    expect(verdict).toEqual({ verdict: "allow", rule: "arm", safety: false });
  });

  test("`judge` is the three in one", () => {
    for (const observation of [writes("ARM", 1), writes("ARM", 2), writesAll(["ARM", 1], ["OUTLET", 1])]) {
      const { verdict, history } = asked(observation);
      expect(judge(tables, RUNNING, observation, history, 1000)).toEqual(verdict);
    }
  });
});

describe("several items", () => {
  test("by one rule: that rule; by several: each once, in the order of the items", () => {
    const call = (value: number): Observation => ({
      ...writes("CALIBRATE", undefined),
      ...{ target: DeviceId("ua-1"), link: LinkId("hmi-ua"), operation: "call" },
      items: [
        { tag: TagId("CALIBRATE"), address: "", value: undefined },
        { tag: TagId("CALIBRATE.GAIN"), address: "", value },
      ],
    });
    expect(asked(call(1)).verdict).toEqual({ verdict: "allow", rule: "calibrate", safety: false });
    expect(asked(call(2.1)).verdict).toMatchObject({ reason: "VALUE_ABOVE", item: 1 });
    expect(asked(call(Number.NaN)).verdict).toMatchObject({ reason: "TYPE_MISMATCH", item: 1 });
    const three = writesAll(["OUTLET", 1], ["ARM", 1], ["OUTLET", 0]);
    expect(asked(three).verdict).toEqual({ verdict: "allow", rule: "outlet", safety: false, also: ["arm"] });
  });

  test("safety alone is safety; beside another command it is not", () => {
    expect(asked(writesAll(["STOP", 1], ["STOP", 1])).verdict).toMatchObject({ rule: "stop", safety: true });
    expect(asked(writesAll(["STOP", 1], ["ARM", 1])).verdict).toMatchObject({
      rule: "stop",
      safety: false,
      also: ["arm"],
    });
  });

  test("the first item that is not allowed gives the reason", () => {
    expect(asked(writesAll(["ARM", 1], ["MODE.SP", 1], ["ARM", 2])).verdict).toMatchObject({
      reason: "VALUE_NOT_LISTED",
      rule: "mode",
      item: 1,
    });
    const unknown = {
      ...writesAll(["ARM", 1]),
      items: [...writesAll(["ARM", 1]).items, { tag: undefined, address: "x", value: 1 }],
    };
    expect(asked(unknown).verdict).toMatchObject({
      reason: "TAG_UNKNOWN",
      item: 1,
      says: "x of plc-1: no tag is bound to this address",
    });
  });
});

describe("a safety command", () => {
  const twice: readonly Event[] = [
    { atMs: 1, sent: "stop" },
    { atMs: 2, sent: "stop" },
  ];
  test("beyond its rate passes, and is reported", () => {
    expect(asked(writes("STOP", 1), twice.slice(0, 1)).verdict).not.toHaveProperty("excess");
    const { verdict } = asked(writes("STOP", 1), twice);
    expect(verdict).toEqual({ verdict: "allow", rule: "stop", safety: true, excess: true });
    expect(asked(writes("STOP", 1), twice).verdict).toBe(verdict);
    expect(asked(writesAll(["ARM", 1], ["STOP", 1]), twice).verdict).toEqual({
      verdict: "allow",
      rule: "arm",
      safety: false,
      also: ["stop"],
      excess: true,
    });
  });

  test("keeps its own bounds", () => {
    expect(asked(writes("STOP", 0)).verdict).toMatchObject({ reason: "VALUE_NOT_LISTED", rule: "stop" });
  });

  test("passes where no phase is held, and where the phase is not one of the bundle", () => {
    for (const permitted of [{ kind: "none" } as const, at("nowhere"), at("nowhere", "fill")]) {
      expect(asked(writes("STOP", 1), [], permitted).verdict).toMatchObject({ verdict: "allow", rule: "stop" });
      expect(asked(writesAll(["STOP", 1], ["STOP", 1]), [], permitted).verdict).toMatchObject({ rule: "stop" });
      expect(asked(writes("ARM", 1), [], permitted).verdict).toMatchObject({ reason: "PHASE_UNKNOWN" });
    }
  });
});

describe("several possible steps", () => {
  const either = at("running", "fill", "dose");
  test("what either allows is allowed, and the one that came closest gives the reason", () => {
    expect(asked(writes("RINSE", 1), [], either).verdict).toMatchObject({ rule: "rinse" });
    expect(asked(writes("DRAIN", 1), [], either).verdict).toMatchObject({ reason: "CAUSE_UNKNOWN", rule: "drain" });
    expect(asked(writesAll(["RINSE", 1], ["DRAIN", 1]), [], either).verdict).toMatchObject({
      reason: "STEP_FORBIDS",
      item: 1,
    });
  });

  test("steps that the phase does not have count for nothing, and without any the phase itself stands", () => {
    expect(asked(writes("RINSE", 1), [], at("running", "ramp", "fill")).verdict.verdict).toBe("allow");
    expect(asked(writes("RINSE", 1), [], at("running", "ramp")).verdict).toMatchObject({ reason: "STEP_FORBIDS" });
    expect(asked(writes("ARM", 1), [], at("running")).verdict.verdict).toBe("allow");
  });

  test("of two rules the one that came further is the closer, and of two that came as far the earlier", () => {
    const rinse: Event[] = [
      { atMs: 0, sent: "rinse" },
      { atMs: 1, sent: "rinse" },
    ];
    expect(asked(writes("RINSE", 1), rinse, either).verdict).toMatchObject({ reason: "TOO_OFTEN", rule: "rinse" });
    expect(asked(writes("RINSE", 2), rinse, either).verdict).toMatchObject({ reason: "VALUE_ABOVE", rule: "rinse" });
  });
});

describe("the window of a change", () => {
  const running: Position = { phase: PhaseId("running"), steps: [StepId("fill")] };
  const stopped: Position = { phase: PhaseId("stopped"), steps: [] };
  const service: Position = { phase: PhaseId("service"), steps: [] };
  const change = (
    old: Position,
    next: Position,
    window: readonly string[] = [],
    judgedBy: "both" | "either" = "both",
  ): Permitted => ({
    ...{ kind: "window", old, new: next, judgedBy },
    window: window.map(RuleId),
  });
  const pair = writesAll(["ARM", 1], ["OUTLET", 1]);
  const several = { verdict: "allow", rule: "arm", safety: false, also: ["outlet"] };

  test.each([
    { name: "both allow", permitted: change(running, running), want: several },
    { name: "only the old one allows", permitted: change(running, stopped), want: { reason: "WINDOW_FORBIDS" } },
    { name: "only the new one allows", permitted: change(stopped, running), want: { reason: "WINDOW_FORBIDS" } },
    { name: "the old one is enough", permitted: change(running, stopped, [], "either"), want: several },
    { name: "the new one is enough", permitted: change(stopped, running, [], "either"), want: several },
    { name: "neither, but the list", permitted: change(stopped, service, ["arm", "outlet"]), want: several },
    { name: "the list, in part", permitted: change(stopped, service, ["arm"]), want: { reason: "PHASE_FORBIDS" } },
    {
      name: "the list names what there is not",
      permitted: change(running, stopped, ["nothing"]),
      want: { reason: "WINDOW_FORBIDS" },
    },
  ])("$name", ({ permitted, want }) => {
    expect(asked(pair, [], permitted).verdict).toMatchObject(want);
  });

  test("where both deny for one reason it is told as that, in the words of the old phase", () => {
    expect(asked(writes("ARM", 1), [], change(stopped, service)).verdict).toMatchObject({
      reason: "PHASE_FORBIDS",
      says: "hmi-1 may not write ARM of plc-1: another phase allows this, the present one does not (arm in running)",
    });
  });

  test("the deny that has a rule to show is shown, whichever phase it is of, and both are told", () => {
    const says =
      "during the change from stopped to running: hmi-1 may not write ARM of plc-1: another phase allows this, the present one " +
      "does not (arm in running); ARM 2 is above 1 (arm)";
    const want = { reason: "WINDOW_FORBIDS", rule: "arm", item: 0, mode: "enforce" };
    expect(asked(writes("ARM", 2), [], change(stopped, running)).verdict).toMatchObject({ ...want, says });
    expect(asked(writes("ARM", 2), [], change(running, stopped)).verdict).toMatchObject(want);
  });
});

describe("a decision that fails itself", () => {
  const broken: Permit = {
    kind: "phase",
    standing: {
      id: PhaseId("running"),
      phase: undefined,
      get positions(): never {
        throw new Error("out of memory");
      },
    },
  };
  const nothing: Permit = {
    kind: "phase",
    standing: {
      id: PhaseId("running"),
      phase: undefined,
      get positions(): never {
        throw "no error";
      },
    },
  };

  test.each([
    { by: broken, says: "the decision itself failed: out of memory" },
    { by: nothing, says: "the decision itself failed: unknown error" },
  ])("is a deny, which is enforced: $says", ({ by, says }) => {
    const history = createHistory(tables);
    const observation = writes("ARM", 1);
    const id = decide(tables, by, observation, history, 0);
    const want = { verdict: "deny", reason: "INTERNAL", rule: undefined, item: -1, mode: "enforce", says };
    expect(resolve(tables, by, observation, history, 0, id)).toEqual(want);
  });

  test("and does not when it is asked for words: then it says that it did", () => {
    const { by, history } = asked(writes("ARM", 1));
    const id = denyId(tables.rules.length, codeOf("INTERNAL"), -1, -1);
    expect(resolve(tables, by, writes("ARM", 1), history, 0, id)).toMatchObject({
      reason: "INTERNAL",
      says: "the decision itself failed: unknown error",
    });
  });
});
