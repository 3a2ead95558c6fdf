import type { Finding, Report } from "#specs/check.ts";
import type { Diagnostic } from "#specs/diagnostic.ts";
import { type Loaded, loadPlantFolder } from "#specs/load.ts";
import { UsageError } from "../part.ts";
import { sourcesOnDisk } from "./excerpt.ts";
import { diagnosticsInWords } from "./report-text.ts";
import { coloursFor, count } from "./terminal.ts";

export interface OutputFlags {
  readonly json?: boolean;
  /** False after `--no-color`. */
  readonly color?: boolean;
}

/**
 * The plant of this name or in this folder. What is wrong with its files goes to standard error with its place in them; with
 * `--json` it is a report that has not passed, on standard output.
 *
 * @throws UsageError where it cannot be read
 */
export function openPlant(nameOrFolder: string, flags: OutputFlags): Loaded {
  const loaded = loadPlantFolder(nameOrFolder);
  if (loaded.ok) return loaded.value;
  if (flags.json === true) process.stdout.write(`${JSON.stringify(refusal(nameOrFolder, loaded.error))}\n`);
  const shown = firstOfSyntax(loaded.error);
  const [first] = shown;
  if (shown.length === 1 && first !== undefined && isAboutFiles(first)) throw new UsageError(wholeSentence(first));
  const colours = coloursFor(process.stderr, flags.color);
  process.stderr.write(`${diagnosticsInWords(shown, { colours, sources: sourcesOnDisk() })}\n`);
  throw new UsageError(`${nameOrFolder} cannot be read: ${count(loaded.error.length, "mistake")}`);
}

/** Behind a mistake in the syntax a parser guesses: only the first of a file says something. */
function firstOfSyntax(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const broken = new Set<string>();
  return diagnostics.filter(({ code, file }) => {
    if (code !== "YAML_SYNTAX") return true;
    const isFirst = !broken.has(file);
    broken.add(file);
    return isFirst;
  });
}

/** Where there is no text to show, the sentence is all there is. */
function isAboutFiles({ code }: Diagnostic): boolean {
  return code === "PLANT_NOT_FOUND" || code === "FILE_UNREADABLE" || code === "FILE_TOO_LARGE";
}

function wholeSentence({ file, code, message }: Diagnostic): string {
  return code === "PLANT_NOT_FOUND" ? message : `${file}: ${message}`;
}

/** The report on files that cannot be read: nothing could be checked. */
function refusal(plant: string, diagnostics: readonly Diagnostic[]): Report & { readonly plant: string } {
  const findings = diagnostics.map(
    (diagnostic): Finding => ({
      ...diagnostic,
      guarantee: "language",
      severity: "error",
      advice: "Nothing is checked before the files can be read.",
    }),
  );
  const none = { findingsLeftOut: 0, facts: [], factsLeftOut: 0, exemptions: [], permissiveness: [] };
  return { plant, passed: false, findings, ...none };
}
