import type { Guard } from "#plc-guard/guard.ts";
import type { ControlProgram, ProgramMemory } from "./program.ts";
import { NO_GUARD, type ScanGuard, scanCycle, tagValues } from "./scan-cycle.ts";
import { applyEvent, outcomeOf, type ScanRecord } from "./scan-log.ts";

export interface Replay {
  /** Scans replayed. */
  readonly scans: number;
  /** First scan whose outcome differs from the log, with both; undefined: byte for byte the same. */
  readonly differs: { readonly scan: number; readonly logged: string; readonly replayed: string } | undefined;
}

/**
 * Runs a PLC's scan log again from its start, through the same program and a fresh guard, and compares every outcome byte for byte:
 * accepted writes, outputs and all tags.
 *
 * @param records the log's lines, from the first scan after a start on
 * @param guard made like the one in the PLC; undefined: the PLC had none
 */
export function replay<M extends ProgramMemory>(
  program: ControlProgram<M>,
  records: Iterable<ScanRecord>,
  guard: Guard | undefined,
): Replay {
  const judge: ScanGuard = guard ?? NO_GUARD;
  let memory = program.initial;
  let scans = 0;
  for (const record of records) {
    if (record.retained !== undefined) memory = program.write(memory, tagValues(record.retained));
    if (guard !== undefined) for (const event of record.guard) applyEvent(guard, event, tagValues);
    const inputs = {
      scan: record.scan,
      atMs: record.atMs,
      dtMs: record.dtMs,
      field: tagValues(record.field),
      writes: tagValues(record.writes),
      forces: tagValues(record.forces),
    };
    const result = scanCycle(program, memory, inputs, judge);
    memory = result.memory;
    scans += 1;
    const replayed = JSON.stringify(outcomeOf(result));
    const logged = JSON.stringify(record.out);
    if (replayed !== logged) return { scans, differs: { scan: record.scan, logged, replayed } };
  }
  return { scans, differs: undefined };
}
