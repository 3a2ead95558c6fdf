import type { Detection, PlantView, Severity, StateView } from "#coordinator/page-messages.ts";
import type { Locus } from "#specs/lifecycle.ts";
import { phaseInfo } from "./phases.ts";
import { locusWords, phaseWords } from "./words.ts";

// Detections: the sentence, what is worth drawing on the path, what a screen reader is told.

/** Plant ms for which a detection without a containment stays drawn on the path. */
const DRAWN_FOR_MS = 10 * 60_000;

const SEVERITY: Readonly<Record<Severity, { readonly label: string; readonly rank: number }>> = {
  alarm: { label: "alarm", rank: 2 },
  warning: { label: "warning", rank: 1 },
  notice: { label: "notice", rank: 0 },
};

export function severityLabel(severity: Severity): string {
  return SEVERITY[severity].label;
}

/** What happened, where it sits, and whether it was stopped. */
export function detectionSentence(d: Detection): string {
  const where = d.locus.length === 0 ? "" : ` Cause: ${locusWords(d.locus)}.`;
  return `${ended(d.says)}${where}`;
}

export function stoppedWords(d: Detection): string {
  if (d.blocked) return "blocked";
  return d.severity === "notice" ? "nothing to block" : "not blocked";
}

/** 1 is certain; the words say what less means. */
export function confidenceWords(confidence: number): string {
  if (confidence >= 0.95) return "the layers leave one cause";
  if (confidence >= 0.6) return "one layer could not see all; the cause is likely";
  return "several causes fit";
}

/** Which detection the path shows: the one a person picked, else the newest that matters. */
export function drawnDetection(plant: PlantView, state: StateView, picked: string | undefined): Detection | undefined {
  const chosen = state.detections.find((d) => d.id === picked);
  if (chosen !== undefined) return chosen;
  const isContainment = (phase: string | null): boolean => phaseInfo(plant, phase)?.containment === true;
  // Led back to the phase that a containment was taken from: what came before is over.
  const back = state.history.some((r) => r.outcome === "done" && isContainment(r.to) && r.from === state.phase);
  const open = new Set(state.proposals.filter((p) => p.state === "proposed").flatMap((p) => p.detections));
  return state.detections.find((d) => {
    if (d.severity === "notice" || d.locus.length === 0) return false;
    if (open.has(d.id)) return true;
    if (back && d.lastMs < state.sinceMs) return false;
    return isContainment(state.phase)
      ? d.lastMs >= state.sinceMs - DRAWN_FOR_MS
      : state.atMs - d.lastMs <= DRAWN_FOR_MS;
  });
}

export interface LocusMark {
  readonly locus: Locus;
  /** False where the layers cannot tell several places apart. */
  readonly certain: boolean;
}

export function locusMarks(d: Detection | undefined): readonly LocusMark[] {
  if (d === undefined) return [];
  return d.locus.map((locus) => ({ locus, certain: d.locus.length === 1 }));
}

/** What a screen reader says of the detections that are new since `known`. Bounded to three; the rest is counted. */
export function announcement(detections: readonly Detection[], known: ReadonlySet<string>): string {
  const fresh = detections.filter((d) => !known.has(d.id));
  if (fresh.length === 0) return "";
  const said = fresh.slice(0, 3).map((d) => `New ${severityLabel(d.severity)}: ${detectionSentence(d)}`);
  const more = fresh.length - said.length;
  return [...said, ...(more > 0 ? [`And ${more} more.`] : [])].join(" ");
}

/** The rule in its own words, where one came close. */
export function ruleSays(plant: PlantView, rule: string | null): string {
  if (rule === null) return "";
  const phases = plant.phases.flatMap((p) => [...p.rules, ...p.steps.flatMap((s) => s.rules)]);
  return [...plant.rules, ...phases].find((r) => r.id === rule)?.says ?? "";
}

export function ledTo(d: Detection): string {
  return d.containment === undefined ? "" : phaseWords(d.containment);
}

export function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
