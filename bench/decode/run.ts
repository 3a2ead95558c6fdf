import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figure, withTarget } from "../figure.ts";
import { quantile } from "../statistics.ts";
import { countDifferences } from "./compare.ts";
import { type TrafficSize, writeModbusCapture } from "./modbus-traffic.ts";
import { writeOpcuaCapture } from "./opcua-traffic.ts";
import { type Cores, peakOfSekisho, type Run, runSekisho, runTshark, type Traffic } from "./programs.ts";
import { benchReplay } from "./replay.ts";

const BENCH = "decode";
const PACKETS = 200_000;
const FLOWS = 64;
const ROUNDS = 5;
/** Lengths of captures whose memory is compared. */
const SHORT = 50_000;
const LONG = 1_000_000;
const MANY_FLOWS = 10_000;
/** How much more memory a capture twenty times as long may take: what garbage collectors leave to chance. */
const FLAT = 1.25;

const WRITERS: Readonly<Record<Traffic, (path: string, size: TrafficSize) => void>> = {
  modbus: writeModbusCapture,
  opcua: writeOpcuaCapture,
};

/** `sekisho decode --json` beside `tshark -T fields` on the same captures and fields, and what it takes of memory. */
export async function benchDecode(progress: (says: string) => void): Promise<readonly Figure[]> {
  if (spawnSync("tshark", ["--version"]).status !== 0)
    throw new Error("tshark is not installed; the bench compares with it");
  const folder = mkdtempSync(join(tmpdir(), "sekisho-bench-decode-"));
  try {
    const figures: Figure[] = [];
    for (const traffic of ["modbus", "opcua"] as const) {
      figures.push(...(await benchSpeed(folder, traffic, progress)));
      figures.push(...(await benchMemory(folder, traffic, progress)));
    }
    return [...figures, ...(await benchReplay(progress))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchSpeed(
  folder: string,
  traffic: Traffic,
  progress: (says: string) => void,
): Promise<readonly Figure[]> {
  const capture = write(folder, traffic, { packets: PACKETS, flows: FLOWS }, progress);
  const [ours, theirs] = [join(folder, "ours"), join(folder, "theirs")];
  const decode = ["decode", capture, "--json"];
  // Once without a clock: files are in memory, and what Node compiles is kept.
  await runSekisho(decode, ours, "any core");
  await runTshark(traffic, capture, theirs, "any core");
  const errors = countDifferences(traffic, ours, theirs);
  const runs: Record<Cores, Pair[]> = { "any core": [], "one core": [] };
  for (let round = 1; round <= ROUNDS; round += 1) {
    progress(`${traffic}: round ${round} of ${ROUNDS}`);
    for (const cores of CORES) {
      const sekisho = await runSekisho(decode, ours, cores);
      runs[cores].push({ sekisho, tshark: await runTshark(traffic, capture, theirs, cores) });
    }
  }
  return CORES.flatMap((cores) => figuresOf(`${traffic}, ${PACKETS} packets, ${cores}`, runs[cores], errors));
}

interface Pair {
  readonly sekisho: Run;
  readonly tshark: Run;
}

const CORES = ["any core", "one core"] as const;

function figuresOf(name: string, runs: readonly Pair[], errors: number): readonly Figure[] {
  const median = (of: (run: Pair) => number): number => quantile(Float64Array.from(runs.map(of)), 0.5);
  const seconds = median(({ sekisho }) => sekisho.seconds);
  const ratio = median(({ sekisho, tshark }) => tshark.seconds / sekisho.seconds);
  const effort = median(({ sekisho, tshark }) => tshark.processorS / sekisho.processorS);
  const us = { bench: BENCH, case: name, errors, subject: "sekisho" };
  const them = { ...us, subject: "tshark" };
  return [
    { ...us, metric: "time", value: seconds, unit: "s" },
    { ...us, metric: "processor time", value: median(({ sekisho }) => sekisho.processorS), unit: "s" },
    { ...us, metric: "packets", value: PACKETS / seconds, unit: "1/s" },
    { ...them, metric: "time", value: median(({ tshark }) => tshark.seconds), unit: "s" },
    { ...them, metric: "processor time", value: median(({ tshark }) => tshark.processorS), unit: "s" },
    withTarget({ ...us, metric: "times faster than tshark", value: ratio, unit: "×" }, ">=", 10),
    { ...us, metric: "times less processor time", value: effort, unit: "×" },
  ];
}

async function benchMemory(
  folder: string,
  traffic: Traffic,
  progress: (says: string) => void,
): Promise<readonly Figure[]> {
  const out = join(folder, "ours");
  const peak = async (size: TrafficSize): Promise<number> => {
    const capture = write(folder, traffic, size, progress);
    const peakMiB = await peakOfSekisho(["decode", capture, "--json"], out);
    rmSync(capture);
    return peakMiB;
  };
  const common = { bench: BENCH, subject: "sekisho", unit: "MiB", errors: 0, metric: "peak memory" };
  const short = await peak({ packets: SHORT, flows: FLOWS });
  const middle = await peak({ packets: PACKETS, flows: FLOWS });
  const long = await peak({ packets: LONG, flows: FLOWS });
  const many = await peak({ packets: PACKETS, flows: MANY_FLOWS });
  const growth = { ...common, case: `${traffic}, ${SHORT} to ${LONG} packets`, metric: "growth of memory", unit: "×" };
  return [
    { ...common, case: `${traffic}, ${SHORT} packets`, value: short },
    { ...common, case: `${traffic}, ${PACKETS} packets`, value: middle },
    { ...common, case: `${traffic}, ${LONG} packets`, value: long },
    withTarget({ ...growth, value: long / short }, "<=", FLAT),
    { ...common, case: `${traffic}, ${PACKETS} packets, ${MANY_FLOWS} connections at once`, value: many },
  ];
}

function write(folder: string, traffic: Traffic, size: TrafficSize, progress: (says: string) => void): string {
  progress(`${traffic}: writing ${size.packets} packets of ${size.flows} connections`);
  const path = join(folder, `${traffic}-${size.packets}-${size.flows}.pcap`);
  WRITERS[traffic](path, size);
  return path;
}
