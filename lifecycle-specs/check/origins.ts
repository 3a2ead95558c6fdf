import type { Lifecycle, Phase } from "../lifecycle.ts";

/**
 * From where a containment is entered: phases that a detection, or a transition, leads to it from; of a generated one its origin; of the
 * isolated phase every phase of the zone, for a lease can end in each. Generated containments count by their origins, which allow
 * no less.
 */
export function originsOf(lifecycle: Lifecycle): (phase: Phase) => readonly Phase[] {
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const isolated = new Set(lifecycle.regions.map((region) => region.isolated));
  const known = new Map<Phase, readonly Phase[]>();
  return (phase) => {
    const origins =
      known.get(phase) ?? written.filter((from) => from !== phase && leadsTo(lifecycle, isolated, from, phase));
    known.set(phase, origins);
    return origins;
  };
}

function leadsTo(lifecycle: Lifecycle, isolated: ReadonlySet<string>, from: Phase, to: Phase): boolean {
  if (to.mask !== undefined) return to.mask.origin === from.id;
  if (isolated.has(to.id) && from.zone === to.zone) return true;
  return (
    from.transitions.some((transition) => transition.to === to.id) ||
    lifecycle.containments.some((entry) => entry.to === to.id && entry.from.includes(from.id))
  );
}
