import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { CheckCode } from "#specs/check/codes.ts";
import type { Finding, Guarantee, Severity } from "#specs/check/report.ts";
import { checkSpec, type Report } from "#specs/check.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";

/** Plants in which nothing is wrong: `mixer` has one zone, `line` has two that take each other along. */
export type Sound = "mixer" | "line";

/** Every occurrence of the first text becomes the second. */
export type Change = readonly [find: string, put: string];

/** For the mixer: a phase in which the plant begins and to which nothing leads back. */
export const FRESH: readonly Change[] = [
  ["initial: off", "initial: fresh"],
  [
    "phases:\n  off:",
    `phases:
  fresh:
    says: The plant has just been built.
    rules:
      fr-flow: { says: The flow is set for the first time., from: [hmi-1], may: write, tags: [FLOW.SP], value: { oneOf: [0] } }
      fr-drain: { says: The drain is tried., from: [hmi-1], may: write, tags: [DRAIN] }
    on:
      - { request: hand-over, roles: [engineer], to: off }

  off:`,
  ],
];

/** One mistake, put into a plant in which nothing is wrong, and what the checker is to say of it. */
export interface Mistake {
  readonly code: CheckCode;
  readonly guarantee: Guarantee;
  readonly severity?: Severity;
  /** What is wrong, for the name of the test. */
  readonly what: string;
  readonly plant?: Sound;
  readonly change: readonly Change[];
  readonly inPlant?: readonly Change[];
  /** `line:column` in the changed lifecycle.yaml. */
  readonly at: string;
  /** Part of the message. */
  readonly says: string;
  /** Parts of the trace's lines, in their order. */
  readonly trace?: readonly string[];
}

export function loadSound(plant: Sound, change: readonly Change[] = [], inPlant: readonly Change[] = []): Loaded {
  const text = (file: string, changes: readonly Change[]) =>
    changes.reduce(
      (done, [find, put]) => {
        expect(done, `${plant}/${file} has the text to be replaced`).toContain(find);
        return done.replaceAll(find, () => put);
      },
      readFileSync(join(import.meta.dirname, plant, file), "utf8"),
    );
  const result = loadPlant(
    { file: "plant.yaml", text: text("plant.yaml", inPlant) },
    { file: "lifecycle.yaml", text: text("lifecycle.yaml", change) },
  );
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return result.value;
}

/** What the checker says of a plant with changes put in. */
export function reportOf(plant: Sound, change: readonly Change[], inPlant: readonly Change[] = []): Report {
  return checkSpec(loadSound(plant, change, inPlant));
}

/** The finding that the mistake is to give: with its code, its guarantee, its place, its words and its trace. */
export function expectFound({ code, guarantee, severity = "error", plant = "mixer", ...mistake }: Mistake): void {
  const { findings } = reportOf(plant, mistake.change, mistake.inPlant);
  const [line, column] = mistake.at.split(":").map(Number);
  const all = findings.map(formatDiagnostic).join("\n");
  const found = findings.filter(
    (finding) => finding.code === code && finding.line === line && finding.column === column,
  );
  expect(all).toContain(`lifecycle.yaml:${mistake.at}: `);
  expect(found, all).toHaveLength(1);
  expect(found).toMatchObject([
    { file: "lifecycle.yaml", guarantee, severity, message: expect.stringContaining(mistake.says) },
  ]);
  expect(found[0]?.advice).toMatch(/^[a-z].{20,}[^.]$/);
  expectTrace(found[0], mistake.trace);
}

function expectTrace(found: Finding | undefined, parts: readonly string[] | undefined): void {
  if (parts === undefined) return;
  const lines = [...(found?.trace ?? [])];
  for (const part of parts) {
    const at = lines.findIndex((line) => line.includes(part));
    expect(at, `the trace has \`${part}\` in:\n${(found?.trace ?? []).join("\n")}`).toBeGreaterThanOrEqual(0);
    lines.splice(0, at + 1);
  }
}
