import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { buildBundle, canonicalBundle } from "#specs/bundle.ts";
import { checkSpec } from "#specs/check.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { loadPlantFolder } from "#specs/load.ts";
import { AnswerNo, UsageError } from "./part.ts";

/** `sekisho spec check|build`. */
export function addSpecCommands(program: Command): void {
  const spec = program.command("spec").description("check a plant's lifecycle, and build what the layers load");
  spec
    .command("check")
    .description("name everything that is wrong, with file, line and column")
    .argument("[plant]", "a plant under lifecycle-specs/plants, or a folder", "water-treatment")
    .option("--json", "print JSON")
    .action(check);
  spec
    .command("build")
    .description("project the lifecycle onto the three layers; prints the canonical bundle")
    .argument("[plant]", "a plant under lifecycle-specs/plants, or a folder", "water-treatment")
    .option("--out <file>", "write the bundle to a file")
    .option("--json", "print JSON (the bundle is JSON in any case)")
    .action(build);
}

function check(plant: string, flags: { readonly json?: boolean }): void {
  const loaded = loadPlantFolder(plant);
  const diagnostics = loaded.ok ? checkSpec(loaded.value) : loaded.error;
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ plant, passed: diagnostics.length === 0, diagnostics })}\n`);
    if (diagnostics.length > 0) process.exitCode = 1;
    return;
  }
  if (diagnostics.length > 0)
    throw new AnswerNo(`${plant} does not hold:\n${diagnostics.map(formatDiagnostic).join("\n")}`);
  process.stdout.write(`${plant}: nothing found\n`);
}

function build(plant: string, flags: { readonly out?: string }): void {
  const loaded = loadPlantFolder(plant);
  if (!loaded.ok) throw new UsageError(loaded.error.map(formatDiagnostic).join("\n"));
  const problems = checkSpec(loaded.value);
  if (problems.length > 0)
    throw new AnswerNo(`${plant} does not hold, so nothing was built:\n${problems.map(formatDiagnostic).join("\n")}`);
  const text = canonicalBundle(buildBundle(loaded.value.plant, loaded.value.lifecycle));
  if (flags.out === undefined) process.stdout.write(`${text}\n`);
  else writeFileSync(flags.out, text);
}
