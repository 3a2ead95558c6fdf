import { describe, expect, test } from "vitest";
import { coverageOf, overflowInWords } from "#hmi-monitor/learn/coverage.ts";
import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { LEARN_LIMITS } from "#hmi-monitor/learn/limits.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { DeviceId, type TagId } from "#specs/ids.ts";
import type { Tag } from "#specs/plant.ts";
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

  test("a phase that is known again goes on: moments of doubt do not make occasions of one minute", () => {
    const learner = new Learner(tagOf);
    for (let atMs = 0; atMs < 60_000; atMs += 10_000) {
      learner.enterPhase("run", atMs);
      learner.exchange(write("DOS201.SP", 2), "ok", atMs + 1);
      learner.noPhase(atMs + 5000);
    }
    const { phases, commands } = learner.evidence();
    expect([phases.get("run")?.visits, phases.get("run")?.totalMs]).toEqual([1, 30_000]);
    expect([commands[0]?.sightings.count, commands[0]?.sightings.occasions]).toEqual([6, 1]);
    // Where nobody saw what happened it is another visit.
    learner.enterPhase("run", 60_000);
    learner.gap(61_000);
    learner.enterPhase("run", 70_000);
    expect(phases.get("run")?.visits).toBe(2);
  });

  test("a fraction between 0 and 1 is no truth value", () => {
    const tag = tags.get("DOS201.SP");
    if (tag === undefined) throw new Error("no tag");
    const { modbus: _, ...rest } = tag;
    const drafted = (type: "Double" | "Int16" | undefined, values: readonly number[]) => {
      const opcua = type === undefined ? {} : { opcua: { nodeId: "ns=1;s=SP", type } };
      const fraction: Tag = { ...rest, range: [0, 1], ...opcua };
      const learner = new Learner(() => fraction);
      values.forEach((value, n) => {
        learner.enterPhase("rest", n * 10_000);
        learner.enterPhase("run", n * 10_000 + 1000);
        learner.exchange(write("DOS201.SP", value), "ok", n * 10_000 + 2000);
      });
      const draft = draftLifecycle(learner.evidence(), { sightings: 3, tagOf: () => fraction });
      return draft?.phases.flatMap(({ rules }) => rules.map(({ fields }) => fields.value));
    };
    expect(drafted("Double", [0.4, 0.5, 0.6])).toEqual([{ min: expect.any(Number), max: expect.any(Number) }]);
    expect(drafted(undefined, [0.5, 0.5, 0.5])).toEqual([{ oneOf: [0.5] }]);
    expect(drafted("Int16", [1, 1, 1])).toEqual([{ oneOf: [1] }]);
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

describe("what happens between a request and its answer", () => {
  const sp = tags.get("FIC101.SP")?.id;
  if (sp === undefined) throw new Error("no tag");

  test("a value that changed a moment ago may not have been there when the step was made", () => {
    const stepAfter = (toldMs: number) => {
      const learner = new Learner(tagOf);
      learner.enterPhase("run", 0);
      learner.told(sp, 10, 0);
      learner.told(sp, 30, toldMs);
      learner.exchange(write("FIC101.SP", 31), "ok", 5000);
      return learner.evidence().commands[0]?.values.step;
    };
    expect([stepAfter(5010), stepAfter(4001), stepAfter(4000)]).toEqual([31.5, 31.5, 1.5]);
  });

  test("a command belongs to the phase in which it was asked for", () => {
    const learner = new Learner(tagOf);
    learner.enterPhase("run", 0);
    learner.enterPhase("rest", 1000);
    learner.exchange(write("FIC101.SP", 31), "ok", 990, "run");
    learner.exchange(write("FIC101.SP", 32), "ok", 1100, "rest");
    learner.exchange(write("FIC101.SP", 33), "ok", 1200, "a phase that was never seen");
    const { commands, channels } = learner.evidence();
    expect(commands.map(({ kind, sightings }) => [kind.phase, sightings.count])).toEqual([
      ["run", 1],
      ["rest", 2],
    ]);
    // Where it belongs in the order of its phase is not known: there is no edge.
    expect(channels.map(({ phase, all }) => [phase, all.edges.map(({ from, to }) => `${from} ${to}`)])).toEqual([
      ["run", []],
      ["rest", ["(entered) rest-hmi-1-FIC101.SP", "rest-hmi-1-FIC101.SP rest-hmi-1-FIC101.SP"]],
    ]);
  });
});

describe("pace", () => {
  /** In `fast` a pump is switched every second, in `slow` every minute. */
  function paces(visitsOfSlow: number) {
    const learner = new Learner(tagOf);
    learner.enterPhase("fast", 0);
    for (let n = 0; n < 20; n += 1) learner.exchange(write("P101.CMD", 1), "ok", 1000 * (n + 1));
    for (let n = 0; n < visitsOfSlow; n += 1) {
      learner.enterPhase("rest", 1_000_000 * (n + 1));
      learner.enterPhase("slow", 1_000_000 * (n + 1) + 1);
      for (let m = 1; m < 5; m += 1) learner.exchange(write("P101.CMD", 1), "ok", 1_000_000 * (n + 1) + 60_000 * m);
    }
    return rulesOf(learner, 1).get("slow-hmi-1-P101.CMD-on")?.most;
  }

  test("on few occasions is that of any phase, on many that of its own", () => {
    expect([paces(99), paces(100)]).toEqual([
      { count: 1, per: "600ms" },
      { count: 1, per: "36s" },
    ]);
  });

  test("of what comes once in each visit is unknown on few occasions: how soon a phase may be entered again was not seen", () => {
    const most = (count: number) => rulesOf(visits(count, [write("P101.CMD", 1)])).get("run-hmi-1-P101.CMD-on")?.most;
    expect([most(99), most(100)]).toEqual([
      { count: 2, per: "10s" },
      { count: 1, per: "1m" },
    ]);
  });

  test("switching off may come again at once", () => {
    const rules = rulesOf(visits(20, [write("V301.CMD", 1), write("V301.CMD", 0)]));
    expect(rules.get("run-hmi-1-V301.CMD-off")?.most).toEqual({ count: 5, per: "10s" });
  });
});

describe("polls", () => {
  const read = (names: readonly string[], functionCode = 3): Observation => ({
    ...write("FIC101.SP", 0),
    ...{ operation: "read", message: "Read", functionCode, quantity: names.length },
    items: names.map((name) => ({ tag: tags.get(name)?.id, address: name, value: undefined })),
  });

  function polled(...polls: readonly Observation[]) {
    const learner = new Learner(tagOf);
    learner.enterPhase("run", 0);
    polls.forEach((poll, i) => {
      for (let n = 0; n < 50; n += 1) learner.exchange(poll, "ok", 1000 * (i + 1) * n + i);
    });
    return (draftLifecycle(learner.evidence(), { sightings: 1, tagOf })?.rules ?? []).map(({ id, fields }) => ({
      id,
      tags: fields.tags,
      every: fields.every?.period,
    }));
  }

  test("each have a rule with their period, also where they begin with the same tag but by another function", () => {
    const rules = polled(read(["FIC101.SP", "DOS201.SP"]), read(["FIC101.SP"], 4));
    expect(rules.map(({ every }) => every)).toEqual(["1s", "2s"]);
    expect(new Set(rules.map(({ id }) => id)).size).toBe(2);
  });

  test("that overlap are one rule without a period: a message of one would take the place of another's", () => {
    expect(polled(read(["FIC101.SP", "DOS201.SP"]), read(["DOS201.SP", "LIT101.SP"]), read(["FIC401.SP"]))).toEqual([
      { id: expect.stringContaining("read-hmi-1-fc3-plc-1-1-FIC401.SP"), tags: ["FIC401.SP"], every: "3s" },
      { id: "read-hmi-1-fc3-plc-1-overlapping", tags: ["FIC101.SP", "DOS201.SP", "LIT101.SP"], every: undefined },
    ]);
  });

  test("a name is never longer than the language takes, and stays the same", () => {
    const long = `hmi-${"x".repeat(110)}`;
    const learner = visits(3, [
      write("DOS201.SP", 2, { source: DeviceId(long) }),
      write("FIC101.SP", 2, { source: DeviceId(long) }),
    ]);
    const ids = [...rulesOf(learner).keys()];
    expect(ids.map((id) => id.length)).toEqual([120, 120]);
    expect(new Set(ids).size).toBe(2);
  });
});

describe("order", () => {
  const rinse = [write("BW301.CMD", 1), write("V301.CMD", 1), write("V301.CMD", 0)];

  test("a command that always came after another follows it, once for each", () => {
    const rule = rulesOf(visits(20, rinse)).get("run-hmi-1-V301.CMD-on");
    expect(rule?.follows).toEqual({ rule: "run-hmi-1-BW301.CMD-on", within: "50s", once: true });
    expect(rule?.apart?.rules).toEqual(["run-hmi-1-BW301.CMD-on", "run-hmi-1-V301.CMD-off"]);
  });

  test("on few occasions no order is drafted", () => {
    expect(rulesOf(visits(14, rinse)).get("run-hmi-1-V301.CMD-on")?.follows).toBeUndefined();
  });

  test("one time without the other, and there is no order", () => {
    const learner = visits(20, rinse);
    learner.enterPhase("rest", 90_000_000);
    learner.enterPhase("run", 90_000_001);
    learner.exchange(write("V301.CMD", 1), "ok", 90_000_100);
    expect(rulesOf(learner).get("run-hmi-1-V301.CMD-on")?.follows).toBeUndefined();
  });

  test("a set-point follows no other set-point: both are adjusted all day", () => {
    const rules = rulesOf(visits(20, [write("P201.CMD", 1), write("DOS201.SP", 2), write("FIC101.SP", 30)]));
    expect(rules.get("run-hmi-1-FIC101.SP")?.follows?.rule).toBe("run-hmi-1-P201.CMD-on");
  });

  test("switching off waits for nothing", () => {
    const rule = rulesOf(visits(20, rinse)).get("run-hmi-1-V301.CMD-off");
    expect([rule?.follows, rule?.after, rule?.apart]).toEqual([undefined, undefined, undefined]);
  });

  test("a truth value that was set each time, and is not set all the time, is a cause", () => {
    const active = tags.get("BW301.ACTIVE")?.id;
    if (active === undefined) throw new Error("no tag");
    const rules = rulesOf(
      visits(20, [write("V301.CMD", 1)], (learner, atMs) => {
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
    expect(rulesOf(visits(20, [write("V301.CMD", 1)], told)).get("run-hmi-1-V301.CMD-on")?.after).toBeUndefined();
  });
});

describe("bounds", () => {
  test("strangers are kept up to the limit; what is beyond is said", () => {
    const learner = new Learner(tagOf);
    learner.enterPhase("run", 0);
    const from = (n: number) =>
      write("DOS201.SP", 2, { source: undefined, sourceAddress: `10.0.${n >> 8}.${n & 255}:1` });
    for (let n = 0; n < LEARN_LIMITS.strangers; n += 1) learner.exchange(from(n), "ok", n);
    expect(overflowInWords(learner.evidence().overflow)).toEqual([]);
    learner.exchange(from(LEARN_LIMITS.strangers), "ok", 1);
    expect(learner.evidence().notDrafted).toHaveLength(LEARN_LIMITS.strangers);
    expect(overflowInWords(learner.evidence().overflow)).toEqual([
      `more than ${LEARN_LIMITS.strangers} strangers: further ones came 1 times and taught nothing`,
    ]);
  });

  test("a very long name is cut, and blocks that differ in their last name are two all the same", () => {
    const learner = new Learner(tagOf);
    learner.enterPhase("run", 0);
    const long = "x".repeat(1e6);
    const items = (last: string) =>
      [...long.slice(0, 600), last].map((address) => ({ tag: undefined, address, value: 1 }));
    learner.exchange(write("DOS201.SP", 2, { items: [{ tag: undefined, address: long, value: 1 }] }), "ok", 1);
    for (const last of ["a", "b", "a"])
      learner.exchange(write("DOS201.SP", 2, { operation: "read", items: items(last) }), "ok", 2);
    const { notDrafted, polls } = learner.evidence();
    expect(notDrafted.map(({ says }) => says.length < 600)).toEqual([true]);
    expect(polls.map(({ sightings }) => sightings.count)).toEqual([2, 1]);
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
