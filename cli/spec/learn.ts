import { automataOf } from "#hmi-monitor/learn/automata.ts";
import { coverageOf, overflowInWords } from "#hmi-monitor/learn/coverage.ts";
import type { DraftLifecycle } from "#hmi-monitor/learn/draft.ts";
import { draftLifecycle } from "#hmi-monitor/learn/draft-lifecycle.ts";
import { seen } from "#hmi-monitor/learn/draft-rules.ts";
import type { Evidence } from "#hmi-monitor/learn/evidence.ts";
import { LearnCapture } from "#hmi-monitor/learn/learn-capture.ts";
import { Learner } from "#hmi-monitor/learn/learner.ts";
import { ordersOf } from "#hmi-monitor/learn/orders.ts";
import { watchedPlant } from "#hmi-monitor/learn/plant-document.ts";
import { buildBundle } from "#specs/bundle.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { UsageError } from "../part.ts";
import { type PortFlags, portsOf } from "../protocol-ports.ts";
import { type CaptureRead, type Captures, nameOf, openCaptures, overlapsOf } from "./captures.ts";
import { NOTHING_WRITTEN, writeDraft } from "./learn-draft.ts";
import { type LearnReport, learnReportInWords } from "./learn-report.ts";
import { courseOf, type SourceFlags, sourceOf } from "./learn-source.ts";

export interface LearnFlags extends PortFlags, SourceFlags {
  readonly out?: string;
  readonly json?: boolean;
  readonly sightings?: number;
  readonly safe?: string;
  readonly widen?: boolean;
}

const DEFAULT_SIGHTINGS = 3;

/**
 * `sekisho spec learn`: a draft from captures. Exit code 1 where a draft that was there does not allow what was seen, and `--widen` was not
 * given. @throws UsageError
 */
export async function learn(files: readonly string[], flags: LearnFlags): Promise<void> {
  const captures = await openCaptures(files);
  try {
    learnFrom(captures, files.length, flags);
  } finally {
    captures.close();
  }
}

function learnFrom(captures: Captures, count: number, flags: LearnFlags): void {
  const ports = portsOf(flags);
  const source = sourceOf(captures, flags, ports);
  const plant = watchedPlant(source.plant);
  const tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
  const learner = new Learner((tag) => tags.get(tag));
  const course = courseOf(flags, source, count);
  const bundle = buildBundle(source.plant, source.lifecycle);
  const capture = new LearnCapture({ bundle, course, ports, learner });
  const read = readAll(captures, capture);
  const evidence = learner.evidence();
  const sightings = flags.sightings ?? DEFAULT_SIGHTINGS;
  const phases = [...evidence.phases.keys()];
  if (flags.safe !== undefined && phases.length > 0 && !evidence.phases.has(flags.safe))
    throw new UsageError(`--safe: phase \`${flags.safe}\` was not seen; those that were are ${phases.join(", ")}`);
  const safe = flags.safe ?? safeOf(evidence, source.lifecycle);
  const draft = draftLifecycle(evidence, {
    sightings,
    tagOf: (tag) => tags.get(tag),
    ...(safe === undefined ? {} : { safe }),
  });
  const { out, widen = false } = flags;
  const outcome =
    draft === undefined || out === undefined ? NOTHING_WRITTEN : writeDraft(plant, draft, evidence, out, widen);
  const report: LearnReport = {
    ...{ plant: plant.id, messages: evidence.messages, withoutPhase: evidence.withoutPhase, refused: evidence.refused },
    rules: draft === undefined ? 0 : rulesIn(draft),
    phases: coverageOf(evidence, sightings),
    notDrafted: evidence.notDrafted.map((one) => `${one.says}, ${seen(one.sightings)}`),
    unread: capture.unread,
    notices: capture.notices,
    overflow: [source.overflow, evidence.overflow].flatMap((one) => (one === undefined ? [] : overflowInWords(one))),
    captures: read.map(({ file, frames, problem }) => ({ file: nameOf(file), frames, problem })),
    overlaps: overlapsOf(read),
    orders: ordersOf(evidence),
    automata: automataOf(evidence),
    ...outcome,
  };
  process.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : learnReportInWords(report, out));
  const [broken] = read.flatMap(({ file, problem }) => (problem === null ? [] : [`${nameOf(file)}: ${problem}`]));
  if (broken !== undefined) throw new UsageError(broken);
  if (outcome.widenings.length > 0 && !outcome.widened) process.exitCode = 1;
}

function readAll(captures: Captures, capture: LearnCapture): readonly CaptureRead[] {
  const pieces = captures.read();
  for (;;) {
    const next = pieces.next();
    if (next.done === true) {
      capture.end();
      return next.value;
    }
    if (next.value.kind === "frame") capture.frame(next.value.frame);
    else capture.gap();
  }
}

function rulesIn({ rules, phases }: DraftLifecycle): number {
  return phases.reduce((sum, phase) => sum + phase.rules.length, rules.length);
}

/** The safe phase of the lifecycle that told the phases, where it was seen. */
function safeOf(evidence: Evidence, lifecycle: Lifecycle): string | undefined {
  const safe = lifecycle.regions[0]?.safe?.phase;
  return safe !== undefined && evidence.phases.has(safe) ? safe : undefined;
}
