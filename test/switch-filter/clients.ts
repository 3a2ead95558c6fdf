import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DEBIAN_PYTHON, hasTool, toolPath } from "../support/tools.ts";

/**
 * Real Modbus clients of several makes. All take the same orders, one a line (`write-register 3 320`), and tell what came of it in one
 * line: `ok` and values, `exception CODE`, `lost` and why, or `cannot`, where that make knows no such request.
 */
export interface ModbusClient {
  /** Dials the address it was made for, anew. */
  connect(): Promise<string>;
  ask(order: string): Promise<string>;
  close(): Promise<void>;
}

export type Framing = "mbap" | "rtu";

export interface At {
  readonly host: string;
  readonly port: number;
  readonly framing: Framing;
}

export interface ClientMake {
  readonly name: string;
  readonly here: boolean;
  /** Orders that this make alone knows, of which all are allowed, or all denied for their value. */
  readonly allowed?: readonly string[];
  readonly denied?: readonly string[];
  open(at: At): Promise<ModbusClient>;
}

const C_COMPILER = "cc";

const program = (file: string): string => fileURLToPath(new URL(`../interop/programs/${file}`, import.meta.url));

export const CLIENT_MAKES: readonly ClientMake[] = [
  {
    name: "mbpoll",
    here: hasTool("mbpoll") && hasTool("pymodbus"),
    // Its types: 32 bits lie in two registers, the lower first.
    allowed: [
      "read-holding-registers:hex 0 32",
      "read-holding-registers:int 0 16",
      "read-holding-registers:float 0 16",
      "read-input-registers:hex 0 16",
      "write-registers:int 3 -5",
      "write-registers:int 15 65535000",
      "write-registers:float 3 1.5 -2.25",
    ],
    denied: ["write-registers:int 15 65601536", "write-registers:float 14 1.5 2.5"],
    open: openMbpoll,
  },
  {
    name: "pymodbus",
    here: hasTool("pymodbus"),
    open: async (at) => new ProgramClient(spawn(DEBIAN_PYTHON, [program("pymodbus-client.py")]), whereOf(at)),
  },
  { name: "libmodbus", here: hasTool("libmodbus") && hasTool("pymodbus"), open: openLibmodbus },
  {
    name: "modbus-serial",
    here: true,
    open: async (at) => new ProgramClient(spawn(process.execPath, [program("modbus-serial-client.ts")]), whereOf(at)),
  },
];

/** jsmodbus is no dependency; `folder` is where it is installed. */
export function jsmodbusClient(folder: string): ClientMake {
  const open = async (at: At) =>
    new ProgramClient(spawn(process.execPath, [program("jsmodbus.mjs"), folder, "client"]), whereOf(at));
  return { name: "jsmodbus", here: true, open };
}

/** Longer than any client waits for an answer. */
const PATIENCE_MS = 8000;

function whereOf({ host, port, framing }: At): string {
  return `${host} ${port} ${framing}`;
}

/** A client in a process of its own. */
class ProgramClient implements ModbusClient {
  readonly #child: ChildProcess;
  readonly #where: string;
  readonly #ended: () => Promise<void>;
  readonly #waiting: ((told: string) => void)[] = [];
  #errors = "";

  constructor(child: ChildProcess, where: string, ended: () => Promise<void> = async () => undefined) {
    this.#child = child;
    this.#where = where;
    this.#ended = ended;
    if (child.stdout === null) throw new Error("the client has no output");
    createInterface({ input: child.stdout }).on("line", (line) => this.#waiting.shift()?.(line));
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    child.once("exit", () => {
      for (const tell of this.#waiting.splice(0)) tell(`the client ended: ${this.#errors}`);
    });
  }

  connect(): Promise<string> {
    return this.ask(`connect ${this.#where}`);
  }

  ask(order: string): Promise<string> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, PATIENCE_MS, `no word from the client within ${PATIENCE_MS} ms`);
      this.#waiting.push((told) => {
        clearTimeout(late);
        resolve(told);
      });
      this.#child.stdin?.write(`${order}\n`);
    });
  }

  async close(): Promise<void> {
    await ended(this.#child);
    await this.#ended();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function openLibmodbus(at: At): Promise<ModbusClient> {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-libmodbus-client-"));
  const made = spawnSync(C_COMPILER, ["-O1", "-o", join(folder, "client"), program("libmodbus-client.c"), "-lmodbus"], {
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`the libmodbus client cannot be compiled: ${made.stderr}`);
  const line = at.framing === "rtu" ? await SerialLine.open(at) : undefined;
  const where = line === undefined ? whereOf(at) : `${line.path} 0 rtu`;
  return new ProgramClient(spawn(join(folder, "client")), where, async () => {
    await line?.close();
    rmSync(folder, { recursive: true, force: true });
  });
}

/** A serial line, for clients that know RTU on no other: its other end is a TCP connection. */
class SerialLine {
  readonly path: string;
  readonly #child: ChildProcess;

  private constructor(path: string, child: ChildProcess) {
    this.path = path;
    this.#child = child;
  }

  static async open({ host, port }: At): Promise<SerialLine> {
    const child = spawn(DEBIAN_PYTHON, [program("serial-line.py"), host, String(port)]);
    const [first] = await once(child.stdout, "data");
    return new SerialLine(String(first).trim(), child);
  }

  close(): Promise<void> {
    return ended(this.#child);
  }
}

/** mbpoll makes one request a run: each order is a run of its own. */
async function openMbpoll(at: At): Promise<ModbusClient> {
  const line = at.framing === "rtu" ? await SerialLine.open(at) : undefined;
  const to = line === undefined ? ["-m", "tcp", "-p", String(at.port)] : ["-m", "rtu", "-b", "115200", "-P", "none"];
  const common = [...to, "-a", "1", "-0", "-1", "-o", "2"];
  return {
    connect: async () => "ok",
    ask: (order) => askMbpoll(common, line?.path ?? at.host, order),
    close: async () => line?.close(),
  };
}

/** The table of an order, and how it shows values: `read-holding-registers`, `write-registers:float`. */
const MBPOLL_TYPE: Readonly<Record<string, string>> = {
  "read-coils": "0",
  "read-discrete-inputs": "1",
  "read-input-registers": "3",
  "read-holding-registers": "4",
  "write-coil": "0",
  "write-coils": "0",
  "write-register": "4",
  "write-registers": "4",
};

function askMbpoll(common: readonly string[], to: string, order: string): Promise<string> {
  const [words = "", first = "0", ...rest] = order.split(" ");
  const [name = "", shown] = words.split(":");
  const table = MBPOLL_TYPE[name];
  if (table === undefined) return Promise.resolve("cannot");
  const type = shown === undefined ? table : `${table}:${shown}`;
  const reads = name.startsWith("read");
  const about = reads ? ["-c", rest[0] ?? "1", to] : [to, "--", ...rest];
  return new Promise((resolve) => {
    execFile(
      toolPath("mbpoll"),
      [...common, "-t", type, "-r", first, ...about],
      { env: { ...process.env, LC_ALL: "C" }, timeout: PATIENCE_MS },
      (error, stdout, stderr) => resolve(error === null ? mbpollValues(stdout) : mbpollError(stderr)),
    );
  });
}

function mbpollValues(stdout: string): string {
  const values = [...stdout.matchAll(/^\[\d+\]:\s+(\S+)/gm)].map(([, value]) => value);
  return ["ok", ...values].join(" ");
}

const MBPOLL_EXCEPTIONS = ["Illegal function", "Illegal data address", "Illegal data value"];

function mbpollError(stderr: string): string {
  const code = MBPOLL_EXCEPTIONS.findIndex((words) => stderr.includes(words)) + 1;
  return code === 0 ? `lost ${stderr.trim()}` : `exception ${code}`;
}
