import type { Layer, Verdict } from "#specs/decide/observation.ts";
import type { Permitted } from "#specs/decide/permit.ts";
import { type Draw, seededDraw } from "../../support/random-plant-draw.ts";
import { Asker, type Timed } from "../../support/random-plant-questions.ts";
import { type Disagreement, Pair } from "./twin-pair.ts";
import { LAYERS, randomWorld, type World } from "./twin-world.ts";

/** Runs at each layer of one random plant, and events in each. */
const RUNS_PER_LAYER = 2;
const EVENTS_PER_RUN = 120;

/** How often each verdict was given: `allow`, `allow, beyond its rate`, or the reason of a deny. */
export type Counts = Map<string, number>;

export interface Failed {
  readonly world: World;
  readonly layer: Layer;
  readonly begin: Permitted;
  readonly events: readonly Timed[];
  readonly disagreement: Disagreement;
}

/**
 * Compares core and twin on random plants, one seed each, until so many decisions are compared.
 *
 * @returns how many were compared
 * @throws Error: they parted; the message says how to see it again, and the shortest run that shows it
 */
export function compareMany(seed: number, decisions: number, counts: Counts): { decisions: number; plants: number } {
  let compared = 0;
  let plants = 0;
  while (compared < decisions) {
    const ofPlant = seed + plants;
    const draw = seededDraw(ofPlant);
    compared += compareWorld(randomWorld(draw), draw, counts, `seed ${ofPlant}`);
    plants += 1;
  }
  return { decisions: compared, plants };
}

/**
 * Compares core and twin on one plant, at each layer.
 *
 * @param name how to see a failure again
 * @returns how many decisions were compared
 * @throws Error: they parted
 */
export function compareWorld(world: World, draw: Draw, counts: Counts, name: string): number {
  const before = total(counts);
  for (const layer of LAYERS) {
    for (let run = 0; run < RUNS_PER_LAYER; run += 1) {
      const failed = compareOnce(world, layer, draw, () => draw, EVENTS_PER_RUN, counts);
      if (failed !== undefined) throw new Error(`${name}: ${inWords(shortest(failed))}`);
    }
  }
  return total(counts) - before;
}

/** One run at one layer. @param choices where the n-th event takes its choices from */
export function compareOnce(
  world: World,
  layer: Layer,
  draw: Draw,
  choices: (n: number) => Draw,
  length: number,
  counts: Counts,
): Failed | undefined {
  const asker = new Asker(draw, world.plant, world.lifecycle, layer);
  const begin = asker.stand(draw);
  const pair = new Pair(world, layer, begin);
  const events: Timed[] = [];
  for (let n = 0; n < length; n += 1) {
    const event = asker.next(choices(n), pair.situation);
    events.push(event);
    const disagreement = pair.apply(event);
    if (disagreement !== undefined) return { world, layer, begin, events, disagreement };
    if (pair.verdict !== undefined) count(counts, pair.verdict);
  }
  return undefined;
}

/** Leaves out every event that the disagreement does not need. */
export function shortest(failed: Failed): Failed {
  let best = failed;
  for (let index = best.events.length - 1; index >= 0; index -= 1) {
    const shorter = replay({ ...best, events: best.events.toSpliced(index, 1) });
    if (shorter !== undefined) best = shorter;
    index = Math.min(index, best.events.length);
  }
  return best;
}

function replay({ world, layer, begin, events }: Failed): Failed | undefined {
  const pair = new Pair(world, layer, begin);
  for (const [index, event] of events.entries()) {
    const disagreement = pair.apply(event);
    if (disagreement !== undefined) return { world, layer, begin, events: events.slice(0, index + 1), disagreement };
  }
  return undefined;
}

export function inWords({ world, layer, begin, events, disagreement }: Failed): string {
  const { core, twin, permitted, observation, nowMs, says } = disagreement;
  const rules = world.places.everyRule.filter(({ operation }) => operation === observation?.operation);
  const lines = [
    `core and twin part at layer ${layer}, ${nowMs} plant ms (skew ${world.lifecycle.skewMs} ms)`,
    `core: ${JSON.stringify(core)} ${says}`,
    `twin: ${JSON.stringify(twin)}`,
    `permitted: ${JSON.stringify(permitted)}`,
    `asked: ${JSON.stringify(observation ?? "what is remembered")}`,
    `begun: ${JSON.stringify(begin)}`,
    ...events.map(({ pauseMs, event }) => `+${pauseMs} ms ${JSON.stringify(event)}`),
    ...rules.map((rule) => `rule ${JSON.stringify(rule)}`),
  ];
  return lines.join("\n");
}

function count(counts: Counts, verdict: Verdict): void {
  const allowed = (excess: true | undefined) => (excess === true ? "allow, beyond its rate" : "allow");
  const key = verdict.verdict === "allow" ? allowed(verdict.excess) : verdict.reason;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export function total(counts: Counts): number {
  return [...counts.values()].reduce((sum, n) => sum + n, 0);
}

/** The verdicts and how often each was given, the commonest first. */
export function table(counts: Counts): string {
  const all = total(counts);
  const rows = [...counts].sort(([, a], [, b]) => b - a);
  const line = ([name, n]: readonly [string, number]) =>
    `${name.padEnd(24)} ${String(n).padStart(10)} ${((100 * n) / all).toFixed(2).padStart(7)} %`;
  return [...rows, ["all", all] as const].map(line).join("\n");
}
