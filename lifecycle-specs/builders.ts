import type { Exact } from "./builders/exact.ts";
import type { LifecycleOf, WithOwnSteps } from "./builders/lifecycle.ts";
import type { AnyPlant, NamesOf, PlantOf } from "./builders/plant.ts";

export type { LifecycleOf } from "./builders/lifecycle.ts";
export type { PlantOf } from "./builders/plant.ts";

/**
 * A plant in TypeScript: the data of `plant.yaml`, in the same shape. A zone, device or tag that is named and not declared is a
 * compile error. What types cannot say (ranges, addresses) loading says.
 *
 *     export default definePlant({ id: "tank", title: "Tank", zones: { works: "Works" }, … });
 */
export function definePlant<
  const Zone extends string,
  const Device extends string,
  const Link extends string,
  const Tag extends string,
  const Raw extends string = never,
>(plant: PlantOf<Zone, Device, Link, Tag, Raw>): PlantOf<Zone, Device, Link, Tag, Raw> {
  return plant;
}

/**
 * A lifecycle in TypeScript: the data of `lifecycle.yaml`, in the same shape. A device, tag or raw function that the plant does not
 * have, a step that its phase does not have, and an unknown key are compile errors; phases and rules are looked up in loading.
 *
 *     export default defineLifecycle(plant, { plant: "tank", version: 1, … });
 */
export function defineLifecycle<const Plant extends AnyPlant, const Lifecycle extends LifecycleOf<NamesOf<Plant>>>(
  plant: Plant,
  lifecycle: Lifecycle & WithOwnSteps<Lifecycle> & Exact<Lifecycle, LifecycleOf<NamesOf<Plant>>>,
): Lifecycle {
  if (lifecycle.plant !== plant.id)
    throw new Error(
      `the lifecycle is for plant \`${lifecycle.plant}\`, but the plant is \`${plant.id}\`; correct one of the two`,
    );
  return lifecycle;
}
