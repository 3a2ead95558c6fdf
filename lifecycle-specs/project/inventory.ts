import type { DeviceId, RawId, TagId } from "../ids.ts";
import type { Rule } from "../lifecycle.ts";
import type { Device, Link, Plant, RawFunction, Tag } from "../plant.ts";
import type { Bounds } from "../raw.ts";

/** Where a called tag stands among the inputs of a method. */
export interface ArgumentOf {
  readonly method: Tag;
  /** From 0. */
  readonly index: number;
}

/** A plant with everything that a projection looks up, found by name. */
export interface Inventory {
  readonly devices: ReadonlyMap<DeviceId, Device>;
  readonly tags: ReadonlyMap<TagId, Tag>;
  readonly raw: ReadonlyMap<RawId, RawFunction>;
  readonly argumentsOf: ReadonlyMap<TagId, readonly ArgumentOf[]>;
  /** In the order of the file. */
  linksBetween(client: DeviceId, server: DeviceId): readonly Link[];
}

export function inventoryOf(plant: Plant): Inventory {
  const links = new Map<string, Link[]>();
  for (const link of plant.links) listAt(links, `${link.client} ${link.server}`).push(link);
  const argumentsOf = new Map<TagId, ArgumentOf[]>();
  for (const method of plant.tags) {
    for (const [index, argument] of (method.opcua?.arguments ?? []).entries()) {
      listAt(argumentsOf, argument).push({ method, index });
    }
  }
  return {
    devices: byId(plant.devices),
    tags: byId(plant.tags),
    raw: byId(plant.raw),
    argumentsOf,
    linksBetween: (client, server) => links.get(`${client} ${server}`) ?? [],
  };
}

function byId<K extends string, T extends { readonly id: K }>(list: readonly T[]): ReadonlyMap<K, T> {
  return new Map(list.map((entry) => [entry.id, entry]));
}

function listAt<K, T>(map: Map<K, T[]>, key: K): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}

/** The tags of a rule by the device that holds them, in the order of the rule. */
export function tagsByDevice({ tags }: Inventory, rule: Rule): ReadonlyMap<DeviceId, readonly Tag[]> {
  const found = new Map<DeviceId, Tag[]>();
  for (const id of rule.tags) {
    const tag = tags.get(id);
    if (tag !== undefined) listAt(found, tag.device).push(tag);
  }
  return found;
}

/** Who asks whom: a report goes from a server to its client, everything else from a client to its server. */
export function pairsOf(rule: Rule): readonly (readonly [client: DeviceId, server: DeviceId])[] {
  const sources = rule.from.flatMap((source) => (source === "program" ? [] : [source]));
  return sources.flatMap((source) =>
    rule.targets.map((target) =>
      rule.operation === "report" ? ([target, source] as const) : ([source, target] as const),
    ),
  );
}

/** Whether a rule says something about the value of a tag. A method is called without one, a read asks for one. */
export function carriesValue({ operation }: Rule, { kind }: Tag): boolean {
  if (operation === "call") return kind === "argument";
  return operation === "write" || operation === "output" || operation === "report";
}

/** What a rule leaves of a tag's range, in engineering units. */
export function boundsOf({ value }: Rule, { range: [low, high] }: Tag): Bounds {
  return {
    min: Math.max(low, value?.min ?? low),
    max: Math.min(high, value?.max ?? high),
    ...(value?.oneOf === undefined ? {} : { oneOf: value.oneOf }),
    ...(value?.maxStep === undefined ? {} : { maxStep: value.maxStep }),
    ...(value?.rampPerS === undefined ? {} : { rampPerS: value.rampPerS }),
  };
}
