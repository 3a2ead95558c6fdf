import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HERE = import.meta.dirname;
const START_MS = 20_000;

/** What one run of the bench has started and written, all of which ends with it. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), "sekisho-bench-"));
  readonly #children: ChildProcess[] = [];

  /** @returns the path of the program that a C file of this folder becomes. @throws Error in one sentence */
  compile(name: string): string {
    const program = join(this.folder, name);
    try {
      execFileSync("cc", ["-O2", "-o", program, join(HERE, `${name}.c`)], { stdio: ["ignore", "ignore", "pipe"] });
    } catch (error) {
      throw new Error(`${name}.c cannot be compiled; is a C compiler installed? (${says(error)})`);
    }
    return program;
  }

  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  start(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    child.on("error", () => undefined);
    this.#children.push(child);
    return child;
  }

  /** A program that listens. @throws Error in one sentence when it does not within some seconds */
  async listening(program: string, args: readonly string[], port: number): Promise<ChildProcess> {
    const child = this.start(program, args);
    let heard = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      heard = (heard + chunk.toString("utf8")).slice(-400);
    });
    const until = performance.now() + START_MS;
    while (!(await isListening(port))) {
      if (child.exitCode !== null || child.pid === undefined || performance.now() > until) {
        throw new Error(`${program} does not listen on port ${port} (${heard.trim() || "it says nothing"})`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return child;
  }

  async stop(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 5000);
    await gone;
    clearTimeout(late);
  }

  async close(): Promise<void> {
    for (const child of this.#children) if (child.pid !== undefined) await this.stop(child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A TCP port of the loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Everything that whoever listens there says before it closes. */
export async function readAll(port: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** CPU time of a process and of the processes it has forked, all threads counted, in µs. */
export function cpuUs(pid: number): number {
  try {
    const own = readdirSync(`/proc/${pid}/task`).reduce((sum, task) => {
      const [ns = "0"] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ");
      return sum + Number(ns) / 1000;
    }, 0);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return own + (children === "" ? [] : children.split(" ")).reduce((sum, child) => sum + cpuUs(Number(child)), 0);
  } catch {
    return Number.NaN;
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  const listens = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "error").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return listens;
}

function says(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
