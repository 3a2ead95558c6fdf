import { checkSpec, type Report } from "#specs/check.ts";
import type { Loaded } from "#specs/load.ts";
import { sourcesOnDisk } from "./excerpt.ts";
import { progressOn } from "./progress.ts";
import { type ReportLook, reportInWords } from "./report-text.ts";
import { type OutputFlags, openPlant } from "./source.ts";
import { coloursFor } from "./terminal.ts";

export interface CheckFlags extends OutputFlags {
  readonly all?: boolean;
}

/** `sekisho spec check`: exit code 1 where the specification does not hold. */
export function check(plant: string, flags: CheckFlags): void {
  const loaded = openPlant(plant, flags);
  const report = checkedAloud(loaded);
  process.stdout.write(
    flags.json === true
      ? reportJson(loaded, report)
      : reportInWords(loaded.plant, loaded.lifecycle, report, look(flags, process.stdout)),
  );
  if (!report.passed) process.exitCode = 1;
}

/** Checks, with a line about how far it is on standard error. */
export function checkedAloud(loaded: Loaded): Report {
  const progress = progressOn(process.stderr);
  try {
    return checkSpec(loaded, progress.report);
  } finally {
    progress.end();
  }
}

export function reportJson({ plant, lifecycle }: Loaded, report: Report): string {
  return `${JSON.stringify({ plant: plant.id, title: plant.title, version: lifecycle.version, ...report })}\n`;
}

export function look(flags: CheckFlags, stream: { readonly isTTY?: boolean }): ReportLook {
  return { colours: coloursFor(stream, flags.color), sources: sourcesOnDisk(), all: flags.all === true };
}
