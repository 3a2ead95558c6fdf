import type { PhaseId, ZoneId } from "../ids.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { waysToSafety } from "../safe-distance.ts";
import { quoted, regionKey } from "./keys.ts";
import type { Checked, RawFinding, Said } from "./report.ts";
import { spaceOf } from "./state-space.ts";
import { classesOf, type ZoneClasses } from "./zone-classes.ts";

/** Positions of several zones that are looked at together. Beyond it, that they have not been is said. */
export const MAX_JOINT_STATES = 200_000;

/**
 * Zones that take each other along can all be in their safe phases at once, from every position that they can come to together:
 * each by itself could be led there and taken away again by the next. Zones that no transition couples are not multiplied.
 */
export function zonesAreSafeTogether(spec: Checked): readonly Said[] {
  const { lifecycle } = spec;
  const space = spaceOf(spec);
  return coupled(lifecycle).flatMap((zones): readonly Said[] => {
    if (!zones.every((zone) => isSafeAlone(lifecycle, zone))) return [];
    const classes = classesOf(lifecycle, space, zones);
    const [at] = lifecycle.regions.filter(({ zone }) => zone === zones[0]).map((r) => regionKey(lifecycle, r, "safe"));
    const states = classes.reduce((product, { names }) => product * names.length, 1);
    if (states > MAX_JOINT_STATES) {
      const fact = `zones ${quoted(zones)} have ${states} positions together, more than ${MAX_JOINT_STATES}: that all are safe at once has not been looked at, only that each can be`;
      return [{ at: at ?? "safe", guarantee: "G1", fact, detail: { zones, states } }];
    }
    return new JointSearch(classes).run(at ?? "safe");
  });
}

/** Zones that take each other along, directly or by others; a zone by itself is none. */
function coupled({ phases, regions }: Lifecycle): readonly (readonly ZoneId[])[] {
  const zoneOf = new Map(phases.map(({ id, zone }) => [id, zone]));
  const group = new Map(regions.map(({ zone }) => [zone, new Set([zone])]));
  for (const { zone, transitions } of phases) {
    for (const other of transitions.flatMap((exit) => exit.with.map((id) => zoneOf.get(id)))) {
      const [mine, theirs] = [group.get(zone), other === undefined ? undefined : group.get(other)];
      if (mine === undefined || theirs === undefined || mine === theirs) continue;
      for (const member of theirs) {
        mine.add(member);
        group.set(member, mine);
      }
    }
  }
  return [...new Set(group.values())].filter(({ size }) => size > 1).map((zones) => [...zones]);
}

function isSafeAlone(lifecycle: Lifecycle, zone: ZoneId): boolean {
  const region = lifecycle.regions.find((candidate) => candidate.zone === zone);
  if (region?.safe === undefined) return false;
  const ways = waysToSafety(lifecycle, region);
  return lifecycle.phases.every((phase) => phase.zone !== zone || ways.has(phase.id));
}

/** A state is one number: the class of each zone, in a system whose digits are the zones. */
class JointSearch {
  readonly #zones: readonly ZoneClasses[];
  readonly #weights: readonly number[];
  /** Each state that the zones can come to, with the one before it. */
  readonly #found = new Map<number, number | undefined>();
  /** By own ways only. */
  readonly #back = new Map<number, number[]>();

  constructor(zones: readonly ZoneClasses[]) {
    this.#zones = zones;
    const weights: number[] = [];
    let weight = 1;
    for (const { names } of zones) {
      weights.push(weight);
      weight *= names.length;
    }
    this.#weights = weights;
  }

  run(at: string): readonly RawFinding[] {
    this.#explore();
    const goal = this.#number((zone) => zone.safe);
    const safe = new Set([goal]);
    for (const state of safe) for (const from of this.#back.get(state) ?? []) safe.add(from);
    const lost = [...this.#found.keys()].find((state) => !safe.has(state));
    if (lost === undefined) return [];
    return [
      {
        at,
        code: "SAFE_NOT_TOGETHER",
        message: `each of zones ${quoted(this.#zones.map(({ zone }) => zone))} can reach its safe phase, but from ${this.#words(lost)} never all at once, for transitions to one take another away; take the zones to their safe phases with one request (\`with\`)`,
        trace: this.#pathTo(lost),
      },
    ];
  }

  #explore(): void {
    this.#found.set(
      this.#number((zone) => zone.initial),
      undefined,
    );
    for (const [state] of this.#found) {
      for (const [index, zone] of this.#zones.entries()) {
        for (const move of zone.moves[this.#digit(state, index)] ?? []) {
          let next = this.#put(state, index, move.to);
          for (const other of move.with) next = this.#put(next, other.zone, other.to);
          if (!this.#found.has(next)) this.#found.set(next, state);
          if (!move.forced) this.#remember(next, state);
        }
      }
    }
  }

  #remember(to: number, from: number): void {
    const list = this.#back.get(to);
    if (list === undefined) this.#back.set(to, [from]);
    else list.push(from);
  }

  #digit(state: number, index: number): number {
    const size = this.#zones[index]?.names.length ?? 1;
    return Math.floor(state / (this.#weights[index] ?? 1)) % size;
  }

  #put(state: number, index: number, digit: number): number {
    return state + (digit - this.#digit(state, index)) * (this.#weights[index] ?? 1);
  }

  #number(digit: (zone: ZoneClasses) => number): number {
    return this.#zones.reduce((sum, zone, index) => sum + digit(zone) * (this.#weights[index] ?? 1), 0);
  }

  #words(state: number): string {
    const phases = this.#zones.map(({ names }, index): PhaseId | "" => names[this.#digit(state, index)] ?? "");
    return quoted(phases);
  }

  #pathTo(state: number): readonly string[] {
    const lines: string[] = [];
    for (let at: number | undefined = state; at !== undefined; at = this.#found.get(at)) lines.unshift(this.#words(at));
    return [...lines, "from here the safe phases are never all reached at once"];
  }
}
