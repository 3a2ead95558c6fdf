import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { loadPlantFolder } from "#specs/load.ts";
import type { Plant } from "#specs/plant.ts";
import { bundleFromFile, isBundleFile, type TrustFlags } from "./bundle-file.ts";
import { UsageError } from "./part.ts";

/** `B` of the command line: a bundle file, or the name of a plant under lifecycle-specs/plants. @throws UsageError */
export function bundleFrom(nameOrFile: string, flags: TrustFlags = {}): Bundle {
  if (isBundleFile(nameOrFile)) return bundleFromFile(nameOrFile, flags);
  const { plant, lifecycle } = plantFrom(nameOrFile);
  return buildBundle(plant, lifecycle);
}

/** @throws UsageError with one line per diagnostic */
export function plantFrom(nameOrFolder: string): { plant: Plant; lifecycle: Lifecycle } {
  const loaded = loadPlantFolder(nameOrFolder);
  if (!loaded.ok) throw new UsageError(loaded.error.map(formatDiagnostic).join("\n"));
  return loaded.value;
}
