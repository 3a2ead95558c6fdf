import type { PhaseId, ZoneId } from "../ids.ts";
import type { Lifecycle, Phase } from "../lifecycle.ts";
import type { Space } from "./state-space.ts";

/** A way out of a class of phases: where its own zone goes, and which other zones it takes along. */
export interface ClassMove {
  readonly to: number;
  readonly with: readonly { readonly zone: number; readonly to: number }[];
  /** A containment or the loss of the coordinator: it may come at any time, and nobody can count on it. */
  readonly forced: boolean;
}

/** One zone's phases, those that have the same ways out taken as one. */
export interface ZoneClasses {
  readonly zone: ZoneId;
  /** One phase of each class, to be named. */
  readonly names: readonly PhaseId[];
  readonly moves: readonly (readonly ClassMove[])[];
  readonly initial: number;
  readonly safe: number;
}

/**
 * Phases of several zones in classes, as coarse as they can be while the phases of a class have ways out to the same classes
 * (a bisimulation that keeps the safe phase apart). What can be reached from a class can be reached from each of its phases.
 */
export function classesOf(lifecycle: Lifecycle, space: Space, zones: readonly ZoneId[]): readonly ZoneClasses[] {
  const phases = lifecycle.phases.filter(({ zone }) => zones.includes(zone));
  const targets = targetsOf(lifecycle, space, phases);
  const safe = new Set(lifecycle.regions.flatMap((region) => region.safe?.phase ?? []));
  let classOf = numbered(phases, ({ id, zone }) => `${zone} ${safe.has(id)}`);
  for (let count = 0; count !== classOf.count; ) {
    count = classOf.count;
    const of = classOf.of;
    classOf = numbered(phases, ({ id }) => `${of.get(id)}|${signature(targets.get(id) ?? [], of)}`);
  }
  return zones.map((zone) => zoneClasses(lifecycle, zone, zones, phases, targets, classOf.of));
}

interface Target {
  readonly to: PhaseId;
  readonly with: readonly PhaseId[];
  readonly forced: boolean;
}

function targetsOf(lifecycle: Lifecycle, space: Space, phases: readonly Phase[]): ReadonlyMap<PhaseId, Target[]> {
  const zones = new Set(phases.map(({ zone }) => zone));
  const zoneOf = new Map(phases.map(({ id, zone }) => [id, zone]));
  const targets = new Map<PhaseId, Target[]>(
    phases.map((phase) => [
      phase.id,
      phase.transitions
        .filter(({ when }) => space.canHold(when))
        .map(({ to, with: along }) => ({ to, with: along.filter((id) => zoneOf.has(id)), forced: false })),
    ]),
  );
  for (const { from, to } of lifecycle.containments) {
    for (const phase of from) targets.get(phase)?.push({ to, with: [], forced: true });
  }
  for (const { zone, isolated } of lifecycle.regions) {
    if (!zones.has(zone)) continue;
    for (const phase of phases) {
      if (phase.zone === zone) targets.get(phase.id)?.push({ to: isolated, with: [], forced: true });
    }
  }
  return targets;
}

function numbered(phases: readonly Phase[], key: (phase: Phase) => string) {
  const numbers = new Map<string, number>();
  const of = new Map<PhaseId, number>();
  for (const phase of phases) {
    const text = key(phase);
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    of.set(phase.id, number);
  }
  return { of, count: numbers.size };
}

function signature(targets: readonly Target[], of: ReadonlyMap<PhaseId, number>): string {
  const texts = targets.map(
    ({ to, with: along, forced }) =>
      `${forced}>${of.get(to)}+${along
        .map((id) => of.get(id))
        .sort()
        .join("+")}`,
  );
  return [...new Set(texts)].sort().join(" ");
}

function zoneClasses(
  lifecycle: Lifecycle,
  zone: ZoneId,
  zones: readonly ZoneId[],
  phases: readonly Phase[],
  targets: ReadonlyMap<PhaseId, readonly Target[]>,
  classOf: ReadonlyMap<PhaseId, number>,
): ZoneClasses {
  const zoneOf = new Map(phases.map((phase) => [phase.id, phase.zone]));
  const local = new Map(zones.map((id) => [id, new Map<number, number>()]));
  const names: PhaseId[] = [];
  for (const phase of phases) {
    const ofZone = local.get(phase.zone) ?? new Map<number, number>();
    const global = classOf.get(phase.id) ?? 0;
    if (ofZone.has(global)) continue;
    ofZone.set(global, ofZone.size);
    if (phase.zone === zone) names.push(phase.id);
  }
  const index = (id: PhaseId) => local.get(zoneOf.get(id) ?? zone)?.get(classOf.get(id) ?? 0) ?? 0;
  const region = lifecycle.regions.find((candidate) => candidate.zone === zone);
  const [first] = names;
  return {
    zone,
    names,
    moves: names.map((name) =>
      (targets.get(name) ?? []).map(({ to, with: along, forced }) => ({
        to: index(to),
        with: along.map((id) => ({ zone: zones.indexOf(zoneOf.get(id) ?? zone), to: index(id) })),
        forced,
      })),
    ),
    initial: region === undefined || first === undefined ? 0 : index(region.initial),
    safe: region?.safe === undefined ? 0 : index(region.safe.phase),
  };
}
