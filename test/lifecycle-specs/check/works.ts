import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { LAYER_CHECKS, type LAYER_CODES } from "#specs/check/codes-layers.ts";
import type { Finding } from "#specs/check/report.ts";
import { checkSpec, type Report } from "#specs/check.ts";
import { formatDiagnostic } from "#specs/diagnostic.ts";
import { type Loaded, loadPlant } from "#specs/load.ts";

/** The first occurrence of the first text becomes the second. */
export type Change = readonly [find: string, put: string];

/** One mistake about what the layers allow, put into `works/`, in which nothing is wrong. */
export interface LayerMistake {
  readonly code: keyof typeof LAYER_CODES;
  /** What is wrong, for the name of the test. */
  readonly what: string;
  readonly change?: readonly Change[];
  readonly inPlant?: readonly Change[];
  /** Text that begins where the finding is to point, in the changed lifecycle.yaml, or after `plant: ` in plant.yaml. */
  readonly at: string;
  /** Part of the message. */
  readonly says: string;
  /** Parts of the trace's lines, in their order. */
  readonly trace?: readonly string[];
}

const read = (file: string) => readFileSync(join(import.meta.dirname, "works", file), "utf8");

interface Texts {
  readonly plant: string;
  readonly lifecycle: string;
}

function changed({ change = [], inPlant = [] }: Pick<LayerMistake, "change" | "inPlant">): Texts {
  const put = (text: string, changes: readonly Change[]) =>
    changes.reduce((done, [find, replacement]) => {
      expect(done, "the plant has the text to be replaced").toContain(find);
      return done.replace(find, () => replacement);
    }, text);
  return { plant: put(read("plant.yaml"), inPlant), lifecycle: put(read("lifecycle.yaml"), change) };
}

export function works(changes: Pick<LayerMistake, "change" | "inPlant"> = {}): Loaded {
  return loadedFrom(changed(changes));
}

function loadedFrom({ plant, lifecycle }: Texts): Loaded {
  const result = loadPlant({ file: "plant.yaml", text: plant }, { file: "lifecycle.yaml", text: lifecycle });
  if (!result.ok) throw new Error(result.error.map(formatDiagnostic).join("\n"));
  return result.value;
}

export function layerFindings({ findings }: Report): readonly Finding[] {
  return findings.filter(({ code }) => Object.hasOwn(LAYER_CHECKS, code));
}

/** The mistake is found, once, with its guarantee, where it was made, and shown by its trace. */
export function expectLayerMistake(mistake: LayerMistake): void {
  const texts = changed(mistake);
  const { findings, passed } = checkSpec(loadedFrom(texts));
  const file = mistake.at.startsWith("plant: ") ? "plant" : "lifecycle";
  const marker = mistake.at.replace(/^plant: /, "");
  const before = texts[file].split(marker)[0] ?? "";
  expect(before.length, `the text has \`${marker}\``).toBeLessThan(texts[file].length);
  const [line, column] = [before.split("\n").length, before.length - before.lastIndexOf("\n")];
  const all = findings
    .map((finding) => `${formatDiagnostic(finding)}\n  ${(finding.trace ?? []).join("\n  ")}`)
    .join("\n");
  const found = findings.filter(({ code, message }) => code === mistake.code && message.includes(mistake.says));
  expect(found, all).toHaveLength(1);
  const { guarantee, severity, advice } = LAYER_CHECKS[mistake.code];
  expect(found[0], all).toMatchObject({ file: `${file}.yaml`, line, column, guarantee, severity, advice });
  expect(passed).toBe(severity !== "error" && findings.every((finding) => finding.severity !== "error"));
  const trace = [...(found[0]?.trace ?? [])];
  for (const part of mistake.trace ?? []) {
    const at = trace.findIndex((text) => text.includes(part));
    expect(at, `the trace has \`${part}\`: ${all}`).toBeGreaterThanOrEqual(0);
    trace.splice(0, at + 1);
  }
}
