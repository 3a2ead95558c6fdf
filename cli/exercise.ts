import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { addressPlan } from "#sim/address-plan.ts";
import { ATTACKS } from "#sim/attacks/catalogue.ts";
import { runAttack } from "#sim/attacks/run-attack.ts";
import { EXERCISES } from "#sim/exercises/catalogue.ts";
import type { ExerciseResult } from "#sim/exercises/result.ts";
import { runExercise } from "#sim/exercises/runner.ts";
import { freeInstance, hasManyLoopbackAddresses, prepareSite } from "#sim/site/site.ts";
import { readSite } from "#sim/site/site-file.ts";
import { plantFrom } from "./bundle.ts";
import { UsageError } from "./part.ts";
import { modeFrom } from "./parts/point-flags.ts";
import { PROGRAM } from "./up.ts";

interface RunFlags {
  readonly mode: string;
  readonly seed: string;
  readonly pace: string;
  readonly evidence?: string;
  readonly singleAddress?: boolean;
  readonly json?: boolean;
}

/** `sekisho exercise list|run|attack`. */
export function addExerciseCommands(program: Command): void {
  const exercise = program.command("exercise").description("attack exercises on a simulated plant, scored");
  exercise.command("list").description("the exercises and their attacks").option("--json", "print JSON").action(list);
  exercise
    .command("run")
    .description("run exercises with real processes and real traffic, and score them")
    .argument("<name...>", "names of exercises")
    .option("--mode <mode>", "off, monitor or enforce", "enforce")
    .option("--seed <n>", "seed of plant, operator and attacks", "1")
    .option("--pace <factor>", "plant time per real time at most; 0: as fast as it goes", "0")
    .option("--evidence <folder>", "keep all logs there")
    .option("--single-address", "use 127.0.0.1 only, as on platforms that have no other: ports tell devices apart")
    .option("--json", "print the results as JSON, one per line")
    .action(run);
  exercise
    .command("attack")
    .description("launch one attack on the plant that `sekisho up` runs")
    .argument("[id]", "an attack of `sekisho exercise list`")
    .option("--duration <s>", "how long it goes on, in seconds", "30")
    .option("--run-dir <folder>", "the run's folder, where it is not the usual one")
    .option("--list", "show the attacks")
    .action(attackRunning);
}

interface AttackFlags {
  readonly duration: string;
  readonly runDir?: string;
  readonly list?: boolean;
}

async function attackRunning(id: string | undefined, flags: AttackFlags): Promise<void> {
  if (flags.list === true || id === undefined) {
    for (const a of ATTACKS) process.stdout.write(`${a.id.padEnd(18)} row ${a.row}, ${a.technique}: ${a.title}\n`);
    return;
  }
  const seconds = Number(flags.duration);
  if (!(seconds > 0)) throw new UsageError(`duration \`${flags.duration}\` is not a number of seconds above 0`);
  if (!ATTACKS.some((a) => a.id === id))
    throw new UsageError(`attack \`${id}\` does not exist; there are ${ATTACKS.map((a) => a.id).join(", ")}`);
  const file = resolve(flags.runDir ?? join(".sekisho", "up"), "site.json");
  if (!existsSync(file))
    throw new UsageError(`no plant has been started here (${file} is missing); start one with \`npm start\` first`);
  const site = readSite(file);
  await fetch(`http://${site.page.host}:${site.page.port}/api/state`, { signal: AbortSignal.timeout(3000) }).catch(
    () => {
      throw new UsageError(`the plant of ${file} does not run any more; start one with \`npm start\` first`);
    },
  );
  process.stdout.write(`${id}: attacking for ${seconds} s; watch it at http://${site.page.host}:${site.page.port}\n`);
  await runAttack({
    ...{ id, seed: Date.now() % 100_000, durationMs: seconds * 1000 },
    plan: addressPlan(site.instance, site.single),
    clock: "system",
    log: ({ action, tag, value, answer }) => {
      const what = tag === null ? action : `${action} ${tag}${value === null ? "" : ` = ${value}`}`;
      process.stdout.write(`  ${what.padEnd(34)} ${answer}\n`);
    },
  });
}

function list(flags: { readonly json?: boolean }): void {
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(EXERCISES)}\n`);
    return;
  }
  for (const { name, title, attacks } of EXERCISES) {
    process.stdout.write(`${name}\n  ${title}\n`);
    for (const id of attacks) {
      const attack = ATTACKS.find((a) => a.id === id);
      if (attack !== undefined)
        process.stdout.write(`    row ${attack.row}  ${attack.technique}  ${id}: ${attack.title}\n`);
    }
  }
}

async function run(names: readonly string[], flags: RunFlags): Promise<void> {
  const mode = modeFrom(flags.mode);
  const seed = Number(flags.seed);
  const pace = Number(flags.pace);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`seed \`${flags.seed}\` is not a whole number`);
  if (!(pace >= 0)) throw new UsageError(`pace \`${flags.pace}\` is not a number from 0`);
  const exercises = names.map((name) => {
    const exercise = EXERCISES.find((e) => e.name === name);
    if (exercise === undefined)
      throw new UsageError(`exercise \`${name}\` does not exist; there are ${EXERCISES.map((e) => e.name).join(", ")}`);
    return exercise;
  });
  const single = flags.singleAddress === true || !(await hasManyLoopbackAddresses());
  const spec = plantFrom("water-treatment");
  let passed = true;
  for (const exercise of exercises) {
    const instance = await freeInstance(single);
    const runDir =
      flags.evidence === undefined
        ? mkdtempSync(join(tmpdir(), "sekisho-"))
        : resolve(flags.evidence, `${exercise.name}-${mode}-${seed}`);
    const page = addressPlan(instance, single).page;
    const prepared = prepareSite(spec, {
      ...{ instance, single, seed, mode, runDir, page },
      policy: "auto",
      time: "lockstep",
      pace: pace === 0 ? null : pace,
      script: exercise.script,
      operatorReturns: exercise.script === "quiet-day",
    });
    const began = performance.now();
    const onProgress = (says: string): void => {
      process.stderr.write(
        `[${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s] ${exercise.name}: ${says}\n`,
      );
    };
    try {
      const result = await runExercise({ exercise, prepared, program: PROGRAM, onProgress });
      passed &&= result.passed;
      process.stdout.write(flags.json === true ? `${JSON.stringify(result)}\n` : words(result));
    } finally {
      if (flags.evidence === undefined) rmSync(runDir, { recursive: true, force: true });
    }
  }
  if (!passed) process.exitCode = 1;
}

function words(result: ExerciseResult): string {
  const lines = [`${result.exercise}, ${result.mode}, seed ${result.seed}: ${result.passed ? "passed" : "NOT passed"}`];
  for (const a of result.attacks) {
    const seen = a.detected ? `detected after ${a.timeToDetectMs ?? 0} ms at ${a.locus.join(", ")}` : "not detected";
    lines.push(
      `  row ${a.row} ${a.id}: ${a.prevented ? "prevented" : "reached the PLC"}; ${seen}${a.containment === null ? "" : `; contained in ${a.containment}`}`,
    );
  }
  for (const h of result.plant.harm)
    lines.push(
      `  harm: ${h.kind} at ${h.tag}: ${h.value} ${h.unit} (limit ${h.limit} ${h.unit}) from ${h.atMs / 1000} s`,
    );
  lines.push(`  false blocks ${result.falseBlocks}, water produced ${Math.round(result.plant.productionKept * 100)} %`);
  for (const failure of result.failures) lines.push(`  not met: ${failure}`);
  return `${lines.join("\n")}\n`;
}
