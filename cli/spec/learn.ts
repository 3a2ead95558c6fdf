import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { coverageOf, overflowInWords } from "#hmi-monitor/learn/coverage.ts";
import type { DraftLifecycle } from "#hmi-monitor/learn/draft.ts";
import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import { seen } from "#hmi-monitor/learn/draft-rules.ts";
import type { Evidence } from "#hmi-monitor/learn/evidence.ts";
import { foundPlant } from "#hmi-monitor/learn/found-plant.ts";
import { LearnCapture } from "#hmi-monitor/learn/learn-capture.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { mergeLifecycle, newLifecycle } from "#hmi-monitor/learn/lifecycle-document.ts";
import { ordersOf } from "#hmi-monitor/learn/orders.ts";
import { mergePlant, newPlant, type PlantEvidence, watchedPlant } from "#hmi-monitor/learn/plant-document.ts";
import { namedPhases, skeleton, UNMARKED } from "#hmi-monitor/learn/skeleton.ts";
import { Survey } from "#hmi-monitor/learn/survey.ts";
import { MarkedCourse } from "#hmi-monitor/replay/marked-course.ts";
import type { PhaseCourse, TakesChange } from "#hmi-monitor/replay/phase-course.ts";
import { MAX_PHASE_FILE_BYTES, readPhaseMarks, readPlace } from "#hmi-monitor/replay/phase-marks.ts";
import { RecognisedCourse } from "#hmi-monitor/replay/recognised-course.ts";
import { buildBundle } from "#specs/bundle.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant, Protocol } from "#specs/plant.ts";
import type { Result } from "#specs/result.ts";
import { CaptureReader } from "#wire/pcap/index.ts";
import { CaptureProgress } from "../capture-progress.ts";
import { UsageError } from "../part.ts";
import { whyOf, writeWhole } from "./files.ts";
import { type LearnReport, learnReportInWords } from "./learn-report.ts";
import { openPlant } from "./source.ts";

export interface LearnFlags {
  readonly phases?: string;
  readonly plant?: string;
  readonly out?: string;
  readonly json?: boolean;
  readonly sightings?: number;
  readonly safe?: string;
  readonly widen?: boolean;
  readonly modbusPort?: readonly number[];
  readonly opcuaPort?: readonly number[];
}

const CHUNK_BYTES = 1 << 20;
const DEFAULT_SIGHTINGS = 3;

/**
 * `sekisho spec learn`: a draft from captures. Exit code 1 where a draft that was there does not allow what was seen, and `--widen` was not
 * given. @throws UsageError
 */
export function learn(captures: readonly string[], flags: LearnFlags): void {
  const ports = portsOf(flags);
  const { plant, lifecycle } = sourceOf(captures, flags, ports);
  const watched = watchedPlant(plant);
  const tags = new Map(watched.tags.map((tag) => [tag.id, tag]));
  const learner = new Learner((tag) => tags.get(tag));
  const course = courseOf(flags, plant, lifecycle);
  const bundle = buildBundle(plant, lifecycle);
  const read = captures.map((file) => readCapture(file, new LearnCapture({ bundle, course, ports, learner })));
  const evidence = learner.evidence();
  const sightings = flags.sightings ?? DEFAULT_SIGHTINGS;
  const safe = flags.safe ?? safeOf(evidence, lifecycle);
  const draft = draftLifecycle(evidence, {
    sightings,
    tagOf: (tag) => tags.get(tag),
    ...(safe === undefined ? {} : { safe }),
  });
  const outcome = draft === undefined ? NOTHING_WRITTEN : write(watched, draft, evidence, flags);
  const report: LearnReport = {
    ...{ plant: plant.id, messages: evidence.messages, withoutPhase: evidence.withoutPhase, refused: evidence.refused },
    rules:
      draft === undefined ? 0 : draft.rules.length + draft.phases.reduce((sum, { rules }) => sum + rules.length, 0),
    phases: coverageOf(evidence, sightings),
    notDrafted: evidence.notDrafted.map((one) => `${one.says}, ${seen(one.sightings)}`),
    overflow: overflowInWords(evidence),
    captures: read,
    orders: ordersOf(evidence),
    ...outcome,
  };
  process.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : learnReportInWords(report, flags.out));
  const [broken] = read.flatMap(({ file, problem }) => (problem === null ? [] : [`${file}: ${problem}`]));
  if (broken !== undefined) throw new UsageError(broken);
  if (outcome.widenings.length > 0 && !outcome.widened) process.exitCode = 1;
}

const NOTHING_WRITTEN = { widenings: [], widened: false, written: [] };

/** The plant that is given, with its lifecycle where it has one; else what a first look through the captures finds. */
function sourceOf(
  captures: readonly string[],
  flags: LearnFlags,
  ports: ReadonlyMap<number, Protocol>,
): { readonly plant: Plant; readonly lifecycle: Lifecycle } {
  if (flags.plant !== undefined) return openPlant(flags.plant, {});
  const survey = new Survey(ports);
  for (const file of captures) eachChunk(file, surveyReader(survey));
  const plant = foundPlant(survey);
  if (plant.links.length === 0)
    throw new UsageError(
      `no server answers in these captures on ports ${[...ports.keys()].join(", ")}; give others with --modbus-port or --opcua-port`,
    );
  const names = flags.phases === undefined ? [UNMARKED] : namedPhases(readPhases(flags.phases));
  return valueOr(skeleton(plant, names), flags.phases ?? "the captures");
}

function surveyReader(survey: Survey): (chunk: Buffer) => boolean {
  const reader = new CaptureReader();
  return (chunk) => {
    for (const frame of reader.push(chunk)) survey.frame(frame);
    return reader.state.kind !== "failed";
  };
}

/** Marks, where they are given; one phase, where nothing is known of phases; else what the lifecycle recognises. */
function courseOf(
  flags: LearnFlags,
  plant: Plant,
  lifecycle: Lifecycle,
): (tables: Tables, changed: TakesChange) => PhaseCourse {
  const [zone] = plant.zones;
  if (zone === undefined) throw new UsageError(`plant \`${plant.id}\` has no zone; declare one`);
  if (flags.phases !== undefined) {
    const file = flags.phases;
    const text = readPhases(file);
    return (tables, changed) => new MarkedCourse(tables, valueOr(readPhaseMarks(text, tables, zone.id), file), changed);
  }
  if (flags.plant !== undefined) return (tables, changed) => new RecognisedCourse(tables, zone.id, changed);
  const only = lifecycle.phases[0]?.id ?? UNMARKED;
  return (tables, changed) => {
    const place = valueOr(readPlace(only, tables, zone.id), "the captures");
    return new MarkedCourse(tables, [{ at: { kind: "start" }, ...place }], changed);
  };
}

/** The safe phase of the lifecycle that told the phases, where it was seen. */
function safeOf(evidence: Evidence, lifecycle: Lifecycle): string | undefined {
  const safe = lifecycle.regions[0]?.safe?.phase;
  return safe !== undefined && evidence.phases.has(safe) ? safe : undefined;
}

function readPhases(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MAX_PHASE_FILE_BYTES)
      throw new UsageError(`${file} has ${size} bytes, more than ${MAX_PHASE_FILE_BYTES}: it is no phase file`);
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file} cannot be read: ${whyOf(error)}`);
  }
}

function valueOr<T>(result: Result<T, string>, where: string): T {
  if (result.ok) return result.value;
  throw new UsageError(`${where}: ${result.error}`);
}

function portsOf({ modbusPort = [502], opcuaPort = [4840] }: LearnFlags): ReadonlyMap<number, Protocol> {
  const of = (ports: readonly number[], protocol: Protocol) => ports.map((one) => [one, protocol] as const);
  return new Map([...of(modbusPort, "modbus"), ...of(opcuaPort, "opcua")]);
}

function readCapture(file: string, capture: LearnCapture): LearnReport["captures"][number] {
  eachChunk(file, (chunk) => {
    capture.push(chunk);
    return !capture.failed;
  });
  const problem = capture.end() ?? null;
  return { file, frames: capture.frames, problem };
}

/** Reads a file piece by piece until it ends or its reader has enough. @throws UsageError */
function eachChunk(file: string, take: (chunk: Buffer) => boolean): void {
  const progress = new CaptureProgress(process.stderr);
  let handle: number | undefined;
  try {
    handle = openSync(file, "r");
    const { size } = fstatSync(handle);
    for (let read = 0; ; ) {
      // Messages that are not whole yet are views of it: each piece has a buffer of its own.
      const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      const n = readSync(handle, chunk);
      if (n === 0 || !take(chunk.subarray(0, n))) return;
      read += n;
      progress.report(read, size);
    }
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new UsageError(`${file} cannot be read: ${whyOf(error)}; give a pcap or pcapng file`);
  } finally {
    progress.end();
    if (handle !== undefined) closeSync(handle);
  }
}

/** Writes the draft, or takes it into the one that is there. */
function write(
  plant: Plant,
  draft: DraftLifecycle,
  evidence: Evidence,
  { out, widen = false }: LearnFlags,
): Pick<LearnReport, "widenings" | "widened" | "written"> {
  if (out === undefined) return NOTHING_WRITTEN;
  const files = { plant: join(out, "plant.yaml"), lifecycle: join(out, "lifecycle.yaml") };
  const there = { plant: textOf(files.plant), lifecycle: textOf(files.lifecycle) };
  const known = plantEvidence(evidence);
  mkdirp(out);
  if (there.plant === undefined || there.lifecycle === undefined) {
    if (there.plant !== there.lifecycle)
      throw new UsageError(`${out} has one of plant.yaml and lifecycle.yaml; give a folder with both, or with neither`);
    writeWhole(files.plant, newPlant(plant, known));
    writeWhole(files.lifecycle, newLifecycle(plant.id, draft));
    return { widenings: [], widened: false, written: [files.plant, files.lifecycle] };
  }
  try {
    const merged = {
      plant: mergePlant(there.plant, plant, known, widen),
      lifecycle: mergeLifecycle(there.lifecycle, draft, widen),
    };
    const widenings = [...merged.plant.widenings, ...merged.lifecycle.widenings];
    if (!widen || widenings.length === 0) return { widenings, widened: false, written: [] };
    writeWhole(files.plant, merged.plant.text);
    writeWhole(files.lifecycle, merged.lifecycle.text);
    return { widenings, widened: true, written: [files.plant, files.lifecycle] };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${out}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new UsageError(`${file} cannot be read: ${whyOf(error)}`);
  }
}

function mkdirp(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`${folder} cannot be made: ${whyOf(error)}`);
  }
}

function plantEvidence({ polls, commands }: Evidence): PlantEvidence {
  const seenTags = new Set<string>([...polls.flatMap(({ tags }) => tags), ...commands.map(({ kind }) => kind.tag)]);
  const clients = new Set([...polls.map(({ source }) => source), ...commands.map(({ kind }) => kind.source)]);
  return {
    ofLink: ({ client }) => (clients.has(client) ? undefined : `never used: ${client} asked for nothing`),
    ofTag: ({ id }) => (seenTags.has(id) ? undefined : "in no message; no rule is drafted for it"),
  };
}
