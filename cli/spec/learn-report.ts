import type { PhaseCoverage } from "#hmi-monitor/learn/draft.ts";
import type { Widening } from "#hmi-monitor/learn/lifecycle-document.ts";
import type { OrderSeen } from "#hmi-monitor/learn/orders.ts";

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
  /** The time automata of each phase and client: every order that was seen, whether a rule was made of it or not. */
  readonly orders: readonly OrderSeen[];
  readonly captures: readonly { readonly file: string; readonly frames: number; readonly problem: string | null }[];
  readonly widenings: readonly Widening[];
  /** They are in the files now. */
  readonly widened: boolean;
  readonly written: readonly string[];
}

/** The report for people. @param out the folder of the draft, where one is named */
export function learnReportInWords(report: LearnReport, out: string | undefined): string {
  const lines = [
    `${report.messages} messages answered, ${report.rules} rules drafted for plant \`${report.plant}\``,
    ...(report.withoutPhase > 0 ? [`${report.withoutPhase} came in no known phase and taught nothing`] : []),
    ...(report.refused > 0 ? [`${report.refused} commands were refused by their servers and taught nothing`] : []),
    ...(report.phases.length === 0 ? ["no phase was seen; mark them with --phases"] : ["", "Coverage"]),
    ...report.phases.map(phaseInWords),
    ...section(
      "Thin, or not drafted",
      report.phases.flatMap(({ phase, thin }) => thin.map((one) => `${phase}: ${one}`)),
    ),
    ...section("Never drafted", report.notDrafted),
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

function phaseInWords({ phase, visits, totalMs, commands, unseen }: PhaseCoverage): string {
  const minutes = (totalMs / 60_000).toFixed(1);
  return `  ${phase}: entered ${visits}×, ${minutes} min, ${commands} commands; something new on about ${(100 * unseen).toFixed(1)} % of occasions`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}
