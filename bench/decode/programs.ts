import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";

const LAUNCHER = join(import.meta.dirname, "../../bin/sekisho.js");
/**
 * Loaded into a measured process: tells its peak of memory at its end, on file descriptor 3. It is the kernel's own count: what getrusage
 * tells begins with what the parent had when it started the process.
 */
const PEAK = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync, writeSync } from "node:fs";
  process.on("exit", () => {
    const peak = /^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    writeSync(3, String(peak));
  });
`)}`;
const PATIENCE_MS = 600_000;

export interface Run {
  readonly seconds: number;
  readonly processorS: number;
}

export type Traffic = "modbus" | "opcua";

/** The fields of tshark that hold what our lines hold. */
export const TSHARK_FIELDS: Readonly<Record<Traffic, readonly string[]>> = {
  modbus: [
    "frame.number",
    "frame.time_epoch",
    "ip.src",
    "tcp.srcport",
    "ip.dst",
    "tcp.dstport",
    "mbtcp.trans_id",
    "mbtcp.unit_id",
    "modbus.func_code",
    "modbus.reference_num",
    "modbus.word_cnt",
    "modbus.bit_cnt",
    "modbus.regval_uint16",
    "modbus.bitval",
    "modbus.exception_code",
  ],
  opcua: [
    "frame.number",
    "frame.time_epoch",
    "ip.src",
    "tcp.srcport",
    "ip.dst",
    "tcp.dstport",
    "opcua.transport.type",
    "opcua.transport.scid",
    "opcua.security.tokenid",
    "opcua.security.seq",
    "opcua.security.rqid",
    "opcua.servicenodeid.numeric",
    "opcua.nodeid.nsindex",
    "opcua.nodeid.numeric",
    "opcua.nodeid.string",
    "opcua.ServiceResult",
    "opcua.StatusCode",
    "opcua.ClientHandle",
    "opcua.Double",
  ],
};

/** Where a program may run: V8 compiles and collects on a second core where there is one, tshark does not. */
export type Cores = "any core" | "one core";

/** `sekisho …` as a user runs it, with its output into a file. */
export function runSekisho(args: readonly string[], out: string, cores: Cores): Promise<Run> {
  return timed([process.execPath, LAUNCHER, ...args], out, cores);
}

/** tshark with the same fields, into a file: a row for each frame. */
export function runTshark(traffic: Traffic, capture: string, out: string, cores: Cores): Promise<Run> {
  const fields = TSHARK_FIELDS[traffic].flatMap((name) => ["-e", name]);
  return timed(["tshark", "-r", capture, "-T", "fields", ...fields], out, cores);
}

/** Peak memory of `sekisho …`, in MiB. */
export async function peakOfSekisho(args: readonly string[], out: string): Promise<number> {
  const { told } = await run(process.execPath, ["--import", PEAK, LAUNCHER, ...args], out);
  return Number(told) / 1024;
}

/** The shell around a command tells what processor time it took. */
async function timed(command: readonly string[], out: string, cores: Cores): Promise<Run> {
  const script = '"$@"; code=$?; times >&3; exit $code';
  const where = cores === "one core" ? ["taskset", "-c", "0"] : [];
  const { seconds, told } = await run("bash", ["-c", script, "bash", ...where, ...command], out);
  const times = told.split("\n")[1]?.match(/\d+m[\d.]+/g) ?? [];
  return { seconds, processorS: times.reduce((sum, time) => sum + shellSeconds(time), 0) };
}

/** `1m2.345`. */
function shellSeconds(time: string): number {
  const [minutes = "0", seconds = "0"] = time.split("m");
  return 60 * Number(minutes) + Number(seconds);
}

/** Runs a program with its output into a file; what it tells on file descriptor 3. */
async function run(program: string, args: readonly string[], out: string): Promise<{ seconds: number; told: string }> {
  const file = openSync(out, "w");
  const begun = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", file, "ignore", "pipe"], timeout: PATIENCE_MS });
  closeSync(file);
  let told = "";
  child.stdio[3]?.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  const closed = once(child, "close");
  const [code] = await once(child, "exit");
  const seconds = (performance.now() - begun) / 1000;
  await closed;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${args.slice(-6).join(" ")}`);
  return { seconds, told };
}
