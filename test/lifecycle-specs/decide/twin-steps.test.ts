import { describe, expect, test } from "vitest";
import { createHistory, observeTag } from "#specs/decide/history.ts";
import type { Layer } from "#specs/decide/observation.ts";
import { PhaseId, RuleId, StepId, type TagId } from "#specs/ids.ts";
import { StepTracker } from "#specs/steps.ts";
import { chance, type Draw, pick, seededDraw, some } from "../../support/random-plant-draw.ts";
import { randomPause, windowsOf } from "../../support/random-plant-times.ts";
import { randomValue, valuesOf } from "../../support/random-plant-values.ts";
import { TwinLog } from "./twin-log.ts";
import { TwinSteps } from "./twin-steps.ts";
import { LAYERS, randomWorld, type World } from "./twin-world.ts";

const PLANTS = Math.min(400, Number(process.env["SEKISHO_TWIN_DECISIONS"] ?? 1_000_000) / 60);
const EVENTS = 150;

describe.each(LAYERS)("the possible steps and their slow twin at layer %s", { timeout: 60_000 }, (layer) => {
  test("are the same after whatever was seen, sent and told", () => {
    let changes = 0;
    for (let seed = 0; seed < PLANTS; seed += 1) {
      const draw = seededDraw(seed);
      changes += run(randomWorld(draw), layer, draw, `seed ${seed}`);
    }
    expect(changes).toBeGreaterThan(PLANTS);
  });
});

/** @returns how often the set changed within a phase */
function run(world: World, layer: Layer, draw: Draw, name: string): number {
  const { plant, lifecycle, places } = world;
  const history = createHistory(world.tables[layer]);
  const log = new TwinLog(plant, lifecycle, layer);
  const core = new StepTracker(world.tables[layer]);
  const twin = new TwinSteps(lifecycle, layer, log);
  const stepped = lifecycle.phases.filter(({ steps }) => steps.length > 0);
  const phases = [...(stepped.length > 0 ? stepped : lifecycle.phases).map(({ id }) => id)];
  const values = valuesOf(lifecycle);
  const windows = [...windowsOf(lifecycle, layer), 500, 3000, 60_000];
  const events: number[] = [0];
  let nowMs = 0;
  let changes = 0;
  const act = (): readonly [boolean, boolean] => {
    const dice = draw.below(20);
    const steps = some(draw, [...(stepsOf(world, twin) ?? []), StepId("nowhere")], 40);
    if (dice < 8) {
      const tag = pick(draw, plant.tags);
      const value = randomValue(draw, tag, undefined, { nowMs, last: new Map<TagId, never>() }, values);
      observeTag(history, tag.id, value, nowMs);
      log.see(tag.id, value, nowMs);
      return [core.observe(history, nowMs), twin.observe(nowMs)];
    }
    if (dice < 12) return [core.observe(history, nowMs), twin.observe(nowMs)];
    if (dice < 16) {
      const rule = pick(draw, [...places.everyRule.map(({ id }) => id), RuleId("nowhere")]);
      const outcome = pick(draw, ["forwarded", "answered-ok"] as const);
      return [core.command(rule, outcome, nowMs), twin.command(rule, outcome, nowMs)];
    }
    if (dice < 18) return [core.record(steps, nowMs), twin.record(steps, nowMs)];
    const phase = chance(draw, 95) ? pick(draw, phases) : PhaseId("nowhere");
    const given = chance(draw, 50) ? undefined : steps;
    return [core.enter(phase, given, nowMs), twin.enter(phase, given, nowMs)];
  };
  for (let n = 0; n < EVENTS; n += 1) {
    nowMs += randomPause(draw, windows, { nowMs, events });
    const before = core.position?.phase;
    const [ofCore, ofTwin] = act();
    const seen = { changed: ofCore, position: core.position, sinceMs: core.sinceMs, late: core.overstayed(nowMs) };
    const want = { changed: ofTwin, position: twin.position, sinceMs: twin.sinceMs, late: twin.overstayed(nowMs) };
    if (JSON.stringify(seen) !== JSON.stringify(want)) expect(seen, `${name}, event ${n}`).toEqual(want);
    if (ofCore) {
      changes += before === core.position?.phase ? 1 : 0;
      events.push(nowMs);
      if (events.length > 6) events.shift();
    }
  }
  return changes;
}

function stepsOf({ lifecycle }: World, { position }: TwinSteps): readonly StepId[] | undefined {
  return lifecycle.phases.find(({ id }) => id === position?.phase)?.steps.map(({ id }) => id);
}
