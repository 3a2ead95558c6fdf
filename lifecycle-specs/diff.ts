import { type Change, folded, type Spec } from "./diff/change.ts";
import { machineChanges, phaseChanges } from "./diff/machine-changes.ts";
import { permissionChanges } from "./diff/permissions.ts";
import { inFewPlaces } from "./diff/places.ts";
import { plantChanges } from "./diff/plant-changes.ts";
import { tagsOf } from "./words.ts";

export type { Change, Spec } from "./diff/change.ts";

/** The answer to `what may happen now that could not before`, and the other way round. */
export interface SpecDiff {
  /** The same may happen, under the same conditions. Names of rules, sentences, titles and the version do not count. */
  readonly same: boolean;
  /** What a reviewer must see first: widenings, then what is other, then what is narrowed. Within each in the order of the files. */
  readonly changes: readonly Change[];
}

/** Compares two specifications in what they permit, not in how they are written. Pure. */
export function diffSpecs(before: Spec, after: Spec): SpecDiff {
  const [old, now] = [tagsOf(before.plant), tagsOf(after.plant)];
  const found = [
    ...phaseChanges(before, after),
    ...permissionChanges(before, after),
    ...machineChanges(before, after, (id) => now(id) ?? old(id)),
    ...plantChanges(before, after),
  ];
  const changes = folded(found).map((change) => ({ ...change, places: inFewPlaces(before, after, change.where) }));
  const rank = ({ effect, widens }: Change) => (effect === "widened" ? 0 : widens ? 1 : effect === "other" ? 2 : 3);
  return { same: changes.length === 0, changes: changes.sort((a, b) => rank(a) - rank(b)) };
}
