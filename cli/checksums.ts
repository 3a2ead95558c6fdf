import type { Command } from "commander";
import type { ChecksumRule } from "#wire/packet/index.ts";
import { UsageError } from "./part.ts";

const RULES: Readonly<Record<string, ChecksumRule>> = { auto: "auto", verify: true, ignore: false };
const WORDS = Object.keys(RULES);

export interface ChecksumFlags {
  readonly checksums?: string;
}

/** `--checksums RULE`: what becomes of frames whose checksums are wrong; see docs/decode.md. */
export function checksumOption(command: Command, otherwise = "auto"): Command {
  return command.option(
    "--checksums <rule>",
    `frames with wrong checksums: ${WORDS.join(", ")}; default: ${otherwise}`,
  );
}

/** @throws UsageError */
export function checksumsFrom({ checksums }: ChecksumFlags, otherwise: ChecksumRule = "auto"): ChecksumRule {
  if (checksums === undefined) return otherwise;
  const rule = RULES[checksums];
  if (rule === undefined)
    throw new UsageError(`\`${checksums}\` is no rule for checksums; give --checksums ${WORDS.join(", ")}`);
  return rule;
}
