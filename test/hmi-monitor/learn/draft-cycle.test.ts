import { describe, expect, test } from "vitest";
import { automataOf, ordersInWords } from "#hmi-monitor/learn/automata.ts";
import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { mergeLifecycle, newLifecycle } from "#hmi-monitor/learn/lifecycle-document.ts";
import { newPlant, watchedPlant } from "#hmi-monitor/learn/plant-document.ts";
import { DraftJudge } from "#sim/traffic/draft-judge.ts";
import { linkOf } from "#specs/addresses.ts";
import { checkSpec } from "#specs/check.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { DeviceId, TagId } from "#specs/ids.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";
import { waterTreatment } from "../../support/plant.ts";
import { LINK, PLC, uaPlant, WRITER } from "../../switch-filter/opcua-plant.ts";

const plant = watchedPlant(waterTreatment().plant);
const tags = new Map(plant.tags.map((tag) => [String(tag.id), tag]));
const tagOf = (tag: TagId) => tags.get(tag);
const PLANT_TEXT = newPlant(plant, { ofLink: () => undefined, ofTag: () => undefined });

function write(name: string, value: number): Observation {
  const tag = tags.get(name);
  if (tag === undefined) throw new Error(name);
  return {
    ...{ source: DeviceId("hmi-1"), sourceAddress: "127.10.1.11:40000", target: tag.device },
    link: linkOf(plant, DeviceId("hmi-1"), tag.device, "modbus")?.id,
    ...{ operation: "write", message: "Write Single Coil (05)", functionCode: 5, quantity: 1 },
    items: [{ tag: tag.id, address: "", value }],
  };
}

const START = write("BW301.CMD", 1);
const OPEN = write("V301.CMD", 1);
const SHUT = write("V301.CMD", 0);
const RINSE = [START, OPEN, SHUT];
const PAUSE_MS = 10_000;
const VISIT_MS = 1_000_000;

/** Goes through a rest and a phase `run` for each visit, with its commands ten seconds apart. */
function tell(
  sink: { enterPhase(phase: string, atMs: number): void; exchange(o: Observation, outcome: "ok", atMs: number): void },
  visits: readonly (readonly Observation[])[],
  fromMs = 0,
): void {
  visits.forEach((commands, n) => {
    const atMs = fromMs + n * VISIT_MS;
    sink.enterPhase("rest", atMs);
    sink.enterPhase("run", atMs + 1000);
    commands.forEach((command, i) => void sink.exchange(command, "ok", atMs + PAUSE_MS * (i + 1)));
  });
  sink.enterPhase("rest", fromMs + visits.length * VISIT_MS);
}

function learned(visits: readonly (readonly Observation[])[]): Learner {
  const learner = new Learner(tagOf);
  tell(learner, visits);
  return learner;
}

function draftOf(learner: Learner) {
  const draft = draftLifecycle(learner.evidence(), { sightings: 3, tagOf });
  if (draft === undefined) throw new Error("no phase");
  return draft;
}

function load(text: string): Loaded {
  const loaded = loadPlant({ file: "plant.yaml", text: PLANT_TEXT }, { file: "lifecycle.yaml", text });
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join("; "));
  return loaded.value;
}

const ROUNDS = Array.from({ length: 20 }, () => [...RINSE, ...RINSE]);

describe("a phase that switches in a circle", () => {
  const draft = draftOf(learned(ROUNDS));
  const text = newLifecycle(plant.id, draft);

  test("has a step for each command; what switches off stays with the phase", () => {
    const run = draft.phases.find(({ phase }) => phase === "run");
    expect(run?.steps.map(({ id, rule, next }) => ({ id, rule, next }))).toEqual([
      {
        id: "before-BW301.CMD-on",
        rule: "run-hmi-1-BW301.CMD-on",
        next: [{ to: "before-V301.CMD-on", command: "run-hmi-1-BW301.CMD-on", outcome: "answered" }],
      },
      {
        id: "before-V301.CMD-on",
        rule: "run-hmi-1-V301.CMD-on",
        next: [
          { to: "before-V301.CMD-off", command: "run-hmi-1-V301.CMD-on", outcome: "answered" },
          { to: "before-BW301.CMD-on", after: "50s" },
        ],
      },
      {
        id: "before-V301.CMD-off",
        rule: undefined,
        next: [
          { to: "before-BW301.CMD-on", command: "run-hmi-1-V301.CMD-off", outcome: "answered" },
          { to: "before-BW301.CMD-on", after: "50s" },
        ],
      },
    ]);
    const phase = load(text).lifecycle.phases.find(({ id }) => id === "run");
    expect(phase?.steps.map(({ id, rules }) => [id, rules.map((rule) => rule.id)])).toEqual([
      ["before-BW301.CMD-on", ["run-hmi-1-BW301.CMD-on"]],
      ["before-V301.CMD-on", ["run-hmi-1-V301.CMD-on"]],
      ["before-V301.CMD-off", []],
    ]);
    expect(phase?.rules.map(({ id }) => id)).toEqual(["run-hmi-1-V301.CMD-off"]);
  });

  test("passes the check, and says in remarks what it rests on", () => {
    const errors = checkSpec(load(text)).findings.filter(({ severity }) => severity === "error");
    expect(errors.map(({ message }) => message)).toEqual([]);
    expect(text).toContain("# after V301.CMD-off 20 times and never after anything else, 10 to 10 s later");
    expect(text).toContain("# order of hmi-1 → plc-2 over modbus: BW301.CMD-on → V301.CMD-on 40×, 10 to 10 s;");
  });

  test("is judged as it was learned: what it did is allowed, a second start within a turn is not, switching off always is", () => {
    const { lifecycle } = load(text);
    const judge = (visit: readonly Observation[]): readonly [number, number] => {
      const one = new DraftJudge(plant, lifecycle);
      tell(one, [visit]);
      return [one.judged, one.denied];
    };
    expect(judge([...RINSE, ...RINSE, ...RINSE])).toEqual([9, 0]);
    expect(judge([START, START])).toEqual([2, 1]);
    expect(judge([OPEN])).toEqual([1, 1]);
    expect(judge([SHUT, START, SHUT, SHUT])).toEqual([4, 0]);
  });

  test("a turn that is not gone on with begins again after its time", () => {
    const { lifecycle } = load(text);
    const judge = new DraftJudge(plant, lifecycle);
    judge.enterPhase("run", 0);
    const at = (atMs: number, command: Observation): number => {
      judge.exchange(command, "ok", atMs);
      return judge.denied;
    };
    expect([at(10_000, START), at(59_000, START), at(61_000, START), at(71_000, OPEN)]).toEqual([0, 1, 1, 1]);
  });

  test.each([
    { name: "once a start came twice", visits: [...ROUNDS, [START, START, OPEN, SHUT]] },
    { name: "once a turn was left half done", visits: [...ROUNDS, [START]] },
    { name: "it was seen on too few occasions", visits: ROUNDS.slice(0, 14) },
  ])("has no steps where $name, and the automaton is in the report", ({ visits }) => {
    const learner = learned(visits);
    const run = draftOf(learner).phases.find(({ phase }) => phase === "run");
    expect(run?.steps).toEqual([]);
    const [automaton] = automataOf(learner.evidence());
    expect([automaton?.client, automaton?.server, automaton?.cycle]).toEqual(["hmi-1", "plc-2", null]);
    expect(automaton?.edges.length).toBeGreaterThan(3);
    expect(ordersInWords(learner.evidence(), "run")).toHaveLength(1);
  });

  test("set-points in between do not hide it: there is an automaton of each", () => {
    const adjusted = [START, write("FIC401.SP", 20), OPEN, SHUT];
    const learner = learned(Array.from({ length: 20 }, (_, n) => [...(n % 2 === 0 ? adjusted : RINSE), ...RINSE]));
    expect(automataOf(learner.evidence()).map(({ of, cycle }) => [of, cycle?.length ?? null])).toEqual([
      ["all", null],
      ["switching", 3],
    ]);
  });

  test("a message that switches two at once is one command: neither follows the other, there are no steps, and it is allowed", () => {
    const both = (value: number): Observation => {
      const [valve, drain] = [write("BW301.CMD", value), write("V301.CMD", value)];
      return { ...valve, items: [...valve.items, ...drain.items], functionCode: 15, quantity: 2 };
    };
    const visits = Array.from({ length: 20 }, () => [both(1), both(0), both(1), both(0)]);
    const learner = learned(visits);
    expect(automataOf(learner.evidence()).map(({ cycle }) => cycle)).toEqual([
      [
        expect.stringMatching(/^run-hmi-1-BW301\.CMD-on and 1 more \(\w{6}\)$/),
        expect.stringMatching(/^run-hmi-1-BW301\.CMD-off and 1 more \(\w{6}\)$/),
      ],
    ]);
    const draft = draftOf(learner);
    const run = draft.phases.find(({ phase }) => phase === "run");
    expect(run?.steps).toEqual([]);
    const on = run?.rules.filter(({ id }) => id.endsWith("-on")).map(({ fields }) => fields.follows?.rule);
    expect(on).toEqual([undefined, undefined]);
    const judge = new DraftJudge(plant, load(newLifecycle(plant.id, draft)).lifecycle);
    tell(judge, visits);
    expect([...judge.denials]).toEqual([]);
  });

  test("two channels that go round at their own pace give no steps", () => {
    const other = [write("MV101.CMD", 1), write("P101.CMD", 1)];
    const learner = learned(ROUNDS.map((commands) => [...commands, ...other, ...other]));
    const cycles = automataOf(learner.evidence()).map(({ server, cycle }) => [server, cycle?.length]);
    expect(cycles).toEqual([
      ["plc-2", 3],
      ["plc-1", 2],
    ]);
    expect(draftOf(learner).phases.find(({ phase }) => phase === "run")?.steps).toEqual([]);
  });
});

describe("steps that are written already", () => {
  const text = newLifecycle(plant.id, draftOf(learned(ROUNDS)));

  test("stay as they are where the same is seen again, byte for byte", () => {
    const again = mergeLifecycle(text, draftOf(learned(ROUNDS.slice(0, 16))), true);
    expect([again.widenings, again.text]).toEqual([[], text]);
  });

  test("give way, with --widen, where a command came outside its step, and then allow it", () => {
    const twice = [START, START, OPEN, SHUT];
    const draft = draftOf(learned([...ROUNDS, twice]));
    const listed = mergeLifecycle(text, draft, false);
    expect(listed.text).toBe(text);
    expect(listed.widenings).toContainEqual({
      where: "phase run",
      says: "run-hmi-1-BW301.CMD-on came once after run-hmi-1-BW301.CMD-on, when step before-V301.CMD-on does not allow it",
    });
    const { lifecycle } = load(mergeLifecycle(text, draft, true).text);
    const judge = new DraftJudge(plant, lifecycle);
    tell(judge, [twice, ...ROUNDS]);
    expect([...judge.denials]).toEqual([]);
  });

  test("a rule that a person struck from a step comes back to it with --widen alone", () => {
    const struck = text.replace(/\n[^\n]*\n +run-hmi-1-V301\.CMD-on: \{[^\n]*/, "");
    expect(struck).not.toBe(text);
    const draft = draftOf(learned(ROUNDS));
    const kept = mergeLifecycle(struck, draft, false);
    expect([kept.text, kept.widenings.map(({ where }) => where)]).toEqual([struck, ["rule run-hmi-1-V301.CMD-on"]]);
    const phase = load(mergeLifecycle(struck, draft, true).text).lifecycle.phases.find(({ id }) => id === "run");
    expect(phase?.steps.find(({ id }) => id === "before-V301.CMD-on")?.rules.length).toBe(1);
  });
});

test("a method and its argument are one command: the argument follows nothing, and the steps of a cycle are about methods", () => {
  const { plant: ua } = uaPlant({ writer: ["10.0.0.1"], reader: ["10.0.0.2"], plc: ["10.0.0.3"] });
  const watched = watchedPlant(ua);
  const uaTags = new Map(watched.tags.map((tag) => [String(tag.id), tag]));
  const learner = new Learner((tag) => uaTags.get(tag));
  const about = (message: string) => ({
    ...{ source: WRITER, sourceAddress: "10.0.0.1:40000", target: PLC, link: LINK, message, quantity: 1 },
  });
  const reset: Observation = {
    ...about("CallRequest"),
    operation: "call",
    items: [
      { tag: TagId("RESET"), address: "", value: undefined },
      { tag: TagId("RESET.CODE"), address: "", value: 5 },
    ],
  };
  const set: Observation = {
    ...about("WriteRequest"),
    ...{ operation: "write", items: [{ tag: TagId("SP"), address: "", value: 20 }] },
  };
  const visits = Array.from({ length: 20 }, () => [set, reset, set, reset]);
  tell(learner, visits);
  expect(automataOf(learner.evidence()).map(({ of, cycle }) => [of, cycle])).toEqual([
    ["all", ["run-writer-SP-ua", "run-writer-RESET-ua"]],
    ["switching", null],
  ]);
  const draft = draftLifecycle(learner.evidence(), { sightings: 3, tagOf: (tag) => uaTags.get(tag) });
  if (draft === undefined) throw new Error("no phase");
  const run = draft.phases.find(({ phase }) => phase === "run");
  expect(run?.rules.map(({ id, fields }) => [id, fields.follows?.rule])).toEqual([
    ["run-writer-SP-ua", undefined],
    ["run-writer-RESET-ua", undefined],
    ["run-writer-RESET.CODE-ua", undefined],
  ]);
  const plantText = newPlant(watched, { ofLink: () => undefined, ofTag: () => undefined });
  const text = newLifecycle(ua.id, draft);
  const loaded = loadPlant({ file: "plant.yaml", text: plantText }, { file: "lifecycle.yaml", text });
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join("; "));
  const judge = new DraftJudge(loaded.value.plant, loaded.value.lifecycle);
  tell(judge, visits);
  expect([...judge.denials]).toEqual([]);
});
