import type { PhaseId, RuleId, TagId } from "../ids.ts";
import type { Condition, Lifecycle, Phase, Rule, Step, StepTransition } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { effectiveRules } from "../positions.ts";
import type { TagOf } from "../words.ts";
import { type Box, boxOf } from "./boxes.ts";
import type { Checked } from "./report.ts";

/** Where a zone can stand: a phase, and one of its steps where it has steps. */
export interface Place {
  /** Index in `places`. */
  readonly index: number;
  readonly phase: Phase;
  readonly step?: Step;
}

/** One way from a place to another. `own`: the lifecycle's transitions and steps; the others come from outside. */
export interface Move {
  readonly to: number;
  readonly kind: "own" | "contained" | "isolated";
  /** Plant ms that at least pass in the place before it, where it was entered on the way. */
  readonly leastMs: number;
}

/**
 * All places of all zones, and the moves between them. Zones are not multiplied with each other: a zone's own transitions do not
 * depend on where another stands, and a transition that takes other zones along (`with`) is a move from every place of those zones.
 * Moves whose condition no values can fulfil, or whose command the place does not allow, are left out.
 */
export interface Space {
  readonly places: readonly Place[];
  readonly moves: readonly (readonly Move[])[];
  /** Where each phase begins. */
  readonly entry: ReadonlyMap<PhaseId, number>;
  /** Everywhere a zone can come to from its beginning, containments and the loss of the coordinator included. */
  readonly reached: ReadonlySet<number>;
  readonly tagOf: TagOf;
  /** Whether some values within the tags' ranges fulfil a condition; true where there is none. */
  readonly canHold: (condition: Condition | undefined) => boolean;
  /** What the rules of each place are, those of every phase included; masks are not applied. */
  readonly rulesAt: (place: Place) => readonly Rule[];
}

const spaces = new WeakMap<Lifecycle, WeakMap<Plant, Space>>();

/** The space of a lifecycle, worked out once and forgotten with it. */
export function spaceOf({ plant, lifecycle }: Checked): Space {
  const ofLifecycle = spaces.get(lifecycle) ?? new WeakMap<Plant, Space>();
  spaces.set(lifecycle, ofLifecycle);
  const known = ofLifecycle.get(plant);
  if (known !== undefined) return known;
  const tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
  const space = new SpaceBuilder(lifecycle, (id: TagId) => tags.get(id)).build();
  ofLifecycle.set(plant, space);
  return space;
}

/** Everything that can be reached from `start` by the moves that `follow` lets through, the start included. */
export function reachable(space: Space, start: Iterable<number>, follow: (move: Move) => boolean): ReadonlySet<number> {
  const found = new Set(start);
  for (const place of found) {
    for (const move of space.moves[place] ?? []) if (follow(move)) found.add(move.to);
  }
  return found;
}

/** Everything from which `goal` can be reached by such moves, the goal included. */
export function leadingTo(space: Space, goal: Iterable<number>, follow: (move: Move) => boolean): ReadonlySet<number> {
  const back = space.places.map((): number[] => []);
  for (const [from, moves] of space.moves.entries()) {
    for (const move of moves) if (follow(move)) back[move.to]?.push(from);
  }
  const found = new Set(goal);
  for (const place of found) for (const from of back[place] ?? []) found.add(from);
  return found;
}

export const isOwn = ({ kind }: Move): boolean => kind === "own";
export const isAny = (): boolean => true;

class SpaceBuilder {
  readonly #lifecycle: Lifecycle;
  readonly #tagOf: TagOf;
  readonly #places: Place[] = [];
  readonly #moves: Move[][] = [];
  readonly #entry = new Map<PhaseId, number>();
  /** Index of the first place of each phase; its steps follow one another. */
  readonly #first = new Map<Phase, number>();
  readonly #contained: ReadonlyMap<PhaseId, ReadonlySet<PhaseId>>;
  readonly #boxes = new Map<Condition, Box | undefined>();
  /** Transitions that take places of other zones along: from the place, to the beginning of the phase. */
  readonly #along: { readonly from: number; readonly to: PhaseId }[] = [];

  constructor(lifecycle: Lifecycle, tagOf: TagOf) {
    this.#lifecycle = lifecycle;
    this.#tagOf = tagOf;
    const contained = new Map<PhaseId, Set<PhaseId>>();
    for (const { from, to } of lifecycle.containments) {
      for (const phase of from) contained.set(phase, (contained.get(phase) ?? new Set()).add(to));
    }
    this.#contained = contained;
  }

  build(): Space {
    for (const phase of this.#lifecycle.phases) this.#addPlaces(phase);
    for (const place of this.#places) this.#addMoves(place);
    const reached = this.#reach();
    this.#takeAlong(reached);
    return {
      places: this.#places,
      moves: this.#moves,
      entry: this.#entry,
      reached,
      tagOf: this.#tagOf,
      canHold: (condition) => this.#canHold(condition),
      rulesAt: ({ phase, step }) => effectiveRules(this.#lifecycle, phase, step),
    };
  }

  #addPlaces(phase: Phase): void {
    this.#first.set(phase, this.#places.length);
    const steps: readonly (Step | undefined)[] = phase.steps.length === 0 ? [undefined] : phase.steps;
    for (const step of steps) {
      const index = this.#places.length;
      this.#places.push({ index, phase, ...(step === undefined ? {} : { step }) });
      this.#moves.push([]);
      if (step?.id === phase.initial) this.#entry.set(phase.id, index);
    }
  }

  #addMoves({ index, phase, step }: Place): void {
    const moves = this.#moves[index] ?? [];
    for (const way of step?.next ?? []) {
      if (step === undefined || !this.#canStep(phase, step, way)) continue;
      const to = (this.#first.get(phase) ?? 0) + phase.steps.findIndex(({ id }) => id === way.to);
      moves.push({ to, kind: "own", leastMs: leastMs(step, way) });
    }
    for (const transition of phase.transitions) {
      if (!this.#canHold(transition.when)) continue;
      this.#lead(moves, transition.to, "own");
      for (const to of transition.with) this.#along.push({ from: index, to });
    }
    for (const to of this.#contained.get(phase.id) ?? []) this.#lead(moves, to, "contained");
    const region = this.#lifecycle.regions.find(({ zone }) => zone === phase.zone);
    if (region !== undefined && region.isolated !== phase.id) this.#lead(moves, region.isolated, "isolated");
  }

  #lead(moves: Move[], phase: PhaseId, kind: Move["kind"]): void {
    const to = this.#entry.get(phase);
    if (to !== undefined) moves.push({ to, kind, leastMs: 0 });
  }

  #canStep(phase: Phase, step: Step, way: StepTransition): boolean {
    if (way.event === "condition") return this.#canHold(way.when);
    if (way.event === "after") return true;
    return effectiveRules(this.#lifecycle, phase, step).some(({ id }) => id === way.rule);
  }

  #canHold(condition: Condition | undefined): boolean {
    if (condition === undefined) return true;
    if (!this.#boxes.has(condition)) this.#boxes.set(condition, boxOf(condition, this.#tagOf));
    return this.#boxes.get(condition) !== undefined;
  }

  /** From the beginnings of all zones; a zone that is taken along may be anywhere at that time. */
  #reach(): Set<number> {
    const begin = this.#lifecycle.regions.flatMap(({ initial, isolated }) => [initial, isolated]);
    const found = new Set(begin.flatMap((phase) => this.#entry.get(phase) ?? []));
    const along = Map.groupBy(this.#along, ({ from }) => from);
    for (const place of found) {
      for (const { to } of this.#moves[place] ?? []) found.add(to);
      for (const { to } of along.get(place) ?? []) {
        const entry = this.#entry.get(to);
        if (entry !== undefined) found.add(entry);
      }
    }
    return found;
  }

  #takeAlong(reached: ReadonlySet<number>): void {
    const targets = new Set(this.#along.filter(({ from }) => reached.has(from)).map(({ to }) => to));
    for (const phase of targets) {
      const to = this.#entry.get(phase);
      if (to === undefined) continue;
      const zone = this.#places[to]?.phase.zone;
      for (const place of this.#places) {
        if (place.phase.zone === zone && place.index !== to) {
          this.#moves[place.index]?.push({ to, kind: "own", leastMs: 0 });
        }
      }
    }
  }
}

/** What passes in a step before this way out can be taken. A condition may have held for long when the step began. */
function leastMs(step: Step, way: StepTransition): number {
  return Math.max(step.minMs ?? 0, way.event === "after" ? way.ms : 0);
}

/** Places in which each rule stands, its origin's for those of generated containments left out. */
export function placesOfRules(space: Space): ReadonlyMap<RuleId, readonly Place[]> {
  const found = new Map<RuleId, Place[]>();
  for (const place of space.places) {
    if (place.phase.mask !== undefined) continue;
    for (const { id } of space.rulesAt(place)) {
      const list = found.get(id) ?? [];
      if (list.at(-1) !== place) list.push(place);
      found.set(id, list);
    }
  }
  return found;
}
