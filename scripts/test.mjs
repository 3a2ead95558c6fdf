// `npm test`: set-up, the static checks, then every suite. Its last line is `N passed, N failed, N skipped`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { installDebianPackages } from "./debian-packages.mjs";
import { requireNode } from "./launcher.mjs";
import { runStages, staticStages } from "./stages.mjs";
import { closingLine } from "./summary.mjs";

const filters = process.argv.slice(2);
const node = requireNode();
installDebianPackages();

const scratch = mkdtempSync(join(tmpdir(), "sekisho-test-"));
const countsFile = join(scratch, "counts.json");
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));

const suites = { name: "suites", script: "node_modules/vitest/vitest.mjs", args: ["run", ...filters] };
const failedChecks = await runStages(node, staticStages());
const failedSuites = await runStages(node, [suites], { SEKISHO_TEST_COUNTS: countsFile });

/** @returns {import("./summary.mjs").Counts | undefined} nothing when the suites ended before they could be counted */
function readCounts() {
  try {
    return JSON.parse(readFileSync(countsFile, "utf8"));
  } catch {
    return undefined;
  }
}

const { line, ok } = closingLine({ counts: readCounts(), failedChecks, suitesFailed: failedSuites.length > 0 });
if (failedChecks.length > 0) process.stdout.write(`\nfailed checks, counted as one each: ${failedChecks.join(", ")}\n`);
process.stdout.write(`\n${line}\n`);
process.exitCode = ok ? 0 : 1;
