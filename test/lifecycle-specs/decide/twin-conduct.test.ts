import { describe, expect, test } from "vitest";
import { decide, judge, type Permitted, permit, resolve } from "#specs/decide/decide.ts";
import { commit, createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation, Outcome } from "#specs/decide/observation.ts";
import { REASONS } from "#specs/decide/reasons.ts";
import { OPERATIONS } from "#specs/lifecycle.ts";
import { between, type Draw, pick, seededDraw, times } from "../../support/random-plant-draw.ts";
import { Asker, type Timed } from "../../support/random-plant-questions.ts";
import { LAYERS, randomWorld, type World } from "./twin-world.ts";

const PLANTS = 40;
const EVENTS = 150;
const OUTCOMES: readonly Outcome[] = ["forwarded", "answered-ok", "answered-error", "denied"];
/** Names that are keys of every object, and others that no plant has. */
const FOREIGN = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "",
  " ",
  "\u0000",
  "é".repeat(300),
  "a/../b",
];
const NUMBERS = [Number.NaN, Infinity, -Infinity, -0, 1e308, -1e308, 5e-324, 2 ** 53, -1, 0.1 + 0.2];

describe.each(LAYERS)("decide at layer %s", { timeout: 60_000 }, (layer) => {
  test("changes nothing that it is given", () => {
    for (const { world, events } of runs(layer)) {
      deepFreeze(world.plant);
      deepFreeze(world.lifecycle);
      const tables = world.tables[layer];
      const made = structuredClone(tables);
      const history = createHistory(tables);
      let by = permit(tables, { kind: "none" });
      let nowMs = 0;
      for (const { pauseMs, event } of events) {
        nowMs += pauseMs;
        if (event.act === "see") observeTag(history, event.tag, event.value, nowMs);
        if (event.act === "stand") by = deepFreeze(permit(tables, deepFreeze(event.permitted)));
        if (event.act !== "ask") continue;
        const observation = deepFreeze(event.observation);
        const before = remembered(history);
        const id = decide(tables, by, observation, history, nowMs);
        const verdict = resolve(tables, by, observation, history, nowMs, id);
        expect(remembered(history).equals(before)).toBe(true);
        expect(decide(tables, by, observation, history, nowMs)).toBe(id);
        commit(history, observation, verdict, event.outcome, nowMs);
      }
      expect(tables).toEqual(made);
    }
  });

  test("answers whatever it is asked, and never throws", () => {
    const draw = seededDraw(1);
    for (const { world, events } of runs(layer)) {
      const tables = world.tables[layer];
      const history = createHistory(tables);
      let fair: Permitted = { kind: "none" };
      for (const { event } of events) {
        const nowMs = pick(draw, [...NUMBERS, 0, 1000]);
        if (event.act === "stand") fair = event.permitted;
        if (event.act === "see") observeTag(history, event.tag, pick(draw, NUMBERS), nowMs);
        if (event.act !== "ask") continue;
        const observation = hostileObservation(draw, event.observation);
        const verdict = judge(tables, hostilePermitted(draw, fair), observation, history, nowMs);
        if (verdict.verdict === "deny") {
          expect(Object.keys(REASONS)).toContain(verdict.reason);
          expect(verdict.reason).not.toBe("INTERNAL");
          expect(verdict.says).not.toMatch(/undefined|\[object|\n/);
        }
        commit(history, observation, verdict, pick(draw, OUTCOMES), nowMs);
      }
    }
  });

  test("a question that is none is a deny that says so", () => {
    for (const { world } of runs(layer)) {
      const [link] = world.plant.links;
      const broken = { source: link?.client, target: link?.server, link: link?.id, operation: "write", items: null };
      const tables = world.tables[layer];
      const verdict = judge(tables, { kind: "none" }, asObservation(broken), createHistory(tables), 0);
      expect(verdict).toMatchObject({
        verdict: "deny",
        reason: "INTERNAL",
        rule: undefined,
        item: -1,
        mode: "enforce",
      });
      expect(verdict).toHaveProperty("says", expect.stringMatching(/^the decision itself failed: ./));
    }
  });

  test("its memory has one size, however much it has seen", () => {
    for (const { world, events } of runs(layer).slice(0, 5)) {
      const tables = world.tables[layer];
      const history = createHistory(tables);
      const size = bytesOf(history);
      let nowMs = 0;
      for (let round = 0; round < 50; round += 1) {
        let permitted: Permitted = { kind: "none" };
        for (const { pauseMs, event } of events) {
          nowMs += pauseMs;
          if (event.act === "see") observeTag(history, event.tag, event.value, nowMs);
          if (event.act === "stand") permitted = event.permitted;
          if (event.act !== "ask") continue;
          const verdict = judge(tables, permitted, event.observation, history, nowMs);
          for (const outcome of OUTCOMES) commit(history, event.observation, verdict, outcome, nowMs);
        }
      }
      expect(bytesOf(history)).toBe(size);
    }
  });
});

interface Run {
  readonly world: World;
  readonly events: readonly Timed[];
}

/** Plants and events, the events asked as if nothing had happened before. */
function runs(layer: Layer): readonly Run[] {
  return times(PLANTS, (seed) => {
    const draw = seededDraw(seed);
    const world = randomWorld(draw);
    const asker = new Asker(draw, world.plant, world.lifecycle, layer);
    const begin: Timed = { pauseMs: 0, event: { act: "stand", permitted: asker.stand(draw) } };
    const nothing = { nowMs: 0, permitted: { kind: "none" }, events: [], last: new Map() } as const;
    return { world, events: [begin, ...times(EVENTS, () => asker.next(draw, nothing))] };
  });
}

/** Everything of a history but its tables, which are compared by themselves: arrays of numbers, as bytes. */
function remembered({ tables: _, ...rest }: History): Buffer {
  return Buffer.concat(Object.values(rest).map((array) => Buffer.from(array.buffer)));
}

function bytesOf(history: History): number {
  return remembered(history).length;
}

/** Typed arrays cannot be frozen; those of a history are compared instead. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}

/** Parts of a fair question, parts that nobody declared, and numbers that none should send. */
function hostileObservation(draw: Draw, known: Observation): Observation {
  const name = (fair: unknown) => pick(draw, [fair, fair, pick(draw, FOREIGN), undefined]);
  return asObservation({
    ...known,
    source: pick(draw, [name(known.source), "program"]),
    target: name(known.target) ?? "",
    link: name(known.link),
    operation: pick(draw, [known.operation, pick(draw, OPERATIONS), pick(draw, FOREIGN)]),
    items: times(between(draw, 0, 3), () => ({
      tag: name(known.items[0]?.tag),
      address: pick(draw, FOREIGN),
      value: pick(draw, [...NUMBERS, undefined]),
    })),
    raw: name(known.raw),
    bytes: pick(draw, [...NUMBERS, undefined]),
  });
}

function hostilePermitted(draw: Draw, fair: Permitted): Permitted {
  const position = { phase: pick(draw, FOREIGN), steps: [pick(draw, FOREIGN)] };
  const made: unknown = pick(draw, [
    fair,
    fair,
    fair,
    { kind: "phase", position },
    { kind: "window", old: position, new: position, window: FOREIGN },
    { kind: "none" },
  ]);
  return made as Permitted;
}

/** What a caller would hand over that never met the constructors of names. */
function asObservation(made: unknown): Observation {
  return made as Observation;
}
