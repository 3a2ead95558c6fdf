import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { type Command, Option } from "commander";
import { FrameComments } from "#hmi-monitor/replay/comments.ts";
import { MarkedCourse, type PhaseMark } from "#hmi-monitor/replay/marked-course.ts";
import type { PhaseCourse, TakesChange } from "#hmi-monitor/replay/phase-course.ts";
import { readPhaseMarks, readPlace } from "#hmi-monitor/replay/phase-marks.ts";
import { RecognisedCourse } from "#hmi-monitor/replay/recognised-course.ts";
import { Replay, type ReplayOptions } from "#hmi-monitor/replay/replay.ts";
import { type PhasesFrom, reportOf } from "#hmi-monitor/replay/report.ts";
import { reportText } from "#hmi-monitor/replay/report-text.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { ZoneId } from "#specs/ids.ts";
import { bundleFromFile, isBundleFile, type TrustFlags, trustOptions } from "./bundle-file.ts";
import { CaptureProgress } from "./capture-progress.ts";
import { type ChecksumFlags, checksumOption, checksumsFrom } from "./checksums.ts";
import { UsageError } from "./part.ts";
import { readPhaseFile, valueOr } from "./phase-file.ts";
import { type PortFlags, portOptions, portsOf } from "./protocol-ports.ts";
import { CommentedCapture } from "./replay/commented-capture.ts";
import { whyOf } from "./spec/files.ts";

interface ReplayFlags extends TrustFlags, PortFlags, ChecksumFlags {
  readonly bundle: string;
  readonly phase?: string;
  readonly phases?: string;
  readonly layer: "hmi" | "switch";
  readonly json?: boolean;
  readonly out?: string;
}

/** Bytes read at once. More at once is slower: what is made of the frames of one piece would live long enough to be moved by the collector. */
const CHUNK_BYTES = 1 << 16;
const STDIN = "-";

/** `sekisho replay CAPTURE`: docs/replay.md. */
export function addReplayCommand(program: Command): void {
  checksumOption(portOptions(trustOptions(program.command("replay"))))
    .description("say what of a capture (pcap or pcapng; `-` reads standard input) a bundle would have denied")
    .argument("<capture>", "a capture file, or - for standard input")
    .requiredOption("--bundle <B>", "a bundle file, or a plant under lifecycle-specs/plants")
    .addOption(new Option("--phase <phase>", "the phase of the whole capture: PHASE or PHASE/STEP").conflicts("phases"))
    .option("--phases <file>", "from when on which phase holds; without both, phases are recognised from the traffic")
    .addOption(new Option("--layer <layer>", "whose projection judges").choices(["hmi", "switch"]).default("hmi"))
    .option("--json", "print one JSON object")
    .option("--out <file>", "write the capture again as pcapng, with a comment for each verdict")
    .action((capture: string, flags: ReplayFlags) => replay(capture, flags));
}

/** Exit code 0: nothing would have been denied; 1: something would. @throws UsageError: 2 */
async function replay(capture: string, flags: ReplayFlags): Promise<void> {
  const bundle = await bundleOf(flags);
  const [zone] = bundle.plant.zones;
  if (zone === undefined) throw new UsageError(`plant \`${bundle.plant.id}\` has no zone; declare one`);
  const { from, course } = phasesOf(flags, zone.id);
  const options = {
    bundle,
    layer: flags.layer,
    course,
    ports: portsOf(flags),
    verifyChecksums: checksumsFrom(flags),
  };
  const { done, problem } = await judge(capture, options, flags.out);
  const report = reportOf(done, bundle, from, problem);
  await write(flags.json === true ? `${JSON.stringify(report)}\n` : reportText(report));
  if (problem !== undefined) throw new UsageError(`${nameOf(capture)}: ${problem}`);
  if (flags.phases !== undefined && done.course instanceof MarkedCourse && done.course.ahead > 0)
    process.stderr.write(`sekisho: the capture ended before ${done.course.ahead} of the marks in ${flags.phases}\n`);
  if (report.judged.denied > 0) process.exitCode = 1;
}

/** A bundle file needs nothing of what reads the files of a plant, and that takes longer to load than the rest. @throws UsageError */
async function bundleOf(flags: ReplayFlags): Promise<Bundle> {
  if (isBundleFile(flags.bundle)) return bundleFromFile(flags.bundle, flags);
  const { bundleFrom } = await import("./bundle.ts");
  return bundleFrom(flags.bundle, flags);
}

interface Phases {
  readonly from: PhasesFrom;
  readonly course: (tables: Tables, changed: TakesChange) => PhaseCourse;
}

/** @throws UsageError, also where the course is made */
function phasesOf({ phase, phases }: ReplayFlags, zone: ZoneId): Phases {
  if (phases !== undefined) {
    const text = readPhaseFile(phases);
    const marks = (tables: Tables) => valueOr(readPhaseMarks(text, tables, zone), phases);
    return { from: "file", course: (tables, changed) => new MarkedCourse(tables, marks(tables), changed) };
  }
  if (phase === undefined)
    return { from: "recognised", course: (tables, changed) => new RecognisedCourse(tables, zone, changed) };
  const marks = (tables: Tables): readonly PhaseMark[] => [
    { at: { kind: "start" }, ...valueOr(readPlace(phase, tables, zone), "--phase") },
  ];
  return { from: "given", course: (tables, changed) => new MarkedCourse(tables, marks(tables), changed) };
}

type Judging = Omit<ReplayOptions, "onVerdict" | "onChange" | "onFrame"> & { readonly bundle: Bundle };

interface Judgement {
  readonly done: Replay;
  /** What is wrong with the capture, in one sentence. */
  readonly problem: string | undefined;
}

async function judge(capture: string, options: Judging, out: string | undefined): Promise<Judgement> {
  if (out === undefined) return readAll(capture, new Replay(options));
  if (isSameFile(capture, out)) throw new UsageError(`--out ${out} is the capture itself; name another file`);
  const comments = new FrameComments();
  const { layer, bundle } = options;
  const written = new CommentedCapture(out, `judged at the ${layer} layer by bundle ${bundle.id}`);
  try {
    const done = new Replay({
      ...options,
      onVerdict: (judged, possible, by) => comments.verdict(judged, possible, by),
      onChange: (change) => comments.changed(change),
      onFrame: (frame) => written.frame(frame, comments.take()),
    });
    const judgement = await readAll(capture, done);
    written.keep();
    if (written.left > 0)
      process.stderr.write(`sekisho: ${written.left} frames cannot be held by pcapng and were left out\n`);
    return judgement;
  } catch (error) {
    written.drop();
    throw error;
  }
}

async function readAll(capture: string, done: Replay): Promise<Judgement> {
  const progress = new CaptureProgress(process.stderr);
  let broken: string | undefined;
  try {
    if (capture === STDIN) await readStdin(done);
    else readFile(capture, done, progress);
  } catch (error) {
    if (error instanceof UsageError || !isOfSystem(error)) throw error;
    broken = `it cannot be read on: ${whyOf(error)}`;
  } finally {
    progress.end();
  }
  const problem = done.end();
  return { done, problem: broken ?? problem };
}

function readFile(path: string, done: Replay, progress: CaptureProgress): void {
  const file = open(path);
  try {
    const { size } = fstatSync(file);
    for (let read = 0; !done.failed; ) {
      // Messages that are not whole yet are views of it: each piece has a buffer of its own.
      const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      const n = readSync(file, chunk);
      if (n === 0) return;
      done.push(chunk.subarray(0, n));
      read += n;
      progress.report(read, size);
    }
  } finally {
    closeSync(file);
  }
}

async function readStdin(done: Replay): Promise<void> {
  for await (const chunk of process.stdin) {
    done.push(chunk);
    if (done.failed) return;
  }
}

/** @throws UsageError */
function open(path: string): number {
  try {
    if (statSync(path).isDirectory()) throw new UsageError(`${path} is a folder; give a capture file`);
    return openSync(path, "r");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} cannot be opened: ${whyOf(error)}; give a pcap or pcapng file`);
  }
}

/** What was captured is evidence, and is never replaced. */
function isSameFile(capture: string, out: string): boolean {
  if (capture === STDIN) return false;
  const [one, other] = [capture, out].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function nameOf(capture: string): string {
  return capture === STDIN ? "standard input" : capture;
}

/** Resolves when it has been taken: the process may end after that. */
function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error == null ? resolve() : reject(error)));
  });
}
