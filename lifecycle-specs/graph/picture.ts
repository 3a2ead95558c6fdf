import type { PhaseId } from "../ids.ts";
import { type ContainmentChoice, type Lifecycle, LOCI, type Phase, type Region, type Step } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { durationInWords, listInWords, stepEventInWords, type TagOf, tagsOf, transitionInWords } from "../words.ts";

/** What is drawn, before anybody says where: boxes within boxes, and arrows between them. Pure data in a stable order. */
export interface Picture {
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

export type BoxKind = "zone" | "group" | "phase" | "step" | "contained" | "start";

export interface Box {
  /** `phase:normal`, `step:normal/produce`; unique in the picture. */
  readonly id: string;
  readonly kind: BoxKind;
  readonly title: string;
  readonly says: string;
  /** What is special about it, in words: never by colour alone. */
  readonly marks: readonly string[];
  /** A containment, written or generated. */
  readonly containment: boolean;
  readonly children: readonly Box[];
}

/** All ways from one box to another: one arrow, with one label for each. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly kind: "transition" | "step" | "containment" | "start";
  /** One entry for each way, of one line for each of its parts. */
  readonly labels: readonly (readonly string[])[];
}

export interface PictureOptions {
  /** Draw every generated containment; otherwise those of one origin are one box. */
  readonly all?: boolean;
  /** Groups are no boxes; their phases have the group in their title. */
  readonly flat?: boolean;
  /** Draw only this phase, and its neighbours without their steps. */
  readonly phase?: PhaseId;
}

export const phaseBox = (phase: PhaseId): string => `phase:${phase}`;
export const stepBox = (phase: PhaseId, step: Step["id"]): string => `step:${phase}/${step}`;
const containedBox = (origin: PhaseId): string => `contained:${origin}`;

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

/** Every box, those within others after them. */
export function everyBox(boxes: readonly Box[]): readonly Box[] {
  return boxes.flatMap((box) => [box, ...everyBox(box.children)]);
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
    const prefix = several ? [region.zone as string] : [];
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

export function maskInWords({ level, subject }: NonNullable<Phase["mask"]>): string {
  return `${"device" in subject ? subject.device : `link ${subject.link}`}: ${level}`;
}

/** `hmi-1, ews-1: observe, read-only, cut`. */
function foldedInWords(phases: readonly Phase[]): string {
  const levels = new Map<string, string[]>();
  for (const { mask } of phases) {
    if (mask === undefined) continue;
    const [subject = "", level = ""] = maskInWords(mask).split(": ");
    levels.set(subject, [...(levels.get(subject) ?? []), level]);
  }
  const subjects = new Map<string, string[]>();
  for (const [subject, list] of levels)
    subjects.set(list.join(", "), [...(subjects.get(list.join(", ")) ?? []), subject]);
  return [...subjects].map(([list, names]) => `${names.join(", ")}: ${list}`).join("; ");
}

function marksOf({ id, containment, mask, because }: Phase, { initial, isolated, safe }: Region): readonly string[] {
  return [
    ...(id === initial ? ["the plant begins here"] : []),
    ...(containment ? ["containment"] : []),
    ...(mask === undefined ? [] : [maskInWords(mask)]),
    ...(id === isolated ? ["without a coordinator"] : []),
    ...(id === safe?.phase ? [`safe state, within ${durationInWords(safe.withinMs)}`] : []),
    ...(because === undefined ? [] : [`permissive: ${because}`]),
  ];
}

function stepBoxOf(phase: Phase, { id, says, minMs, maxMs }: Step): Box {
  const marks = [
    ...(minMs === undefined ? [] : [`at least ${durationInWords(minMs)}`]),
    ...(maxMs === undefined ? [] : [`at most ${durationInWords(maxMs)}`]),
  ];
  return { ...plain(stepBox(phase.id, id), "step", id), says, marks };
}

function plain(id: string, kind: BoxKind, title: string): Box {
  return { id, kind, title, says: "", marks: [], containment: false, children: [] };
}

function startBox(of: string): Box {
  return plain(`start:${of}`, "start", "");
}

/** A phase's box, and the groups it stands in. */
interface Placed {
  readonly groups: readonly string[];
  readonly prefix: string;
  readonly box: Box;
}

/** Groups where they are first needed, in the order of the file. */
function nest(phases: readonly Placed[]): readonly Box[] {
  const heads = new Map<string, Placed[]>();
  const order: (string | Box)[] = [];
  for (const placed of phases) {
    const [head] = placed.groups;
    if (head === undefined) {
      order.push(placed.box);
    } else if (heads.has(head)) {
      heads.get(head)?.push(placed);
    } else {
      heads.set(head, [placed]);
      order.push(head);
    }
  }
  return order.map((entry) => {
    if (typeof entry !== "string") return entry;
    const inside = heads.get(entry) ?? [];
    const prefix = inside[0]?.prefix ?? "";
    const path = prefix === "" ? entry : `${prefix}.${entry}`;
    const children = nest(inside.map(({ groups, box }) => ({ groups: groups.slice(1), prefix: path, box })));
    return { ...plain(`group:${path}`, "group", entry), children };
  });
}

function startArrows(boxes: readonly Box[], { regions, phases }: Lifecycle): readonly Arrow[] {
  const drawn = new Set(everyBox(boxes).map(({ id }) => id));
  const arrows = [
    ...regions.map(({ zone, initial }) => ({ from: `start:zone/${zone}`, to: phaseBox(initial) })),
    ...phases.flatMap(({ id, initial }) =>
      initial === undefined ? [] : [{ from: `start:phase/${id}`, to: stepBox(id, initial) }],
    ),
  ];
  return arrows
    .filter(({ from, to }) => drawn.has(from) && drawn.has(to))
    .map((arrow) => ({ ...arrow, kind: "start" as const, labels: [] }));
}

/** What leads from every phase of a group to the same place is one arrow from the group. */
function hoisted(arrows: readonly Arrow[], boxes: readonly Box[]): readonly Arrow[] {
  const groups = everyBox(boxes).filter(({ kind, children }) => kind === "group" && children.length > 1);
  // From the inner groups outwards, so that an outer one finds the arrows of its groups.
  return groups.reverse().reduce(hoistedTo, arrows);
}

function hoistedTo(arrows: readonly Arrow[], group: Box): readonly Arrow[] {
  const inside = new Set(group.children.map(({ id }) => id));
  const within = new Set(everyBox(group.children).map(({ id }) => id));
  const seen = new Map<string, readonly Arrow[]>();
  for (const arrow of arrows.filter(({ from, to }) => inside.has(from) && !within.has(to))) {
    const key = JSON.stringify({ ...arrow, from: "" });
    seen.set(key, [...(seen.get(key) ?? []), arrow]);
  }
  const common = [...seen.values()].filter((same) => same.length === inside.size);
  const first = new Set(common.map((same) => same[0]));
  const gone = new Set(common.flat());
  return arrows.flatMap((arrow) =>
    first.has(arrow) ? [{ ...arrow, from: group.id }] : gone.has(arrow) ? [] : [arrow],
  );
}

/** One arrow for all ways of one kind from a box to another, each label once, in the order of the file. */
function merged(arrows: readonly Arrow[]): readonly Arrow[] {
  const found = new Map<string, { arrow: Arrow; labels: Map<string, readonly string[]> }>();
  for (const arrow of arrows) {
    const key = JSON.stringify([arrow.from, arrow.to, arrow.kind]);
    const entry = found.get(key) ?? { arrow, labels: new Map<string, readonly string[]>() };
    for (const label of arrow.labels) entry.labels.set(label.join("\n"), label);
    found.set(key, entry);
  }
  return [...found.values()].map(({ arrow, labels }) => ({ ...arrow, labels: [...labels.values()] }));
}
