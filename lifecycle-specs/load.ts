import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import type { Diagnostic, Locate, Location } from "./diagnostic.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { readLifecycle } from "./load/read-lifecycle.ts";
import { readPlant } from "./load/read-plant.ts";
import { DiagnosticList, MAX_FILE_BYTES, Source } from "./load/source.ts";
import { suggest } from "./load/suggest.ts";
import type { Plant } from "./plant.ts";
import { err, ok, type Result } from "./result.ts";

export type { Diagnostic } from "./diagnostic.ts";

/** A plant and its lifecycle as read, and where in the files their parts are written. */
export interface Loaded {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly locate: Locate;
}

/** A file by name and content. The name is only for diagnostics. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

const PLANTS = join(import.meta.dirname, "plants");

/** Reads a plant from its two files' texts. The lifecycle is not judged before the plant it speaks of is right. */
export function loadPlant(plantFile: SourceText, lifecycleFile: SourceText): Result<Loaded, readonly Diagnostic[]> {
  const diagnostics = new DiagnosticList();
  const locations = new Map<string, Location>();
  const plantRoot = new Source(plantFile.file, diagnostics, locations).parse(plantFile.text);
  const plant = plantRoot === undefined ? undefined : readPlant(plantRoot);
  if (plant === undefined || diagnostics.list.length > 0) return err(diagnostics.list);
  const lifecycleRoot = new Source(lifecycleFile.file, diagnostics, locations).parse(lifecycleFile.text);
  const lifecycle = lifecycleRoot === undefined ? undefined : readLifecycle(lifecycleRoot, plant);
  if (lifecycle === undefined || diagnostics.list.length > 0) return err(diagnostics.list);
  const start = { file: lifecycleFile.file, line: 1, column: 1 };
  return ok({ plant, lifecycle, locate: (key) => locations.get(key) ?? start });
}

/** Reads `plant.yaml` and `lifecycle.yaml` of a plant under `lifecycle-specs/plants`, by name, or of any folder. */
export function loadPlantFolder(nameOrDirectory: string): Result<Loaded, readonly Diagnostic[]> {
  const folder = folderOf(nameOrDirectory);
  if (folder === undefined) {
    const known = plantNames();
    const message = `no plant \`${nameOrDirectory}\`${suggest(nameOrDirectory, known)}; name a folder with a plant.yaml, or one of ${known.join(", ")}`;
    return err([{ file: nameOrDirectory, line: 1, column: 1, code: "PLANT_NOT_FOUND", message }]);
  }
  const plant = readText(join(folder, "plant.yaml"));
  const lifecycle = readText(join(folder, "lifecycle.yaml"));
  if (!plant.ok || !lifecycle.ok) return err([plant, lifecycle].flatMap((file) => (file.ok ? [] : file.error)));
  return loadPlant(plant.value, lifecycle.value);
}

/** The plants that come with the product. */
export function plantNames(): readonly string[] {
  return readdirSync(PLANTS).filter((name) => existsSync(join(PLANTS, name, "plant.yaml")));
}

function folderOf(nameOrDirectory: string): string | undefined {
  if (plantNames().includes(nameOrDirectory)) return join(PLANTS, nameOrDirectory);
  return existsSync(join(nameOrDirectory, "plant.yaml")) ? nameOrDirectory : undefined;
}

function readText(path: string): Result<SourceText, Diagnostic> {
  const file = shown(path);
  const at = { file, line: 1, column: 1 };
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) {
      return err({
        ...at,
        code: "FILE_TOO_LARGE",
        message: `the file has ${size} bytes, more than ${MAX_FILE_BYTES}; split the plant`,
      });
    }
    return ok({ file, text: readFileSync(path, "utf8") });
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return err({
      ...at,
      code: "FILE_UNREADABLE",
      message: `the file cannot be read (${why}); a plant folder has plant.yaml and lifecycle.yaml`,
    });
  }
}

/** Relative to where the command was given, where that is shorter. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") || isAbsolute(near) ? path : near;
}
