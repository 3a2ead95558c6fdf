import type { PhaseId } from "../ids.ts";
import type { Phase, Region, Step } from "../lifecycle.ts";
import { durationInWords } from "../words.ts";

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

export const phaseBox = (phase: PhaseId): string => `phase:${phase}`;
export const stepBox = (phase: PhaseId, step: Step["id"]): string => `step:${phase}/${step}`;
export const containedBox = (origin: PhaseId): string => `contained:${origin}`;

/** Every box, those within others after them. */
export function everyBox(boxes: readonly Box[]): readonly Box[] {
  return boxes.flatMap((box) => [box, ...everyBox(box.children)]);
}

export function maskInWords({ level, subject }: NonNullable<Phase["mask"]>): string {
  return `${"device" in subject ? subject.device : `link ${subject.link}`}: ${level}`;
}

/** `hmi-1, ews-1: observe, read-only, cut`. */
export function foldedInWords(phases: readonly Phase[]): string {
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

export function marksOf(
  { id, containment, mask, because }: Phase,
  { initial, isolated, safe }: Region,
): readonly string[] {
  return [
    ...(id === initial ? ["the plant begins here"] : []),
    ...(containment ? ["containment"] : []),
    ...(mask === undefined ? [] : [maskInWords(mask)]),
    ...(id === isolated ? ["without a coordinator"] : []),
    ...(id === safe?.phase ? [`safe state, within ${durationInWords(safe.withinMs)}`] : []),
    ...(because === undefined ? [] : [`permissive: ${because}`]),
  ];
}

export function stepBoxOf(phase: Phase, { id, says, minMs, maxMs }: Step): Box {
  const marks = [
    ...(minMs === undefined ? [] : [`at least ${durationInWords(minMs)}`]),
    ...(maxMs === undefined ? [] : [`at most ${durationInWords(maxMs)}`]),
  ];
  return { ...plain(stepBox(phase.id, id), "step", id), says, marks };
}

export function plain(id: string, kind: BoxKind, title: string): Box {
  return { id, kind, title, says: "", marks: [], containment: false, children: [] };
}

export function startBox(of: string): Box {
  return plain(`start:${of}`, "start", "");
}

/** A phase's box, and the groups it stands in. */
export interface Placed {
  readonly groups: readonly string[];
  readonly prefix: string;
  readonly box: Box;
}

/** Groups where they are first needed, in the order of the file. */
export function nest(phases: readonly Placed[]): readonly Box[] {
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
