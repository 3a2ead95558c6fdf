import type { DeviceId, PhaseId } from "../ids.ts";
import type { Lifecycle, Phase, Region, SafeState, Transition } from "../lifecycle.ts";
import { type Usable, waysToSafety } from "../safe-distance.ts";
import { mayGoWithoutAbsent } from "../widening.ts";
import type { TagOf } from "../words.ts";
import { type Pass, stuckIn, tooFarFrom } from "./g01-words.ts";
import { regionKey } from "./keys.ts";
import type { Checked, RawFinding } from "./report.ts";
import { spaceOf } from "./state-space.ts";

/**
 * From every phase, and so from every step, the safe phase can be reached within its time: first with every point alive, then with
 * each single point dead or refusing. Then only changes count that the coordinator makes without it, and no condition on a tag
 * whose only witness is the dead guard.
 */
export function safeStateIsNear(spec: Checked): readonly RawFinding[] {
  return spec.lifecycle.regions.flatMap((region) => {
    const { safe } = region;
    if (safe === undefined) return [missing(spec.lifecycle, region)];
    return new SafetySearch(spec, region, safe).run();
  });
}

function missing(lifecycle: Lifecycle, region: Region): RawFinding {
  return {
    at: regionKey(lifecycle, region, "initial"),
    code: "SAFE_MISSING",
    message: `zone \`${region.zone}\` names no safe state; add \`safe: { phase: …, within: … }\` with the phase in which nothing can go wrong`,
  };
}

class SafetySearch {
  readonly #spec: Checked;
  readonly #region: Region;
  readonly #safe: SafeState;
  readonly #phases: readonly Phase[];
  /** Phases about which something has been said: what leads through them need not be said again. */
  readonly #said = new Set<PhaseId>();
  readonly #mayGoKnown = new Map<Phase, Map<PhaseId, boolean>>();

  constructor(spec: Checked, region: Region, safe: SafeState) {
    this.#spec = spec;
    this.#region = region;
    this.#safe = safe;
    this.#phases = spec.lifecycle.phases.filter(({ zone }) => zone === region.zone);
  }

  run(): readonly RawFinding[] {
    const { canHold, tagOf } = spaceOf(this.#spec);
    const possible: Usable = (_, { when }) => canHold(when);
    const passes = [undefined, ...witnesses(tagOf, this.#phases)].map((dead) => {
      const usable: Usable = (from, transition) =>
        possible(from, transition) && !dependsOn(tagOf, transition, dead) && this.#mayGo(from, transition);
      return { usable, without: dead === undefined ? "any enforcement point" : `the guard of \`${dead}\`` };
    });
    return [{ usable: possible, without: undefined }, ...passes].flatMap((pass) => this.#judge(pass));
  }

  #judge({ usable, without }: Pick<Pass, "usable" | "without">): readonly RawFinding[] {
    const ways = waysToSafety(this.#spec.lifecycle, this.#region, usable);
    const isLate = ({ id }: Phase) => (ways.get(id)?.ms ?? Number.POSITIVE_INFINITY) > this.#safe.withinMs;
    const late = this.#phases.filter((phase) => isLate(phase) && !this.#isSaid(phase));
    for (const { id } of late) this.#said.add(id);
    const { tagOf } = spaceOf(this.#spec);
    const pass: Pass = {
      lifecycle: this.#spec.lifecycle,
      safe: this.#safe,
      phases: this.#phases,
      tagOf,
      ways,
      usable,
      without,
      mayGo: (from, transition) => this.#mayGo(from, transition),
    };
    // What is said of a phase holds for the containments that are made from it.
    const told = late.filter(({ mask }) => mask === undefined || !this.#said.has(mask.origin));
    const stuck = told.filter(({ id }) => !ways.has(id));
    return [
      ...stuckIn(pass, stuck),
      ...tooFarFrom(
        pass,
        told.filter(({ id }) => ways.has(id)),
      ),
    ];
  }

  #isSaid({ id, mask }: Phase): boolean {
    return this.#said.has(id) || (mask !== undefined && this.#said.has(mask.origin));
  }

  /** Whether the coordinator makes the change without a point that is dead. */
  #mayGo(from: Phase, transition: Transition): boolean {
    const known = this.#mayGoKnown.get(from) ?? new Map<PhaseId, boolean>();
    this.#mayGoKnown.set(from, known);
    const may = known.get(transition.to) ?? mayGoWithoutAbsent(this.#spec.lifecycle, from.id, transition.to);
    known.set(transition.to, may);
    return may;
  }
}

/** Only the guard in a PLC says what is in that PLC: without it, conditions on its tags are not known. */
function dependsOn(tagOf: TagOf, { when }: Transition, device: DeviceId | undefined): boolean {
  return device !== undefined && when?.all.some(({ tag }) => tagOf(tag)?.device === device) === true;
}

/** The guards whose word some transition waits for. */
function witnesses(tagOf: TagOf, phases: readonly Phase[]): readonly DeviceId[] {
  const devices = phases.flatMap(({ transitions }) =>
    transitions.flatMap(({ when }) => when?.all.flatMap(({ tag }) => tagOf(tag)?.device ?? []) ?? []),
  );
  return [...new Set(devices)];
}
