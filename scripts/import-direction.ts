import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

// Imports point one way: vocabulary ← decoders ← enforcement point ← layers and coordinator ← simulator ← command ← tests.
const LAYERS = ["hmi-monitor", "switch-filter", "plc-guard", "coordinator"];
const BELOW_LAYERS = ["specs", "wire", "point"];
const ALL_BUT_CLI = [...BELOW_LAYERS, ...LAYERS, "sim"];

/** What each folder may import of ours by alias, besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "lifecycle-specs": [],
  wire: ["specs"],
  "enforcement-point": ["specs", "wire"],
  ...Object.fromEntries(LAYERS.map((layer) => [layer, BELOW_LAYERS])),
  "coordinator/ui": ["specs", "coordinator"],
  "sim-plant": [...BELOW_LAYERS, ...LAYERS],
  cli: ALL_BUT_CLI,
  bench: [...ALL_BUT_CLI, "cli"],
  test: [...ALL_BUT_CLI, "cli", "ui"],
  bin: [],
  scripts: [],
};

/** Where only types may cross: they are gone when the code runs. */
const TYPES_ONLY: Readonly<Record<string, (specifier: string) => boolean>> = {
  wire: (specifier) => specifier.startsWith("#specs/") && specifier !== "#specs/result.ts",
  "coordinator/ui": (specifier) => specifier.startsWith("#coordinator/"),
};

/** Folders without an alias that others reach by a relative path. */
const RELATIVE: Readonly<Record<string, readonly string[]>> = { bin: ["scripts"], test: ["bench", "bin", "scripts"] };

const ALIAS_OF: Readonly<Record<string, string>> = {
  "lifecycle-specs": "specs",
  "enforcement-point": "point",
  "sim-plant": "sim",
  "coordinator/ui": "ui",
};

const IMPORT =
  /^[ \t]*(?:import|export)\b(?<type>\s+type\b)?[^;"'()]*?\bfrom\s*["'](?<from>[^"']+)["']|\bimport\s*\(?\s*["'](?<bare>[^"']+)["']/gm;

function folderOf(path: string): string {
  return path.startsWith("coordinator/ui/") ? "coordinator/ui" : (path.split("/")[0] ?? "");
}

function isAllowed(file: string, specifier: string, typeOnly: boolean): boolean {
  const folder = folderOf(file);
  if (specifier.startsWith(".")) {
    const target = folderOf(normalize(join(dirname(file), specifier)));
    return target === folder || (RELATIVE[folder] ?? []).includes(target);
  }
  if (!specifier.startsWith("#")) return true;
  const alias = specifier.startsWith("#coordinator/ui/") ? "ui" : (specifier.slice(1).split("/")[0] ?? "");
  if (alias === (ALIAS_OF[folder] ?? folder)) return true;
  if (!typeOnly && TYPES_ONLY[folder]?.(specifier) === true) return false;
  return (ALLOWED[folder] ?? []).includes(alias);
}

/** The imports of one file that point the wrong way, each as `file:line: sentence`. `file` is its path from the root. */
export function wrongImports(file: string, source: string): readonly string[] {
  const wrong: string[] = [];
  for (const match of source.matchAll(IMPORT)) {
    const specifier = match.groups?.["from"] ?? match.groups?.["bare"] ?? "";
    if (isAllowed(file, specifier, match.groups?.["type"] !== undefined)) continue;
    const line = source.slice(0, match.index).split("\n").length;
    wrong.push(
      `${file}:${line}: ${folderOf(file)} may not import \`${specifier}\`, see CONTRIBUTING.md, Import direction`,
    );
  }
  return wrong;
}

if (import.meta.main) {
  const files = globSync(Object.keys(ALLOWED).map((folder) => `${folder}/**/*.{ts,mts,js,mjs}`)).toSorted();
  const wrong = [...new Set(files)].flatMap((file) => wrongImports(file, readFileSync(file, "utf8")));
  for (const sentence of wrong) console.error(sentence);
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
