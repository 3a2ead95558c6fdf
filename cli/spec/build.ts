import { createPrivateKey, createPublicKey } from "node:crypto";
import type { JWK } from "jose";
import { type Bundle, buildBundle } from "#specs/bundle.ts";
import { signBundle, unsignedBundle } from "#specs/sign.ts";
import { AnswerNo, UsageError } from "../part.ts";
import { checkedAloud, look, reportJson } from "./check.ts";
import { readKeyText, writeOut } from "./files.ts";
import { findingsInWords } from "./report-text.ts";
import { type OutputFlags, openPlant } from "./source.ts";

export interface BuildFlags extends OutputFlags {
  readonly out?: string;
  readonly key?: string;
}

/** `sekisho spec build`: only what holds is built. The bundle goes to `--out`, and what it is to standard output with `--json`. */
export function build(plant: string, flags: BuildFlags): void {
  const key = flags.key === undefined ? undefined : privateKeyIn(flags.key);
  const loaded = openPlant(plant, flags);
  const report = checkedAloud(loaded);
  if (!report.passed) {
    if (flags.json === true) process.stdout.write(reportJson(loaded, report));
    else process.stderr.write(findingsInWords(loaded.plant, loaded.lifecycle, report, look(flags, process.stderr)));
    throw new AnswerNo(`${loaded.plant.id} does not hold, so nothing was built`);
  }
  const bundle = buildBundle(loaded.plant, loaded.lifecycle);
  const text = key === undefined ? unsignedBundle(bundle) : signBundle(bundle, key);
  writeOut(flags.out, text);
  if (key === undefined)
    process.stderr.write(
      "NOT SIGNED: points take this bundle only where they are told to take unsigned ones; sign it with --key FILE\n",
    );
  if (flags.out === undefined) return;
  const told = { out: flags.out, bytes: Buffer.byteLength(text), ...aboutBundle(bundle), signed: key !== undefined };
  process.stdout.write(flags.json === true ? `${JSON.stringify(told)}\n` : `${told.out}: ${bundleInWords(bundle)}\n`);
}

export function aboutBundle({ plant, lifecycle, id }: Bundle) {
  return { plant: plant.id, version: lifecycle.version, id };
}

/** `water-treatment version 3, id 0a1b2c…`. */
export function bundleInWords(bundle: Bundle): string {
  const { plant, version, id } = aboutBundle(bundle);
  return `${plant} version ${version}, id ${id}`;
}

/** @throws UsageError: read before anything is checked, so that a wrong file is said at once */
function privateKeyIn(file: string): JWK {
  const wrong = `${file} is not an Ed25519 private key in JWK form; make one with \`sekisho keys init\``;
  const text = readKeyText(file);
  try {
    const jwk: JWK = JSON.parse(text);
    const key = createPrivateKey({ key: { ...jwk }, format: "jwk" });
    if (key.asymmetricKeyType !== "ed25519") throw new UsageError(wrong);
    // Two halves that do not belong together would sign what nobody can verify.
    if (createPublicKey(key).export({ format: "jwk" }).x !== jwk.x)
      throw new UsageError(
        `the two parts of the key in ${file} do not belong together; make one with \`sekisho keys init\``,
      );
    return jwk;
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(wrong);
  }
}
