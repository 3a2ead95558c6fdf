import { coverageOf } from "#hmi-monitor/learn/coverage.ts";
import type { PhaseCoverage } from "#hmi-monitor/learn/draft.ts";
import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { newLifecycle } from "#hmi-monitor/learn/lifecycle-document.ts";
import { newPlant, watchedPlant } from "#hmi-monitor/learn/plant-document.ts";
import { checkSpec } from "#specs/check.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";
import type { Plant } from "#specs/plant.ts";
import { random } from "../random.ts";
import type { Harm } from "../water/harm.ts";
import { type AttackScore, AttackTrials } from "./attack-trials.ts";
import { DraftJudge } from "./draft-judge.ts";
import { both, Timetable } from "./likeness.ts";
import type { TrafficSink } from "./message.ts";
import { ObservedTraffic } from "./observed-traffic.ts";
import { runPlant } from "./run-plant.ts";
import type { Habits } from "./shift.ts";

export interface RunOptions {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly seed: number;
  readonly untilMs: number;
  /** Default: `DAY_CREW`. */
  readonly habits?: Habits;
  readonly progress?: (atMs: number) => void;
}

export interface LearnedDraft {
  readonly loaded: Loaded;
  readonly plantText: string;
  readonly lifecycleText: string;
  readonly coverage: readonly PhaseCoverage[];
  /** Errors of `sekisho spec check`. */
  readonly errors: readonly string[];
  readonly messages: number;
  readonly timetable: Timetable;
  readonly harm: readonly Harm[];
}

/** Learns a quiet run, with its phases marked, as captures of it would be learned; reads the draft back and checks it. */
export function learnRun(options: RunOptions, sightings: number): LearnedDraft {
  const plant = watchedPlant(options.plant);
  const tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
  const learner = new Learner((tag) => tags.get(tag));
  const timetable = new Timetable();
  const harm = runPlant({ ...options, sink: both(timetable, new ObservedTraffic(plant, learner)) });
  const evidence = learner.evidence(options.untilMs);
  const draft = draftLifecycle(evidence, { sightings, tagOf: (tag) => tags.get(tag), safe: "stopped" });
  if (draft === undefined) throw new Error("unreachable: a run of the plant has phases");
  const lifecycleText = newLifecycle(plant.id, draft);
  const plantText = newPlant(plant, { ofLink: () => undefined, ofTag: () => undefined });
  const loaded = loadPlant({ file: "plant.yaml", text: plantText }, { file: "lifecycle.yaml", text: lifecycleText });
  if (!loaded.ok) throw new Error(`the draft cannot be read: ${loaded.error.map(({ message }) => message).join("; ")}`);
  const report = checkSpec(loaded.value);
  const errors = report.findings.flatMap(({ severity, message }) => (severity === "error" ? [message] : []));
  const coverage = coverageOf(evidence, sightings);
  const { messages } = evidence;
  return { loaded: loaded.value, plantText, lifecycleText, coverage, errors, messages, timetable, harm };
}

export interface JudgedRun {
  readonly judged: number;
  readonly writes: number;
  readonly denied: number;
  readonly denials: ReadonlyMap<string, number>;
  readonly phases: ReadonlySet<string>;
  readonly scores: readonly AttackScore[];
  readonly timetable: Timetable;
  readonly harm: readonly Harm[];
}

/** Judges another quiet run by a draft, and tries the write attacks on the way. */
export function judgeRun(options: RunOptions, draft: Loaded): JudgedRun {
  const judge = new DraftJudge(draft.plant, draft.lifecycle);
  const trials = new AttackTrials(draft.plant, judge, random(options.seed, "attacks"));
  const traffic = new ObservedTraffic(draft.plant, judge);
  const sink: TrafficSink = {
    enterPhase: (phase, atMs) => {
      const before = judge.phase === "" ? undefined : judge.position;
      traffic.enterPhase(phase, atMs);
      if (before !== undefined) trials.change(before, judge.position);
    },
    message: (message) => {
      if (message.kind === "write") for (const one of traffic.observe(message)) trials.pass(one, message.atMs);
      traffic.message(message);
      if (message.kind === "node-poll") trials.moment();
    },
  };
  const timetable = new Timetable();
  const harm = runPlant({ ...options, sink: both(timetable, sink) });
  const { judged, writes, denied, denials, phases } = judge;
  return { judged, writes, denied, denials, phases, scores: trials.scores, timetable, harm };
}

/** The share of attacks stopped, each attack in each phase counted alike. */
export function shareStopped(scores: readonly AttackScore[], isKnown: boolean): number {
  const counted = scores.filter((score) => score.isKnown === isKnown && score.trials > 0);
  return counted.reduce((sum, { stopped, trials }) => sum + stopped / trials, 0) / Math.max(1, counted.length);
}
