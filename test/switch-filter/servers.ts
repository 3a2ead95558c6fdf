import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ServerTCP } from "modbus-serial";
import { DEBIAN_PYTHON, hasTool } from "../support/tools.ts";

/** Real Modbus servers of three makes: what one tolerates, another does not. */
export interface ServerMake {
  readonly name: string;
  readonly here: boolean;
  start(at: { readonly host: string; readonly port: number }): Promise<{ stop(): Promise<void> }>;
}

const C_COMPILER = "cc";

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export const SERVER_MAKES: readonly ServerMake[] = [
  { name: "modbus-serial", here: true, start: startModbusSerial },
  { name: "libmodbus", here: hasTool("libmodbus"), start: startLibmodbus },
  {
    name: "pymodbus",
    here: hasTool("pymodbus"),
    start: ({ host, port }) => started(spawn(DEBIAN_PYTHON, [here("./pymodbus-server.py"), host, String(port)])),
  },
];

/** One that speaks RTU over TCP. */
export const RTU_SERVER: ServerMake = {
  name: "pymodbus, RTU",
  here: hasTool("pymodbus"),
  start: ({ host, port }) => started(spawn(DEBIAN_PYTHON, [here("./pymodbus-rtu-server.py"), host, String(port)])),
};

async function startModbusSerial(at: { readonly host: string; readonly port: number }) {
  const registers = new Map<number, number>();
  const coils = new Map<number, boolean>();
  const vector = {
    getHoldingRegister: (address: number) => registers.get(address) ?? 0,
    getInputRegister: () => 0,
    getCoil: (address: number) => coils.get(address) ?? false,
    getDiscreteInput: () => false,
    setRegister: (address: number, value: number) => void registers.set(address, value),
    setCoil: (address: number, value: boolean) => void coils.set(address, value),
  };
  const server = new ServerTCP(vector, { ...at, debug: false, unitID: 255 });
  server.on("socketError", () => undefined);
  await once(server, "initialized");
  return { stop: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

async function startLibmodbus({ host, port }: { readonly host: string; readonly port: number }) {
  const folder = mkdtempSync(join(tmpdir(), "sekisho-libmodbus-"));
  const program = join(folder, "server");
  const made = spawnSync(C_COMPILER, ["-O1", "-o", program, here("./libmodbus-server.c"), "-lmodbus"], {
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`the libmodbus server cannot be compiled: ${made.stderr}`);
  const server = await started(spawn(program, [host, String(port)]));
  return {
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves once the process says that it listens. */
async function started(child: ChildProcess): Promise<{ stop(): Promise<void> }> {
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${errors}`)));
    child.once("error", reject);
  });
  return {
    stop: async () => {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
  };
}
