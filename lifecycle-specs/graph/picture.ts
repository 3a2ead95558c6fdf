import type { PhaseId } from "../ids.ts";
import { type ContainmentChoice, type Lifecycle, LOCI, type Phase, type Region } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { listInWords, stepEventInWords, type TagOf, tagsOf, transitionInWords } from "../words.ts";
import { type Arrow, hoisted, merged, startArrows } from "./arrows.ts";
import {
  type Box,
  containedBox,
  everyBox,
  foldedInWords,
  marksOf,
  maskInWords,
  nest,
  type Placed,
  phaseBox,
  plain,
  startBox,
  stepBox,
  stepBoxOf,
} from "./boxes.ts";

/** What is drawn, before anybody says where: boxes within boxes, and arrows between them. Pure data in a stable order. */
export interface Picture {
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

export interface PictureOptions {
  /** Draw every generated containment; otherwise those of one origin are one box. */
  readonly all?: boolean;
  /** Groups are no boxes; their phases have the group in their title. */
  readonly flat?: boolean;
  /** Draw only this phase, and its neighbours without their steps. */
  readonly phase?: PhaseId;
}

export function pictureOf(plant: Plant, lifecycle: Lifecycle, options: PictureOptions = {}): Picture {
  const scene = new Scene(plant, lifecycle, options);
  const focus = options.phase;
  const each = merged(lifecycle.phases.flatMap((phase) => scene.arrowsOf(phase)));
  const arrows =
    focus === undefined && options.flat !== true
      ? hoisted(
          each,
          lifecycle.regions.flatMap((region) => scene.region(region, undefined)),
        )
      : each;
  const near = focus === undefined ? undefined : new Set([phaseBox(focus), ...neighbours(arrows, phaseBox(focus))]);
  const boxes = lifecycle.regions.flatMap((region) => scene.region(region, near));
  const drawn = new Set(everyBox(boxes).map(({ id }) => id));
  return {
    title: focus === undefined ? plant.title : `${plant.title}: ${focus}`,
    boxes,
    arrows: [...arrows, ...startArrows(boxes, lifecycle)].filter(
      ({ from, to, kind }) =>
        drawn.has(from) &&
        drawn.has(to) &&
        (near === undefined || kind === "step" || kind === "start" || touches(from, to, focus)),
    ),
  };
}

function touches(from: string, to: string, focus: PhaseId | undefined): boolean {
  return focus !== undefined && (from === phaseBox(focus) || to === phaseBox(focus));
}

function neighbours(arrows: readonly Arrow[], of: string): readonly string[] {
  return arrows.flatMap(({ from, to }) => (from === of ? [to] : to === of ? [from] : []));
}

class Scene {
  readonly #plant: Plant;
  readonly #lifecycle: Lifecycle;
  readonly #options: PictureOptions;
  readonly #tagOf: TagOf;

  constructor(plant: Plant, lifecycle: Lifecycle, options: PictureOptions) {
    this.#plant = plant;
    this.#lifecycle = lifecycle;
    this.#options = options;
    this.#tagOf = tagsOf(plant);
  }

  /** The phases of one zone; where the plant has several zones, within a box. `near`: which to draw, with steps only the first. */
  region(region: Region, near: ReadonlySet<string> | undefined): readonly Box[] {
    const phases = this.#lifecycle.phases.filter(({ zone }) => zone === region.zone);
    const shown = phases.filter((phase) => near === undefined || near.has(this.#boxId(phase)));
    if (shown.length === 0) return [];
    const several = this.#lifecycle.regions.length > 1;
    const prefix: readonly string[] = several ? [region.zone] : [];
    const boxes = nest(
      shown.filter((phase) => !this.#isFolded(phase)).map((phase) => this.#placed(phase, region, prefix)),
    );
    const folded = this.#foldedBoxes(shown);
    const start: readonly Box[] = shown.some(({ id }) => id === region.initial)
      ? [startBox(`zone/${region.zone}`)]
      : [];
    if (!several) return [...start, ...boxes, ...folded];
    const title = this.#plant.zones.find(({ id }) => id === region.zone)?.title ?? region.zone;
    return [{ ...plain(`zone:${region.zone}`, "zone", title), children: [...start, ...boxes, ...folded] }];
  }

  arrowsOf(phase: Phase): readonly Arrow[] {
    const from = this.#boxId(phase);
    const transitions = phase.transitions.map((transition): Arrow => {
      const labels = [transitionInWords(transition, this.#tagOf)];
      return { from, to: this.#boxOf(transition.to), kind: "transition", labels };
    });
    const containments = this.#lifecycle.containments
      .filter((choice) => choice.from.includes(phase.id))
      .map((choice): Arrow => {
        return { from, to: this.#boxOf(choice.to), kind: "containment", labels: [this.#choiceInWords(choice)] };
      });
    if (this.#isFolded(phase)) return [...transitions, ...containments];
    const steps = phase.steps.flatMap((step) =>
      step.next.map((next): Arrow => {
        const labels = [[stepEventInWords(next, this.#tagOf)]];
        return { from: stepBox(phase.id, step.id), to: stepBox(phase.id, next.to), kind: "step", labels };
      }),
    );
    return [...transitions, ...containments, ...steps];
  }

  #isFolded({ id, mask }: Phase): boolean {
    return mask !== undefined && this.#options.all !== true && id !== this.#options.phase;
  }

  #boxId(phase: Phase): string {
    return this.#isFolded(phase) && phase.mask !== undefined ? containedBox(phase.mask.origin) : phaseBox(phase.id);
  }

  #boxOf(id: PhaseId): string {
    const phase = this.#lifecycle.phases.find((candidate) => candidate.id === id);
    return phase === undefined ? phaseBox(id) : this.#boxId(phase);
  }

  #choiceInWords({ locus, tags, to }: ContainmentChoice): readonly string[] {
    const target = this.#lifecycle.phases.find(({ id }) => id === to);
    const where = locus.length === LOCI.length ? "anywhere" : `at ${listInWords(locus, "or")}`;
    const on = tags === undefined ? "" : ` on ${listInWords(tags, "or")}`;
    const mask = target?.mask === undefined || !this.#isFolded(target) ? [] : [maskInWords(target.mask)];
    return [`detection ${where}${on}`, ...mask];
  }

  #placed(phase: Phase, region: Region, prefix: readonly string[]): Placed {
    const path = phase.id.split(".");
    const own = prefix.length > 0 && path[0] === prefix[0] ? path.slice(1) : path;
    const flat = this.#options.flat === true;
    const whole = this.#options.phase === undefined || this.#options.phase === phase.id;
    const steps = whole ? phase.steps.map((step) => stepBoxOf(phase, step)) : [];
    const start = steps.length > 0 && phase.initial !== undefined ? [startBox(`phase/${phase.id}`)] : [];
    const box: Box = {
      id: phaseBox(phase.id),
      kind: "phase",
      title: (flat ? undefined : own.at(-1)) ?? phase.id,
      says: phase.says,
      marks: marksOf(phase, region),
      containment: phase.containment,
      children: [...start, ...steps],
    };
    return { groups: flat ? [] : own.slice(0, -1), prefix: prefix.join("."), box };
  }

  /** One box for all containments that were generated from one phase. */
  #foldedBoxes(phases: readonly Phase[]): readonly Box[] {
    const byOrigin = new Map<PhaseId, Phase[]>();
    for (const phase of phases) {
      if (phase.mask === undefined || !this.#isFolded(phase)) continue;
      const list = byOrigin.get(phase.mask.origin) ?? [];
      list.push(phase);
      byOrigin.set(phase.mask.origin, list);
    }
    return [...byOrigin].map(([origin, list]) => ({
      ...plain(containedBox(origin), "contained", `contained: ${origin}`),
      says: foldedInWords(list),
      marks: ["containment", `${list.length} generated`],
      containment: true,
    }));
  }
}
