// Brings node_modules in line with package-lock.json. Plain JavaScript without dependencies: it runs before they exist,
// on whatever Node the machine has.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { haveAgreed, rememberAgreed, stateOfRecords } from "./agreed-records.mjs";

/** The project's root folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @typedef {{ version?: string, optional?: boolean, devOptional?: boolean }} LockedPackage
 * @typedef {{ packages?: Record<string, LockedPackage> }} Lockfile
 */

/**
 * Whether what npm recorded as installed is what the lock file asks for. Optional packages may be absent (they are
 * other platforms' binaries), but never present in another version.
 * @param {Lockfile} lock package-lock.json
 * @param {Lockfile | undefined} installed node_modules/.package-lock.json, which npm writes last, after a whole install
 * @returns {boolean}
 */
export function isInstalled(lock, installed) {
  if (installed?.packages === undefined) return false;
  for (const [path, wanted] of Object.entries(lock.packages ?? {})) {
    if (path === "") continue;
    const present = installed.packages[path];
    if (present === undefined) {
      if (wanted.optional === true || wanted.devOptional === true) continue;
      return false;
    }
    if (present.version !== wanted.version) return false;
  }
  return true;
}

/**
 * @param {string} path
 * @returns {Lockfile | undefined} nothing when the file is missing or not JSON
 */
function readLockfile(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Installs the dependencies when they are missing or out of date; otherwise takes next to no time and says nothing.
 * All output goes to standard error, because standard output may be a command's JSON.
 * @param {string} root the project's root folder
 * @returns {boolean} false when the dependencies could not be installed; the reason has been printed
 */
export function setup(root) {
  const state = stateOfRecords(root);
  if (haveAgreed(root, state)) return true;
  const lock = readLockfile(join(root, "package-lock.json"));
  // Without a lock file this is an installed package, whose dependencies npm has placed elsewhere.
  if (lock === undefined) return true;
  if (isInstalled(lock, readLockfile(join(root, "node_modules/.package-lock.json")))) {
    rememberAgreed(root, state);
    return true;
  }

  const reason = existsSync(join(root, "node_modules")) ? "out of date" : "missing";
  process.stderr.write(`sekisho: dependencies are ${reason}; installing them with npm ci (about half a minute)\n`);
  const npmScript = process.env["npm_execpath"] ?? "";
  // Under npm, the very npm that is running; else the one on the PATH. No script of a dependency runs.
  const [command, first] = npmScript.endsWith(".js") ? [process.execPath, [npmScript]] : ["npm", []];
  // Loaded where it is needed: it takes longer than all else here.
  const { spawnSync } = createRequire(import.meta.url)("node:child_process");
  const result = spawnSync(
    command,
    [...first, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
    },
  );
  if (result.status === 0) return true;
  const cause = result.error?.message ?? `npm ci ended with ${result.signal ?? `status ${result.status}`}`;
  process.stderr.write(
    `sekisho: the dependencies could not be installed in ${root}: ${cause}; run npm ci there and try again\n`,
  );
  return false;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(setup(ROOT) ? 0 : 2);
