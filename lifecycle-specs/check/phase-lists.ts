import type { Layer } from "../decide/observation.ts";
import type { Lifecycle, Phase, Rule, Step } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { effectiveRules } from "../positions.ts";
import { type Permission, permissionsOfRules } from "./whitelist.ts";

export type Permissions = ReadonlyMap<string, Permission>;

/** Whitelists of whole phases and of their positions, each worked out once. */
export interface PhaseLists {
  /** What any step of the phase allows. */
  readonly of: (phase: Phase, layer: Layer) => Permissions;
  readonly at: (phase: Phase, step: Step | undefined, layer: Layer) => Permissions;
}

const known = new WeakMap<Plant, WeakMap<Lifecycle, PhaseLists>>();

/** The lists of one plant and lifecycle, shared by all checks of them. */
export function phaseLists(plant: Plant, lifecycle: Lifecycle): PhaseLists {
  const ofPlant = known.get(plant) ?? new WeakMap<Lifecycle, PhaseLists>();
  known.set(plant, ofPlant);
  const lists = ofPlant.get(lifecycle) ?? makeLists(plant, lifecycle);
  ofPlant.set(lifecycle, lists);
  return lists;
}

function makeLists(plant: Plant, lifecycle: Lifecycle): PhaseLists {
  const made = new Map<string, Permissions>();
  const list = (phase: Phase, rules: readonly Rule[], key: string, layer: Layer): Permissions => {
    const permissions = made.get(key) ?? permissionsOfRules(plant, lifecycle, phase, rules, layer);
    made.set(key, permissions);
    return permissions;
  };
  return {
    of: (phase, layer) => {
      const rules = [effectiveRules(lifecycle, phase, undefined), ...phase.steps.map((step) => step.rules)].flat();
      return list(phase, rules, `${layer} ${phase.id}`, layer);
    },
    at: (phase, step, layer) =>
      list(phase, effectiveRules(lifecycle, phase, step), `${layer} ${phase.id}/${step?.id ?? ""}`, layer),
  };
}

/** A phase's positions: its steps, or the phase alone where it has none. */
export function stepsOf(phase: Phase): readonly (Step | undefined)[] {
  return phase.steps.length === 0 ? [undefined] : phase.steps;
}

/** The key of `Locate` for a phase; a generated containment is where its mask is written. */
export function phaseKey({ id, mask }: Phase): string {
  if (mask === undefined) return `phase:${id}`;
  return `mask:${mask.origin}/${"device" in mask.subject ? mask.subject.device : mask.subject.link}/${mask.level}`;
}
