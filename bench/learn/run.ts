import type { AttackScore } from "#sim/traffic/attack-trials.ts";
import { judgeRun, learnRun, shareStopped } from "#sim/traffic/evaluate.ts";
import { loadPlantFolder } from "#specs/load.ts";
import { type Figure, withTarget } from "../figure.ts";

const BENCH = "learn";
const SUBJECT = "sekisho spec learn";
const HOUR_MS = 3_600_000;
const WEEK_HOURS = 7 * 24;
const SIGHTINGS = 3;
/** Of the run that is learned, and of the one that is judged: other noise, another demand, other operators. */
const SEEDS = { learned: 1, judged: 2 } as const;
const STOPPED_TARGET = 0.8;

/**
 * A simulated week of the water-treatment plant is learned, a second one with another seed is judged by the draft as it is, and the write
 * attacks of the library are tried in it. `LEARN_HOURS` makes both runs shorter, `LEARN_SEED` judges another one.
 */
export function benchLearn(progress: (says: string) => void): Promise<readonly Figure[]> {
  const hours = Number(process.env["LEARN_HOURS"] ?? WEEK_HOURS);
  const judgedSeed = Number(process.env["LEARN_SEED"] ?? SEEDS.judged);
  if (!(hours > 0) || !Number.isInteger(judgedSeed))
    throw new Error("LEARN_HOURS is a number of hours above 0, and LEARN_SEED a whole number");
  const loaded = loadPlantFolder("water-treatment");
  if (!loaded.ok) throw new Error("the water-treatment plant cannot be loaded; run `sekisho spec check`");
  const { plant, lifecycle } = loaded.value;
  const run = { plant, lifecycle, untilMs: hours * HOUR_MS };
  const said = (what: string) => (atMs: number) => {
    if (atMs % (24 * HOUR_MS) === 0) progress(`learn: ${what}, day ${atMs / (24 * HOUR_MS)}`);
  };
  progress(`learn: ${hours} h of plant time are learned`);
  const startedMs = performance.now();
  const draft = learnRun({ ...run, seed: SEEDS.learned, progress: said("learned") }, SIGHTINGS);
  const learnedS = (performance.now() - startedMs) / 1000;
  for (const says of draft.errors) progress(`learn: spec check: ${says}`);
  const judged = judgeRun({ ...run, seed: judgedSeed, progress: said("judged") }, draft.loaded);
  for (const [says, count] of judged.denials) progress(`learn: denied ${count}×: ${says}`);
  const missing = lifecycle.phases.filter(({ id, mask }) => mask === undefined && !judged.phases.has(id));
  const of = `${hours} h`;
  const figure = (metric: string, value: number, unit: string, subject = SUBJECT): Figure => {
    return { ...{ bench: BENCH, case: of, subject, metric, value, unit }, errors: 0 };
  };
  return Promise.resolve([
    figure("messages learned", draft.messages, ""),
    figure("time to simulate and learn", learnedS, "s"),
    figure("rules drafted", rulesIn(draft.lifecycleText), ""),
    withTarget(figure("errors of spec check", draft.errors.length, ""), "<=", 0),
    withTarget(figure("phases missing in the second run", missing.length, ""), "<=", 0),
    figure("messages judged", judged.judged, ""),
    figure("writes judged", judged.writes, ""),
    withTarget(figure("quiet messages denied", judged.denied, ""), "<=", 0),
    ...rows(judged.scores).map(({ name, share, trials }) => ({
      ...figure("stopped", share, `of ${trials} trials`, name),
      case: "attack",
    })),
    figure("attacks from unknown addresses stopped", shareStopped(judged.scores, false), ""),
    withTarget(
      figure("write attacks from known addresses stopped", shareStopped(judged.scores, true), ""),
      ">=",
      STOPPED_TARGET,
    ),
  ]);
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
      name: `row ${of[0]?.row ?? 0}: ${title}`,
      share,
      trials: tried.reduce((sum, { trials }) => sum + trials, 0),
    };
  });
}
