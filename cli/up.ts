import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { addressPlan } from "#sim/address-plan.ts";
import { hasManyLoopbackAddresses, prepareSite, startSite, takenAddress } from "#sim/site/site.ts";
import type { ProcessEvent, Program } from "#sim/site/supervisor.ts";
import { plantFrom } from "./bundle.ts";
import { runPart, UsageError } from "./part.ts";
import { modeFrom } from "./parts/point-flags.ts";

/** Real ms after which a part that died is started again: long enough for the page to show that it is gone. */
const RESTART_MS = 4000;

/** This program, for the processes it starts. */
export const PROGRAM: Program = {
  command: process.execPath,
  args: [...process.execArgv, fileURLToPath(new URL("main.ts", import.meta.url))],
};

interface UpFlags {
  readonly mode: string;
  readonly policy: string;
  readonly seed: string;
  readonly instance: string;
  readonly port: string;
  readonly singleAddress?: boolean;
  readonly runDir?: string;
}

/** `sekisho up [plant]`: everything on this machine. */
export function addUpCommand(program: Command): void {
  program
    .command("up")
    .description("run a simulated plant, the three layers, the coordinator and the operator page on this machine")
    .argument("[plant]", "a plant under lifecycle-specs/plants", "water-treatment")
    .option("--mode <mode>", "off, monitor or enforce", "enforce")
    .option("--policy <policy>", "containment: `auto` takes it, `propose` waits for a person", "auto")
    .option("--seed <n>", "seed of the plant and of its operator", "1")
    .option("--instance <n>", "second number of the loopback addresses, 1..99", "10")
    .option("--port <port>", "port of the operator page on 127.0.0.1", "8080")
    .option("--single-address", "use 127.0.0.1 only, as on platforms that have no other: ports tell devices apart")
    .option("--run-dir <folder>", "where logs and records go; emptied at the start")
    .action((plant: string, flags: UpFlags) => runPart("up", () => up(plant, flags)));
}

async function up(plantName: string, flags: UpFlags) {
  const spec = plantFrom(plantName);
  const single = flags.singleAddress === true || !(await hasManyLoopbackAddresses());
  const runDir = resolve(flags.runDir ?? join(".sekisho", "up"));
  const place = {
    instance: Number(flags.instance),
    single,
    page: { host: "127.0.0.1", port: Number(flags.port) },
  };
  // Before the run folder is emptied: it may be that of a run which is still going on.
  await requireFree(place);
  const prepared = prepareSite(spec, {
    ...place,
    seed: Number(flags.seed),
    mode: modeFrom(flags.mode),
    policy: flags.policy === "propose" ? "propose" : "auto",
    time: "free",
    pace: null,
    script: "produce",
    operatorReturns: false,
    runDir,
  });
  process.stdout.write(`starting ${spec.plant.title} (logs in ${runDir})\n`);
  const pids = new Map<string, number>();
  const supervisor = await startSite(prepared, PROGRAM, {
    restartMs: RESTART_MS,
    onEvent: (event) => tell(event, pids),
  });
  const plan = addressPlan(prepared.site.instance, single);
  const lines = [
    "",
    ...[...pids].map(([name, pid]) => pidLine(name, pid).trimEnd()),
    "",
    `  HMI side         plc-1 ${at(plan.access.plc1)}   plc-2 ${at(plan.access.plc2)}   OPC UA opc.tcp://${at(plan.access.plc2Ua)}`,
    `  switch filter    plc-1 ${at(plan.filter.plc1)}   plc-2 ${at(plan.filter.plc2)}   OPC UA opc.tcp://${at(plan.filter.plc2Ua)}`,
    `  try              mbpoll -m tcp -p ${plan.filter.plc1.port} -a 1 -t 3 -r 1 -c 4 -1 ${plan.filter.plc1.host}   (127.0.0.1 may read, not write)`,
    `  attack it        npx sekisho exercise attack --list`,
    "",
    `  operator page    http://${at(prepared.site.page)}`,
    "",
    "Ctrl-C stops everything.",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return { close: () => supervisor.stopAll() };
}

async function requireFree(place: Parameters<typeof takenAddress>[0]): Promise<void> {
  const taken = await takenAddress(place);
  if (taken === undefined) return;
  const option = taken === place.page ? "--port" : "--instance";
  throw new UsageError(`address ${at(taken)} is already taken; stop what listens there, or choose another ${option}`);
}

function tell(event: ProcessEvent, pids: Map<string, number>): void {
  if (event.kind === "started") {
    // The first time around the pids are printed together, once everything is up.
    if (pids.has(event.name)) process.stdout.write(pidLine(event.name, event.pid));
    pids.set(event.name, event.pid);
  }
  if (event.kind !== "ended") return;
  const then = event.restartMs === undefined ? "" : `; it is started again in ${event.restartMs / 1000} s`;
  if (event.restartMs !== undefined) process.stdout.write(`${event.name} has ended (${event.says})${then}\n`);
}

function pidLine(name: string, pid: number): string {
  return `  ${name.padEnd(14)} pid ${pid}\n`;
}

function at({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}
