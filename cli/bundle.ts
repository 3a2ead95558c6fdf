import { statSync } from "node:fs";
import type { Command } from "commander";
import type { JWK } from "jose";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { loadPlantFolder } from "#specs/load.ts";
import type { Plant } from "#specs/plant.ts";
import { openBundle, readTrustedKeys } from "#specs/sign.ts";
import { UsageError } from "./part.ts";
import { readBundleText, readKeyText } from "./spec/files.ts";

/** Whose signature a bundle file needs. The name of a plant needs none: what is built here is as trusted as this program. */
export interface TrustFlags {
  /** File of public keys, a JWK or a JWK Set. */
  readonly trust?: string;
  readonly unsigned?: boolean;
}

export function trustOptions(command: Command): Command {
  return command
    .option("--trust <file>", "public keys (JWK or JWK Set) of which one must have signed a bundle file")
    .option("--unsigned", "take a bundle file without a signature");
}

/** `B` of the command line: a bundle file, or the name of a plant under lifecycle-specs/plants. @throws UsageError */
export function bundleFrom(nameOrFile: string, { trust, unsigned = false }: TrustFlags = {}): Bundle {
  if (statSync(nameOrFile, { throwIfNoEntry: false })?.isFile() !== true) {
    const { plant, lifecycle } = plantFrom(nameOrFile);
    return buildBundle(plant, lifecycle);
  }
  const trusted = trust === undefined ? [] : trustedFrom(trust);
  const bundle = openBundle(readBundleText(nameOrFile), { trusted, allowUnsigned: unsigned });
  if (!bundle.ok) throw new UsageError(`${nameOrFile}: ${bundle.error}`);
  return bundle.value;
}

/** @throws UsageError */
function trustedFrom(file: string): readonly JWK[] {
  const keys = readTrustedKeys(readKeyText(file));
  if (!keys.ok) throw new UsageError(`${file}: ${keys.error}`);
  return keys.value;
}

/** @throws UsageError with one line per diagnostic */
export function plantFrom(nameOrFolder: string): { plant: Plant; lifecycle: Lifecycle } {
  const loaded = loadPlantFolder(nameOrFolder);
  if (!loaded.ok) throw new UsageError(loaded.error.map(formatDiagnostic).join("\n"));
  return loaded.value;
}
