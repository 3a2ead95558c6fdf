import type { AutomatonSeen } from "#hmi-monitor/learn/automata.ts";
import type { PhaseCoverage } from "#hmi-monitor/learn/draft.ts";
import type { Widening } from "#hmi-monitor/learn/lifecycle-document.ts";
import type { OrderSeen } from "#hmi-monitor/learn/orders.ts";
import type { Unread } from "#hmi-monitor/unread.ts";
import { printable } from "#specs/words.ts";

/** What a run of the command comes to. With `--json` it is printed as it is. */
export interface LearnReport {
  readonly plant: string;
  readonly messages: number;
  readonly withoutPhase: number;
  readonly refused: number;
  readonly rules: number;
  readonly phases: readonly PhaseCoverage[];
  readonly notDrafted: readonly string[];
  readonly overflow: readonly string[];
  /** What was captured and taught nothing, since it could not be read. */
  readonly unread: Readonly<Unread>;
  readonly notices: readonly string[];
  /** Every order that was seen, whether a rule was made of it or not. */
  readonly orders: readonly OrderSeen[];
  /** The timed automata of each phase and channel. */
  readonly automata: readonly AutomatonSeen[];
  /** In the order of their first frames. */
  readonly captures: readonly { readonly file: string; readonly frames: number; readonly problem: string | null }[];
  /** Captures that were under way at the same time. */
  readonly overlaps: readonly string[];
  readonly widenings: readonly Widening[];
  /** They are in the files now. */
  readonly widened: boolean;
  readonly written: readonly string[];
}

const WHAT_TO_DO = [
  "  An occasion is a visit of the phase, or an hour of a long one. Capture more of them, mark phases with --phases, or have what was seen",
  "  less often drafted too: --sightings 1.",
];

/** The report for people. @param out the folder of the draft, where one is named */
export function learnReportInWords(report: LearnReport, out: string | undefined): string {
  const lines = [
    `${report.messages} messages answered, ${report.rules} rules drafted for plant \`${report.plant}\``,
    ...report.overlaps,
    ...(report.withoutPhase > 0 ? [`${report.withoutPhase} came in no known phase and taught nothing`] : []),
    ...(report.refused > 0 ? [`${report.refused} commands were refused by their servers and taught nothing`] : []),
    ...(report.phases.length === 0 ? ["no phase was seen; mark them with --phases"] : ["", "Coverage"]),
    ...report.phases.map(phaseInWords),
    ...section(
      "Thin, or not drafted",
      report.phases.flatMap(({ phase, thin }) => thin.map((one) => `${phase}: ${one}`)),
    ),
    ...(report.phases.some(({ thin }) => thin.some((one) => one.startsWith("not drafted"))) ? WHAT_TO_DO : []),
    ...section("Never drafted", report.notDrafted),
    ...section("Could not be read", [...report.notices, ...unreadInWords(report.unread)]),
    ...section("Cycles", report.automata.flatMap(cycleInWords)),
    ...section("Did not fit", report.overflow),
    ...section(
      report.widened ? "Widened" : "Would widen the draft that is there; take it with --widen",
      report.widenings.map(({ where, says }) => `${where}: ${says}`),
    ),
    ...section("Written", report.written),
    ...(out === undefined ? ["", "Nothing was written; name a folder with -o."] : []),
    ...(report.written.length > 0 ? ["", `Read it, and then: sekisho spec check ${out ?? ""}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function phaseInWords({ phase, visits, totalMs, commands, unseen, thin }: PhaseCoverage): string {
  const minutes = (totalMs / 60_000).toFixed(1);
  const isSilent = commands === 0 && !thin.some((one) => one.startsWith("not drafted"));
  const news = isSilent
    ? "nobody commanded anything"
    : `something new on about ${(100 * unseen).toFixed(1)} % of occasions`;
  return `  ${phase}: entered ${visits}×, ${minutes} min, ${commands} commands; ${news}`;
}

function cycleInWords({ phase, client, server, protocol, edges, cycle }: AutomatonSeen): readonly string[] {
  if (cycle === null) return [];
  const times = Math.min(
    ...edges.filter(({ from, to }) => cycle.includes(from) && cycle.includes(to)).map(({ count }) => count),
  );
  return [
    `${phase}: ${client} → ${server} over ${protocol}: ${cycle.join(", ")}, and again; at least ${times} times without exception`,
  ];
}

function unreadInWords({
  blind,
  bytes,
  strangerBytes,
  frames,
  answers,
  unanswered,
}: Readonly<Unread>): readonly string[] {
  const said = (count: number, what: string): readonly string[] => (count > 0 ? [`${count} ${what}`] : []);
  return [
    ...said(blind, "connections of which nothing more was read from somewhere on"),
    ...said(bytes, "bytes in such connections"),
    ...said(strangerBytes, "bytes of servers that the plant does not name"),
    ...said(frames, "frames that are damaged, cut or out of place"),
    ...said(answers, "answers to no request that was seen"),
    ...said(unanswered, "commands whose answer was not seen: they taught nothing"),
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  // Names of nodes and words of answers are whatever somebody sent.
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${printable(line)}`)];
}
