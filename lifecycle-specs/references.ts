import canonicalize from "canonicalize";
import type { Condition, Lifecycle, Phase, Rule } from "./lifecycle.ts";
import type { Plant } from "./plant.ts";
import { allRules } from "./positions.ts";

/** The first name that is used but not declared, as `tag \`X\``; undefined: every name is declared. */
export function unresolved(plant: Plant, lifecycle: Lifecycle): string | undefined {
  for (const { kind, name, declared } of references(plant, lifecycle)) {
    if (!declared.has(name)) return `${kind} \`${name}\``;
  }
  return undefined;
}

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly declared: ReadonlySet<string>;
}

/** Everything that is declared, by kind. */
interface Declared {
  readonly zones: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
  readonly links: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
  readonly raw: ReadonlySet<string>;
  readonly phases: ReadonlySet<string>;
  readonly rules: ReadonlySet<string>;
}

const ids = (list: readonly { readonly id: string }[]): ReadonlySet<string> => new Set(list.map(({ id }) => id));

function* references(plant: Plant, lifecycle: Lifecycle): Generator<Reference> {
  const rules = allRules(lifecycle);
  const declared: Declared = {
    zones: ids(plant.zones),
    devices: ids(plant.devices),
    links: ids(plant.links),
    tags: ids(plant.tags),
    raw: ids(plant.raw),
    phases: ids(lifecycle.phases),
    rules: ids(rules),
  };
  yield* named("plant", [lifecycle.plant], new Set([plant.id]));
  yield* ofPlant(plant, declared);
  for (const rule of rules) yield* ofRule(rule, declared);
  for (const { zone, initial, isolated, safe } of lifecycle.regions) {
    yield* named("zone", [zone], declared.zones);
    yield* named("phase", [initial, isolated, ...(safe === undefined ? [] : [safe.phase])], declared.phases);
  }
  for (const phase of lifecycle.phases) yield* ofPhase(phase, declared);
  for (const { from, to, tags } of lifecycle.containments) {
    yield* named("phase", [...from, to], declared.phases);
    yield* named("tag", tags ?? [], declared.tags);
  }
}

function* ofPlant(plant: Plant, { zones, devices, tags }: Declared): Generator<Reference> {
  for (const { zone } of plant.devices) yield* named("zone", [zone], zones);
  for (const { client, server } of plant.links) yield* named("device", [client, server], devices);
  for (const { device, opcua } of plant.tags) {
    yield* named("device", [device], devices);
    yield* named("tag", opcua?.arguments ?? [], tags);
  }
  for (const entry of plant.essential) yield* named("tag", entry.tags, tags);
}

function* ofRule(rule: Rule, declared: Declared): Generator<Reference> {
  const sources = rule.from.filter((source) => source !== "program");
  yield* named("device", [...sources, ...rule.targets], declared.devices);
  yield* named("tag", rule.tags, declared.tags);
  yield* named("raw function", rule.raw, declared.raw);
  const { after, notWhile, follows, apart } = rule.causality ?? {};
  yield* ofCondition(after, declared);
  yield* ofCondition(notWhile, declared);
  yield* named("rule", [...(follows === undefined ? [] : [follows.rule]), ...(apart?.rules ?? [])], declared.rules);
}

function* ofPhase(phase: Phase, declared: Declared): Generator<Reference> {
  const steps = ids(phase.steps);
  yield* named("zone", [phase.zone], declared.zones);
  yield* named("step", phase.initial === undefined ? [] : [phase.initial], steps);
  for (const next of phase.steps.flatMap((step) => step.next)) {
    yield* named("step", [next.to], steps);
    if (next.event === "condition") yield* ofCondition(next.when, declared);
    if (next.event === "command") yield* named("rule", [next.rule], declared.rules);
  }
  for (const transition of phase.transitions) {
    yield* named("phase", [transition.to, ...transition.with], declared.phases);
    yield* named("rule", transition.window, declared.rules);
    yield* ofCondition(transition.when, declared);
  }
  if (phase.mask === undefined) return;
  yield* named("phase", [phase.mask.origin], declared.phases);
  const { subject } = phase.mask;
  if ("device" in subject) yield* named("device", [subject.device], declared.devices);
  else yield* named("link", [subject.link], declared.links);
}

function* ofCondition(condition: Condition | undefined, { tags }: Declared): Generator<Reference> {
  for (const { tag } of condition?.all ?? []) yield* named("tag", [tag], tags);
}

function* named(kind: string, names: readonly string[], declared: ReadonlySet<string>): Generator<Reference> {
  for (const name of names) yield { kind, name, declared };
}

/** The first name that is declared twice, as `rule \`X\``. A rule of a group stands once in each of its phases and is one rule. */
export function declaredTwice(plant: Plant, lifecycle: Lifecycle): string | undefined {
  return (
    twice("zone", plant.zones) ??
    twice("device", plant.devices) ??
    twice("link", plant.links) ??
    twice("tag", plant.tags) ??
    twice("raw function", plant.raw) ??
    ruleTwice(lifecycle) ??
    twice("phase", lifecycle.phases) ??
    lifecycle.phases.map((phase) => twice("step", phase.steps)).find((found) => found !== undefined)
  );
}

/** Rules that are one object are one rule, which is the usual case; others must have the same content. */
function ruleTwice(lifecycle: Lifecycle): string | undefined {
  const known = new Map<string, Rule>();
  const lists = [
    lifecycle.rules,
    ...lifecycle.phases.flatMap((phase) => [phase.rules, ...phase.steps.map((step) => step.rules)]),
  ];
  for (const rule of lists.flat()) {
    const other = known.get(rule.id);
    if (other === undefined) known.set(rule.id, rule);
    else if (other !== rule && canonicalize(other) !== canonicalize(rule)) return `rule \`${rule.id}\``;
  }
  return undefined;
}

function twice(kind: string, list: readonly { readonly id: string }[]): string | undefined {
  const seen = new Set<string>();
  for (const { id } of list) {
    if (seen.has(id)) return `${kind} \`${id}\``;
    seen.add(id);
  }
  return undefined;
}
