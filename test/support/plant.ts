import { type Bundle, buildBundle } from "#specs/bundle.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { loadPlantFolder } from "#specs/load.ts";
import type { Plant } from "#specs/plant.ts";

/** The water-treatment plant with some devices at other addresses, for tests on loopback addresses of their own. */
export function waterTreatment(addresses: Readonly<Record<string, readonly string[]>> = {}): {
  plant: Plant;
  lifecycle: Lifecycle;
  bundle: Bundle;
} {
  const loaded = loadPlantFolder("water-treatment");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const { lifecycle } = loaded.value;
  const devices = loaded.value.plant.devices.map((d) => ({ ...d, addresses: addresses[d.id] ?? d.addresses }));
  const plant = { ...loaded.value.plant, devices };
  return { plant, lifecycle, bundle: buildBundle(plant, lifecycle) };
}
