import { statSync } from "node:fs";
import type { Command } from "commander";
import type { JWK } from "jose";
import type { Bundle } from "#specs/bundle.ts";
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

/** Of `B` of the command line: whether it is a bundle file, and not the name of a plant. */
export function isBundleFile(nameOrFile: string): boolean {
  return statSync(nameOrFile, { throwIfNoEntry: false })?.isFile() === true;
}

/** @throws UsageError */
export function bundleFromFile(file: string, { trust, unsigned = false }: TrustFlags = {}): Bundle {
  const trusted = trust === undefined ? [] : trustedFrom(trust);
  const bundle = openBundle(readBundleText(file), { trusted, allowUnsigned: unsigned });
  if (!bundle.ok) throw new UsageError(`${file}: ${bundle.error}`);
  return bundle.value;
}

/** @throws UsageError */
function trustedFrom(file: string): readonly JWK[] {
  const keys = readTrustedKeys(readKeyText(file));
  if (!keys.ok) throw new UsageError(`${file}: ${keys.error}`);
  return keys.value;
}
