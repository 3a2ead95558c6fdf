// The checks that read the code without running it, and the way to run them one after the other.
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { run } from "./launcher.mjs";
import { ROOT } from "./setup.mjs";

/** @typedef {{ name: string, script: string, args: readonly string[] }} Stage a script of Node, by its path from the root */

const TSC = "node_modules/typescript/bin/tsc";

/** @returns {readonly Stage[]} types, lint and format, import direction: all that `npm test` asks before the suites */
export function staticStages() {
  const userInterface = existsSync(join(ROOT, "coordinator/ui/tsconfig.json"))
    ? [{ name: "types of the operator page", script: TSC, args: ["-p", "coordinator/ui"] }]
    : [];
  return [
    { name: "types", script: TSC, args: ["-p", "."] },
    ...userInterface,
    { name: "types of the scripts", script: TSC, args: ["-p", "scripts"] },
    {
      name: "lint and format",
      script: "node_modules/@biomejs/biome/bin/biome",
      args: ["check", "--error-on-warnings"],
    },
    { name: "import direction", script: "scripts/import-direction.ts", args: [] },
  ];
}

/** @type {Stage} */
export const DEAD_CODE = {
  name: "dead code and unused dependencies",
  script: "node_modules/knip/bin/knip.js",
  args: ["--no-progress"],
};

/**
 * Runs stages in order, each to its end whatever came before it. Ends the process if it was asked to stop meanwhile.
 * @param {string} node the Node to run them with
 * @param {readonly Stage[]} stages
 * @param {NodeJS.ProcessEnv} [env] additions to the environment
 * @returns {Promise<readonly string[]>} the names of the stages that failed
 */
export async function runStages(node, stages, env = {}) {
  const path = [dirname(node), join(ROOT, "node_modules/.bin"), process.env["PATH"] ?? ""].join(delimiter);
  /** @type {string[]} */
  const failed = [];
  for (const { name, script, args } of stages) {
    process.stdout.write(`\n• ${name}\n`);
    const ending = await run(node, [script, ...args], { cwd: ROOT, env: { ...process.env, PATH: path, ...env } });
    if (ending.interrupted) process.exit(130);
    if (ending.code !== 0) failed.push(name);
  }
  return failed;
}
