import type { Device, Link, Plant, RawFunction, Tag, Zone } from "../plant.ts";

/** A plant with its parts by name: lifecycles of ten thousand rules look them up often. */
export interface PlantIndex {
  readonly plant: Plant;
  readonly zones: ReadonlyMap<string, Zone>;
  readonly devices: ReadonlyMap<string, Device>;
  readonly links: ReadonlyMap<string, Link>;
  readonly tags: ReadonlyMap<string, Tag>;
  readonly raw: ReadonlyMap<string, RawFunction>;
  readonly tagsOf: ReadonlyMap<string, readonly Tag[]>;
}

export function indexOf(plant: Plant): PlantIndex {
  const tagsOf = new Map<string, Tag[]>();
  for (const tag of plant.tags) {
    const known = tagsOf.get(tag.device);
    if (known === undefined) tagsOf.set(tag.device, [tag]);
    else known.push(tag);
  }
  return {
    plant,
    zones: byId(plant.zones),
    devices: byId(plant.devices),
    links: byId(plant.links),
    tags: byId(plant.tags),
    raw: byId(plant.raw),
    tagsOf,
  };
}

export function byId<T extends { readonly id: string }>(list: readonly T[]): ReadonlyMap<string, T> {
  return new Map(list.map((item) => [item.id, item]));
}
