import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Diagnostic, Locate, Location } from "./diagnostic.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Cursor } from "./load/cursor.ts";
import { hasFile, readNamed, type SourceText, type SourceValue } from "./load/files.ts";
import { indexOf } from "./load/plant-index.ts";
import { readLifecycle } from "./load/read-lifecycle.ts";
import { readPlant } from "./load/read-plant.ts";
import { DiagnosticList } from "./load/source.ts";
import { suggest } from "./load/suggest.ts";
import { Templates } from "./load/templates.ts";
import { openText } from "./load/text.ts";
import { openValue } from "./load/value.ts";
import type { Plant } from "./plant.ts";
import { err, ok, type Result } from "./result.ts";

export type { Diagnostic } from "./diagnostic.ts";
export type { SourceText, SourceValue } from "./load/files.ts";

/** A plant and its lifecycle as read, and where in the files their parts are written. */
export interface Loaded {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly locate: Locate;
}

const PLANTS = join(import.meta.dirname, "plants");

/**
 * Reads a plant from its two files: YAML or JSON as text, TypeScript as the value that it exports. The lifecycle is not judged before
 * the plant it speaks of is right. Diagnostics come in the order of the files, at most `MAX_DIAGNOSTICS`.
 */
export function loadPlant(
  plantFile: SourceText | SourceValue,
  lifecycleFile: SourceText | SourceValue,
): Result<Loaded, readonly Diagnostic[]> {
  const diagnostics = new DiagnosticList();
  const locations = new Map<string, Location>();
  const templates = new Templates(diagnostics, locations);
  const open = (source: SourceText | SourceValue): Cursor | undefined =>
    "text" in source
      ? openText(source.file, source.text, diagnostics, locations)
      : openValue(source.file, source.value, diagnostics, locations);
  const plantRoot = open(plantFile);
  const plant = plantRoot === undefined ? undefined : readPlant(plantRoot, templates);
  if (plant === undefined || diagnostics.list.length > 0) return err(diagnostics.inOrder());
  const lifecycleRoot = open(lifecycleFile);
  const lifecycle = lifecycleRoot === undefined ? undefined : readLifecycle(lifecycleRoot, indexOf(plant), templates);
  if (lifecycle === undefined || diagnostics.list.length > 0) return err(diagnostics.inOrder());
  const start = { file: lifecycleFile.file, line: 1, column: 1 };
  return ok({ plant, lifecycle, locate: (key) => locations.get(key) ?? start });
}

/**
 * Reads `plant` and `lifecycle` (`.yaml`, `.json` or `.ts`) of a plant under `lifecycle-specs/plants`, by name, or of any folder.
 * A TypeScript file is run.
 */
export function loadPlantFolder(nameOrDirectory: string): Result<Loaded, readonly Diagnostic[]> {
  const folder = folderOf(nameOrDirectory);
  if (folder === undefined) {
    const known = plantNames();
    const message = `no plant \`${nameOrDirectory}\`${suggest(nameOrDirectory, known)}; name a folder with a plant.yaml, or one of ${known.join(", ")}`;
    return err([{ file: nameOrDirectory, line: 1, column: 1, code: "PLANT_NOT_FOUND", message }]);
  }
  const plant = readNamed(folder, "plant");
  const lifecycle = readNamed(folder, "lifecycle");
  if (!plant.ok || !lifecycle.ok) return err([plant, lifecycle].flatMap((file) => (file.ok ? [] : file.error)));
  return loadPlant(plant.value, lifecycle.value);
}

/** The plants that come with the product. */
export function plantNames(): readonly string[] {
  return readdirSync(PLANTS).filter((name) => hasFile(join(PLANTS, name), "plant"));
}

function folderOf(nameOrDirectory: string): string | undefined {
  if (plantNames().includes(nameOrDirectory)) return join(PLANTS, nameOrDirectory);
  const folder = resolve(nameOrDirectory);
  return existsSync(folder) && hasFile(folder, "plant") ? folder : undefined;
}
