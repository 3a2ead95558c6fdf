import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, join, relative } from "node:path";
import type { Diagnostic, DiagnosticCode } from "../diagnostic.ts";
import { err, ok, type Result } from "../result.ts";
import { MAX_FILE_BYTES } from "./text.ts";

/** A file by name and content. The name is only for diagnostics. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** What a TypeScript file exports. */
export interface SourceValue {
  readonly file: string;
  readonly value: unknown;
}

/** The notations of a file, in the order in which they are looked for. */
const ENDINGS = ["yaml", "json", "ts"] as const;

const require = createRequire(import.meta.url);

/** Whether a folder has `plant.yaml`, `plant.json` or `plant.ts`. */
export function hasFile(folder: string, name: string): boolean {
  return endingsOf(folder, name).length > 0;
}

/** Reads `NAME.yaml`, `NAME.json` or `NAME.ts` of a folder: exactly one of them is there. */
export function readNamed(folder: string, name: string): Result<SourceText | SourceValue, Diagnostic> {
  const [ending = "yaml", other] = endingsOf(folder, name);
  const path = join(folder, `${name}.${ending}`);
  if (other !== undefined)
    return refused(path, "FILE_TWICE", `\`${name}.${other}\` is there too; remove one of the two`);
  return ending === "ts" ? readModule(path) : readText(path);
}

function endingsOf(folder: string, name: string): readonly (typeof ENDINGS)[number][] {
  return ENDINGS.filter(
    (ending) => statSync(join(folder, `${name}.${ending}`), { throwIfNoEntry: false }) !== undefined,
  );
}

function readText(path: string): Result<SourceText, Diagnostic> {
  try {
    const problem = problemOf(path);
    if (problem !== undefined) return problem;
    return ok({ file: shownPath(path), text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path)) });
  } catch (error) {
    if (error instanceof TypeError) return refused(path, "FILE_UNREADABLE", "the file is not UTF-8; save it as such");
    const why = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return refused(
      path,
      "FILE_UNREADABLE",
      `the file cannot be read (${why}); a plant folder has plant.yaml and lifecycle.yaml`,
    );
  }
}

/** Looked at before the file is read: its size, and that it is one at all. */
function problemOf(path: string): Result<never, Diagnostic> | undefined {
  const found = statSync(path);
  if (!found.isFile()) return refused(path, "FILE_UNREADABLE", "it is not a file; write one, or remove it");
  if (found.size <= MAX_FILE_BYTES) return undefined;
  return refused(
    path,
    "FILE_TOO_LARGE",
    `the file has ${found.size} bytes, more than ${MAX_FILE_BYTES}; split the plant`,
  );
}

/**
 * Runs a TypeScript file, once in a process, and takes its default export. Whoever names such a folder runs what is in it: unlike
 * YAML and JSON it is a program.
 */
function readModule(path: string): Result<SourceValue, Diagnostic> {
  try {
    const problem = problemOf(path);
    if (problem !== undefined) return problem;
    const exported: unknown = require(path);
    if (typeof exported === "object" && exported !== null && "default" in exported)
      return ok({ file: shownPath(path), value: exported.default });
    return refused(path, "MODULE_FAILED", "the file has no default export; end it with `export default …`");
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split("\n").find((line) => line.trim() !== "");
    return refused(path, "MODULE_FAILED", `the file cannot be run: ${(why ?? "no reason given").trim().slice(0, 300)}`);
  }
}

function refused(path: string, code: DiagnosticCode, message: string): Result<never, Diagnostic> {
  return err({ file: shownPath(path), line: 1, column: 1, code, message });
}

/** Relative to where the command was given, where that is shorter. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") || isAbsolute(near) ? path : near;
}
