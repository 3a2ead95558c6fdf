import type { Tables } from "#specs/decide/tables.ts";
import type { PhaseId, StepId, ZoneId } from "#specs/ids.ts";
import type { Phase } from "#specs/lifecycle.ts";
import { err, ok, type Result } from "#specs/result.ts";
import { printable } from "#specs/words.ts";
import type { PhaseMark } from "./marked-course.ts";

/** Marks of one file. */
export const MAX_MARKS = 100_000;
/** Largest phase file, in bytes. */
export const MAX_PHASE_FILE_BYTES = 16 * 1024 * 1024;
/** Longest piece of a file that a sentence shows. */
const MAX_SHOWN = 60;
const MS_PER_S = 1000;

type At = PhaseMark["at"];

/** `normal`, or `normal/produce`. The error is one sentence. */
export function readPlace(
  text: string,
  { lifecycle }: Tables,
  zone: ZoneId,
): Result<{ readonly phase: PhaseId; readonly step?: StepId }, string> {
  const [name = "", ...within] = text.split("/");
  const stepName = within.length === 0 ? undefined : within.join("/");
  const phase = lifecycle.phases.find(({ id }) => id === name);
  if (phase === undefined) return err(`there is no phase \`${shown(name)}\`; ${phasesOf(lifecycle.phases, zone)}`);
  if (phase.zone !== zone)
    return err(
      `phase \`${name}\` is of zone \`${phase.zone}\`, and a replay follows \`${zone}\`; ${phasesOf(lifecycle.phases, zone)}`,
    );
  if (stepName === undefined) return ok({ phase: phase.id });
  const step = phase.steps.find(({ id }) => id === stepName);
  if (step !== undefined) return ok({ phase: phase.id, step: step.id });
  const known = phase.steps.map(({ id }) => id).join(", ");
  return err(
    `phase \`${name}\` has no step \`${shown(stepName)}\`; ${known === "" ? "it has no steps" : `its steps are ${known}`}`,
  );
}

/**
 * Reads a phase file: from when on which phase or step holds, in order. Lines of `WHEN PHASE[/STEP]`, in which `#` begins a remark, or a
 * JSON array of `{ "frame" | "time" | "after", "phase", "step"? }`. WHEN is `frame N`, a time (ISO 8601, or seconds since the epoch)
 * or `+S`, seconds since the first frame. The error is one sentence that names the line or the entry.
 */
export function readPhaseMarks(text: string, tables: Tables, zone: ZoneId): Result<readonly PhaseMark[], string> {
  const entries = text.trimStart().startsWith("[") ? jsonEntries(text) : ok(lineEntries(text));
  if (!entries.ok) return entries;
  const marks: PhaseMark[] = [];
  for (const { where, when, place } of entries.value) {
    const at = when();
    if (at === undefined) return err(`${where} does not say from when on: write \`frame 1200\`, a time, or \`+12.5\``);
    if (place === undefined) return err(`${where} names no phase: write \`WHEN PHASE\` or \`WHEN PHASE/STEP\``);
    const read = readPlace(place, tables, zone);
    if (!read.ok) return err(`${where}: ${read.error}`);
    const before = marks.findLast((mark) => mark.at.kind === at.kind);
    if (before !== undefined && placeInOrder(at) < placeInOrder(before.at))
      return err(`${where} is before the mark above it; put the marks in order`);
    if (marks.length >= MAX_MARKS) return err(`${where}: a phase file has ${MAX_MARKS} marks at most`);
    marks.push({ at, ...read.value });
  }
  return marks.length === 0 ? err("it has no marks; write lines such as `frame 1 normal`") : ok(marks);
}

interface Entry {
  /** For sentences: `line 3`. */
  readonly where: string;
  readonly when: () => At | undefined;
  readonly place: string | undefined;
}

function* lines(text: string): Generator<{ readonly number: number; readonly words: readonly string[] }> {
  for (const [n, line] of text.split(/\r?\n/).entries()) {
    const words = line
      .replace(/#.*$/, "")
      .trim()
      .split(/\s+/)
      .filter((word) => word !== "");
    if (words.length > 0) yield { number: n + 1, words };
  }
}

function lineEntries(text: string): readonly Entry[] {
  return [...lines(text)].map(({ number, words }) => {
    const byFrame = words[0] === "frame";
    const [when = "", place, ...rest] = byFrame ? words.slice(1) : words;
    const at = () => (byFrame ? frameAt(Number(when)) : timeAt(when));
    return { where: `line ${number}`, when: at, place: rest.length > 0 ? undefined : place };
  });
}

function jsonEntries(text: string): Result<readonly Entry[], string> {
  let value: unknown;
  try {
    // A byte-order mark is white space to `trim`, and an error to `parse`.
    value = JSON.parse(text.trim());
  } catch (error) {
    return err(`it begins like JSON and is none (${shown(error instanceof Error ? error.message : "")})`);
  }
  if (!Array.isArray(value)) return err("it is JSON and no array of marks");
  return ok(value.map((entry: unknown, n) => jsonEntry(entry, `entry ${n + 1}`)));
}

function jsonEntry(entry: unknown, where: string): Entry {
  const fields: Readonly<Record<string, unknown>> = typeof entry === "object" && entry !== null ? { ...entry } : {};
  const { frame, time, after, phase, step } = fields;
  const place = typeof phase !== "string" ? undefined : step === undefined ? phase : `${phase}/${String(step)}`;
  const when = (): At | undefined => {
    if (typeof frame === "number") return frameAt(frame);
    if (typeof after === "number") return afterAt(after);
    if (typeof time === "number") return secondsAt(time);
    return typeof time === "string" ? timeAt(time) : undefined;
  };
  return { where, when, place };
}

function frameAt(frame: number): At | undefined {
  return Number.isSafeInteger(frame) && frame >= 1 ? { kind: "frame", frame } : undefined;
}

function afterAt(seconds: number): At | undefined {
  return Number.isFinite(seconds) && seconds >= 0 ? { kind: "after", ms: seconds * MS_PER_S } : undefined;
}

function secondsAt(seconds: number): At | undefined {
  return Number.isFinite(seconds) ? { kind: "time", timeMs: seconds * MS_PER_S } : undefined;
}

const NUMBER = /^\d+(\.\d+)?$/;
/** A date and a time with its zone: what a file of marks means must not depend on where it is read. */
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

function timeAt(text: string): At | undefined {
  if (text.startsWith("+")) return NUMBER.test(text.slice(1)) ? afterAt(Number(text.slice(1))) : undefined;
  if (NUMBER.test(text)) return secondsAt(Number(text));
  const timeMs = ISO.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) || !isDay(text.slice(0, 10)) ? undefined : { kind: "time", timeMs };
}

/** `Date.parse` takes 31 February for 3 March. */
function isDay(date: string): boolean {
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}

function placeInOrder(at: At): number {
  switch (at.kind) {
    case "start":
      return 0;
    case "frame":
      return at.frame;
    case "time":
      return at.timeMs;
    case "after":
      return at.ms;
    default: {
      const never: never = at;
      throw new Error(`unreachable: ${JSON.stringify(never)}`);
    }
  }
}

function phasesOf(phases: readonly Phase[], zone: ZoneId): string {
  const names = phases.filter((phase) => phase.zone === zone && phase.mask === undefined).map(({ id }) => id);
  return `its phases are ${names.join(", ")}`;
}

function shown(text: string): string {
  return printable(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}
