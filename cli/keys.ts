import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { UsageError } from "./part.ts";
import { whyOf, writeWhole } from "./spec/files.ts";

interface KeyFlags {
  readonly dir: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const PRIVATE = "signing.private.jwk";
const PUBLIC = "signing.public.jwk";

/** `sekisho keys init`. */
export function addKeysCommands(program: Command): void {
  const keys = program.command("keys").description("the keys of a site");
  keys
    .command("init")
    .description("make the key pair with which a site's bundles are signed (Ed25519, as JWK)")
    .option("--dir <dir>", "folder for the two files", "keys")
    .option("--force", "replace keys that are there: what they signed can no longer be verified with the new ones")
    .option("--json", "print JSON")
    .action(init);
}

async function init({ dir, force, json }: KeyFlags): Promise<void> {
  const files = { private: join(dir, PRIVATE), public: join(dir, PUBLIC) };
  const taken = Object.values(files).find((file) => existsSync(file));
  if (taken !== undefined && force !== true)
    throw new UsageError(`${taken} is there already; name another folder with --dir, or replace the keys with --force`);
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const open = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(open);
  const about = { alg: "EdDSA", use: "sig", kid };
  makeFolder(dir);
  writeWhole(files.private, `${JSON.stringify({ ...(await exportJWK(privateKey)), ...about })}\n`, 0o600);
  writeWhole(files.public, `${JSON.stringify({ ...open, ...about })}\n`);
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ kid, files: [files.private, files.public], ...files })}\n`);
    return;
  }
  process.stdout.write(
    [
      `A signing key pair (Ed25519), thumbprint ${kid}`,
      `  ${files.private}  signs bundles: sekisho spec build --key ${files.private} --out FILE`,
      "    Keep it where bundles are built and nowhere else: whoever has it can make rules for the plant.",
      `  ${files.public}  verifies them: sekisho spec verify BUNDLE --trust ${files.public}`,
      "    Give it to every enforcement point and to everybody who reviews bundles. It is no secret.",
      "These keys sign bundles and nothing else. This command makes no certificates for points or people.",
      "",
    ].join("\n"),
  );
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UsageError(`${dir} cannot be made: ${whyOf(error)}`);
  }
}
