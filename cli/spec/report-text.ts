import {
  type Exemption,
  type Fact,
  type Finding,
  GUARANTEES,
  type PhasePermissiveness,
  type Report,
} from "#specs/check/report.ts";
import type { Diagnostic } from "#specs/diagnostic.ts";
import type { PhaseId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { allRules } from "#specs/positions.ts";
import { listInWords, printable } from "#specs/words.ts";
import { excerpt, type Sources } from "./excerpt.ts";
import { GUARANTEE_TITLES } from "./guarantees.ts";
import { type Colours, count, table } from "./terminal.ts";

/** Facts shown of one guarantee unless all are asked for. */
const FEW_FACTS = 5;

export interface ReportLook {
  readonly colours: Colours;
  readonly sources: Sources;
  /** Show every fact, and every generated containment in a line of its own. */
  readonly all: boolean;
}

/** The findings alone, and how it went. */
export function findingsInWords(plant: Plant, lifecycle: Lifecycle, report: Report, look: ReportLook): string {
  return paragraphs([...findingsOf(report, look), [summary(plant, lifecycle, report, look.colours)]]);
}

/** The report for people: findings, facts, exemptions, permissiveness, and as the last line how it went. */
export function reportInWords(plant: Plant, lifecycle: Lifecycle, report: Report, look: ReportLook): string {
  return paragraphs([
    ...findingsOf(report, look),
    factsInWords(report, look),
    exemptionsInWords(report.exemptions, look.colours),
    permissivenessInWords(lifecycle, report.permissiveness, look),
    [summary(plant, lifecycle, report, look.colours)],
  ]);
}

function findingsOf({ findings, findingsLeftOut }: Report, look: ReportLook): readonly (readonly string[])[] {
  const more = findingsLeftOut === 0 ? [] : [[`… and ${count(findingsLeftOut, "further finding")}; mend these first`]];
  return [...findings.map((finding) => findingInWords(finding, look)), ...more];
}

function paragraphs(parts: readonly (readonly string[])[]): string {
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

/** What could not be read, in the same form. */
export function diagnosticsInWords(diagnostics: readonly Diagnostic[], look: Omit<ReportLook, "all">): string {
  return diagnostics.map((diagnostic) => [...headOf(diagnostic, "error", undefined, look), ""].join("\n")).join("\n");
}

function findingInWords(finding: Finding, look: ReportLook): readonly string[] {
  const { colours } = look;
  const trace = finding.trace ?? [];
  return [
    ...headOf(finding, finding.severity, finding.guarantee, look),
    `  ${colours.cyan("advice:")} ${printable(finding.advice)}`,
    ...(trace.length === 0 ? [] : [`  ${colours.cyan("for example:")}`]),
    ...trace.map((step, index) => `    ${index + 1}. ${printable(step)}`),
  ];
}

function headOf(
  diagnostic: Diagnostic,
  severity: Finding["severity"],
  guarantee: Finding["guarantee"] | undefined,
  look: Omit<ReportLook, "all">,
): readonly string[] {
  const { colours, sources } = look;
  const { file, line, column, code, message } = diagnostic;
  const paint = severity === "error" ? colours.red : colours.yellow;
  const about = guarantee === undefined ? code : `${guarantee} ${code}`;
  return [
    `${paint(colours.bold(severity))}: ${printable(message)} ${colours.dim(`[${about}]`)}`,
    `  ${colours.cyan("at")} ${printable(file)}:${line}:${column}`,
    ...excerpt(diagnostic, sources, colours).map((text) => `  ${text}`),
  ];
}

function factsInWords({ facts, factsLeftOut }: Report, { colours, all }: ReportLook): readonly string[] {
  if (facts.length === 0) return [];
  const groups = [...GUARANTEES, "language" as const, "lint" as const].flatMap((guarantee) => {
    const own = facts.filter((fact) => fact.guarantee === guarantee);
    if (own.length === 0) return [];
    const shown = all || own.length <= FEW_FACTS + 1 ? own : own.slice(0, FEW_FACTS);
    const more = own.length - shown.length;
    return [
      `  ${colours.bold(guarantee)} ${GUARANTEE_TITLES[guarantee]}`,
      ...shown.map((fact) => `    ${factInWords(fact, colours)}`),
      ...(more === 0 ? [] : [`    … and ${more} more, shown with --all`]),
    ];
  });
  const left = factsLeftOut === 0 ? [] : [`  … and ${factsLeftOut} beyond the ${facts.length} that are kept`];
  return [colours.bold("Facts"), ...groups, ...left];
}

function factInWords({ says, file, line, column }: Fact, colours: Colours): string {
  return `${printable(says)} ${colours.dim(`(${printable(file)}:${line}:${column})`)}`;
}

function exemptionsInWords(exemptions: readonly Exemption[], colours: Colours): readonly string[] {
  const title = colours.bold("Exemptions: allowed whatever the phase, or not looked into");
  if (exemptions.length === 0) return [title, "  none"];
  return [
    title,
    ...exemptions.map(({ kind, subject, says, abusableBy, file, line, column }) => {
      const by = abusableBy.length === 0 ? "" : `; could be abused by ${listInWords(abusableBy)}`;
      const place = colours.dim(`(${file}:${line}:${column})`);
      return `  ${colours.yellow(kind)} ${printable(`${subject}: ${says}${by}`)} ${place}`;
    }),
  ];
}

/** Of what all phases of a zone allow together, what each one allows. */
function permissivenessInWords(
  lifecycle: Lifecycle,
  shares: readonly PhasePermissiveness[],
  { colours, all }: ReportLook,
): readonly string[] {
  if (shares.length === 0) return [];
  const origins = new Map<string, PhaseId | undefined>(lifecycle.phases.map(({ id, mask }) => [id, mask?.origin]));
  const rows: (readonly string[])[] = [];
  const folded = new Map<string, PhasePermissiveness[]>();
  for (const share of shares) {
    const origin = all ? undefined : origins.get(share.phase);
    if (origin === undefined) rows.push([`  ${share.phase}`, percent(share.changes), percent(share.reads)]);
    else folded.set(origin, [...(folded.get(origin) ?? []), share]);
  }
  for (const [origin, group] of folded) {
    const title = `  ${count(group.length, "containment")} generated from ${origin}`;
    rows.push([title, percents(group.map(({ changes }) => changes)), percents(group.map(({ reads }) => reads))]);
  }
  const [heading = "", ...lines] = table([["  phase", "changes", "reads"], ...rows]);
  const because = shares.flatMap(({ phase, because: why }) =>
    why === undefined ? [] : [`  ${phase}: ${printable(why)}`],
  );
  return [
    colours.bold("Permissiveness: the share of everything that any phase of the zone allows"),
    colours.dim(heading),
    ...lines,
    ...because,
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function percents(shares: readonly number[]): string {
  const [low, high] = [percent(Math.min(...shares)), percent(Math.max(...shares))];
  return low === high ? low : `${low.slice(0, -2)}-${high}`;
}

/** `water-treatment: 0 errors, 2 warnings; 12 phases …`. */
function summary(
  plant: Plant,
  lifecycle: Lifecycle,
  { findings, findingsLeftOut, passed }: Report,
  colours: Colours,
): string {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  const beyond = findingsLeftOut === 0 ? "" : `, ${findingsLeftOut} not shown`;
  const verdict = `${plant.id}: ${count(errors, "error")}, ${count(warnings, "warning")}${beyond}`;
  const own = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const generated = lifecycle.phases.length - own.length;
  const sizes = [
    ...(lifecycle.regions.length > 1 ? [count(lifecycle.regions.length, "zone")] : []),
    count(own.length, "phase"),
    ...(generated === 0 ? [] : [count(generated, "generated containment")]),
    count(
      own.reduce((sum, { steps }) => sum + steps.length, 0),
      "step",
    ),
    count(allRules(lifecycle).length, "rule"),
    count(plant.tags.length, "tag"),
  ];
  return `${passed ? colours.green(verdict) : colours.red(verdict)}; ${sizes.join(", ")}`;
}
