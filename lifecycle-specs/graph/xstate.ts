import type { Lifecycle, Phase, Rule } from "../lifecycle.ts";
import { toMachine } from "../machine.ts";
import type { Plant } from "../plant.ts";
import { allRules, containmentEvent, exitsOf, stepEvent } from "../positions.ts";
import { ruleInWords, stepEventInWords, type TagOf, tagsOf, transitionInWords } from "../words.ts";
import { maskInWords } from "./boxes.ts";

type Json = null | boolean | number | string | readonly Json[] | JsonMap;
interface JsonMap {
  readonly [key: string]: Json;
}

/**
 * The whole machine as JSON that `createMachine(JSON.parse(text))` of xstate v5 takes, and xstate's own tools open: the machine of
 * `toMachine`, where states and transitions say in `description` what they allow. Rules stand once, in the root's `meta`; a
 * state's `meta.rules` are their ids.
 */
export function xstateOf(plant: Plant, lifecycle: Lifecycle): string {
  const descriptions = describe(plant, lifecycle);
  const config = plainJson(toMachine(lifecycle).config);
  const rules = plainJson(Object.fromEntries(allRules(lifecycle).map((rule) => [rule.id, rule])));
  const root = described(config, [], descriptions);
  const meta = isMap(root["meta"]) ? root["meta"] : {};
  const everywhere = lifecycle.rules.map(({ id }) => id);
  return `${JSON.stringify({ ...root, meta: { ...meta, rules: everywhere, allRules: rules } }, null, 2)}\n`;
}

/** By the path of a state, and of a transition by that of its state, `on` and the event. */
type Descriptions = ReadonlyMap<string, string>;

function describe(plant: Plant, lifecycle: Lifecycle): Descriptions {
  const tagOf = tagsOf(plant);
  const words = (rules: readonly Rule[]): readonly string[] =>
    rules.map((rule) => `- ${ruleInWords(rule, plant, tagOf)} (${rule.id})`);
  const found = new Map([[keyOf([]), [plant.title, "In every phase:", ...words(lifecycle.rules)].join("\n")]]);
  for (const phase of lifecycle.phases) {
    const path = phase.id.split(".");
    const list =
      phase.mask === undefined ? words(phase.rules) : [`As in ${phase.mask.origin}, but ${maskInWords(phase.mask)}.`];
    found.set(keyOf(path), [phase.says, ...list].join("\n"));
    for (const [event, text] of ways(lifecycle, phase, tagOf)) found.set(keyOf([...path, "on", event]), text);
    for (const { id, says, rules, next } of phase.steps) {
      found.set(keyOf([...path, id]), [says, ...(phase.mask === undefined ? words(rules) : [])].join("\n"));
      for (const [n, way] of next.entries())
        found.set(keyOf([...path, id, "on", stepEvent(lifecycle, phase.zone, n)]), stepEventInWords(way, tagOf));
    }
  }
  return found;
}

function ways(lifecycle: Lifecycle, { id }: Phase, tagOf: TagOf): readonly (readonly [string, string])[] {
  return [
    ...lifecycle.containments
      .filter(({ from }) => from.includes(id))
      .map(({ to, says }) => [containmentEvent(to), says] as const),
    ...exitsOf(lifecycle, id).map(
      ({ event, transition }) => [event, transitionInWords(transition, tagOf).join(", ")] as const,
    ),
  ];
}

/** A state of the configuration with its descriptions, and with ids in the place of rules. */
function described(state: JsonMap, path: readonly string[], descriptions: Descriptions): JsonMap {
  const description = descriptions.get(keyOf(path));
  const { states, on, meta, ...rest } = state;
  return {
    ...rest,
    ...(description === undefined ? {} : { description }),
    ...(isMap(meta) ? { meta: withIds(meta) } : {}),
    ...(isMap(on) ? { on: mapped(on, (event, way) => describedWay(way, [...path, "on", event], descriptions)) } : {}),
    ...(isMap(states)
      ? {
          states: mapped(states, (name, child) =>
            isMap(child) ? described(child, [...path, name], descriptions) : child,
          ),
        }
      : {}),
  };
}

function describedWay(way: Json, path: readonly string[], descriptions: Descriptions): Json {
  const description = descriptions.get(keyOf(path));
  return isMap(way) && description !== undefined ? { ...way, description } : way;
}

function withIds(meta: JsonMap): JsonMap {
  const { rules, ...rest } = meta;
  if (!Array.isArray(rules)) return meta;
  return {
    ...rest,
    rules: rules.flatMap((rule: Json) => (isMap(rule) && rule["id"] !== undefined ? [rule["id"]] : [])),
  };
}

function mapped(map: JsonMap, change: (key: string, value: Json) => Json): JsonMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(key, value)]));
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path);
}

function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The configuration is data only, so nothing is lost. */
function plainJson(value: unknown): JsonMap {
  const plain: JsonMap = JSON.parse(JSON.stringify(value));
  return plain;
}
