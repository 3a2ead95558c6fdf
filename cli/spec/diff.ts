import { statSync } from "node:fs";
import { diffSpecs, type Spec } from "#specs/diff.ts";
import { openBundle, readTrustedKeys } from "#specs/sign.ts";
import { UsageError } from "../part.ts";
import { diffInWords } from "./diff-text.ts";
import { readBundleText, readKeyText } from "./files.ts";
import { type OutputFlags, openPlant } from "./source.ts";
import { coloursFor } from "./terminal.ts";

export interface DiffFlags extends OutputFlags {
  readonly trust?: string;
}

/** `sekisho spec diff`: exit code 1 where something else may happen. */
export function diff(a: string, b: string, flags: DiffFlags): void {
  const trusted = flags.trust === undefined ? undefined : trustedKeys(flags.trust);
  const [before, after] = [specFrom(a, trusted), specFrom(b, trusted)];
  const result = diffSpecs(before, after);
  if (flags.json === true) {
    const head = { before: headOf(a, before), after: headOf(b, after) };
    process.stdout.write(`${JSON.stringify({ ...head, ...result })}\n`);
  } else {
    process.stdout.write(diffInWords(before, after, result, coloursFor(process.stdout, flags.color)));
  }
  if (!result.same) process.exitCode = 1;
}

type Trusted = ReturnType<typeof trustedKeys>;

/** @throws UsageError */
export function trustedKeys(file: string) {
  const keys = readTrustedKeys(readKeyText(file));
  if (!keys.ok) throw new UsageError(`${file}: ${keys.error}`);
  return keys.value;
}

/** A bundle file; else the plant of this name or in this folder. Without trusted keys, whoever signed a bundle is believed. */
function specFrom(nameOrPath: string, trusted: Trusted | undefined): Spec {
  if (statSync(nameOrPath, { throwIfNoEntry: false })?.isFile() !== true) return openPlant(nameOrPath, {});
  const bundle = openBundle(readBundleText(nameOrPath), {
    trusted: trusted ?? [],
    allowUnsigned: trusted === undefined,
  });
  if (!bundle.ok) throw new UsageError(`${nameOrPath}: ${bundle.error}`);
  return bundle.value;
}

function headOf(from: string, { plant, lifecycle }: Spec) {
  return { from, plant: plant.id, version: lifecycle.version };
}
