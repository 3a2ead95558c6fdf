import type { Command } from "commander";
import { openClock } from "#point/clock.ts";
import { addressPlan } from "#sim/address-plan.ts";
import { ATTACKS } from "#sim/attacks/catalogue.ts";
import { JsonLog } from "#sim/json-log.ts";
import { readSite, type Site } from "#sim/site/site-file.ts";
import { bundleFrom } from "./bundle.ts";
import { runPart, UsageError } from "./part.ts";

interface SiteFlags {
  readonly site: string;
}

const log = (says: string): void => void process.stderr.write(`${says}\n`);

/** `sekisho plant …`: one part of the simulated plant. */
export function addPlantCommands(program: Command): void {
  const plant = program
    .command("plant")
    .description("one part of a simulated plant; started by `up` and `exercise run`");
  site(plant.command("physics").description("water, pumps and tanks, the field wiring, and the plant clock")).action(
    (flags: SiteFlags) => runPart("plant physics", () => physics(readSite(flags.site))),
  );
  site(plant.command("plc").description("a soft PLC with its guard").argument("<device>", "plc-1 or plc-2")).action(
    (device: string, flags: SiteFlags) => runPart(`plant ${device}`, () => plc(device, readSite(flags.site))),
  );
  site(
    plant.command("access-switch").description("the switch between operators and filter, with its mirror port"),
  ).action((flags: SiteFlags) => runPart("plant access-switch", () => accessSwitch(readSite(flags.site))));
  site(plant.command("operator").description("the scripted HMI operator")).action((flags: SiteFlags) =>
    runPart("plant operator", () => operator(readSite(flags.site))),
  );
  site(plant.command("attack").description("one attacker").argument("<id>", "an attack of `sekisho exercise list`"))
    .option("--duration <ms>", "how long it goes on, in plant ms", "40000")
    .requiredOption("--log <file>", "where the attacker writes down what it did")
    .action((id: string, flags: SiteFlags & { readonly duration: string; readonly log: string }) =>
      runPart(`plant attack ${id}`, () => attack(id, readSite(flags.site), Number(flags.duration), flags.log)),
    );
}

function site(command: Command): Command {
  return command.requiredOption("--site <file>", "the run's site.json");
}

function clockOf(run: Site): string {
  const { clock } = addressPlan(run.instance, run.single);
  return run.time === "free" ? "system" : `tcp:${clock.host}:${clock.port}`;
}

async function physics(run: Site) {
  const { runPlant } = await import("#sim/plant/main.ts");
  const { LOCKSTEP_PARTICIPANTS } = await import("#sim/site/processes.ts");
  const plan = addressPlan(run.instance, run.single);
  return runPlant({
    seed: run.seed,
    field: plan.field,
    clock: plan.clock,
    time: run.time === "free" ? "system" : "lockstep",
    ...(run.pace === null ? {} : { pace: run.pace }),
    expect: ["plc-1", "plc-2", ...LOCKSTEP_PARTICIPANTS],
    runDir: run.runDir,
    log,
  });
}

async function operator(run: Site) {
  const { runOperator } = await import("#sim/operator/main.ts");
  const plan = addressPlan(run.instance, run.single);
  return runOperator({
    bundle: bundleFrom(run.bundle, run),
    seed: run.seed,
    script: run.script,
    returnAfterMs: run.operatorReturns ? 20_000 : "never",
    clock: clockOf(run),
    hmi: { from: plan.hmi, fromPorts: plan.sourcePorts?.hmi, plc1: plan.access.plc1, plc2: plan.access.plc2 },
    opcua: plan.access.plc2Ua,
    engineering: {
      from: plan.engineering,
      fromPorts: plan.sourcePorts?.engineering,
      plc1: plan.filter.plc1,
      plc2: plan.filter.plc2,
    },
    console: run.page,
    runDir: run.runDir,
    log,
  });
}

async function plc(device: string, run: Site) {
  if (device !== "plc-1" && device !== "plc-2") throw new UsageError(`\`${device}\` is neither plc-1 nor plc-2`);
  const { runSoftPlc } = await import("#sim/plc/main.ts");
  const plan = addressPlan(run.instance, run.single);
  const key = device === "plc-1" ? "plc1" : "plc2";
  return runSoftPlc({
    bundle: bundleFrom(run.bundle, run),
    device,
    guardMode: run.mode,
    field: plan.field,
    modbus: plan.plc[key],
    ...(key === "plc2" ? { opcua: plan.plc.plc2Ua, opcuaAdvertised: plan.filter.plc2Ua } : {}),
    admission: { addresses: run.single ? [] : [plan.filterUpstream] },
    agentLink: plan.agentLink[key],
    agents: [plan.agent],
    runDir: run.runDir,
    log,
  });
}

async function accessSwitch(run: Site) {
  const { accessSwitchOf, runAccessSwitch } = await import("#sim/access-switch/access-switch.ts");
  return runAccessSwitch({
    ...accessSwitchOf(addressPlan(run.instance, run.single)),
    clock: await openClock(clockOf(run), "access-switch"),
    log,
  });
}

async function attack(id: string, run: Site, durationMs: number, file: string) {
  if (!ATTACKS.some((a) => a.id === id))
    throw new UsageError(`attack \`${id}\` does not exist; there are ${ATTACKS.map((a) => a.id).join(", ")}`);
  const { runAttack } = await import("#sim/attacks/run-attack.ts");
  const written = new JsonLog(file);
  const ending = new AbortController();
  const done = runAttack({
    ...{ id, seed: run.seed, durationMs, signal: ending.signal },
    plan: addressPlan(run.instance, run.single),
    clock: clockOf(run),
    log: (action) => written.write(JSON.stringify(action)),
  });
  void done.finally(() => {
    written.close();
    // Its time is up: an attacker is the only part that ends by itself.
    process.kill(process.pid, "SIGTERM");
  });
  return {
    close: async () => {
      ending.abort();
      await done;
    },
  };
}
