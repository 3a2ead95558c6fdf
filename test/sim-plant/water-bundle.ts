import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { loadPlantFolder } from "#specs/load.ts";

/** The bundle of the plant that is simulated. */
export function waterBundle(): Bundle {
  const loaded = loadPlantFolder("water-treatment");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return buildBundle(loaded.value.plant, loaded.value.lifecycle);
}
