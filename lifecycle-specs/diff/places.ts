import type { PhaseId, StepId } from "../ids.ts";
import type { Lifecycle, Phase } from "../lifecycle.ts";
import type { Spec } from "./change.ts";

/**
 * Places in as few words as tell of them all: `every phase`, a phase for all its steps, `2 of the 6 containments generated from
 * normal`. Given are phases, and steps as `phase/step`.
 */
export function inFewPlaces(before: Spec, { lifecycle }: Spec, where: readonly string[]): readonly string[] {
  const given = new Given(before, where);
  const several = lifecycle.regions.length > 1;
  const zones = lifecycle.regions.map(({ zone }) =>
    placesIn(
      lifecycle.phases.filter((phase) => phase.zone === zone),
      given,
      several ? ` of ${zone}` : "",
    ),
  );
  const everywhere = zones.every(({ whole }) => whole);
  return several && everywhere ? ["every phase"] : zones.flatMap(({ places }) => places);
}

function placesIn(
  phases: Lifecycle["phases"],
  given: Given,
  ofZone: string,
): { readonly places: readonly string[]; readonly whole: boolean } {
  const written = phases.filter(({ mask }) => mask === undefined);
  const generated = phases.filter(({ mask }) => mask !== undefined);
  const touched = generated.filter((phase) => given.touches(phase));
  const all = written.length > 1 && written.every((phase) => given.hasWhole(phase));
  if (all && touched.length === generated.length) return { places: [`every phase${ofZone}`], whole: true };
  if (!all)
    return {
      places: [...written.flatMap((phase) => ofPhase(phase, given)), ...byOrigin(generated, touched)],
      whole: false,
    };
  const some =
    touched.length === 0 ? [] : [`${touched.length} of the ${generated.length} generated containments${ofZone}`];
  return { places: [`every phase${ofZone}`, ...some], whole: false };
}

function ofPhase(phase: Phase, given: Given): readonly string[] {
  if (given.hasWhole(phase)) return [phase.id];
  return phase.steps.flatMap(({ id }) => (given.hasStep(phase, id) ? [`${phase.id}/${id}`] : []));
}

function byOrigin(generated: readonly Phase[], touched: readonly Phase[]): readonly string[] {
  return [...Map.groupBy(touched, ({ mask }) => mask?.origin)].flatMap(([origin, some]): readonly string[] => {
    const [only] = some;
    const total = generated.filter(({ mask }) => mask?.origin === origin).length;
    if (some.length === 1 && only !== undefined) return [only.id];
    const number = some.length === total ? `the ${total}` : `${some.length} of the ${total}`;
    return [`${number} containments generated from ${origin ?? "nothing"}`];
  });
}

/** The places that are to be told. */
class Given {
  readonly #before: ReadonlyMap<PhaseId, Phase>;
  readonly #places: ReadonlySet<string>;

  constructor({ lifecycle }: Spec, places: readonly string[]) {
    this.#before = new Map(lifecycle.phases.map((phase) => [phase.id, phase]));
    this.#places = new Set(places);
  }

  /** Every step of it that there was before; where there was none, every step. */
  hasWhole(phase: Phase): boolean {
    const was = this.#before.get(phase.id)?.steps ?? [];
    const common = phase.steps.filter(({ id }) => was.some((step) => step.id === id));
    const steps = common.length === 0 ? phase.steps : common;
    return this.#places.has(phase.id) || (steps.length > 0 && steps.every(({ id }) => this.hasStep(phase, id)));
  }

  touches(phase: Phase): boolean {
    return this.#places.has(phase.id) || phase.steps.some(({ id }) => this.hasStep(phase, id));
  }

  hasStep(phase: Phase, step: StepId): boolean {
    return this.#places.has(`${phase.id}/${step}`);
  }
}
