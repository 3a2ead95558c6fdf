import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { loadPlantFolder } from "#specs/load.ts";

const loaded = loadPlantFolder("water-treatment");
if (!loaded.ok) throw new Error(loaded.error.map((d) => d.message).join("\n"));

export const BUNDLE: Bundle = buildBundle(loaded.value.plant, loaded.value.lifecycle);
export const { plant: PLANT, lifecycle: LIFECYCLE } = BUNDLE;
