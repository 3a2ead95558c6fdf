import { describe, expect, test } from "vitest";
import { carriedOver, carryHistory } from "#point/carry-history.ts";
import { buildBundle } from "#specs/bundle.ts";
import { commit, judge } from "#specs/decide/decide.ts";
import { createHistory, type History, lastSeen, observeTag } from "#specs/decide/history.ts";
import type { Observation, Verdict } from "#specs/decide/observation.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import { DeviceId, LinkId, PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Rule } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { IN_FORCE, openPlant, WRITER } from "../switch-filter/modbus-open-plant.ts";

const PLC = DeviceId("plc-1");
const { plant, bundle } = openPlant();

/** A write of one holding register, `H0` and so on, by `writer`. */
function rule(id: string, tag: string, about: Partial<Rule> = {}): Rule {
  const fixed = { id: RuleId(id), says: `${id}.`, from: [WRITER], operation: "write", targets: [PLC] } as const;
  return { ...fixed, tags: [TagId(tag)], raw: [], mode: "enforce", safety: false, ...about };
}

function tablesOf(rules: readonly Rule[], changed: Plant = plant): Tables {
  return compile(buildBundle(changed, { ...bundle.lifecycle, rules }), "switch");
}

function observation(tag: string, value: number): Observation {
  return {
    ...{ source: WRITER, sourceAddress: "", target: PLC, link: LinkId("writer-plc1"), operation: "write", message: "" },
    items: [{ tag: TagId(tag), address: tag, value }],
  };
}

const permitted = { kind: "phase", position: { phase: PhaseId(IN_FORCE), steps: [] } } as const;

/** Judged, and if allowed forwarded and answered. */
function send(history: History, tag: string, value: number, nowMs: number): string {
  const message = observation(tag, value);
  const verdict = judge(history.tables, permitted, message, history, nowMs);
  if (verdict.verdict === "allow") {
    commit(history, message, verdict, "forwarded", nowMs);
    commit(history, message, verdict, "answered-ok", nowMs);
  }
  return verdict.verdict === "allow" ? "allow" : verdict.reason;
}

function changed(history: History, rules: readonly Rule[], to: Plant = plant): History {
  return carryHistory(history, tablesOf(rules, to));
}

/** The tag lies at another address. */
const moved = (id: string): Plant => ({
  ...plant,
  tags: plant.tags.map((tag) =>
    tag.id === id && tag.modbus !== undefined ? { ...tag, modbus: { ...tag.modbus, address: 31 } } : tag,
  ),
});

describe("what limits goes on as long as it is about the same messages", () => {
  const rate = { rate: { most: 2, perMs: 10_000 } };
  const first = rule("set", "H0", { cadence: rate });
  const spent = (): History => {
    const history = createHistory(tablesOf([first]));
    expect([send(history, "H0", 1, 0), send(history, "H0", 2, 100), send(history, "H0", 3, 200)]).toEqual([
      "allow",
      "allow",
      "TOO_OFTEN",
    ]);
    return history;
  };

  test.each([
    { name: "the rule unchanged", now: first, gives: "TOO_OFTEN" },
    { name: "its words changed", now: { ...first, says: "Other words." }, gives: "TOO_OFTEN" },
    { name: "its bounds changed", now: { ...first, value: { min: 0, max: 500 } }, gives: "TOO_OFTEN" },
    { name: "a smaller rate", now: { ...first, cadence: { rate: { most: 1, perMs: 10_000 } } }, gives: "TOO_OFTEN" },
    { name: "a larger rate", now: { ...first, cadence: { rate: { most: 3, perMs: 10_000 } } }, gives: "allow" },
    { name: "another id", now: rule("other", "H0", { cadence: rate }), gives: "allow" },
    { name: "other tags", now: { ...first, tags: [TagId("H0"), TagId("H1")] }, gives: "allow" },
  ])("$name: $gives", ({ now, gives }) => {
    expect(send(changed(spent(), [now]), "H0", 4, 300)).toBe(gives);
  });

  test("a larger rate has room for exactly what it has more, in the order of the times", () => {
    const history = changed(spent(), [{ ...first, cadence: { rate: { most: 3, perMs: 10_000 } } }]);
    expect([300, 400, 9_950, 9_960].map((ms) => send(history, "H0", ms, ms))).toEqual([
      "allow",
      "TOO_OFTEN",
      "allow",
      "TOO_OFTEN",
    ]);
  });

  test("a rate that is new knows of the last message", () => {
    const history = createHistory(tablesOf([rule("set", "H0")]));
    send(history, "H0", 1, 0);
    const once = rule("set", "H0", { cadence: { rate: { most: 1, perMs: 1000 } } });
    expect([500, 2000].map((ms) => send(changed(history, [once]), "H0", ms, ms))).toEqual(["TOO_OFTEN", "allow"]);
  });

  test("a period counts from the message before the change", () => {
    const beat = rule("beat", "H0", { cadence: { period: { everyMs: 1000, jitterMs: 0 } } });
    const history = createHistory(tablesOf([beat]));
    send(history, "H0", 1, 0);
    expect(send(changed(history, [beat]), "H0", 2, 500)).toBe("TOO_EARLY");
  });

  test("rules are kept apart from what was sent before the change", () => {
    const apart = rule("b", "H1", { causality: { apart: { rules: [RuleId("a")], withinMs: 1000 } } });
    const rules = [rule("a", "H0"), apart];
    const history = createHistory(tablesOf(rules));
    send(history, "H0", 1, 0);
    expect(send(changed(history, rules), "H1", 1, 500)).toBe("TOO_CLOSE");
  });
});

describe("what permits goes on only where nothing but the words has changed", () => {
  const start = rule("start", "H0");
  const run = (once: boolean, follows = "start"): Rule =>
    rule("run", "H1", { causality: { follows: { rule: RuleId(follows), withinMs: 10_000, once } } });
  const started = (once: boolean): History => {
    const history = createHistory(tablesOf([start, run(once)]));
    send(history, "H0", 1, 0);
    return history;
  };

  test.each([
    { name: "unchanged", now: start, gives: "allow" },
    { name: "with other words", now: { ...start, says: "Other words." }, gives: "allow" },
    { name: "with other bounds", now: { ...start, value: { min: 0, max: 5 } }, gives: "ORDER_MISSING" },
  ])("the rule that comes before $name: $gives", ({ now, gives }) => {
    expect(send(changed(started(false), [now, run(false)]), "H1", 1, 100)).toBe(gives);
  });

  test("with its tag at another address, it has not come before", () => {
    expect(send(changed(started(false), [start, run(false)], moved("H0")), "H1", 1, 100)).toBe("ORDER_MISSING");
  });

  test("an answer permits one message in all, before and after the change", () => {
    const unused = changed(started(true), [start, run(true)]);
    expect([send(unused, "H1", 1, 100), send(unused, "H1", 2, 200)]).toEqual(["allow", "ORDER_USED"]);
    const used = started(true);
    expect(send(used, "H1", 1, 100)).toBe("allow");
    expect(send(changed(used, [start, run(true)]), "H1", 2, 200)).toBe("ORDER_USED");
  });

  test("a rule that did not follow it before may use none of its answers, and the next one", () => {
    const other = rule("other", "H2", {
      causality: { follows: { rule: RuleId("start"), withinMs: 10_000, once: true } },
    });
    const history = changed(started(true), [start, other]);
    expect(send(history, "H2", 1, 100)).toBe("ORDER_USED");
    send(history, "H0", 1, 200);
    expect(send(history, "H2", 1, 300)).toBe("allow");
  });

  test("a follower of a rule that begins anew is not held to answers that are forgotten", () => {
    const used = started(true);
    send(used, "H1", 1, 100);
    const history = changed(used, [{ ...start, value: { min: 0, max: 5 } }, run(true)]);
    send(history, "H0", 1, 200);
    expect(send(history, "H1", 2, 300)).toBe("allow");
  });
});

describe("tags", () => {
  const step = rule("step", "H0", { value: { maxStep: 5 } });
  const seen = (): History => {
    const history = createHistory(tablesOf([step]));
    observeTag(history, TagId("H0"), 100, 0);
    return history;
  };

  test("the same tag keeps its value; at another address, of another scale or unit it is unknown", () => {
    expect(send(changed(seen(), [step]), "H0", 103, 100)).toBe("allow");
    expect(send(changed(seen(), [step]), "H0", 110, 100)).toBe("STEP_TOO_LARGE");
    expect(send(changed(seen(), [step], moved("H0")), "H0", 103, 100)).toBe("STEP_REFERENCE_UNKNOWN");
    const inUnit = { ...plant, tags: plant.tags.map((tag) => (tag.id === "H0" ? { ...tag, unit: "m" } : tag)) };
    expect(send(changed(seen(), [step], inUnit), "H0", 103, 100)).toBe("STEP_REFERENCE_UNKNOWN");
    const titled = { ...plant, tags: plant.tags.map((tag) => ({ ...tag, title: "other words" })) };
    expect(lastSeen(changed(seen(), [step], titled), TagId("H0"))).toEqual({ value: 100, sinceMs: 0 });
  });

  test("what a ramp has used of its slack is used up after the change too", () => {
    const ramp = rule("ramp", "H0", { value: { rampPerS: 10 } });
    const history = createHistory(tablesOf([ramp]));
    observeTag(history, TagId("H0"), 100, 0);
    const before = createHistory(tablesOf([ramp]));
    observeTag(before, TagId("H0"), 100, 0);
    const answers = (h: History) => [1, 2, 3, 4].map((n) => send(h, "H0", 100 + n, n));
    const want = answers(before);
    const [first, ...rest] = want;
    expect(send(history, "H0", 101, 1)).toBe(first);
    const after = changed(history, [ramp]);
    expect([2, 3, 4].map((n) => send(after, "H0", 100 + n, n))).toEqual(rest);
    expect(want).toContain("RAMP_TOO_FAST");
  });

  const atLeast = { tag: TagId("H1"), test: "at-least", value: 50 } as const;

  test("a condition has held since before the change", () => {
    const after = rule("a", "H0", { causality: { after: { all: [atLeast], forMs: 1000 } } });
    const history = createHistory(tablesOf([after]));
    observeTag(history, TagId("H1"), 60, 0);
    expect(send(changed(history, [after]), "H0", 1, 1500)).toBe("allow");
    expect(send(changed(history, [after], moved("H1")), "H0", 1, 1500)).toBe("CAUSE_UNKNOWN");
  });

  test("a new condition that speaks against is known from the last value, and not taken for untrue", () => {
    const history = createHistory(tablesOf([rule("a", "H0")]));
    observeTag(history, TagId("H1"), 60, 0);
    const against = rule("a", "H0", { causality: { notWhile: { all: [atLeast], forMs: 0 } } });
    expect(send(changed(history, [against]), "H0", 1, 100)).toBe("CAUSE_AGAINST");
    const long = rule("a", "H0", { causality: { notWhile: { all: [atLeast], forMs: 1000 } } });
    expect(send(changed(history, [long]), "H0", 1, 1500)).toBe("CAUSE_AGAINST");
  });
});

describe("a message that was judged before the change and is answered after it", () => {
  const start = rule("start", "H0");
  const run = rule("run", "H1", { causality: { follows: { rule: RuleId("start"), withinMs: 10_000, once: false } } });
  const before = tablesOf([start, run]);
  const judged = (): { observation: Observation; verdict: Verdict; history: History } => {
    const history = createHistory(before);
    const verdict = judge(before, permitted, observation("H0", 7), history, 0);
    commit(history, observation("H0", 7), verdict, "forwarded", 0);
    return { observation: observation("H0", 7), verdict, history };
  };
  const answered = (now: Rule, to = plant): { next: string; value: number | undefined } => {
    const message = judged();
    const after = changed(message.history, [now, run], to);
    const { observation: of, verdict } = carriedOver(message, before, after.tables);
    commit(after, of, verdict, "answered-ok", 100);
    return { next: send(after, "H1", 1, 200), value: lastSeen(after, TagId("H0"))?.value };
  };

  test("counts for the same rule, for no other under its name, and is the tag's value either way", () => {
    expect(answered(start)).toEqual({ next: "allow", value: 7 });
    expect(answered({ ...start, value: { min: 0, max: 9 } })).toEqual({ next: "ORDER_MISSING", value: 7 });
    expect(answered(rule("another", "H0"))).toEqual({ next: "ORDER_MISSING", value: 7 });
  });

  test("is no value of a tag that lies elsewhere now", () => {
    expect(answered(start, moved("H0"))).toEqual({ next: "ORDER_MISSING", value: undefined });
  });
});

test("every field of a history is one that this knows how to carry", () => {
  expect(Object.keys(createHistory(tablesOf([]))).sort()).toEqual([
    ...["answerTimes", "answeredAt", "answers", "forwardedAt", "rampSpent", "rateNext", "rateTimes", "seenAt"],
    ...["tables", "trueSince", "used", "valueSince", "values"],
  ]);
});
