import { printable } from "#specs/words.ts";
import type { ReplayReport } from "./report.ts";

/** Rows of a table that are printed; `--json` has all. */
const MAX_ROWS = 50;
/** Names in one cell of a table. */
const MAX_NAMES = 4;

/** A report for people: what would have been denied, then the phases, then what was never used or not judged. */
export function reportText(report: ReplayReport): string {
  return [
    head(report),
    denials(report),
    situations(report),
    changes(report),
    coverage(report),
    notJudged(report),
    verdict(report),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function head({ capture, bundle, layer, phasesFrom, judged }: ReplayReport): string {
  const phases = { given: "the phase given", file: "the phase file", recognised: "phases recognised from the traffic" };
  const first =
    capture.firstTime === null ? "" : `, ${spanOf(capture.firstTime, capture.lastTime ?? capture.firstTime)}`;
  return [
    `${capture.frames} frames${first}; ${judged.messages} messages judged at the ${layer} layer by ${phases[phasesFrom]}`,
    `bundle ${bundle.id.slice(0, 12)} (${bundle.plant}, version ${bundle.version})\n`,
  ].join("\n");
}

function denials({ denials: all, denialsBeyond }: ReplayReport): string {
  if (all.length === 0) return "";
  const rows = all
    .slice(0, MAX_ROWS)
    .map((one) => [
      String(one.count),
      `${one.first.frame}–${one.last.frame}`,
      namesOf(one.phases, " | "),
      one.reason,
      one.rule ?? "—",
      `${one.source} → ${one.target}`,
      one.wouldBlock ? "block" : "report",
      one.says,
    ]);
  const more = [
    ...(all.length > MAX_ROWS ? [`${all.length - MAX_ROWS} more kinds: see --json`] : []),
    ...(denialsBeyond > 0 ? [`${denialsBeyond} denies of kinds for which there was no room`] : []),
  ];
  const title = ["times", "frames", "phase", "reason", "closest rule", "from → to", "would", "first"];
  return `Would have been denied\n${table([title, ...rows])}${more.map((line) => `  ${line}\n`).join("")}`;
}

function situations({ situations: all }: ReplayReport): string {
  const rows = all
    .slice(0, MAX_ROWS)
    .map((one) => [
      one.phases.length === 0 ? "(others)" : namesOf(one.phases, " | "),
      String(one.allowed),
      String(one.denied),
      `${one.first.frame}–${one.last.frame}`,
    ]);
  const rest = all.length > rows.length ? `  ${all.length - rows.length} more sets of phases: see --json\n` : "";
  return rows.length === 0
    ? ""
    : `Judged by phase\n${table([["possible phases", "allowed", "denied", "frames"], ...rows])}${rest}`;
}

function changes({ changes: all, changesBeyond, phasesFrom, possibleAtEnd }: ReplayReport): string {
  const rows = all
    .slice(0, MAX_ROWS)
    .map(({ frame, cause, possible, says }) => [String(frame), cause, namesOf(possible, ", "), says]);
  const more = all.length - rows.length + changesBeyond;
  const end = `  at the end: ${possibleAtEnd.join(", ") || "no phase"}\n`;
  const title = phasesFrom === "recognised" ? "Phases, as the traffic shows them" : "Phases";
  const rest = more > 0 ? `  ${more} more changes: see --json\n` : "";
  return `${title}\n${table([["frame", "by", "possible from here on", "why"], ...rows])}${rest}${end}`;
}

function coverage({ coverage: { always, phases } }: ReplayReport): string {
  const row = (name: string, { used, of, rules }: (typeof phases)[number] | typeof always) => [
    name,
    `${used} of ${of}`,
    rules
      .filter((rule) => rule.used === 0)
      .map(({ rule }) => rule)
      .join(", ") || "—",
  ];
  const rows = [row("every phase", always), ...phases.map((one) => row(one.phase, one))];
  return `Rules used\n${table([["phase", "used", "never used"], ...rows])}`;
}

function notJudged({ notJudged: not, capture, judged }: ReplayReport): string {
  const counts: readonly (readonly [number, string])[] = [
    [not.noPhase, "messages before the first phase was given"],
    [not.blindConnections, "connections that cannot be read from somewhere on"],
    [not.blindBytes, "bytes in connections that cannot be read"],
    [not.joinedLate, "connections that began before the capture"],
    [not.gaps, "gaps within connections, where bytes are missing"],
    [not.unreadable, "messages that cannot be read"],
    [not.resynchronised, "times that a connection was read on after one of these"],
    [not.otherBytes, "bytes of servers or ports that the bundle does not name"],
    [not.answers, "answers to no request that was seen"],
    [not.frames, "frames that are damaged or out of place"],
    [not.lost, "frames, or parts of them, that were lost"],
    [capture.cutFrames, "frames that the capture holds only in part"],
    [judged.ambiguous, "messages judged while several phases were possible: allowed where one of them allows them"],
    [judged.excess, "safety commands beyond their rate"],
    [judged.unanswered, "commands judged whose answer was not seen: they may not have been carried out"],
  ];
  const lines = counts.filter(([n]) => n > 0).map(([n, what]) => `  ${n} ${what}\n`);
  const said = not.notices.slice(0, MAX_ROWS).map(({ frame, says }) => `  frame ${frame}: ${printable(says)}\n`);
  const more = not.notices.length - said.length + not.noticesBeyond;
  const rest = more > 0 ? `  ${more} more notices: see --json\n` : "";
  return lines.length + said.length === 0 ? "" : `Not judged, or not surely\n${lines.join("")}${said.join("")}${rest}`;
}

function verdict({ judged: { denied, receiptsSuppressed } }: ReplayReport): string {
  const receipts = `A live monitor would have sent ${receiptsSuppressed} receipts.`;
  return denied === 0
    ? `Nothing would have been denied. ${receipts}\n`
    : `${denied} messages would have been denied. ${receipts}\n`;
}

function spanOf(first: number, last: number): string {
  return `${timeOf(first)} to ${timeOf(last)}`;
}

/** A capture may carry any time, and a date only holds those of some 270,000 years. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString();
}

/** Names as they are, or how many there are where nobody would read on. */
function namesOf(names: readonly string[], between: string): string {
  return names.length <= MAX_NAMES ? names.join(between) : `any of ${names.length}`;
}

/** Aligned columns; the last one as long as it is. */
function table(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printable));
  const widths = (shown[0] ?? []).map((_, i) => Math.max(...shown.map((row) => row[i]?.length ?? 0)));
  return shown
    .map(
      (row) =>
        `  ${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
