import { deviceRow, PARTS, partRow, rawRow, tagRow } from "./candidates.ts";
import type { Ends } from "./ends.ts";
import type { Observation } from "./observation.ts";
import { operationIndex } from "./operations.ts";
import type { Tables } from "./tables.ts";
import { NONE } from "./verdict-id.ts";

/** The row that an item asks for, or with item -1 the message as a whole; -1: nothing like it is declared. */
export function rowOf(tables: Tables, ends: Ends, observation: Observation, item: number): number {
  const operation = operationIndex(observation.operation);
  if (item === NONE) return wholeRow(tables, ends, observation, operation);
  const id = observation.items[item]?.tag;
  const tag = id === undefined ? undefined : tables.tags.get(id);
  return tag === undefined ? NONE : tagRow(tables.candidates, operation, tag.index);
}

/** The row that a message as a whole asks for, where it names no tag. */
export function wholeRow(
  { candidates }: Tables,
  { holding }: Ends,
  observation: Observation,
  operation: number,
): number {
  if (operation === NONE || holding === NONE) return NONE;
  const { raw, files, objects } = observation;
  if (files !== undefined || objects !== undefined) {
    const part = partOf(operation, files !== undefined);
    return part === NONE ? NONE : partRow(candidates, part, holding);
  }
  if (operation !== RAW) return deviceRow(candidates, operation, holding);
  const index = raw === undefined ? undefined : candidates.raws.get(raw);
  return index === undefined ? NONE : rawRow(candidates, index, holding);
}

const RAW = operationIndex("raw");
const READ = operationIndex("read");
const PROGRAM = operationIndex("program");
const DIAGNOSE = operationIndex("diagnose");
const FILES_READ = PARTS.indexOf("files read");
const FILES_WRITTEN = PARTS.indexOf("files written");
const IDENTIFICATION = PARTS.indexOf("identification");

/** Index in `PARTS` of what a message is about; -1: no operation is about it in this way. */
function partOf(operation: number, isOfFiles: boolean): number {
  if (!isOfFiles) return operation === DIAGNOSE ? IDENTIFICATION : NONE;
  if (operation === READ) return FILES_READ;
  return operation === PROGRAM ? FILES_WRITTEN : NONE;
}
