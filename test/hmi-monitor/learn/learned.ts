import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import type { Evidence } from "#hmi-monitor/learn/evidence.ts";
import { foundPlant } from "#hmi-monitor/learn/found-plant.ts";
import { LearnCapture } from "#hmi-monitor/learn/learn-capture.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { newLifecycle } from "#hmi-monitor/learn/lifecycle-document.ts";
import { newPlant, watchedPlant } from "#hmi-monitor/learn/plant-document.ts";
import { namedPhases, skeleton, UNMARKED } from "#hmi-monitor/learn/skeleton.ts";
import { Survey } from "#hmi-monitor/learn/survey.ts";
import type { ProtocolPorts } from "#hmi-monitor/parties.ts";
import { MarkedCourse } from "#hmi-monitor/replay/marked-course.ts";
import type { TakesChange } from "#hmi-monitor/replay/phase-course.ts";
import { readPhaseMarks } from "#hmi-monitor/replay/phase-marks.ts";
import { Replay } from "#hmi-monitor/replay/replay.ts";
import { buildBundle } from "#specs/bundle.ts";
import { checkSpec } from "#specs/check.ts";
import type { Layer } from "#specs/decide/observation.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";
import { CaptureReader } from "#wire/pcap/index.ts";

export interface LearnOptions {
  readonly ports: ProtocolPorts;
  readonly sightings?: number;
  /** Lines of a phase file; default: one phase. */
  readonly marks?: string;
}

export interface LearnedBytes {
  readonly evidence: Evidence;
  readonly capture: LearnCapture;
  readonly draft: Loaded;
  readonly plantText: string;
  readonly lifecycleText: string;
  /** Errors of `sekisho spec check`. */
  readonly errors: readonly string[];
}

/** Learns a capture without a plant, as the command does, and reads the draft back. */
export function learnBytes(
  bytes: Buffer,
  { ports, sightings = 1, marks = `frame 1 ${UNMARKED}\n` }: LearnOptions,
): LearnedBytes {
  const survey = new Survey(ports);
  for (const frame of new CaptureReader().push(bytes)) survey.frame(frame);
  const bare = skeleton(foundPlant(survey), namedPhases(marks));
  if (!bare.ok) throw new Error(bare.error);
  const plant = watchedPlant(bare.value.plant);
  const tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
  const learner = new Learner((tag) => tags.get(tag));
  const bundle = buildBundle(bare.value.plant, bare.value.lifecycle);
  const capture = new LearnCapture({ bundle, ports, learner, course: courseOf(bare.value, marks) });
  for (const frame of new CaptureReader().push(bytes)) capture.frame(frame);
  capture.end();
  const evidence = learner.evidence();
  const draft = draftLifecycle(evidence, { sightings, tagOf: (tag) => tags.get(tag) });
  if (draft === undefined) throw new Error("no phase was seen");
  const plantText = newPlant(plant, { ofLink: () => undefined, ofTag: () => undefined });
  const lifecycleText = newLifecycle(plant.id, draft);
  const loaded = loadPlant({ file: "plant.yaml", text: plantText }, { file: "lifecycle.yaml", text: lifecycleText });
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join("; "));
  const findings = checkSpec(loaded.value).findings.filter(({ severity }) => severity === "error");
  return {
    evidence,
    capture,
    draft: loaded.value,
    plantText,
    lifecycleText,
    errors: findings.map(({ message }) => message),
  };
}

export interface Replayed {
  readonly allowed: number;
  readonly denials: readonly string[];
}

/** Judges a capture by a draft, as `sekisho replay` does. */
export function replayed(
  bytes: Buffer,
  draft: Loaded,
  { ports, marks = `frame 1 ${UNMARKED}\n` }: LearnOptions,
  layer: Layer = "switch",
): Replayed {
  const replay = new Replay({
    bundle: buildBundle(draft.plant, draft.lifecycle),
    layer,
    ports,
    course: courseOf(draft, marks),
  });
  replay.push(bytes);
  replay.end();
  const { allowed, denied } = replay.tally.counts;
  const denials = replay.tally.denials.map(({ count, says, message }) => `${count}× ${message}: ${says}`);
  if (denied > 0 !== denials.length > 0) throw new Error("the denials do not add up");
  return { allowed, denials };
}

function courseOf({ plant }: Loaded, marks: string) {
  return (tables: Tables, changed: TakesChange): MarkedCourse => {
    const [zone] = plant.zones;
    if (zone === undefined) throw new Error("no zone");
    const read = readPhaseMarks(marks, tables, zone.id);
    if (!read.ok) throw new Error(read.error);
    return new MarkedCourse(tables, read.value, changed);
  };
}
