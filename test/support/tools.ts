import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";

// What of the machine a suite may use. Suites skip themselves visibly: `describe.skipIf(!hasTool("tshark"))("…")`.

/** Debian keeps nft, ip and their like where an ordinary user's PATH does not look. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin"];

function findExecutable(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(":"), ...SYSTEM_FOLDERS].filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian's own Python, for which python3-pymodbus installs; another one may come first on the PATH. */
export const DEBIAN_PYTHON = "/usr/bin/python3";

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: 10_000 }).status === 0;
}

/** Answers never change during a run, and some cost a process. */
const known = new Map<string, boolean>();

function remember(key: string, find: () => boolean): boolean {
  const answer = known.get(key) ?? find();
  known.set(key, answer);
  return answer;
}

/**
 * Whether the machine has a tool: an executable by its name, or one of the libraries `pymodbus`, `scapy` (for `DEBIAN_PYTHON`)
 * and `libmodbus` (headers, and a C compiler to use them with).
 */
export function hasTool(name: string): boolean {
  return remember(name, () => {
    if (name === "pymodbus") return succeeds(DEBIAN_PYTHON, ["-c", "import pymodbus"]);
    if (name === "scapy") return succeeds(DEBIAN_PYTHON, ["-c", "import scapy.all"]);
    if (name === "libmodbus") return existsSync("/usr/include/modbus/modbus.h") && findExecutable("cc") !== undefined;
    return findExecutable(name) !== undefined;
  });
}

/** Where an executable lies. @throws Error when the machine has none: ask `hasTool` first */
export function toolPath(name: string): string {
  const path = findExecutable(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether this process may make named network namespaces (root is not enough in some containers). */
export function hasNetworkNamespaces(): boolean {
  return remember("network namespaces", () => {
    if (!isRoot() || !hasTool("ip")) return false;
    const name = `sekisho-probe-${process.pid}`;
    return succeeds("ip", ["netns", "add", name]) && succeeds("ip", ["netns", "delete", name]);
  });
}
