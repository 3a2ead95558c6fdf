import { readFileSync, statSync } from "node:fs";
import { type Bundle, buildBundle, readBundle } from "#specs/bundle.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { loadPlantFolder } from "#specs/load.ts";
import type { Plant } from "#specs/plant.ts";
import { UsageError } from "./part.ts";

/** Largest bundle file that is read, in bytes. */
const MAX_BUNDLE_BYTES = 64 * 1024 * 1024;

/** `B` of the command line: a bundle file, or the name of a plant under lifecycle-specs/plants. @throws UsageError */
export function bundleFrom(nameOrFile: string): Bundle {
  const file = statSync(nameOrFile, { throwIfNoEntry: false });
  if (file?.isFile() !== true) {
    const { plant, lifecycle } = plantFrom(nameOrFile);
    return buildBundle(plant, lifecycle);
  }
  if (file.size > MAX_BUNDLE_BYTES)
    throw new UsageError(`${nameOrFile} is larger than ${MAX_BUNDLE_BYTES} bytes: not a bundle`);
  const bundle = readBundle(readFileSync(nameOrFile, "utf8"));
  if (!bundle.ok) throw new UsageError(`${nameOrFile}: ${bundle.error}`);
  return bundle.value;
}

/** @throws UsageError with one line per diagnostic */
export function plantFrom(nameOrFolder: string): { plant: Plant; lifecycle: Lifecycle } {
  const loaded = loadPlantFolder(nameOrFolder);
  if (!loaded.ok) throw new UsageError(loaded.error.map(formatDiagnostic).join("\n"));
  return loaded.value;
}
