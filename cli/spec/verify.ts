import type { JWK } from "jose";
import type { Bundle } from "#specs/bundle.ts";
import { openBundle, versionOf } from "#specs/sign.ts";
import { AnswerNo, UsageError } from "../part.ts";
import { aboutBundle, bundleInWords } from "./build.ts";
import { trustedKeys } from "./diff.ts";
import { readBundleText } from "./files.ts";
import type { OutputFlags } from "./source.ts";

export interface VerifyFlags extends OutputFlags {
  readonly trust: string;
  /** A bundle that was loaded before. */
  readonly after?: string;
}

/** `sekisho spec verify`: exit code 1 where the bundle is one, but not as a trusted key signed it. */
export function verify(file: string, flags: VerifyFlags): void {
  const trusted = trustedKeys(flags.trust);
  const text = readBundleText(file);
  const before = flags.after === undefined ? undefined : trustedBundle(flags.after, trusted);
  const bundle = openBundle(text, { trusted, ...(before === undefined ? {} : { newerThan: versionOf(before) }) });
  if (!bundle.ok) {
    if (!hasFormOfBundle(text)) throw new UsageError(`${file}: ${bundle.error}`);
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ verified: false, says: bundle.error })}\n`);
    throw new AnswerNo(`${file}: ${bundle.error}`);
  }
  const kid = signerOf(text);
  const name = trusted.find((key) => key.kid === kid && nameOf(key) !== undefined);
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ verified: true, signer: kid, ...aboutBundle(bundle.value) })}\n`);
    return;
  }
  const called = name === undefined ? "" : ` (${nameOf(name)})`;
  process.stdout.write(
    `${file}: ${bundleInWords(bundle.value)}\nsigned by key ${kid}${called}, which is trusted here\n`,
  );
}

function trustedBundle(file: string, trusted: readonly JWK[]): Bundle {
  const bundle = openBundle(readBundleText(file), { trusted });
  if (!bundle.ok) throw new UsageError(`${file}: ${bundle.error}`);
  return bundle.value;
}

/** What is cut short or is something else cannot be asked who signed it. */
function hasFormOfBundle(text: string): boolean {
  return text.startsWith('{"bundle":{') && text.endsWith("}") && /"schema":"sekisho-bundle\/\d+"\}/.test(text);
}

/** The key's thumbprint from the header of a signature that has been verified. */
function signerOf(text: string): string {
  const header = /"signature":"([A-Za-z0-9_-]+)\.\.[A-Za-z0-9_-]+"\}$/.exec(text)?.[1] ?? "";
  const value: { readonly kid?: unknown } = JSON.parse(Buffer.from(header, "base64url").toString());
  return String(value.kid);
}

/** A key may carry a name for people. */
function nameOf(key: JWK): string | undefined {
  const { name }: Readonly<Record<string, unknown>> = { ...key };
  return typeof name === "string" ? name : undefined;
}
