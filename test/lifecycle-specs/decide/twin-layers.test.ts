import { describe, expect, test } from "vitest";
import { judge, type Permitted } from "#specs/decide/decide.ts";
import { commit, createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Layer, Observation, Verdict } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { TagId } from "#specs/ids.ts";
import { between, type Draw, seededDraw } from "../../support/random-plant-draw.ts";
import { Asker, type Event } from "../../support/random-plant-questions.ts";
import { LAYERS, randomWorld, type World } from "./twin-world.ts";

const PLANTS = 400;
const RUNS_PER_PLANT = 4;
const EVENTS_PER_RUN = 150;
/** Messages that passed the upper and were asked of the lower layer. */
const LEAST_COMPARED = 2000;

/** Reasons that are measured in time, and those that follow from having seen things in another order. */
const OF_TIME: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  ...(["RAMP_TOO_FAST", "STALE", "TOO_OFTEN", "TOO_EARLY", "RATE_LIMITED", "TOO_CLOSE"] as const),
  ...(["CAUSE_MISSING", "CAUSE_UNKNOWN", "CAUSE_AGAINST", "CAUSE_AGAINST_UNKNOWN"] as const),
  ...(["ORDER_MISSING", "ORDER_USED"] as const),
]);

describe("what one layer lets through in time, the next one down does too", { timeout: 60_000 }, () => {
  test.each([
    ["hmi", "switch"],
    ["switch", "plc"],
    ["hmi", "plc"],
  ] as const)("%s, then %s", (upper, lower) => {
    let compared = 0;
    for (let seed = 0; seed < PLANTS; seed += 1) {
      const draw = seededDraw(seed);
      const world = randomWorld(draw);
      for (let run = 0; run < RUNS_PER_PLANT; run += 1) {
        const done = new Descent(world, upper, lower, run % 2 === 0).run(draw, EVENTS_PER_RUN);
        expect(done.refused, `seed ${seed}, run ${run}`).toEqual([]);
        compared += done.compared;
      }
    }
    expect(compared).toBeGreaterThan(LEAST_COMPARED);
  });
});

/**
 * One run seen by two layers in the same order. The lower one sees messages later, and answers and readings earlier, by up to the
 * skew for each layer between.
 */
class Descent {
  readonly #world: World;
  readonly #upper: History;
  readonly #lower: History;
  readonly #delayMs: number;
  /** Answers come at once, as in a PLC, where a change that is let through is its own answer. */
  readonly #prompt: boolean;
  readonly #waiting: { readonly observation: Observation; readonly upper: Verdict; readonly lower: Verdict }[] = [];
  readonly #last = new Map<TagId, { readonly value: number; readonly sinceMs: number }>();
  readonly #events: number[] = [];
  #upperMs = 0;
  #lowerMs = 0;

  constructor(world: World, upper: Layer, lower: Layer, prompt: boolean) {
    this.#world = world;
    this.#prompt = prompt || lower === "plc";
    this.#upper = createHistory(world.tables[upper]);
    this.#lower = createHistory(world.tables[lower]);
    this.#delayMs = (LAYERS.indexOf(lower) - LAYERS.indexOf(upper)) * world.lifecycle.skewMs;
  }

  run(draw: Draw, length: number): { readonly compared: number; readonly refused: readonly Verdict[] } {
    const asker = new Asker(draw, this.#world.plant, this.#world.lifecycle, this.#upper.tables.layer);
    let permitted = asker.stand(draw);
    const refused: Verdict[] = [];
    let compared = 0;
    for (let n = 0; n < length && refused.length === 0; n += 1) {
      const situation = { nowMs: this.#upperMs, permitted, events: this.#events, last: this.#last };
      const { pauseMs, event } = asker.next(draw, situation);
      this.#upperMs += pauseMs;
      const offsetMs = between(draw, 0, this.#delayMs) * (event.act === "ask" ? 1 : -1);
      this.#lowerMs = Math.max(this.#lowerMs, this.#upperMs + offsetMs);
      if (event.act === "stand") permitted = event.permitted;
      const lower = this.#happens(event, permitted);
      if (lower === undefined) continue;
      compared += 1;
      if (lower.verdict === "deny" && this.#isForTime(lower.reason)) refused.push(lower);
    }
    return { compared, refused };
  }

  /** @returns the lower layer's verdict on a message that the upper one let through */
  #happens(event: Event, permitted: Permitted): Verdict | undefined {
    switch (event.act) {
      case "see":
        observeTag(this.#upper, event.tag, event.value, this.#upperMs);
        observeTag(this.#lower, event.tag, event.value, this.#lowerMs);
        this.#last.set(event.tag, { value: event.value, sinceMs: this.#upperMs });
        this.#happened();
        return undefined;
      case "ask":
        return this.#isByOneRule(event.observation) ? this.#ask(event.observation, permitted) : undefined;
      case "answer": {
        const answered = this.#waiting.pop();
        if (answered === undefined) return undefined;
        commit(this.#upper, answered.observation, answered.upper, event.outcome, this.#upperMs);
        commit(this.#lower, answered.observation, answered.lower, event.outcome, this.#lowerMs);
        this.#happened();
        return undefined;
      }
      case "stand":
        return undefined;
      default:
        return event satisfies never;
    }
  }

  #ask(observation: Observation, permitted: Permitted): Verdict | undefined {
    const upper = judge(this.#upper.tables, permitted, observation, this.#upper, this.#upperMs);
    if (upper.verdict === "deny") return undefined;
    const lower = judge(this.#lower.tables, permitted, observation, this.#lower, this.#lowerMs);
    commit(this.#upper, observation, upper, "forwarded", this.#upperMs);
    commit(this.#lower, observation, lower, "forwarded", this.#lowerMs);
    if (this.#prompt) {
      commit(this.#upper, observation, upper, "answered-ok", this.#upperMs);
      commit(this.#lower, observation, lower, "answered-ok", this.#lowerMs);
    } else {
      this.#waiting.push({ observation, upper, lower });
    }
    this.#happened();
    return lower;
  }

  /** A late answer is a late change: seen so by one layer only, it shortens the time that a ramp has. */
  #isForTime(reason: ReasonCode): boolean {
    return OF_TIME.has(reason) && (this.#prompt || reason !== "RAMP_TOO_FAST");
  }

  /**
   * Where several rules fit, two layers may count one message for two of them. In a PLC only writes are judged; reports go the other way.
   * Roles are judged at the switch alone, whatever the HMI layer lets through.
   */
  #isByOneRule({ operation, items, target, role = "" }: Observation): boolean {
    if (operation === "report" || (operation !== "write" && this.#lower.tables.layer === "plc")) return false;
    const rules = this.#world.places.everyRule.filter((rule) => rule.operation === operation);
    const byTag = items.map(({ tag }) => rules.filter(({ tags }) => tags.some((id) => id === tag)));
    const fitting = items.length > 0 ? byTag : [rules.filter(({ targets }) => targets.includes(target))];
    return fitting.every(([rule, ...more]) => more.length === 0 && rule?.roles?.includes(role) !== false && rule);
  }

  #happened(): void {
    this.#events.push(this.#upperMs);
    if (this.#events.length > 6) this.#events.shift();
  }
}
