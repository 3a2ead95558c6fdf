import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { hasNetworkNamespaces, hasTool, isRoot } from "./tools.ts";

const run = promisify(execFile);
const PATIENCE_MS = 10_000;
const PREFIX = "sekisho";
const SBIN = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, LC_ALL: "C" };

/** Why a suite in network namespaces cannot run here; undefined: it can. */
export function whyNoNetwork(...tools: readonly string[]): string | undefined {
  if (!isRoot()) return "it needs root";
  const missing = ["ip", "nft", ...tools].find((tool) => !hasTool(tool));
  if (missing !== undefined) return `${missing} is not installed`;
  return hasNetworkNamespaces() ? undefined : "this container may not make network namespaces";
}

export interface Plug {
  readonly host: string;
  readonly device: string;
  readonly mac?: string;
  /** With prefix length, `10.97.1.11/16`. */
  readonly address?: string;
}

/**
 * A network of namespaces of our own. Addresses, rules and processes live and end in them; the machine's own network is never
 * touched.
 */
export class Network {
  readonly #id: string;
  readonly #hosts = new Set<string>();
  readonly #children = new Set<ChildProcess>();

  private constructor(id: string) {
    this.#id = id;
  }

  /** Builds; if that fails half-way, what there is already goes. */
  static async build(build: (network: Network) => Promise<void>): Promise<Network> {
    await sweep();
    builds += 1;
    const network = new Network(`${PREFIX}-${process.pid}-${builds}`);
    try {
      await build(network);
      return network;
    } catch (error) {
      await network.remove();
      throw error;
    }
  }

  /** The name of a host's namespace. */
  space(host: string): string {
    return `${this.#id}-${host}`;
  }

  async host(...hosts: readonly string[]): Promise<void> {
    for (const host of hosts) {
      await ip("netns", "add", this.space(host));
      this.#hosts.add(host);
      await ip("-n", this.space(host), "link", "set", "lo", "up");
    }
  }

  /** A cable between two hosts. */
  async cable(a: Plug, b: Plug): Promise<void> {
    const card = ({ host, device, mac }: Plug) => [
      ...[device, "netns", this.space(host)],
      ...(mac === undefined ? [] : ["address", mac]),
    ];
    await ip("link", "add", ...card(a), "type", "veth", "peer", "name", ...card(b));
    for (const { host, device, address } of [a, b]) {
      if (address !== undefined) await this.ip(host, "addr", "add", address, "dev", device);
      await this.ip(host, "link", "set", device, "up");
    }
  }

  async bridge(host: string, bridge: string, ports: readonly string[]): Promise<void> {
    await this.ip(host, "link", "add", bridge, "type", "bridge");
    for (const port of ports) await this.ip(host, "link", "set", port, "master", bridge);
    await this.ip(host, "link", "set", bridge, "up");
  }

  async ip(host: string, ...args: readonly string[]): Promise<string> {
    return ip("-n", this.space(host), ...args);
  }

  async sysctl(host: string, setting: string): Promise<void> {
    await this.run(host, "sysctl", "-q", "-w", setting);
  }

  /** Runs a command on a host to its end; its standard output. */
  async run(host: string, ...command: readonly string[]): Promise<string> {
    const args = ["netns", "exec", this.space(host), ...command];
    const { stdout } = await run("ip", args, { env: SBIN, timeout: PATIENCE_MS, encoding: "utf8" });
    return stdout;
  }

  /** Starts a process on a host; it is ended with the network at the latest. */
  start(host: string, ...command: readonly string[]): ChildProcess {
    const child = spawn("ip", ["netns", "exec", this.space(host), ...command], {
      env: SBIN,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  /** Starts a process and waits for its first word. */
  async ready(host: string, ...command: readonly string[]): Promise<ChildProcess> {
    const child = this.start(host, ...command);
    let errors = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once("data", () => resolve());
      child.once("exit", (code) => reject(new Error(`${command.join(" ")} ended with ${code}: ${errors}`)));
      child.once("error", reject);
    });
    return child;
  }

  async remove(): Promise<void> {
    for (const child of this.#children) await kill(child);
    for (const host of this.#hosts) await ip("netns", "delete", this.space(host)).catch(() => undefined);
    this.#hosts.clear();
  }

  /** Names of the namespaces that are there of this network. */
  async left(): Promise<readonly string[]> {
    return (await spaces()).filter((name) => name.startsWith(`${this.#id}-`));
  }
}

let builds = 0;

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Removes what a test process that was killed has left. */
async function sweep(): Promise<void> {
  for (const name of await spaces()) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isThere(Number(pid))) await ip("netns", "delete", name).catch(() => undefined);
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function spaces(): Promise<readonly string[]> {
  return (await ip("netns", "list")).split("\n").flatMap((line) => line.split(" ")[0] || []);
}

async function ip(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("ip", args, { env: SBIN, timeout: PATIENCE_MS, encoding: "utf8" });
  return stdout;
}
