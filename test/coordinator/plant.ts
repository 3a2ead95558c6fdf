import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { loadPlantFolder } from "#specs/load.ts";
import { regionOf } from "#specs/positions.ts";

const loaded = loadPlantFolder("water-treatment");
if (!loaded.ok) throw new Error(loaded.error.map((d) => d.message).join("\n"));

export const BUNDLE: Bundle = buildBundle(loaded.value.plant, loaded.value.lifecycle);
export const { plant: PLANT, lifecycle: LIFECYCLE } = BUNDLE;

const [zone] = PLANT.zones;
if (zone === undefined) throw new Error("the plant has no zone");
export const ISOLATED = regionOf(LIFECYCLE, zone.id).isolated;
