import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { type Loaded, loadPlant, loadPlantFolder, type SourceText } from "#specs/load.ts";

const SMALL = join(import.meta.dirname, "fixtures/small");
const read = (file: string): SourceText => ({ file, text: readFileSync(join(SMALL, file), "utf8") });

/** The files of the small plant, to be loaded as they are or with a mistake put in. */
export const SMALL_PLANT = read("plant.yaml");
export const SMALL_LIFECYCLE = read("lifecycle.yaml");

export function loaded(nameOrDirectory: string): Loaded {
  const result = loadPlantFolder(nameOrDirectory);
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return result.value;
}

export function small(): Loaded {
  const result = loadPlant(SMALL_PLANT, SMALL_LIFECYCLE);
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return result.value;
}

export function bundleOf({ plant, lifecycle }: Loaded): Bundle {
  return buildBundle(plant, lifecycle);
}
