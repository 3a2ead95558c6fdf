import type { RawId } from "../ids.ts";
import { OPERATIONS, type Rule } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import type { Layer } from "./observation.ts";
import { NONE } from "./verdict-id.ts";

/** How the names of a plant become numbers. */
export interface Directory {
  readonly layer: Layer;
  /** Index of each device and of `program`. The index after the last stands for whoever wrote a PLC's variable. */
  readonly parties: ReadonlyMap<string, number>;
  readonly tagCount: number;
  readonly raws: ReadonlyMap<RawId, number>;
}

/**
 * Parts of a device that are asked for neither as a tag nor with the rest of it: rules must name them, or allow all of the operation.
 */
export const PARTS = ["files read", "files written", "identification"] as const;
export type Part = (typeof PARTS)[number];

/**
 * Which rules are for a given who and what, in any phase: found by a few array look-ups, however many rules there are.
 *
 * A *row* is what is asked: an operation on a tag, on a whole device, a raw function or a part of a device. A *group* within a row is
 * who asks; in a `report`, who is told. Its candidates lie side by side, in the order of judgement.
 */
export interface Candidates extends Directory {
  /** By row: its first group. The next row's first group is its end. */
  readonly firstGroup: Int32Array;
  /** By group: who. */
  readonly party: Int32Array;
  /** By group: its first candidate. The next group's first candidate is its end. */
  readonly firstCandidate: Int32Array;
  /** By candidate: index of the rule. */
  readonly rule: Int32Array;
  /** By candidate: index of its crossing. */
  readonly crossing: Int32Array;
  readonly crossings: readonly Crossing[];
}

/** What a containment mask goes by: an operation of certain sources on a target. Several sources: any of them may have been it. */
export interface Crossing {
  /** A rule that crosses here and is no safety rule. */
  readonly example: Rule;
  readonly sources: readonly string[];
  readonly target: string;
}

export function rowCount({ parties, tagCount, raws }: Directory): number {
  return OPERATIONS.length * (tagCount + parties.size) + (raws.size + PARTS.length) * parties.size;
}

/** Row of an operation on a tag. */
export function tagRow({ tagCount }: Directory, operation: number, tag: number): number {
  return operation * tagCount + tag;
}

/** Row of an operation on a device as a whole. */
export function deviceRow({ parties, tagCount }: Directory, operation: number, device: number): number {
  return OPERATIONS.length * tagCount + operation * parties.size + device;
}

/** Row of a raw function of a device. */
export function rawRow({ parties, tagCount }: Directory, raw: number, device: number): number {
  return OPERATIONS.length * (tagCount + parties.size) + raw * parties.size + device;
}

/** Row of a part of a device. @param part index in `PARTS` */
export function partRow({ parties, tagCount, raws }: Directory, part: number, device: number): number {
  return OPERATIONS.length * (tagCount + parties.size) + (raws.size + part) * parties.size + device;
}

/** The group of a party in a row; -1: it has none. */
export function groupOf({ firstGroup, party }: Candidates, row: number, wanted: number): number {
  const end = firstGroup[row + 1] ?? 0;
  for (let group = firstGroup[row] ?? 0; group < end; group += 1) if (party[group] === wanted) return group;
  return NONE;
}

export function directoryOf(layer: Layer, plant: Plant): Directory {
  const names = [...plant.devices.map(({ id }) => id), "program"];
  return {
    layer,
    parties: new Map(names.map((name, index) => [name, index])),
    tagCount: plant.tags.length,
    raws: new Map(plant.raw.map(({ id }, index) => [id, index])),
  };
}
