import { describe, expect, test } from "vitest";
import { ANSWERS_KEPT } from "#specs/decide/compile-rules.ts";
import { commit, judge } from "#specs/decide/decide.ts";
import { createHistory, type History, lastSeen, observeTag, overdue } from "#specs/decide/history.ts";
import type { Observation, Verdict } from "#specs/decide/observation.ts";
import { compile } from "#specs/decide/tables.ts";
import { DeviceId, LinkId, RuleId, TagId } from "#specs/ids.ts";
import { at, type Event, writes } from "./examples/examples.ts";
import { historyAfter } from "./examples/history.ts";
import { EXAMPLE } from "./examples/lifecycle.ts";

const tables = compile(EXAMPLE, "switch");
const RUNNING = at("running", "fill");

function verdictAfter(history: History, observation: Observation, nowMs: number): Verdict {
  return judge(history.tables, RUNNING, observation, history, nowMs);
}

const allowed = (rule: string, ...also: readonly string[]): Verdict => ({
  verdict: "allow",
  rule: RuleId(rule),
  safety: false,
  also: also.map(RuleId),
});

describe("what counts", () => {
  const denied = judge(tables, RUNNING, writes("RINSE", 2), createHistory(tables), 0);

  test.each([
    { name: "two forwarded", verdict: allowed("rinse"), outcomes: ["forwarded", "forwarded"], want: "TOO_OFTEN" },
    {
      name: "two answered, none forwarded",
      verdict: allowed("rinse"),
      outcomes: ["answered-ok", "answered-ok"],
      want: "rinse",
    },
    {
      name: "one forwarded, and its answer",
      verdict: allowed("rinse"),
      outcomes: ["forwarded", "answered-ok"],
      want: "rinse",
    },
    {
      name: "refused by the server",
      verdict: allowed("rinse"),
      outcomes: ["answered-error", "answered-error"],
      want: "rinse",
    },
    {
      name: "denied, and forwarded in monitor mode",
      verdict: denied,
      outcomes: ["forwarded", "forwarded"],
      want: "rinse",
    },
    {
      name: "beside another rule",
      verdict: allowed("arm", "rinse"),
      outcomes: ["forwarded", "forwarded"],
      want: "TOO_OFTEN",
    },
    { name: "of another rule", verdict: allowed("arm"), outcomes: ["forwarded", "forwarded"], want: "rinse" },
    {
      name: "of a rule that is none",
      verdict: allowed("nothing"),
      outcomes: ["forwarded", "forwarded"],
      want: "rinse",
    },
  ] as const)("for a rate of two: $name", ({ verdict, outcomes, want }) => {
    const history = createHistory(tables);
    for (const outcome of outcomes) commit(history, writes("RINSE", 1), verdict, outcome, 0);
    const after = verdictAfter(history, writes("RINSE", 1), 1000);
    expect(after.verdict === "allow" ? after.rule : after.reason).toBe(want);
  });

  test.each([
    { layer: "switch", outcome: "answered-ok", want: 1 },
    { layer: "switch", outcome: "forwarded", want: undefined },
    { layer: "switch", outcome: "answered-error", want: undefined },
    { layer: "plc", outcome: "forwarded", want: 1 },
    { layer: "plc", outcome: "denied", want: undefined },
  ] as const)("as the known value of a command at the $layer: $outcome", ({ layer, outcome, want }) => {
    const history = createHistory(compile(EXAMPLE, layer));
    commit(history, writes("ARM", 1), allowed("arm"), outcome, 5);
    expect(lastSeen(history, TagId("ARM"))?.value).toBe(want);
    expect(lastSeen(history, TagId("ARM"))?.sinceMs).toBe(want === undefined ? undefined : 5);
  });

  test("a write that was answered counts in monitor mode too, and only for what it can set", () => {
    const history = createHistory(tables);
    commit(history, writes("RINSE", 1), denied, "answered-ok", 0);
    commit(history, writes("LEVEL", 1), denied, "answered-ok", 0);
    commit(history, writes("NOWHERE", 1), denied, "answered-ok", 0);
    commit(history, { ...writes("DOSE.SP", 2), operation: "read" }, denied, "answered-ok", 0);
    commit(history, writes("SPEED.SP", undefined), denied, "answered-ok", 0);
    const known = tables.plant.tags.filter(({ id }) => lastSeen(history, id) !== undefined);
    expect(known.map(({ id }) => id)).toEqual(["RINSE"]);
  });

  test("a call sets its arguments, and its method nothing", () => {
    const history = createHistory(tables);
    const items = ["CALIBRATE", "CALIBRATE.GAIN"].map((tag) => ({ tag: TagId(tag), address: tag, value: 1 }));
    const call = {
      ...writes("ARM", 1),
      operation: "call",
      target: DeviceId("ua-1"),
      link: LinkId("hmi-ua"),
      items,
    } as const;
    commit(history, call, allowed("calibrate"), "answered-ok", 7);
    expect(lastSeen(history, TagId("CALIBRATE.GAIN"))).toEqual({ value: 1, sinceMs: 7 });
    expect(lastSeen(history, TagId("CALIBRATE"))).toBeUndefined();
  });

  test("zero has no sign", () => {
    const history = createHistory(tables);
    observeTag(history, TagId("LEVEL"), 0, 1);
    observeTag(history, TagId("LEVEL"), -0, 2);
    expect(lastSeen(history, TagId("LEVEL"))).toEqual({ value: 0, sinceMs: 1 });
  });
});

describe("answers that permit one message each", () => {
  const answers = (count: number): Event[] => Array.from({ length: count }, (_, atMs) => ({ atMs, answered: "arm" }));
  /** How many messages in a row pass. */
  function passes(history: History, nowMs: number): number {
    let passed = 0;
    while (passed < 1000 && verdictAfter(history, writes("FIRE", 1), nowMs).verdict === "allow") {
      commit(history, writes("FIRE", 1), allowed("fire"), "forwarded", nowMs);
      passed += 1;
    }
    return passed;
  }

  test.each([
    { count: 0, want: 0 },
    { count: 1, want: 1 },
    { count: ANSWERS_KEPT, want: ANSWERS_KEPT },
    { count: ANSWERS_KEPT + 1, want: ANSWERS_KEPT },
    { count: 3 * ANSWERS_KEPT, want: ANSWERS_KEPT },
  ])("$count answers permit $want messages", ({ count, want }) => {
    expect(passes(historyAfter(tables, answers(count)), 1000)).toBe(want);
  });

  test("an answer that has run out permits nothing any more, and takes no message from a later one", () => {
    const two: Event[] = [
      { atMs: 0, answered: "arm" },
      { atMs: 9000, answered: "arm" },
    ];
    expect(passes(historyAfter(tables, two), 10_000)).toBe(2);
    expect(passes(historyAfter(tables, two), 10_001)).toBe(1);
    expect(passes(historyAfter(tables, two), 19_001)).toBe(0);
  });

  test("a message takes the oldest answer that still permits it", () => {
    const history = historyAfter(tables, [
      { atMs: 0, answered: "arm" },
      { atMs: 9000, answered: "arm" },
      { atMs: 9500, sent: "fire" },
    ]);
    expect(passes(history, 12_000)).toBe(1);
  });

  test("a message that passed though it had none, in monitor mode, takes none", () => {
    const history = historyAfter(tables, answers(1));
    const denied: Verdict = judge(tables, RUNNING, writes("FIRE", 2), history, 1);
    commit(history, writes("FIRE", 2), denied, "forwarded", 2);
    expect(passes(history, 3)).toBe(1);
  });
});

describe("periods that were missed", () => {
  test.each([
    { layer: "hmi", skewMs: 0, lastMs: 1200 },
    { layer: "switch", skewMs: 100, lastMs: 1300 },
    { layer: "plc", skewMs: 100, lastMs: 1400 },
  ] as const)("1 s ± 200 ms at the $layer, skew $skewMs: overdue after $lastMs ms", ({ layer, skewMs, lastMs }) => {
    const skewed = compile({ ...EXAMPLE, lifecycle: { ...EXAMPLE.lifecycle, skewMs } }, layer);
    const history = historyAfter(skewed, [{ atMs: 0, sent: "beat" }]);
    expect(overdue(history, lastMs)).toEqual([]);
    expect(overdue(history, lastMs + 1)).toEqual(["beat"]);
    commit(history, writes("BEAT", 1), allowed("beat"), "forwarded", lastMs + 1);
    expect(overdue(history, lastMs + 2)).toEqual([]);
  });

  test("before the first message nothing is waited for, nor for rules without a period", () => {
    expect(overdue(createHistory(tables), 1e9)).toEqual([]);
    expect(overdue(historyAfter(tables, [{ atMs: 0, sent: "rinse" }]), 1e9)).toEqual([]);
  });
});

test("its size follows from the tables: it is made of arrays that cannot grow, and nothing else", () => {
  const { tables: known, ...memory } = createHistory(tables);
  const sizes = Object.values(memory).map((part) => (ArrayBuffer.isView(part) ? part.byteLength : Number.NaN));
  const perTag = 4 * 8 * known.tags.size;
  const perRule = (4 * 8 + 4) * known.rules.length;
  const rings = 8 * (2 + 2 + ANSWERS_KEPT); // the rates of `rinse` and `stop`, and the answers of `arm`
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(perTag + 8 * known.comparisons.size + perRule + rings);
});
