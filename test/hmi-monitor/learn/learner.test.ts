import { describe, expect, test } from "vitest";
import { coverageOf, overflowInWords } from "#hmi-monitor/learn/coverage.ts";
import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { LEARN_LIMITS } from "#hmi-monitor/learn/limits.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { DeviceId, type TagId } from "#specs/ids.ts";
import { waterTreatment } from "../../support/plant.ts";

const { plant } = waterTreatment();
const tags = new Map(plant.tags.map((tag) => [String(tag.id), tag]));
const tagOf = (tag: TagId) => tags.get(tag);

function write(name: string, value: number, more: Partial<Observation> = {}): Observation {
  const tag = tags.get(name);
  if (tag === undefined) throw new Error(name);
  return {
    ...{ source: DeviceId("hmi-1"), sourceAddress: "127.10.1.11:40000", target: tag.device, link: undefined },
    ...{ operation: "write", message: "Write Single Register (06)", functionCode: 6, quantity: 1 },
    ...{ items: [{ tag: tag.id, address: "", value }] },
    ...more,
  };
}

/** A phase `run` is visited so often, and in each visit the commands come in order, ten seconds apart. */
function visits(
  count: number,
  commands: readonly Observation[],
  before: (learner: Learner, atMs: number) => void = () => undefined,
) {
  const learner = new Learner(tagOf);
  for (let n = 0; n < count; n += 1) {
    const atMs = n * 1_000_000;
    learner.enterPhase("rest", atMs);
    learner.enterPhase("run", atMs + 1000);
    before(learner, atMs + 1000);
    commands.forEach((command, i) => void learner.exchange(command, "ok", atMs + 10_000 * (i + 1)));
  }
  return learner;
}

function rulesOf(learner: Learner, sightings = 3) {
  const draft = draftLifecycle(learner.evidence(), { sightings, tagOf });
  return new Map(draft?.phases.flatMap(({ rules }) => rules.map(({ id, fields }) => [id, fields] as const)) ?? []);
}

describe("what is drafted", () => {
  test("a command is drafted after so many occasions, not before", () => {
    const command = [write("DOS201.SP", 2)];
    expect([...rulesOf(visits(2, command)).keys()]).toEqual([]);
    expect([...rulesOf(visits(3, command)).keys()]).toEqual(["run-hmi-1-DOS201.SP"]);
    expect(
      coverageOf(visits(2, command).evidence(), 3)
        .find(({ phase }) => phase === "run")
        ?.thin.join(),
    ).toContain("not drafted: run-hmi-1-DOS201.SP, seen 2 times on 2 occasions");
  });

  test("a hundred writes on one occasion are one occasion", () => {
    const learner = visits(
      1,
      Array.from({ length: 100 }, (_, n) => write("DOS201.SP", 2 + n / 1000)),
    );
    expect(rulesOf(learner, 2).size).toBe(0);
  });

  test("what the server refused teaches nothing", () => {
    const learner = new Learner(tagOf);
    learner.enterPhase("run", 0);
    learner.exchange(write("DOS201.SP", 9), "error", 1);
    expect([rulesOf(learner, 1).size, learner.evidence().refused]).toEqual([0, 1]);
  });

  test("nothing is learned before a phase is known, nor while none is", () => {
    const learner = new Learner(tagOf);
    learner.exchange(write("DOS201.SP", 2), "ok", 1);
    learner.enterPhase("run", 2);
    learner.noPhase(3);
    learner.exchange(write("DOS201.SP", 2), "ok", 4);
    expect([rulesOf(learner, 1).size, learner.evidence().withoutPhase]).toEqual([0, 2]);
  });

  test("an address that no device has, and an address that no tag has, are named and never drafted", () => {
    const stranger = write("DOS201.SP", 2, { source: undefined, sourceAddress: "10.9.9.9:1234" });
    const nowhere = write("DOS201.SP", 2, { items: [{ tag: undefined, address: "unit 1 coil 99", value: 1 }] });
    const learner = visits(5, [stranger, nowhere]);
    expect(rulesOf(learner, 1).size).toBe(0);
    expect(learner.evidence().notDrafted.map(({ says }) => says)).toEqual([
      "10.9.9.9, which is no device of the plant → plc-1: Write Single Register (06)",
      "hmi-1 → plc-1: Write Single Register (06) to unit 1 coil 99",
    ]);
  });

  test("programming is never drafted", () => {
    const learner = visits(5, [write("DOS201.SP", 2, { operation: "program", message: "Write File Record (21)" })]);
    expect([rulesOf(learner, 1).size, learner.evidence().notDrafted.length]).toEqual([0, 1]);
  });
});

describe("order", () => {
  const rinse = [write("BW301.CMD", 1), write("V301.CMD", 1), write("V301.CMD", 0)];

  test("a command that always came after another follows it, once for each", () => {
    const rule = rulesOf(visits(12, rinse)).get("run-hmi-1-V301.CMD-on");
    expect(rule?.follows).toEqual({ rule: "run-hmi-1-BW301.CMD-on", within: "50s", once: true });
    expect(rule?.apart?.rules).toEqual(["run-hmi-1-BW301.CMD-on", "run-hmi-1-V301.CMD-off"]);
  });

  test("on few occasions no order is drafted", () => {
    expect(rulesOf(visits(9, rinse)).get("run-hmi-1-V301.CMD-on")?.follows).toBeUndefined();
  });

  test("one time without the other, and there is no order", () => {
    const learner = visits(12, rinse);
    learner.enterPhase("rest", 90_000_000);
    learner.enterPhase("run", 90_000_001);
    learner.exchange(write("V301.CMD", 1), "ok", 90_000_100);
    expect(rulesOf(learner).get("run-hmi-1-V301.CMD-on")?.follows).toBeUndefined();
  });

  test("a set-point follows no other set-point: both are adjusted all day", () => {
    const rules = rulesOf(visits(12, [write("P201.CMD", 1), write("DOS201.SP", 2), write("FIC101.SP", 30)]));
    expect(rules.get("run-hmi-1-FIC101.SP")?.follows?.rule).toBe("run-hmi-1-P201.CMD-on");
  });

  test("switching off waits for nothing", () => {
    const rule = rulesOf(visits(12, rinse)).get("run-hmi-1-V301.CMD-off");
    expect([rule?.follows, rule?.after, rule?.apart]).toEqual([undefined, undefined, undefined]);
  });

  test("a truth value that was set each time, and is not set all the time, is a cause", () => {
    const active = tags.get("BW301.ACTIVE")?.id;
    if (active === undefined) throw new Error("no tag");
    const rules = rulesOf(
      visits(12, [write("V301.CMD", 1)], (learner, atMs) => {
        learner.told(active, 0, atMs);
        learner.told(active, 1, atMs + 1000);
      }),
    );
    expect(rules.get("run-hmi-1-V301.CMD-on")?.after).toEqual({ all: [{ tag: "BW301.ACTIVE", is: 1 }], for: "2s" });
  });

  test("a truth value of another PLC is no cause, since no guard could judge it", () => {
    const open = tags.get("MV101.OPEN")?.id;
    if (open === undefined) throw new Error("no tag");
    const told = (learner: Learner, atMs: number) => {
      learner.told(open, 0, atMs);
      learner.told(open, 1, atMs + 1000);
    };
    expect(rulesOf(visits(12, [write("V301.CMD", 1)], told)).get("run-hmi-1-V301.CMD-on")?.after).toBeUndefined();
  });
});

describe("bounds", () => {
  test("strangers are kept up to the limit; what is beyond is said", () => {
    const learner = new Learner(tagOf);
    learner.enterPhase("run", 0);
    const from = (n: number) =>
      write("DOS201.SP", 2, { source: undefined, sourceAddress: `10.0.${n >> 8}.${n & 255}:1` });
    for (let n = 0; n < LEARN_LIMITS.strangers; n += 1) learner.exchange(from(n), "ok", n);
    expect(overflowInWords(learner.evidence())).toEqual([]);
    learner.exchange(from(LEARN_LIMITS.strangers), "ok", 1);
    expect(learner.evidence().notDrafted).toHaveLength(LEARN_LIMITS.strangers);
    expect(overflowInWords(learner.evidence())).toEqual([
      `more than ${LEARN_LIMITS.strangers} strangers: 1 messages about further ones taught nothing`,
    ]);
  });

  test("phases are kept up to the limit; in one beyond it nothing is learned", () => {
    const learner = new Learner(tagOf);
    for (let n = 0; n <= LEARN_LIMITS.phases; n += 1) learner.enterPhase(`p${n}`, n);
    learner.exchange(write("DOS201.SP", 2), "ok", 1000);
    const evidence = learner.evidence();
    expect([evidence.phases.size, evidence.withoutPhase, evidence.overflow.counts.get("phases")]).toEqual([
      LEARN_LIMITS.phases,
      1,
      1,
    ]);
  });
});
