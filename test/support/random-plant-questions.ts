import type { Layer, Observation, ObservedItem, Position } from "#specs/decide/observation.ts";
import type { Permitted } from "#specs/decide/permit.ts";
import { DeviceId, LinkId, PhaseId, RawId, TagId } from "#specs/ids.ts";
import {
  type Comparison,
  type Lifecycle,
  OPERATIONS,
  type Operation,
  type Phase,
  type Rule,
} from "#specs/lifecycle.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import { allRules } from "#specs/positions.ts";
import { between, chance, type Draw, pick, some, times } from "./random-plant-draw.ts";
import { randomMessage } from "./random-plant-forms.ts";
import { randomPause, type Windows, windowsOf } from "./random-plant-times.ts";
import { allowedBy, randomValue, type Values, valuesOf } from "./random-plant-values.ts";

/** What happens next at one layer. */
export type Event =
  | { readonly act: "see"; readonly tag: TagId; readonly value: number }
  | { readonly act: "stand"; readonly permitted: Permitted }
  | { readonly act: "ask"; readonly observation: Observation; readonly outcome: "forwarded" | "denied" }
  /** The latest forwarded message that has no answer yet is answered. */
  | { readonly act: "answer"; readonly outcome: "answered-ok" | "answered-error" };

/** An event some plant ms after the one before. */
export interface Timed {
  readonly pauseMs: number;
  readonly event: Event;
}

/** What the asker knows of the run so far, to ask close to where answers change. */
export interface Situation {
  readonly nowMs: number;
  readonly permitted: Permitted;
  /** Times of the latest events, plant ms. */
  readonly events: readonly number[];
  readonly last: ReadonlyMap<TagId, { readonly value: number; readonly sinceMs: number }>;
}

/**
 * Asks about a random plant. Blind chance would be denied at the first hurdle nearly always; the asker therefore mostly picks a
 * rule, asks what the rule is about with values and at times near its bounds, and in part of the runs stays with one rule.
 */
export class Asker {
  readonly #plant: Plant;
  readonly #lifecycle: Lifecycle;
  readonly #rules: readonly Rule[];
  readonly #windows: Windows;
  readonly #values: Values;
  /** Rules that this run stays with; empty: it wanders. */
  readonly #focus: readonly Rule[];
  /** This run does what its rules want, so that it gets as far as their order and their rates. */
  readonly #keen: boolean;

  constructor(draw: Draw, plant: Plant, lifecycle: Lifecycle, layer: Layer) {
    this.#plant = plant;
    this.#lifecycle = lifecycle;
    const every = allRules(lifecycle);
    const judged = every.filter(({ operation }) => isJudged(layer, operation));
    this.#rules = judged.length > 0 ? judged : every;
    this.#windows = windowsOf(lifecycle, layer);
    this.#values = valuesOf(lifecycle);
    const ordered = this.#rules.filter(
      ({ causality }) => causality?.follows !== undefined || causality?.apart !== undefined,
    );
    const chosen = chance(draw, 75) ? [pick(draw, chance(draw, 30) && ordered.length > 0 ? ordered : this.#rules)] : [];
    this.#keen = chosen.length > 0 && chance(draw, 40);
    this.#focus = [...chosen, ...chosen.flatMap((rule) => referredBy(rule, this.#rules))];
  }

  next(draw: Draw, situation: Situation): Timed {
    const pauseMs = this.#keen && chance(draw, 50) ? 0 : randomPause(draw, this.#windows, situation);
    const event = this.#event(draw, { ...situation, nowMs: situation.nowMs + pauseMs });
    return { pauseMs, event };
  }

  #event(draw: Draw, situation: Situation): Event {
    const dice = draw.below(20);
    if (dice < 12) return this.#ask(draw, situation);
    if (dice < 16) return this.#see(draw, situation);
    if (dice < 19) return { act: "answer", outcome: chance(draw, 15) ? "answered-error" : "answered-ok" };
    return { act: "stand", permitted: this.stand(draw) };
  }

  /** What a layer may go by: mostly a phase that it has, in a run that stays with a rule one where the rule stands. */
  stand(draw: Draw): Permitted {
    const dice = draw.below(20);
    if (dice < 14) return { kind: "phase", position: this.#position(draw) };
    if (dice === 19 && chance(draw, 40)) return { kind: "none" };
    const window = some(draw, this.#rules, 20).map(({ id }) => id);
    const judged = pick(draw, [{}, { judgedBy: "both" }, { judgedBy: "either" }] as const);
    return { kind: "window", old: this.#position(draw), new: this.#position(draw), window, ...judged };
  }

  #position(draw: Draw): Position {
    if (draw.below(80) === 79) return { phase: PhaseId("constructor"), steps: [] };
    const [focus] = this.#focus;
    const standing = this.#lifecycle.phases.filter((phase) => focus !== undefined && standsIn(focus, phase));
    const phase = pick(draw, standing.length > 0 && chance(draw, 80) ? standing : this.#lifecycle.phases);
    const ids = phase.steps.map(({ id }) => id);
    const there = phase.steps.filter(({ rules }) => rules.some((rule) => rule === focus)).map(({ id }) => id);
    const steps = there.length > 0 && chance(draw, 70) ? there : some(draw, ids, 40);
    return { phase: phase.id, steps };
  }

  #see(draw: Draw, situation: Situation): Event {
    const { after, notWhile } = (this.#keen ? this.#focus : []).find(({ causality }) => causality)?.causality ?? {};
    if (after !== undefined && chance(draw, 40)) return { act: "see", ...fulfilling(pick(draw, after.all)) };
    if (notWhile !== undefined && chance(draw, 40)) return { act: "see", ...against(pick(draw, notWhile.all)) };
    const wanted = this.#focus.flatMap(({ tags, causality }) => [
      ...tags,
      ...[causality?.after, causality?.notWhile].flatMap((condition) => condition?.all.map(({ tag }) => tag) ?? []),
    ]);
    const about = this.#plant.tags.filter(({ id }) => wanted.includes(id));
    const tag = pick(draw, about.length > 0 && chance(draw, 80) ? about : this.#plant.tags);
    return { act: "see", tag: tag.id, value: randomValue(draw, tag, undefined, situation, this.#values) };
  }

  #ask(draw: Draw, situation: Situation): Event {
    const wander = this.#focus.length === 0 || chance(draw, this.#keen ? 5 : 25);
    const observation = chance(draw, this.#keen ? 1 : 5)
      ? this.#anything(draw, situation)
      : this.#about(draw, pick(draw, wander ? this.#rules : this.#focus), situation);
    return { act: "ask", observation, outcome: chance(draw, 10) ? "denied" : "forwarded" };
  }

  /** What the rule is about, by somebody who mostly may. */
  #about(draw: Draw, rule: Rule, situation: Situation): Observation {
    const { operation } = rule;
    const devices = this.#plant.devices.map(({ id }) => id);
    const source = chance(draw, 6) ? pick(draw, [...devices, undefined]) : this.#asking(draw, rule);
    const count = chance(draw, 15) ? draw.below(4) : 1;
    const tags = this.#plant.tags.filter(({ id }) => rule.tags.includes(id));
    const first = tags.length === 0 ? undefined : pick(draw, tags);
    const device = first?.device;
    const items =
      first === undefined
        ? []
        : times(count, (n) => {
            const same = tags.filter((tag) => tag.device === device);
            return this.#item(draw, n === 0 ? first : pick(draw, same), rule, situation);
          });
    const server = device ?? pick(draw, rule.targets);
    const ends =
      operation === "report" ? { source: device, target: pick(draw, rule.targets) } : { source, target: server };
    return this.#observation(draw, operation, ends.source, ends.target, items, rule);
  }

  /** One who may and has a link to some target, where there is one. */
  #asking(draw: Draw, { from, targets }: Rule): Observation["source"] {
    const linked = from.filter((id) => this.#plant.links.some((l) => l.client === id && targets.includes(l.server)));
    return pick(draw, linked.length > 0 ? linked : from);
  }

  #item(draw: Draw, tag: Tag, rule: Rule, situation: Situation): ObservedItem {
    if (draw.below(60) === 59) return { tag: pick(draw, [undefined, TagId("constructor")]), address: "", value: 1 };
    const silent = rule.operation === "read" || rule.operation === "subscribe" || tag.kind === "method";
    const undecoded = draw.below(40) === 39;
    const random = this.#keen && chance(draw, 70) ? allowedBy : randomValue;
    const value = silent || undecoded ? undefined : random(draw, tag, rule, situation, this.#values);
    return { tag: tag.id, address: "somewhere", value };
  }

  /** Any two devices, any operation, any tags, and now and then names that nobody declared. */
  #anything(draw: Draw, situation: Situation): Observation {
    const devices = this.#plant.devices.map(({ id }) => id);
    const source = pick(draw, [...devices, "program", undefined, DeviceId("toString")] as const);
    const target = pick(draw, [...devices, ...devices, DeviceId("nowhere")]);
    const items = times(draw.below(3), (): ObservedItem => {
      const tag = pick(draw, this.#plant.tags);
      return { tag: tag.id, address: "", value: randomValue(draw, tag, undefined, situation, this.#values) };
    });
    return this.#observation(draw, pick(draw, OPERATIONS), source, target, items, undefined);
  }

  #observation(
    draw: Draw,
    operation: Operation,
    source: Observation["source"],
    target: DeviceId,
    items: readonly ObservedItem[],
    rule: Rule | undefined,
  ): Observation {
    const [client, server] = operation === "report" ? [target, source] : [source, target];
    const links = this.#plant.links.filter((link) => link.client === client && link.server === server);
    const wrong = draw.below(100);
    const link = wrong === 99 ? LinkId("nowhere") : wrong === 98 ? this.#plant.links[0]?.id : links[draw.below(2)]?.id;
    const said = randomMessage(draw, operation, rule);
    const common = { source, sourceAddress: "10.0.0.1:1", target, operation, message: "a message", items, ...said };
    const observation: Observation = { ...common, link: link ?? links[0]?.id };
    return operation === "raw" ? { ...observation, ...this.#raw(draw, rule) } : observation;
  }

  /** A length at, inside and outside the bounds of the function. */
  #raw(draw: Draw, rule: Rule | undefined): Pick<Observation, "raw" | "bytes"> {
    const names = rule?.raw ?? this.#plant.raw.map(({ id }) => id);
    const odd = names.length === 0 || draw.below(12) === 11;
    const raw = pick(draw, odd ? [undefined, RawId("constructor")] : names);
    const [least, most] = this.#plant.raw.find(({ id }) => id === raw)?.length ?? [0, 4];
    const bytes = pick(draw, [least, most, between(draw, least, most), least - 1, most + 1]);
    return draw.below(20) === 19 ? { raw } : { raw, bytes };
  }
}

function isJudged(layer: Layer, operation: Operation): boolean {
  return layer === "plc" ? operation === "write" || operation === "output" : operation !== "output";
}

function standsIn(rule: Rule, phase: Phase): boolean {
  return phase.rules.includes(rule) || phase.steps.some(({ rules }) => rules.includes(rule));
}

function fulfilling({ tag, value }: Comparison): { readonly tag: TagId; readonly value: number } {
  return { tag, value };
}

/** Far on the other side, beyond any release. */
function against({ tag, test, value }: Comparison): { readonly tag: TagId; readonly value: number } {
  const far = Math.abs(value) + 1e9;
  return { tag, value: test === "at-least" ? value - far : value + far };
}

function referredBy({ causality }: Rule, rules: readonly Rule[]): readonly Rule[] {
  const ids = [
    ...(causality?.follows === undefined ? [] : [causality.follows.rule]),
    ...(causality?.apart?.rules ?? []),
  ];
  return rules.filter(({ id }) => ids.includes(id));
}
