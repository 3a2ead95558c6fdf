// `npm run test:interop`: other people's clients and servers through the filter, among them a SCADA server (FUXA). They are no dependencies of
// the project: they are installed apart, in .sekisho/interop, from the npm registry and nowhere else. A suite that cannot run here says why and
// counts as skipped; then the command does not end with 0.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { installDebianPackages } from "./debian-packages.mjs";
import { requireNode } from "./launcher.mjs";
import { ROOT } from "./setup.mjs";
import { runStages } from "./stages.mjs";
import { formatCounts } from "./summary.mjs";

/** Exit code for a machine on which something could not run. */
const EXIT_UNUSABLE = 2;
/** For all that is installed apart, so that the whole run stays below ten minutes. */
const INSTALL_MS = 400_000;
const REGISTRY_MS = 30_000;

/**
 * @typedef {{ folder: string, packages: readonly string[], build?: string }} Apart `build`: the one package whose native part is compiled;
 * no script of any other runs
 */

/** @type {readonly Apart[]} */
const APART = [
  { folder: "jsmodbus", packages: ["jsmodbus@5.0.0"] },
  {
    folder: "fuxa",
    // FUXA finds its drivers beside itself, else it would fetch them when it starts.
    packages: ["@frangoteam/fuxa@1.3.4", "modbus-serial@8.0.19", "node-opcua@2.148.0"],
    build: "sqlite3",
  },
];

/**
 * @param {string} node
 * @param {Apart} apart
 * @returns {string | undefined} why it could not be installed
 */
function install(node, { folder, packages, build }) {
  const at = join(ROOT, ".sekisho/interop", folder);
  const stamp = join(at, "installed.json");
  const wanted = JSON.stringify({ packages, build, node: nodeVersion(node) });
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return undefined;
  if (
    npm(node, ROOT, ["view", "--prefer-online", "--fetch-retries=0", packages[0] ?? "", "version"], {}, REGISTRY_MS) !==
    undefined
  ) {
    return "the npm registry does not answer";
  }
  process.stdout.write(`interop: installing ${packages.join(", ")} in .sekisho/interop/${folder}\n`);
  rmSync(at, { recursive: true, force: true });
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "package.json"), JSON.stringify({ private: true }));
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1", "--fetch-timeout=60000"];
  const options = ["--ignore-scripts", "--omit=optional", "--save-exact", ...quiet];
  const failed =
    npm(node, at, ["install", ...options, ...packages]) ??
    (build === undefined ? undefined : compile(node, at, build, quiet));
  if (failed === undefined) writeFileSync(stamp, wanted);
  return failed;
}

/**
 * Compiles a package's native part with the headers that this Node brings.
 * @param {string} node
 * @param {string} at
 * @param {string} name
 * @param {readonly string[]} quiet
 * @returns {string | undefined} why not
 */
function compile(node, at, name, quiet) {
  const headers = dirname(dirname(node));
  if (!existsSync(join(headers, "include/node/node.h"))) {
    return `${name} cannot be compiled: this Node came without its headers`;
  }
  const failed = npm(node, at, ["rebuild", ...quiet, name], {
    npm_config_build_from_source: "true",
    npm_config_nodedir: headers,
    npm_config_ignore_scripts: "false",
  });
  if (failed !== undefined) return failed;
  const loads = spawnSync(node, ["-e", `require(${JSON.stringify(name)})`], { cwd: at, timeout: 30_000 });
  return loads.status === 0 ? undefined : `${name} was compiled, and does not load`;
}

/**
 * @param {string} node
 * @param {string} at
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @param {number} [atMostMs]
 * @returns {string | undefined} why it failed
 */
function npm(node, at, args, env = {}, atMostMs = INSTALL_MS) {
  const script = process.env["npm_execpath"] ?? "";
  const [command, first] = script.endsWith(".js") ? [node, [script]] : ["npm", []];
  const result = spawnSync(command, [...first, "--prefix", at, ...args], {
    cwd: at,
    env: { ...process.env, PATH: [dirname(node), process.env["PATH"] ?? ""].join(delimiter), ...env },
    encoding: "utf8",
    timeout: Math.max(1, Math.min(atMostMs, Math.floor(INSTALL_MS - performance.now()))),
    killSignal: "SIGKILL",
  });
  if (result.status === 0) return undefined;
  const says = result.error?.message ?? result.stderr.split("\n").find((line) => line.startsWith("npm error")) ?? "";
  return `npm ${args[0]} did not succeed${says === "" ? "" : `: ${says.replace("npm error ", "")}`}`;
}

/** @param {string} node */
function nodeVersion(node) {
  return spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
}

const node = requireNode();
installDebianPackages();
const notRun = APART.flatMap((apart) => {
  const why = install(node, apart);
  return why === undefined ? [] : [`${apart.folder}: not run: ${why}`];
});

const scratch = mkdtempSync(join(tmpdir(), "sekisho-interop-"));
const countsFile = join(scratch, "counts.json");
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
const args = ["run", "--config", "test/interop/vitest.config.ts", ...process.argv.slice(2)];
const suites = { name: "interop", script: "node_modules/vitest/vitest.mjs", args };
const failed = await runStages(node, [suites], { SEKISHO_TEST_COUNTS: countsFile });
/** @type {import("./summary.mjs").Counts} */
const counts = existsSync(countsFile)
  ? JSON.parse(readFileSync(countsFile, "utf8"))
  : { passed: 0, failed: 1, skipped: 0 };
for (const why of notRun) process.stdout.write(`interop: ${why}\n`);
process.stdout.write(`${formatCounts(counts)}\n`);
const whole = counts.skipped === 0 && notRun.length === 0;
process.exitCode = failed.length > 0 || counts.failed > 0 ? 1 : whole ? 0 : EXIT_UNUSABLE;
