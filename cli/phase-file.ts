import { readFileSync, statSync } from "node:fs";
import { MAX_PHASE_FILE_BYTES } from "#hmi-monitor/replay/phase-marks.ts";
import type { Result } from "#specs/result.ts";
import { UsageError } from "./part.ts";
import { whyOf } from "./spec/files.ts";

/** The text of a file that says from when on which phase holds (docs/replay.md). @throws UsageError */
export function readPhaseFile(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_PHASE_FILE_BYTES)
      throw new UsageError(`${file} has ${size} bytes, more than ${MAX_PHASE_FILE_BYTES}: it is no phase file`);
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file} cannot be read: ${whyOf(error)}`);
  }
}

/** @param where what was read, as the user knows it. @throws UsageError */
export function valueOr<T>(result: Result<T, string>, where: string): T {
  if (result.ok) return result.value;
  throw new UsageError(`${where}: ${result.error}`);
}
