// Runs the product's TypeScript under a Node that can: this process itself, or the Node among the dependencies.
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT, setup } from "./setup.mjs";

/** The oldest Node that runs TypeScript as this project writes it. */
export const OLDEST_NODE_MAJOR = 24;

/** What a Node loads before the first source. */
const SOURCES = pathToFileURL(join(ROOT, "scripts", "sources.mjs")).href;

/** Exit code for a machine on which the command cannot run at all. */
const EXIT_UNUSABLE = 2;

/**
 * @typedef {{ version: string, platform: string, arch: string, root: string, exists: (path: string) => boolean }} Machine
 * @typedef {{ kind: "self" } | { kind: "packaged", path: string } | { kind: "none", message: string }} NodeChoice
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null, interrupted: boolean }} Ending
 */

/**
 * Chooses the Node for the product: the running one if new enough, else the one the dependencies bring.
 * @param {Machine} machine `version` without the leading `v`
 * @returns {NodeChoice}
 */
export function chooseNode({ version, platform, arch, root, exists }) {
  if (Number.parseInt(version, 10) >= OLDEST_NODE_MAJOR) return { kind: "self" };
  const path = join(root, "node_modules", `node-${platform}-${arch}`, "bin", "node");
  if (exists(path)) return { kind: "packaged", path };
  return {
    kind: "none",
    message:
      `sekisho needs Node ${OLDEST_NODE_MAJOR} or newer: this is Node ${version}, and the dependencies bring no Node ` +
      `for ${platform}-${arch}; install Node ${OLDEST_NODE_MAJOR} and run the command again`,
  };
}

/** @returns {NodeChoice} the choice on this machine */
function chooseNodeHere() {
  const { platform, arch } = process;
  return chooseNode({ version: process.versions.node, platform, arch, root: ROOT, exists: existsSync });
}

/**
 * The path of a Node that runs the product, after installing the dependencies. Ends the process with one sentence when
 * there is none.
 * @returns {string}
 */
export function requireNode() {
  if (!setup(ROOT)) process.exit(EXIT_UNUSABLE);
  const choice = chooseNodeHere();
  if (choice.kind === "self") return process.execPath;
  if (choice.kind === "packaged") return choice.path;
  process.stderr.write(`${choice.message}\n`);
  process.exit(EXIT_UNUSABLE);
}

/**
 * Decides which signals to hand on to a child in the same process group.
 *
 * A terminal sends SIGINT (Ctrl-C) and SIGHUP to the whole group, so the child has its own already, and a second SIGINT
 * usually means "at once". Away from a terminal they come to this process alone, and npm may send SIGINT twice.
 * @param {{ terminal: boolean }} options whether the process is attached to a terminal
 * @returns {(signal: NodeJS.Signals) => boolean} whether to forward the signal
 */
export function signalForwarder({ terminal }) {
  let interrupted = false;
  return (signal) => {
    if (signal === "SIGTERM") return true;
    if (terminal) return false;
    if (signal !== "SIGINT") return true;
    const first = !interrupted;
    interrupted = true;
    return first;
  };
}

/**
 * Runs a program to its end with this process's input and output, handing on signals.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, tied?: boolean }} [options] `tied`: the program can tell by its IPC channel when
 * this process is gone, even when it was killed
 * @returns {Promise<Ending>} how it ended; `interrupted` when this process was asked to stop meanwhile
 */
export async function run(command, args, options = {}) {
  // Loaded where it is needed: it takes longer than all else here.
  const { spawn } = await import("node:child_process");
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY === true);
  const forwards = signalForwarder({ terminal });
  return new Promise((resolve, reject) => {
    const { tied = false, ...spawning } = options;
    const child = spawn(command, args, {
      ...spawning,
      stdio: tied ? ["inherit", "inherit", "inherit", "ipc"] : "inherit",
    });
    let interrupted = false;
    /** @type {NodeJS.SignalsListener} */
    const onSignal = (signal) => {
      interrupted = true;
      if (forwards(signal)) child.kill(signal);
    };
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    for (const signal of signals) process.on(signal, onSignal);
    const release = () => {
      for (const signal of signals) process.off(signal, onSignal);
    };
    child.once("error", (error) => {
      release();
      reject(error);
    });
    child.once("exit", (code, signal) => {
      release();
      resolve({ code, signal, interrupted });
    });
  });
}

/**
 * Ends this process as its child ended.
 * @param {Ending} ending
 * @returns {never}
 */
function endLike({ code, signal }) {
  if (signal !== null) {
    process.kill(process.pid, signal);
    // Reached only if the signal is one that does not end this process.
    process.exit(128 + constants.signals[signal]);
  }
  process.exit(code ?? 1);
}

/**
 * Runs one of the project's TypeScript files as this command, installing the dependencies first if need be.
 *
 * A Node that is new enough loads the file in this process: nothing stands between the command and its signals.
 * @param {string} file path relative to the project's root; it acts on being loaded
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
export async function launch(file, args) {
  const node = requireNode();
  const path = join(ROOT, file);
  // Under `npm start` a process in between takes the second SIGINT that npm adds to the terminal's Ctrl-C.
  const underNpmStart = process.env["npm_lifecycle_event"] === "start";
  if (node === process.execPath && !underNpmStart) {
    process.argv = [node, path, ...args];
    await import(SOURCES);
    await import(pathToFileURL(path).href);
    return;
  }
  try {
    endLike(await run(node, ["--import", SOURCES, path, ...args], { tied: true }));
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    process.stderr.write(`sekisho: the Node among the dependencies did not start: ${cause}; install Node 24 instead\n`);
    process.exit(EXIT_UNUSABLE);
  }
}
