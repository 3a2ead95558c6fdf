import type { AttackScore } from "#sim/traffic/attack-trials.ts";
import { judgeRun, type LearnedDraft, learnRun, type RunOptions, shareStopped } from "#sim/traffic/evaluate.ts";
import { OTHER_CREW } from "#sim/traffic/shift.ts";
import { loadPlantFolder } from "#specs/load.ts";
import { type Figure, withTarget } from "../figure.ts";
import { UsageError } from "../usage-error.ts";

const BENCH = "learn";
const SUBJECT = "sekisho spec learn";
const HOUR_MS = 3_600_000;
const WEEK_HOURS = 7 * 24;
const SIGHTINGS = 3;
/** Of the run that is learned, and of those that are judged. */
const LEARNED_SEED = 1;
const JUDGED_SEEDS = "2";
const STOPPED_TARGET = 0.8;
/** Two runs that know nothing of each other are alike in fewer phases and writes than these. */
const ALIKE_TARGET = { phases: 0.1, writes: 0.01 } as const;

type Progress = (says: string) => void;

/**
 * A simulated week of the water-treatment plant is learned, a second one with another seed, demand profile and crew is judged by the draft as
 * it is, and the write attacks of the library are tried in it. `LEARN_HOURS` makes the runs shorter, `LEARN_JUDGED_HOURS` the second one
 * alone, `LEARN_SEED` judges other ones (`2,7,11`).
 */
export function benchLearn(progress: Progress): Promise<readonly Figure[]> {
  const hours = hoursOf("LEARN_HOURS", WEEK_HOURS);
  const judgedHours = hoursOf("LEARN_JUDGED_HOURS", hours);
  const seeds = seedsOf("LEARN_SEED", JUDGED_SEEDS);
  const loaded = loadPlantFolder("water-treatment");
  if (!loaded.ok) throw new Error("the water-treatment plant cannot be loaded; run `sekisho spec check`");
  const run = (seed: number, of: number, what: string): RunOptions => {
    const said = (atMs: number): void => {
      if (atMs % (24 * HOUR_MS) === 0) progress(`learn: ${what}, day ${atMs / (24 * HOUR_MS)}`);
    };
    return { ...loaded.value, seed, untilMs: of * HOUR_MS, progress: said };
  };
  progress(`learn: ${hours} h of plant time are learned`);
  const startedMs = performance.now();
  const draft = learnRun(run(LEARNED_SEED, hours, "learned"), SIGHTINGS);
  const learnedS = (performance.now() - startedMs) / 1000;
  for (const says of draft.errors) progress(`learn: spec check: ${says}`);
  const of = `seed ${LEARNED_SEED}, ${hours} h`;
  return Promise.resolve([
    figure(of, "messages learned", draft.messages),
    figure(of, "time to simulate and learn", learnedS, "s"),
    figure(of, "rules drafted", rulesIn(draft.lifecycleText)),
    figure(
      of,
      "steps drafted",
      draft.loaded.lifecycle.phases.reduce((sum, { steps }) => sum + steps.length, 0),
    ),
    withTarget(figure(of, "errors of spec check", draft.errors.length), "<=", 0),
    ...seeds.flatMap((seed) => judged(run(seed, judgedHours, `judged, seed ${seed}`), draft, progress)),
  ]);
}

function judged(options: RunOptions, draft: LearnedDraft, progress: Progress): readonly Figure[] {
  const run = judgeRun({ ...options, habits: OTHER_CREW }, draft.loaded);
  for (const [says, count] of run.denials) progress(`learn: seed ${options.seed}: denied ${count}×: ${says}`);
  const written = options.lifecycle.phases.filter(({ mask }) => mask === undefined);
  const missing = written.filter(({ id }) => !run.phases.has(id));
  for (const { id } of missing) progress(`learn: seed ${options.seed}: never in phase ${id}`);
  const of = `seed ${options.seed}, ${options.untilMs / HOUR_MS} h`;
  const alike = {
    phases: run.timetable.phasesAlike(draft.timetable),
    writes: run.timetable.writesAlike(draft.timetable),
  };
  return [
    figure(of, "messages judged", run.judged),
    figure(of, "writes judged", run.writes),
    withTarget(figure(of, "phases alike beyond chance", alike.phases, "kappa"), "<=", ALIKE_TARGET.phases),
    withTarget(figure(of, "writes alike", alike.writes, "share"), "<=", ALIKE_TARGET.writes),
    withTarget(
      figure(of, `phases visited, of ${written.length}`, written.length - missing.length),
      ">=",
      written.length,
    ),
    withTarget(figure(of, "harms done to the plant", run.harm.length), "<=", 0),
    withTarget(figure(of, "quiet messages denied", run.denied), "<=", 0),
    ...rows(run.scores).map(({ name, share, trials }) => ({
      ...figure(of, "stopped", share, `of ${trials} trials`),
      subject: name,
    })),
    figure(of, "attacks from unknown addresses stopped", shareStopped(run.scores, false), "share"),
    withTarget(
      figure(of, "write attacks from known addresses stopped", shareStopped(run.scores, true), "share"),
      ">=",
      STOPPED_TARGET,
    ),
  ];
}

function figure(of: string, metric: string, value: number, unit = ""): Figure {
  return { bench: BENCH, case: of, subject: SUBJECT, metric, value, unit, errors: 0 };
}

function hoursOf(name: string, usual: number): number {
  const hours = Number(process.env[name] ?? usual);
  if (!(hours > 0)) throw new UsageError(`${name} is a number of hours above 0`);
  return hours;
}

function seedsOf(name: string, usual: string): readonly number[] {
  const seeds = (process.env[name] ?? usual).split(",").map(Number);
  if (seeds.some((seed) => !Number.isInteger(seed) || seed === LEARNED_SEED))
    throw new UsageError(
      `${name} is one or more whole numbers with commas between them, other than ${LEARNED_SEED}, which is learned`,
    );
  return seeds;
}

function rulesIn(lifecycleText: string): number {
  return [...lifecycleText.matchAll(/says: "Learned: \S+ may/g)].length;
}

/** One line for each attack, its phases counted alike. */
function rows(scores: readonly AttackScore[]): readonly { name: string; share: number; trials: number }[] {
  const byTitle = new Map<string, AttackScore[]>();
  for (const score of scores) byTitle.set(score.title, [...(byTitle.get(score.title) ?? []), score]);
  return [...byTitle].map(([title, of]) => {
    const tried = of.filter(({ trials }) => trials > 0);
    const share = tried.reduce((sum, { stopped, trials }) => sum + stopped / trials, 0) / Math.max(1, tried.length);
    return {
      name: `row ${of[0]?.row ?? 0}: ${title}${of[0]?.isKnown === true ? "" : " (unknown address)"}`,
      share,
      trials: tried.reduce((sum, { trials }) => sum + trials, 0),
    };
  });
}
