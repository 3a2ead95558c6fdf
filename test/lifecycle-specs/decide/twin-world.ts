import type { Layer } from "#specs/decide/observation.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { randomPlant } from "../../support/random-plant.ts";
import type { Draw } from "../../support/random-plant-draw.ts";
import { randomLifecycle } from "../../support/random-plant-lifecycle.ts";
import { TwinPlaces } from "./twin-places.ts";

export const LAYERS = ["hmi", "switch", "plc"] as const satisfies readonly Layer[];

/** One random plant with its lifecycle, compiled for the three layers, and the machine for the twin. */
export interface World {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly tables: Readonly<Record<Layer, Tables>>;
  readonly places: TwinPlaces;
}

export function randomWorld(draw: Draw): World {
  const plant = randomPlant(draw);
  return worldOf(plant, randomLifecycle(draw, plant));
}

export function worldOf(plant: Plant, lifecycle: Lifecycle): World {
  const bundle = { id: "random", plant, lifecycle };
  const tables = { hmi: compile(bundle, "hmi"), switch: compile(bundle, "switch"), plc: compile(bundle, "plc") };
  return { plant, lifecycle, tables, places: new TwinPlaces(lifecycle) };
}
