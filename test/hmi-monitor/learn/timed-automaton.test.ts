import { describe, expect, test } from "vitest";
import type { Visit } from "#hmi-monitor/learn/occasions.ts";
import { cycleOf, ENTERED, LEFT, MAX_EDGES, TimedAutomaton } from "#hmi-monitor/learn/timed-automaton.ts";
import { random } from "#sim/random.ts";

const DEMANDS = { count: 3, occasions: 3 };

/** One visit of a phase, as somebody would write it down. */
interface Told {
  readonly sinceMs: number;
  readonly isWhole: boolean;
  readonly commands: readonly { readonly name: string; readonly atMs: number }[];
  /** undefined: nobody saw it end. */
  readonly leftMs: number | undefined;
}

function learned(visits: readonly Told[]): TimedAutomaton {
  const automaton = new TimedAutomaton();
  visits.forEach(({ sinceMs, isWhole, commands, leftMs }, n) => {
    const visit: Visit = { phase: "run", number: n + 1, sinceMs, isWhole };
    for (const { name, atMs } of commands) automaton.command(name, visit, atMs);
    if (leftMs === undefined) automaton.forget();
    else automaton.leave(visit, leftMs);
  });
  return automaton;
}

/** The slow, obvious twin: every pair of neighbours written down, then sorted into heaps. */
function obvious(visits: readonly Told[]): ReadonlyMap<string, readonly number[]> {
  const heaps = new Map<string, number[]>();
  for (const { sinceMs, isWhole, commands, leftMs } of visits) {
    const events = [
      ...(isWhole ? [{ name: ENTERED, atMs: sinceMs }] : []),
      ...commands,
      ...(leftMs === undefined || commands.length === 0 ? [] : [{ name: LEFT, atMs: leftMs }]),
    ];
    if (commands.length === 0) continue;
    for (let n = 1; n < events.length; n += 1) {
      const [before, after] = [events[n - 1], events[n]];
      if (before === undefined || after === undefined) continue;
      const key = `${before.name} > ${after.name}`;
      heaps.set(key, [...(heaps.get(key) ?? []), after.atMs - before.atMs]);
    }
  }
  return heaps;
}

/** Whether the visits are one circle of these commands over and over, looked at visit by visit. */
function isCircle(visits: readonly Told[], circle: readonly string[]): boolean {
  return visits.every(({ commands, leftMs }) => {
    const inTurn = commands.every(({ name }, n) => name === circle[n % circle.length]);
    return inTurn && (leftMs === undefined || commands.length % circle.length === 0);
  });
}

function drawn(seed: number, names: readonly string[]): readonly Told[] {
  const rng = random(seed, "visits");
  const whole = (below: number): number => Math.floor(rng() * below);
  let nowMs = 0;
  return Array.from({ length: 1 + whole(8) }, () => {
    const sinceMs = nowMs;
    const commands = Array.from({ length: whole(7) }, () => {
      nowMs += whole(5000);
      return { name: names[whole(names.length)] ?? "", atMs: nowMs };
    });
    nowMs += whole(5000);
    return { sinceMs, isWhole: rng() < 0.8, commands, leftMs: rng() < 0.8 ? nowMs : undefined };
  });
}

/** Whole visits that go round so often, with pauses of `pauseMs(n)`. */
function rounds(
  visits: number,
  circle: readonly string[],
  times: number,
  pauseMs = (n: number): number => 1000 + n,
): Told[] {
  let nowMs = 0;
  return Array.from({ length: visits }, () => {
    const sinceMs = nowMs;
    const commands = Array.from({ length: times }, () => circle)
      .flat()
      .map((name, n) => {
        nowMs += pauseMs(n);
        return { name, atMs: nowMs };
      });
    nowMs += 500;
    return { sinceMs, isWhole: true, commands, leftMs: nowMs };
  });
}

describe("a timed automaton", () => {
  test("has the edges, counts and times of its slow twin, for 500 random histories", () => {
    for (let seed = 0; seed < 500; seed += 1) {
      const visits = drawn(seed, ["a", "b", "c", "d"].slice(0, 1 + (seed % 4)));
      const seen = learned(visits).edges.map(({ from, to, sightings, shortestMs, longestMs }) => {
        return [`${from} > ${to}`, { count: sightings.count, shortestMs, longestMs }];
      });
      const told = [...obvious(visits)].map(([key, times]) => {
        return [key, { count: times.length, shortestMs: Math.min(...times), longestMs: Math.max(...times) }];
      });
      expect(Object.fromEntries(seen), `seed ${seed}`).toEqual(Object.fromEntries(told));
      expect(seen).toHaveLength(told.length);
    }
  });

  test("says nothing of what came before a visit whose beginning nobody saw, nor of an end that nobody saw", () => {
    const commands = [{ name: "a", atMs: 10 }];
    expect(learned([{ sinceMs: 0, isWhole: false, commands, leftMs: undefined }]).edges).toEqual([]);
  });

  test("counts occasions, and the first and last time of each edge", () => {
    const edge = learned(rounds(3, ["a", "b"], 2)).edges.find(({ from, to }) => from === "b" && to === "a");
    expect([edge?.sightings.count, edge?.sightings.occasions]).toEqual([3, 3]);
    expect([edge?.sightings.firstMs, edge?.sightings.lastMs]).toEqual([3003, 12_015]);
  });

  test(`keeps ${MAX_EDGES} edges, and counts what does not fit`, () => {
    const chain = (length: number): Told => ({
      ...{ sinceMs: 0, isWhole: true, leftMs: undefined },
      commands: Array.from({ length }, (_, n) => ({ name: `c${n}`, atMs: n })),
    });
    const [at, beyond] = [learned([chain(MAX_EDGES)]), learned([chain(MAX_EDGES + 1)])];
    expect([at.edges.length, at.missing]).toEqual([MAX_EDGES, 0]);
    expect([beyond.edges.length, beyond.missing]).toEqual([MAX_EDGES, 1]);
  });
});

describe("a cycle", () => {
  test("is found where the commands go round without exception, with its times", () => {
    const cycle = cycleOf(learned(rounds(5, ["open", "fill", "shut"], 4)), DEMANDS);
    expect(cycle?.turns.map(({ command }) => command)).toEqual(["open", "fill", "shut"]);
    expect(cycle?.entered).toBe(5);
    expect(cycle?.turns.map(({ edge }) => [edge.from, edge.to, edge.sightings.count])).toEqual([
      ["shut", "open", 15],
      ["open", "fill", 20],
      ["fill", "shut", 20],
    ]);
  });

  test.each<{ name: string; visits: readonly Told[] }>([
    { name: "there is one command", visits: rounds(5, ["open"], 4) },
    { name: "it goes round too seldom", visits: rounds(1, ["open", "shut"], 3) },
    { name: "it goes round on too few occasions", visits: rounds(2, ["open", "shut"], 9) },
    { name: "each visit is a row and no circle", visits: rounds(9, ["open", "shut"], 1) },
    {
      name: "a command came twice, once",
      visits: [...rounds(5, ["open", "shut"], 4), ...rounds(1, ["open", "open", "shut"], 1)],
    },
    {
      name: "a visit begins elsewhere",
      visits: [...rounds(5, ["open", "shut"], 4), ...rounds(1, ["shut", "open"], 1)],
    },
    {
      name: "the phase is left within the circle",
      visits: [...rounds(5, ["open", "shut"], 4), ...rounds(1, ["open"], 1)],
    },
    {
      name: "a third command comes aside",
      visits: [...rounds(5, ["open", "shut"], 4), ...rounds(1, ["open", "stop"], 1)],
    },
  ])("is none where $name", ({ visits }) => expect(cycleOf(learned(visits), DEMANDS)).toBeUndefined());

  test("that does not fit is none", () => {
    const { edges } = learned(rounds(5, ["open", "shut"], 4));
    expect([cycleOf({ edges, missing: 0 }, DEMANDS)?.turns.length, cycleOf({ edges, missing: 1 }, DEMANDS)]).toEqual([
      2,
      undefined,
    ]);
  });

  test("of a phase that nobody saw begin or end may begin anywhere", () => {
    const visits = rounds(4, ["open", "shut"], 4).map((visit) => ({ ...visit, isWhole: false, leftMs: undefined }));
    const cycle = cycleOf(learned(visits), DEMANDS);
    expect([cycle?.turns.length, cycle?.entered]).toEqual([2, 0]);
  });

  test("that is found is one, for 2000 random histories of few commands", () => {
    let found = 0;
    for (let seed = 0; seed < 2000; seed += 1) {
      const rng = random(seed, "mixed");
      // Half of them nearly circles: one visit of another kind among them, or none.
      const circle = ["a", "b", "c"].slice(0, 2 + (seed % 2));
      const visits = [
        ...rounds(3 + Math.floor(rng() * 3), circle, 2 + Math.floor(rng() * 2)),
        ...(rng() < 0.5 ? drawn(seed, circle).slice(0, 1) : []),
      ];
      const cycle = cycleOf(learned(visits), DEMANDS);
      const whole = visits.every(({ isWhole }) => isWhole);
      if (cycle === undefined) continue;
      found += 1;
      const turns = cycle.turns.map(({ command }) => command);
      expect(turns, `seed ${seed}`).toEqual(circle);
      if (whole) expect(isCircle(visits, turns), `seed ${seed}`).toBe(true);
    }
    expect(found).toBeGreaterThan(500);
  });
});
