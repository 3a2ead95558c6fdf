import { readFileSync } from "node:fs";
import type { ScanRecord } from "#sim/plc/scan-log.ts";

/** The scans of a PLC's log, oldest first; of one that is still written, the last line may be cut short and is left out. */
export function scanRecords(file: string): readonly ScanRecord[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line): ScanRecord => JSON.parse(line));
}
