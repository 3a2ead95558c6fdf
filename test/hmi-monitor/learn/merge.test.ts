import { describe, expect, test } from "vitest";
import type { DraftLifecycle, DraftRule, RuleFacts, RuleFields } from "#hmi-monitor/learn/draft.ts";
import { commandRules, NO_FACTS } from "#hmi-monitor/learn/draft-rules.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { mergeLifecycle, newLifecycle } from "#hmi-monitor/learn/lifecycle-document.ts";
import { mergePlant, newPlant, watchedPlant } from "#hmi-monitor/learn/plant-document.ts";
import { relax } from "#hmi-monitor/learn/relax.ts";
import { checkSpec } from "#specs/check.ts";
import { DeviceId } from "#specs/ids.ts";
import { loadPlant } from "#specs/load.ts";
import { waterTreatment } from "../../support/plant.ts";

const { plant } = waterTreatment();
const NOTHING = { ofLink: () => undefined, ofTag: () => undefined };
const PLANT_TEXT = newPlant(watchedPlant(plant), NOTHING);

const FACTS: RuleFacts = { ...NO_FACTS, gapMs: 10_000, least: 2, most: 3, apart: new Map([["near", 2000]]) };
const FIELDS: RuleFields = {
  ...{ says: "Learned: a dose.", from: ["hmi-1"], may: "write", tags: ["DOS201.SP"], functions: [6], quantity: 1 },
  ...{ value: { min: 1.8, max: 3.2, maxStep: 0.5 }, most: { count: 1, per: "6s" } },
};

function rule(fields: Partial<RuleFields> = {}, facts: Partial<RuleFacts> = {}): DraftRule {
  return {
    id: "run-dose",
    phase: "run",
    fields: { ...FIELDS, ...fields },
    facts: { ...FACTS, ...facts },
    evidence: "seen",
  };
}

function draft(...rules: readonly DraftRule[]): DraftLifecycle {
  const none = { steps: [], orders: [], edges: [] };
  const rest = { ...none, phase: "rest", evidence: "entered once", rules: [], next: [{ to: "run", count: 1 }] };
  const run = {
    ...none,
    because: "It is the only one.",
    phase: "group.run",
    evidence: "entered once",
    rules,
    next: [{ to: "rest", count: 1 }],
  };
  const alone = { ...none, phase: "isolated", evidence: "never seen", rules: [], next: [{ to: "rest", count: 0 }] };
  const next = { ...rest, next: [{ to: "group.run", count: 1 }] };
  return { initial: "rest", safe: "rest", isolated: "isolated", rules: [], phases: [next, run, alone] };
}

describe("what a written rule must give way", () => {
  const written = { ...FIELDS, value: { min: 1, max: 4, maxStep: 1 } };
  test.each<{ name: string; written: Record<string, unknown>; learned: DraftRule; says: readonly string[] }>([
    { name: "nothing where it allows all that was seen", written, learned: rule(), says: [] },
    {
      name: "its range, where a value lies outside",
      written: { ...written, value: { min: 2.5, max: 2.8 } },
      learned: rule(),
      says: ["value: min 2.5 → 1.8, max 2.8 → 3.2"],
    },
    {
      name: "its list",
      written: { ...written, value: { oneOf: [1] } },
      learned: rule({ value: { oneOf: [0, 1] } }, { least: 0, most: 1 }),
      says: ["value: also 0"],
    },
    {
      name: "its step",
      written: { ...written, value: { maxStep: 0.2 } },
      learned: rule({}, { step: 0.4 }),
      says: ["value: maxStep 0.2 → 0.5"],
    },
    { name: "its functions", written, learned: rule({ functions: [6, 16] }), says: ["functions: also 16"] },
    { name: "its quantity", written, learned: rule({ quantity: 3 }), says: ["quantity 1 → 3"] },
    {
      name: "its rate",
      written: { ...written, most: { count: 1, per: "20s" } },
      learned: rule(),
      says: ["most: {count:1,per:20s} → {count:1,per:6s}"],
    },
    {
      name: "its period",
      written: { ...written, every: { period: "30s", jitter: "1s" } },
      learned: rule(),
      says: ["every: {period:30s,jitter:1s} → none"],
    },
    {
      name: "a cause that was absent once, and only that",
      written: {
        ...written,
        after: {
          all: [
            { tag: "A", is: 1 },
            { tag: "B", is: 1 },
          ],
        },
      },
      learned: rule({}, { notAlways: new Set(["A"]) }),
      says: ["after: no longer A"],
    },
    {
      name: "an order that was not kept",
      written: { ...written, follows: { rule: "run-start", within: "5s" } },
      learned: rule({}, { before: new Map([["run-start", 6000]]) }),
      says: ["follows: {rule:run-start,within:5s} → none"],
    },
    {
      name: "nothing of an order that was kept",
      written: { ...written, follows: { rule: "run-start", within: "5s" } },
      learned: rule({}, { before: new Map([["run-start", 4000]]) }),
      says: [],
    },
    {
      name: "the distance from other commands",
      written: { ...written, apart: { rules: ["near", "far"], within: "5s" } },
      learned: rule(),
      says: ["apart: {rules:[near,far],within:5s} → {rules:[near,far],within:1200ms}"],
    },
    {
      name: "nothing of the distance from others than those that came near",
      written: { ...written, apart: { rules: ["far"], within: "5s" } },
      learned: rule(),
      says: [],
    },
    {
      name: "nothing of a list that has all the values, though they are too few for a list of their own",
      written: { ...written, value: { oneOf: [1, 2, 3] } },
      learned: rule({}, { values: [2, 3] }),
      says: [],
    },
    {
      name: "its list, where a value is not in it and they are too few for a list",
      written: { ...written, value: { oneOf: [2, 4] } },
      learned: rule({}, { values: [2, 3] }),
      says: ["value: one of 2, 4 → 1.8 to 4"],
    },
    {
      name: "how long a cause must have stood",
      written: { ...written, after: { all: [{ tag: "A", is: 1 }], for: "9s" } },
      learned: rule({}, { held: new Map([["A", 5000]]) }),
      says: ["after: for 9s → 2s"],
    },
    {
      name: "nothing of a cause that stood for long enough",
      written: { ...written, after: { all: [{ tag: "A", is: 1 }], for: "5s" } },
      learned: rule({}, { held: new Map([["A", 5000]]) }),
      says: [],
    },
    {
      name: "that it comes once, where it came twice",
      written: { ...written, follows: { rule: "run-start", within: "5s", once: true } },
      learned: rule({}, { before: new Map([["run-start", 4000]]), repeated: new Set(["run-start"]) }),
      says: ["follows: no longer once"],
    },
  ])("$name", ({ written: there, learned, says }) => expect(relax(there, learned).says).toEqual(says));
});

test("a step that a person narrowed stays where no step was larger, and only then", () => {
  const tag = plant.tags.find(({ id }) => id === "DOS201.SP");
  if (tag === undefined) throw new Error("no tag");
  const learner = new Learner(() => tag);
  learner.enterPhase("run", 0);
  learner.told(tag.id, 2, 0);
  [2.4, 2, 2.4, 2].forEach((value, n) => {
    learner.exchange(
      {
        ...{ source: DeviceId("hmi-1"), sourceAddress: "127.10.1.11:1", target: tag.device, link: undefined },
        ...{ operation: "write", message: "Write", functionCode: 6, quantity: 1 },
        items: [{ tag: tag.id, address: "", value }],
      },
      "ok",
      (n + 1) * 3_600_000,
    );
  });
  const [learned] = commandRules(learner.evidence(), "run", { sightings: 1, tagOf: () => tag });
  if (learned === undefined) throw new Error("no rule");
  const narrowed = (maxStep: number) => relax({ ...learned.fields, value: { min: 0, max: 3, maxStep } }, learned).says;
  expect([narrowed(0.5), narrowed(0.3)]).toEqual([[], ["value: maxStep 0.3 → 0.6"]]);
});

describe("a draft that is there", () => {
  const first = newLifecycle(plant.id, draft(rule()));
  const wider = draft(rule({ value: { min: 1.5, max: 5 } }, { least: 1.6, most: 4.8 }), { ...rule(), id: "run-more" });

  test("is a lifecycle that can be read and checked", () => {
    const loaded = loadPlant({ file: "plant.yaml", text: PLANT_TEXT }, { file: "lifecycle.yaml", text: first });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
    expect(checkSpec(loaded.value).findings.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(loaded.value.plant.links.map(({ mode }) => mode)).toEqual(plant.links.map(() => "monitor"));
  });

  test("the same evidence changes nothing", () => {
    expect(mergeLifecycle(first, draft(rule()), true)).toEqual({ text: first, widenings: [] });
  });

  test("is never widened unless it is said so; what would widen it is listed", () => {
    const merged = mergeLifecycle(first, wider, false);
    expect(merged.text).toBe(first);
    expect(merged.widenings.map(({ where }) => where)).toEqual(["rule run-dose", "rule run-more"]);
  });

  test("is widened where it is said so, and then allows it", () => {
    const merged = mergeLifecycle(first, wider, true);
    expect(merged.text).toContain("value: { min: 1.5, max: 5, maxStep: 0.5 }");
    expect(mergeLifecycle(merged.text, wider, false).widenings).toEqual([]);
  });

  test("keeps what a person wrote into it: a remark, a narrower range, a rule of his own", () => {
    const edited = first
      .replace(
        /^ {8}rules:\n/m,
        "        rules:\n          # ours\n          mine: { says: Mine., from: [hmi-1], may: write, tags: [P101.CMD] }\n",
      )
      .replace("max: 3.2", "max: 3");
    expect(edited).toContain("mine:");
    const merged = mergeLifecycle(edited, draft(rule()), true);
    expect(merged.widenings).toEqual([]);
    expect(merged.text).toContain("# ours");
    expect(merged.text).toContain("max: 3,");
  });

  test("a rule that a person struck is offered again, and not taken", () => {
    const struck = first.replace(/^ +# seen\n +run-dose:.*\n/m, "");
    expect(struck).not.toContain("run-dose");
    const merged = mergeLifecycle(struck, draft(rule()), false);
    expect(merged.text).not.toContain("run-dose");
    expect(merged.widenings.map(({ where }) => where)).toEqual(["rule run-dose"]);
  });

  test.each([
    { name: "no YAML", text: "a: [", says: "lifecycle.yaml cannot be read" },
    { name: "a list", text: "- a", says: "no map of keys" },
  ])("$name is refused in a sentence", ({ text, says }) =>
    expect(() => mergeLifecycle(text, draft(), false)).toThrow(says),
  );
});

describe("a plant that is there", () => {
  const watched = watchedPlant(plant);
  const [removed] = watched.tags;
  const smaller = newPlant({ ...watched, tags: watched.tags.slice(1) }, NOTHING);

  test("gets what is new only where it is said so", () => {
    const kept = mergePlant(smaller, watched, NOTHING, false);
    expect(kept.text).not.toContain(`  ${removed?.id}:`);
    expect(kept.widenings).toEqual([{ where: `plant.yaml tags ${removed?.id}`, says: "not there yet" }]);
    expect(mergePlant(smaller, watched, NOTHING, true).text).toContain(`  ${removed?.id}:`);
  });

  test("has no outputs, no guards, and no link that enforces", () => {
    expect(watched.tags.filter(({ kind }) => kind === "output")).toEqual([]);
    expect(watched.devices.filter(({ guard }) => guard)).toEqual([]);
    expect(new Set(watched.links.map(({ mode }) => mode))).toEqual(new Set(["monitor"]));
  });
});
