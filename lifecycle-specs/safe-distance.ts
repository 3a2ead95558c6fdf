import type { PhaseId } from "./ids.ts";
import type { Lifecycle, Phase, Region, Transition } from "./lifecycle.ts";

/** How far it is from a phase to the safe one, and by which way out. */
export interface Way {
  /** Plant ms at most; Infinity where some transition of every way states no time. */
  readonly ms: number;
  /** Index of the transition by which the way begins; absent in the safe phase itself. */
  readonly exit?: number;
}

/** Whether a transition may be counted on; the question is asked once for each. */
export type Usable = (from: Phase, transition: Transition) => boolean;

/**
 * Plant ms within which a transition has been taken, from the moment at which its phase is entered or somebody asks. People ask at
 * once; a condition is fulfilled within the time stated with it, a request's own while it stands; no detection comes meanwhile.
 */
export function exitMs({ changeMs }: Lifecycle, transition: Transition): number {
  return waitMs(transition) + (transition.cleanMs ?? 0) + changeMs;
}

function waitMs(transition: Transition): number {
  const { when } = transition;
  switch (transition.event) {
    case "operator":
      if (when !== undefined) return transition.ttlMs ?? Number.POSITIVE_INFINITY;
      return transition.persons === 2 ? (transition.ttlMs ?? 0) : 0;
    case "condition":
      return (transition.withinMs ?? Number.POSITIVE_INFINITY) + transition.when.forMs;
    case "after":
      if (when === undefined) return transition.ms;
      return transition.ms + (transition.withinMs ?? Number.POSITIVE_INFINITY) + when.forMs;
    default: {
      const never: never = transition;
      throw new Error(`unreachable: transition \`${JSON.stringify(never)}\``);
    }
  }
}

/**
 * The shortest way from every phase of a zone to its safe one, or to its initial one where no safe one is named. A phase from
 * which there is no way at all is absent. Steps do not matter: a phase's transitions are open in each of its steps.
 */
export function waysToSafety(
  lifecycle: Lifecycle,
  region: Region,
  usable: Usable = () => true,
): ReadonlyMap<PhaseId, Way> {
  const target = region.safe?.phase ?? region.initial;
  const into = intoEach(lifecycle, region, usable);
  const ways = new Map<PhaseId, Way>([[target, { ms: 0 }]]);
  // Every way is improved until none can be; each phase comes back only when it has come nearer.
  const open = new Set([target]);
  for (const to of open) {
    open.delete(to);
    const onward = ways.get(to)?.ms ?? 0;
    for (const { from, exit, ms } of into.get(to) ?? []) {
      const known = ways.get(from);
      if (known !== undefined && known.ms <= onward + ms) continue;
      ways.set(from, { ms: onward + ms, exit });
      open.add(from);
    }
  }
  return ways;
}

interface Into {
  readonly from: PhaseId;
  readonly exit: number;
  readonly ms: number;
}

function intoEach(lifecycle: Lifecycle, { zone }: Region, usable: Usable): ReadonlyMap<PhaseId, readonly Into[]> {
  const into = new Map<PhaseId, Into[]>();
  for (const phase of lifecycle.phases) {
    if (phase.zone !== zone) continue;
    for (const [exit, transition] of phase.transitions.entries()) {
      if (!usable(phase, transition)) continue;
      const list = into.get(transition.to) ?? [];
      list.push({ from: phase.id, exit, ms: exitMs(lifecycle, transition) });
      into.set(transition.to, list);
    }
  }
  return into;
}
