import { type Loaded, loadPlant } from "#specs/load.ts";
import type { Plant } from "#specs/plant.ts";
import { err, ok, type Result } from "#specs/result.ts";
import type { DraftPhase } from "./draft.ts";
import { newLifecycle } from "./lifecycle-document.ts";
import { newPlant } from "./plant-document.ts";

/** The phase of captures that nobody has marked. */
export const UNMARKED = "observed";

/**
 * A lifecycle without rules whose phases are those that a file of marks names: enough to tell them apart. The error is one sentence.
 *
 * @param names of phases, in their order; the first is the initial one
 */
export function skeleton(plant: Plant, names: readonly string[]): Result<Loaded, string> {
  const [first = UNMARKED] = names;
  const isolated = names.includes("isolated") ? "isolated-draft" : "isolated";
  const all = [...(names.length === 0 ? [UNMARKED] : names), isolated];
  const phases = all.map(
    (phase): DraftPhase => ({
      ...{ phase, evidence: "", rules: [], steps: [], orders: [], edges: [] },
      next: [{ to: first, count: 0 }],
    }),
  );
  const lifecycle = newLifecycle(plant.id, { initial: first, safe: first, isolated, rules: [], phases });
  const nothing = { ofLink: () => undefined, ofTag: () => undefined };
  const loaded = loadPlant({ file: "plant.yaml", text: newPlant(plant, nothing) }, { file: "phases", text: lifecycle });
  if (loaded.ok) return ok(loaded.value);
  return err(loaded.error[0]?.message ?? "its phases cannot be read");
}

/** The phases that a file of marks names, in their order, whatever else is wrong with it. See `readPhaseMarks`. */
export function namedPhases(text: string): readonly string[] {
  const names = new Set<string>();
  for (const found of text.trimStart().startsWith("[") ? inJson(text) : inLines(text)) {
    const [phase = ""] = found.split("/");
    if (/^[A-Za-z][A-Za-z0-9_.-]*$/.test(phase)) names.add(phase);
  }
  return [...names];
}

function inLines(text: string): readonly string[] {
  return text.split(/\r?\n/).map((line) => line.replace(/#.*$/, "").trim().split(/\s+/).at(-1) ?? "");
}

function inJson(text: string): readonly string[] {
  return [...text.matchAll(/"phase"\s*:\s*"([^"\\]*)"/g)].map(([, phase = ""]) => phase);
}
