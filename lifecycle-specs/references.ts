import canonicalize from "canonicalize";
import type { Condition, Lifecycle } from "./lifecycle.ts";
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

function* references(plant: Plant, lifecycle: Lifecycle): Generator<Reference> {
  const ids = (list: readonly { readonly id: string }[]): ReadonlySet<string> => new Set(list.map(({ id }) => id));
  const [zones, devices, tags] = [ids(plant.zones), ids(plant.devices), ids(plant.tags)];
  const phases = ids(lifecycle.phases);
  const rules = allRules(lifecycle);
  const ruleIds = ids(rules);
  const sources = new Set([...devices, "program"]);
  const all = (kind: string, names: readonly string[], declared: ReadonlySet<string>): Reference[] =>
    names.map((name) => ({ kind, name, declared }));
  const ofCondition = (condition: Condition | undefined): Reference[] =>
    all("tag", condition?.all.map(({ tag }) => tag) ?? [], tags);

  yield* all("plant", [lifecycle.plant], new Set([plant.id]));
  yield* all(
    "zone",
    plant.devices.map(({ zone }) => zone),
    zones,
  );
  yield* all(
    "device",
    plant.links.flatMap(({ client, server }) => [client, server]),
    devices,
  );
  yield* all(
    "device",
    plant.tags.map(({ device }) => device),
    devices,
  );
  yield* all(
    "tag",
    plant.essential.flatMap((entry) => entry.tags),
    tags,
  );
  for (const rule of rules) {
    yield* all("device", rule.from, sources);
    yield* all("device", rule.targets, devices);
    yield* all("tag", rule.tags, tags);
    yield* ofCondition(rule.causality?.after);
  }
  yield* all("phase", [lifecycle.initial, lifecycle.isolated], phases);
  for (const phase of lifecycle.phases) {
    const steps = ids(phase.steps);
    yield* all("step", phase.initial === undefined ? [] : [phase.initial], steps);
    for (const { next } of phase.steps) {
      yield* all(
        "step",
        next.map(({ to }) => to),
        steps,
      );
      for (const { when } of next) yield* ofCondition(when);
    }
    for (const { to, window, when } of phase.transitions) {
      yield* all("phase", [to], phases);
      yield* all("rule", window, ruleIds);
      yield* ofCondition(when);
    }
  }
  for (const { from, to, tags: reached } of lifecycle.containments) {
    yield* all("phase", [...from, to], phases);
    yield* all("tag", reached ?? [], tags);
  }
}

/** The first name that is declared twice, as `rule \`X\``. A rule of a group stands once in each of its phases and is one rule. */
export function declaredTwice(plant: Plant, lifecycle: Lifecycle): string | undefined {
  const rules = [
    ...lifecycle.rules,
    ...lifecycle.phases.flatMap((phase) => [...phase.rules, ...phase.steps.flatMap((step) => step.rules)]),
  ];
  const texts = new Map<string, string>();
  for (const rule of rules) {
    const text = canonicalize(rule) ?? "";
    if ((texts.get(rule.id) ?? text) !== text) return `rule \`${rule.id}\``;
    texts.set(rule.id, text);
  }
  return (
    twice("zone", plant.zones) ??
    twice("device", plant.devices) ??
    twice("link", plant.links) ??
    twice("tag", plant.tags) ??
    twice("phase", lifecycle.phases) ??
    lifecycle.phases.map((phase) => twice("step", phase.steps)).find((found) => found !== undefined)
  );
}

function twice(kind: string, list: readonly { readonly id: string }[]): string | undefined {
  const seen = new Set<string>();
  for (const { id } of list) {
    if (seen.has(id)) return `${kind} \`${id}\``;
    seen.add(id);
  }
  return undefined;
}
