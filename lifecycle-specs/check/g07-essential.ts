import type { DeviceId, PhaseId } from "../ids.ts";
import type { Lifecycle, Phase } from "../lifecycle.ts";
import type { EssentialFunction, Plant, Tag } from "../plant.ts";
import { boxOf } from "./boxes.ts";
import { originsOf } from "./origins.ts";
import { type PhaseLists, phaseLists, stepsOf } from "./phase-lists.ts";
import type { Checked, RawFact, RawFinding } from "./report.ts";
import { difference, toleranceOf, type ValueSet } from "./values.ts";
import { type Book, bookOf, type Grant } from "./whitelist.ts";

/**
 * A containment keeps an essential function when each of its outputs stays movable wherever an origin of the containment may move it:
 * the control program may give it some value besides its safe one, on a condition that can hold. A function's outputs are the outputs
 * it names; where it names a command, a set-point, a method or a reading of a PLC and no output of that PLC, then all outputs of
 * that PLC. Commands and set-points are held: a whitelist forces no value, and a command that nobody may change stays as it is.
 */
export function containmentsKeepEssentials(spec: Checked): readonly RawFinding[] {
  const { plant, lifecycle } = spec;
  const model = modelOf(spec);
  const written = lifecycle.phases.filter(({ containment, mask }) => containment && mask === undefined);
  return written.flatMap((phase) =>
    plant.essential.flatMap((essential): readonly RawFinding[] => {
      const lost = outputsOf(plant, model.book, essential).flatMap((tag) => lossOf(model, phase, tag));
      const [first] = lost;
      if (first === undefined) return [];
      const message = `containment \`${phase.id}\` ends the essential function \`${essential.id}\` (${essential.says}): the control program may no longer move \`${first.tag.id}\`; add an \`output\` rule for it`;
      return [{ at: `phase:${phase.id}`, code: "ESSENTIAL_LOST", message, trace: traceOf(phase, first) }];
    }),
  );
}

/** A function that no phase lets go on cannot be kept by any. */
export function essentialsGoOnSomewhere({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const model = modelOf({ plant, lifecycle });
  return plant.essential.flatMap((essential) =>
    outputsOf(plant, model.book, essential)
      .filter((tag) => essential.tags.includes(tag.id) && lifecycle.phases.every((phase) => !model.mayMove(phase, tag)))
      .map(
        (tag): RawFinding => ({
          at: `essential:${essential.id}`,
          code: "ESSENTIAL_NEVER",
          message: `essential function \`${essential.id}\` needs \`${tag.id}\`, and no phase lets the control program move it; add an \`output\` rule to the phases in which the function goes on`,
        }),
      ),
  );
}

/** What was shown for each function, and in how many containments. Masks let every output through, so generated ones keep all. */
export function essentialsKept(spec: Checked): readonly RawFact[] {
  const { plant, lifecycle } = spec;
  const book = bookOf(plant, lifecycle);
  const contained = lifecycle.phases.filter(({ containment }) => containment);
  return plant.essential.map((essential) => {
    const outputs = outputsOf(plant, book, essential).map(({ id }) => id);
    const open = [...new Set(essential.tags.flatMap((id) => book.tag(id)?.device ?? []))].filter(
      (id) => !book.isGuarded(id),
    );
    const judged =
      outputs.length === 0 ? "no output is judged for it" : `outputs that stay movable: ${outputs.join(", ")}`;
    const free = open.length === 0 ? "" : `; nothing limits the program of ${open.join(", ")}`;
    return {
      at: `essential:${essential.id}`,
      guarantee: "G7",
      fact: `essential function \`${essential.id}\` in ${contained.length} containments: ${judged}${free}`,
      detail: { essential: essential.id, containments: contained.length, outputs },
    };
  });
}

interface Model {
  readonly lifecycle: Lifecycle;
  readonly book: Book;
  readonly lists: PhaseLists;
  readonly origins: (phase: Phase) => readonly Phase[];
  /** In some position of the phase. */
  readonly mayMove: (phase: Phase, tag: Tag) => boolean;
}

function modelOf({ plant, lifecycle }: Checked): Model {
  const book = bookOf(plant, lifecycle);
  const lists = phaseLists(plant, lifecycle);
  const known = new Map<string, boolean>();
  return {
    lifecycle,
    book,
    lists,
    origins: originsOf(lifecycle),
    mayMove: (phase, tag) => {
      const source = phase.mask?.origin ?? phase.id; // outputs pass every mask
      const key = `${source} ${tag.id}`;
      const moves = known.get(key) ?? stepsOf(phase).some((step) => isMovable(book, lists, phase, step, tag));
      known.set(key, moves);
      return moves;
    },
  };
}

function isMovable(
  book: Book,
  lists: PhaseLists,
  phase: Phase,
  step: Phase["steps"][number] | undefined,
  tag: Tag,
): boolean {
  const held = lists.at(phase, step, "plc").get(`program output ${tag.id} ${tag.device}`);
  return held?.grants.some((grant) => moves(book, grant, tag)) === true;
}

function moves(book: Book, { values = [], limits }: Grant, tag: Tag): boolean {
  const rest = tag.safe ?? tag.range[0];
  const other: ValueSet = difference(values, [[rest, rest]], toleranceOf(tag));
  return other.length > 0 && (limits.after === undefined || boxOf(limits.after, book.tag) !== undefined);
}

function outputsOf(plant: Plant, book: Book, { tags }: EssentialFunction): readonly Tag[] {
  const named = tags.flatMap((id) => book.tag(id) ?? []);
  const devices = new Set<DeviceId>(named.map(({ device }) => device));
  return [...devices].filter(book.isGuarded).flatMap((device) => {
    const own = named.filter((tag) => tag.device === device && tag.kind === "output");
    return own.length > 0 ? own : plant.tags.filter((tag) => tag.device === device && tag.kind === "output");
  });
}

interface Loss {
  readonly tag: Tag;
  readonly origin: PhaseId;
  readonly step: string | undefined;
}

function lossOf({ book, lists, origins, mayMove }: Model, phase: Phase, tag: Tag): readonly Loss[] {
  if (book.zoneOf(tag.device) !== phase.zone) return [];
  const stuck = stepsOf(phase).find((step) => !isMovable(book, lists, phase, step, tag));
  const isStuck = stepsOf(phase).some((step) => !isMovable(book, lists, phase, step, tag));
  const origin = isStuck ? origins(phase).find((from) => mayMove(from, tag)) : undefined;
  return origin === undefined ? [] : [{ tag, origin: origin.id, step: stuck?.id }];
}

function traceOf(phase: Phase, { tag, origin, step }: Loss): readonly string[] {
  const where = step === undefined ? `\`${phase.id}\`` : `\`${phase.id}\`, step \`${step}\``;
  const rest = tag.safe ?? tag.range[0];
  return [
    `in \`${origin}\` the control program may move \`${tag.id}\``,
    `a detection, or the end of the lease, leads to ${where}`,
    `there \`${tag.id}\` may only be ${rest}, or nothing`,
  ];
}
