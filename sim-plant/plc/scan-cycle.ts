import { TagId } from "#specs/ids.ts";
import type { ControlProgram, ProgramMemory } from "./program.ts";

type Values = ReadonlyMap<TagId, number>;

/** Everything that reaches a PLC from outside between two scans, latched at the start of the scan. */
export interface ScanInputs {
  /** Increases by one per scan; the plant's tick. */
  readonly scan: number;
  /** Plant time of the scan, ms. */
  readonly atMs: number;
  readonly dtMs: number;
  /** What the field wiring shows. */
  readonly field: Values;
  /** What the protocol servers took since the last scan; the last write to a tag counts. */
  readonly writes: Values;
  /** Outputs that a changed program forces (an exercise's doing). They replace those of the program, before the guard. */
  readonly forces: Values;
}

export interface ScanResult<M> {
  readonly memory: M;
  /** Network writes that reached the memory. */
  readonly accepted: Values;
  /** What goes to the field. */
  readonly outputs: Values;
  /** What the PLC knows after the scan: inputs, variables and outputs. The protocol servers answer reads from it. */
  readonly tags: Values;
}

/** The two places in a scan where a guard stands. */
export interface ScanGuard {
  latch(scan: number, atMs: number, before: Values, wanted: Values): Values;
  outputs(scan: number, atMs: number, wanted: Values, tags: Values): Values;
}

/** A PLC without a guard: a write takes effect where it changes something, as with a guard in mode `off`. */
export const NO_GUARD: ScanGuard = {
  latch: (_scan, _atMs, before, wanted) =>
    new Map([...wanted].filter(([tag, value]) => !Object.is(before.get(tag), value))),
  outputs: (_scan, _atMs, wanted) => wanted,
};

/** One scan: latch inputs → guard → control program → guard → output image. */
export function scanCycle<M extends ProgramMemory>(
  program: ControlProgram<M>,
  memory: M,
  inputs: ScanInputs,
  guard: ScanGuard,
): ScanResult<M> {
  const before = tagValues(memory.tags);
  const accepted =
    inputs.writes.size === 0 ? inputs.writes : guard.latch(inputs.scan, inputs.atMs, before, inputs.writes);
  const ran = program.scan(program.write(memory, accepted), inputs.field, inputs.dtMs);
  const wanted = new Map([...tagValues(ran.outputs), ...inputs.forces]);
  const known = tagValues(ran.memory.tags);
  const outputs = guard.outputs(inputs.scan, inputs.atMs, wanted, known);
  return { memory: ran.memory, accepted, outputs, tags: new Map([...known, ...outputs]) };
}

const tagIds = new Map<string, TagId>();

/** A record by names as a map by tags. The names are those of the programs, so the table of seen names stays small. */
export function tagValues(record: Readonly<Record<string, number>>): Map<TagId, number> {
  const values = new Map<TagId, number>();
  for (const [name, value] of Object.entries(record)) values.set(tagId(name), value);
  return values;
}

function tagId(name: string): TagId {
  const known = tagIds.get(name);
  if (known !== undefined) return known;
  const made = TagId(name);
  if (tagIds.size < 1000) tagIds.set(name, made);
  return made;
}
