import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_JOINT_STATES, zonesAreSafeTogether } from "#specs/check/g01-together.ts";
import { spaceOf } from "#specs/check/state-space.ts";
import { PhaseId, PlantId, ZoneId } from "#specs/ids.ts";
import type { Lifecycle, Phase, Region, Transition } from "#specs/lifecycle.ts";
import { nextPosition, toMachine } from "#specs/machine.ts";
import type { Plant } from "#specs/plant.ts";
import { exitsOf, initialPosition, stepEvent } from "#specs/positions.ts";
import { exitMs, waysToSafety } from "#specs/safe-distance.ts";
import { loaded } from "../specs.ts";
import { loadSound } from "./support.ts";

const PLANT: Plant = {
  id: PlantId("p"),
  title: "p",
  zones: [],
  devices: [],
  links: [],
  tags: [],
  essential: [],
  raw: [],
};

/** A way out to phase `to` of the same zone, taking `along` to phases of other zones. */
interface Draft {
  readonly to: number;
  readonly ms: number;
  readonly along: readonly (readonly [zone: number, phase: number])[];
}

/** Zones of phases of ways out; the first phase of each is the initial and the safe one, and the last the isolated one. */
function lifecycleOf(zones: readonly (readonly (readonly Draft[])[])[]): Lifecycle {
  const id = (zone: number, phase: number) => PhaseId(`z${zone}.p${phase}`);
  return {
    plant: PLANT.id,
    version: 1,
    leaseMs: 1000,
    skewMs: 0,
    changeMs: 1,
    rules: [],
    containments: [],
    regions: zones.map(
      (phases, zone): Region => ({
        zone: ZoneId(`z${zone}`),
        initial: id(zone, 0),
        isolated: id(zone, phases.length - 1),
        safe: { phase: id(zone, 0), withinMs: 1_000_000 },
      }),
    ),
    phases: zones.flatMap((phases, zone) =>
      phases.map(
        (ways, phase): Phase => ({
          id: id(zone, phase),
          zone: ZoneId(`z${zone}`),
          says: "A phase.",
          rules: [],
          steps: [],
          containment: false,
          transitions: ways.map(
            ({ to, ms, along }): Transition => ({
              to: id(zone, to),
              with: along.map(([other, at]) => id(other, at)),
              window: [],
              event: "after",
              ms,
            }),
          ),
        }),
      ),
    ),
  };
}

/** A small number of zones and phases, so that every position can be looked at. */
function drafts(zones: number, phases: number): fc.Arbitrary<readonly (readonly (readonly Draft[])[])[]> {
  const phase = fc.integer({ min: 0, max: phases - 1 });
  // Most ways take another zone along, and from most phases there is a way to the first: else there is little to be lost.
  const along = fc.array(fc.tuple(fc.integer({ min: 0, max: zones - 1 }), phase), { minLength: 1, maxLength: 1 });
  const way = fc.record({ to: phase, ms: fc.integer({ min: 0, max: 20 }), along });
  const home = way.map((each) => ({ ...each, to: 0 }));
  const ways = fc.oneof(fc.array(way, { maxLength: 3 }), fc.tuple(home), fc.tuple(home, way));
  const zone = fc.array(ways, { minLength: phases, maxLength: phases });
  return fc
    .array(zone, { minLength: zones, maxLength: zones })
    .map((made) =>
      made.map((of, own) =>
        of.map((ways) => ways.map((each) => ({ ...each, along: each.along.filter(([other]) => other !== own) }))),
      ),
    );
}

describe("the shortest way to safety", () => {
  test("is what trying all ways of every length gives", () => {
    fc.assert(
      fc.property(drafts(1, 6), (zones) => {
        const lifecycle = lifecycleOf(zones);
        const [region] = lifecycle.regions;
        if (region === undefined) throw new Error("there is one zone");
        const ways = waysToSafety(lifecycle, region);
        expect(new Map([...ways].map(([id, { ms }]) => [id, ms]))).toEqual(slowDistances(lifecycle));
      }),
      { numRuns: 300 },
    );
  });

  test("begins with the transition that it names", () => {
    fc.assert(
      fc.property(drafts(1, 6), (zones) => {
        const lifecycle = lifecycleOf(zones);
        const [region] = lifecycle.regions;
        if (region === undefined) throw new Error("there is one zone");
        const ways = waysToSafety(lifecycle, region);
        for (const { id, transitions } of lifecycle.phases) {
          const way = ways.get(id);
          const first = way?.exit === undefined ? undefined : transitions[way.exit];
          if (way === undefined || first === undefined) continue;
          expect(way.ms).toBe(exitMs(lifecycle, first) + (ways.get(first.to)?.ms ?? Number.NaN));
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** Every phase's distance, improved over all transitions as often as there are phases. */
function slowDistances(lifecycle: Lifecycle): Map<PhaseId, number> {
  const safe = new Set(lifecycle.regions.map((region) => region.safe?.phase));
  const found = new Map(lifecycle.phases.filter(({ id }) => safe.has(id)).map(({ id }) => [id, 0]));
  for (const _ of lifecycle.phases) {
    for (const { id, transitions } of lifecycle.phases) {
      for (const way of transitions) {
        const onward = found.get(way.to);
        if (onward === undefined) continue;
        found.set(id, Math.min(found.get(id) ?? Number.POSITIVE_INFINITY, onward + exitMs(lifecycle, way)));
      }
    }
  }
  return found;
}

describe("zones that take each other along", () => {
  test.each([
    { zones: 2, phases: 4 },
    { zones: 3, phases: 3 },
  ])(
    "$zones zones of $phases phases: all are safe together exactly where every position says so",
    ({ zones, phases }) => {
      const answers = { together: 0, apart: 0 };
      fc.assert(
        fc.property(drafts(zones, phases), (draft) => {
          const lifecycle = lifecycleOf(draft);
          const lost = slowLost(lifecycle);
          if (lost === "not alone") return;
          answers[lost ? "apart" : "together"] += 1;
          const said = zonesAreSafeTogether({ plant: PLANT, lifecycle });
          expect(said.map((each) => ("code" in each ? each.code : "fact"))).toEqual(lost ? ["SAFE_NOT_TOGETHER"] : []);
        }),
        { numRuns: 2000, seed: 7 },
      );
      expect(Math.min(answers.together, answers.apart), JSON.stringify(answers)).toBeGreaterThan(3);
    },
  );

  test("more positions than can be looked at are said to be so", () => {
    const phases = 70;
    const zone = (own: number) =>
      Array.from({ length: phases }, (_, phase): readonly Draft[] => [
        // A chain, so that no two phases have the same ways out.
        { to: Math.max(0, phase - 1), ms: 1, along: phase === 1 ? [[(own + 1) % 3, 0]] : [] },
      ]);
    const lifecycle = lifecycleOf([zone(0), zone(1), zone(2)]);
    expect(phases ** 3).toBeGreaterThan(MAX_JOINT_STATES);
    expect(zonesAreSafeTogether({ plant: PLANT, lifecycle })).toMatchObject([
      { guarantee: "G1", fact: expect.stringContaining(`have ${phases ** 3} positions together`) },
    ]);
  });

  test("phases with the same ways out are looked at as one", () => {
    const many = Array.from({ length: 600 }, (): readonly Draft[] => [{ to: 0, ms: 1, along: [[1, 0]] }]);
    const few: readonly (readonly Draft[])[] = [[{ to: 0, ms: 1, along: [] }], [{ to: 0, ms: 1, along: [] }]];
    expect(zonesAreSafeTogether({ plant: PLANT, lifecycle: lifecycleOf([many, few, many]) })).toEqual([]);
  });
});

/** Whether some position that can be come to has no way to all safe phases at once; every position is a text. */
function slowLost({ phases, regions }: Lifecycle): boolean | "not alone" {
  const byId = new Map(phases.map((phase) => [phase.id, phase]));
  const coupled = new Set(
    phases.flatMap(({ zone, transitions }) => (transitions.some((t) => t.with.length > 0) ? [zone] : [])),
  );
  if (coupled.size === 0) return "not alone";
  const own = (state: readonly PhaseId[]) =>
    state.flatMap((id, zone) =>
      (byId.get(id)?.transitions ?? []).map(({ to, with: along }) => {
        const next = state.with(zone, to);
        for (const other of along) next[regions.findIndex((region) => region.zone === byId.get(other)?.zone)] = other;
        return next;
      }),
    );
  const isolated = (state: readonly PhaseId[]) => regions.map((region, zone) => state.with(zone, region.isolated));
  const reach = (start: readonly PhaseId[], next: (state: readonly PhaseId[]) => readonly PhaseId[][]) => {
    const found = new Map([[start.join(), start]]);
    for (const [, state] of found) for (const to of next(state)) found.set(to.join(), to);
    return found;
  };
  const safe = regions.map(({ initial }) => initial).join();
  for (const region of regions) {
    for (const { id, zone } of phases) {
      if (zone !== region.zone) continue;
      const alone = new Set([id]);
      for (const at of alone) for (const { to } of byId.get(at)?.transitions ?? []) alone.add(to);
      if (!alone.has(region.initial)) return "not alone";
    }
  }
  const begin = regions.map(({ initial }) => initial);
  return [...reach(begin, (state) => [...own(state), ...isolated(state)]).values()].some(
    (state) => !reach(state, own).has(safe),
  );
}

describe("the checker's places and moves are the machine's", () => {
  test.each(["mixer", "line", "water-treatment", "boiler"] as const)("%s", (name) => {
    const spec = name === "mixer" || name === "line" ? loadSound(name) : loaded(name);
    const { lifecycle } = spec;
    const machine = toMachine(lifecycle);
    const space = spaceOf(spec);
    const along = new Set(lifecycle.phases.flatMap(({ transitions }) => transitions.flatMap((way) => way.with)));
    for (const { index, phase, step } of space.places) {
      const at = step === undefined ? initialPosition(phase) : { phase: phase.id, steps: [step.id] };
      const events = [
        ...exitsOf(lifecycle, phase.id).map(({ event }) => event),
        ...(step?.next ?? []).map((_, n) => stepEvent(lifecycle, phase.zone, n)),
      ];
      const taken = events.flatMap((type) => {
        const next = nextPosition(machine, at, { type });
        return next.ok ? [`${next.value.phase}/${next.value.steps.join()}`] : [`nothing answers ${type}`];
      });
      const moves = (space.moves[index] ?? []).flatMap(({ to, kind }) => {
        const place = space.places[to];
        return kind !== "own" || place === undefined ? [] : [`${place.phase.id}/${place.step?.id ?? ""}`];
      });
      const forced = [...along].map((id) => `${id}/${initialPosition(phaseOf(lifecycle, id)).steps.join()}`);
      expect(
        taken.filter((place) => !moves.includes(place)),
        phase.id,
      ).toEqual([]);
      expect(
        moves.filter((place) => !taken.includes(place) && !forced.includes(place)),
        phase.id,
      ).toEqual([]);
    }
  });
});

function phaseOf(lifecycle: Lifecycle, id: PhaseId): Phase {
  const found = lifecycle.phases.find((phase) => phase.id === id);
  if (found === undefined) throw new Error(`there is no phase \`${id}\``);
  return found;
}
