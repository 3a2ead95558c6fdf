import type { FieldInputs, FieldOutputs } from "../water/field-tags.ts";
import type { Harm, PlantRecord } from "../water/harm.ts";

/**
 * The plant's own log, `plant.jsonl`: what is physically so. One `{"record":…,"inputs":…,"outputs":…}` per half second of plant time,
 * one `{"harm":…}` when a limit is passed, one `{"dropped":…}` when a participant of the plant clock stopped answering.
 */
export interface PlantLogEntry {
  readonly record: PlantRecord;
  readonly inputs: FieldInputs;
  readonly outputs: FieldOutputs;
}

/** Ticks between two records: half a second of plant time. */
export const RECORD_TICKS = 5;

export function recordLine(entry: PlantLogEntry): string {
  return JSON.stringify({ record: entry.record, inputs: entry.inputs, outputs: entry.outputs });
}

export function harmLine(harm: Harm): string {
  return JSON.stringify({ harm });
}

/** The records of a log, oldest first. Other lines, and a last line cut short, are passed over. */
export function readRecords(text: string): readonly PlantRecord[] {
  return text.split("\n").flatMap((line) => {
    const record = recordOf(parseJson(line));
    return record === undefined ? [] : [record];
  });
}

const FIELDS = [
  "atMs",
  "level101",
  "level401",
  "chlorine401",
  "spilled101L",
  "spilled401L",
  "dry101Ms",
  "dry401Ms",
  "deliveredM3",
] as const;

function recordOf(value: unknown): PlantRecord | undefined {
  if (typeof value !== "object" || value === null || !("record" in value)) return undefined;
  const { record } = value;
  return isRecord(record) ? record : undefined;
}

function isRecord(value: unknown): value is PlantRecord {
  return (
    typeof value === "object" &&
    value !== null &&
    FIELDS.every((field) => typeof Reflect.get(value, field) === "number")
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
