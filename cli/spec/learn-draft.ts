import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DraftLifecycle } from "#hmi-monitor/learn/draft.ts";
import type { Evidence } from "#hmi-monitor/learn/evidence.ts";
import { mergeLifecycle, newLifecycle } from "#hmi-monitor/learn/lifecycle-document.ts";
import { mergePlant, newPlant, type PlantEvidence } from "#hmi-monitor/learn/plant-document.ts";
import type { Plant } from "#specs/plant.ts";
import { UsageError } from "../part.ts";
import { whyOf, writeWhole } from "./files.ts";
import type { LearnReport } from "./learn-report.ts";

export type Written = Pick<LearnReport, "widenings" | "widened" | "written">;

export const NOTHING_WRITTEN: Written = { widenings: [], widened: false, written: [] };

/** Writes the draft, or takes it into the one that is there. @throws UsageError */
export function writeDraft(
  plant: Plant,
  draft: DraftLifecycle,
  evidence: Evidence,
  out: string,
  widen: boolean,
): Written {
  const files = { plant: join(out, "plant.yaml"), lifecycle: join(out, "lifecycle.yaml") };
  const there = { plant: textOf(files.plant), lifecycle: textOf(files.lifecycle) };
  const known = plantEvidence(evidence);
  mkdirp(out);
  if (there.plant === undefined || there.lifecycle === undefined) {
    if (there.plant !== there.lifecycle)
      throw new UsageError(`${out} has one of plant.yaml and lifecycle.yaml; give a folder with both, or with neither`);
    writeWhole(files.plant, newPlant(plant, known));
    writeWhole(files.lifecycle, newLifecycle(plant.id, draft));
    return { widenings: [], widened: false, written: [files.plant, files.lifecycle] };
  }
  try {
    const merged = {
      plant: mergePlant(there.plant, plant, known, widen),
      lifecycle: mergeLifecycle(there.lifecycle, draft, widen),
    };
    const widenings = [...merged.plant.widenings, ...merged.lifecycle.widenings];
    if (!widen || widenings.length === 0) return { widenings, widened: false, written: [] };
    writeWhole(files.plant, merged.plant.text);
    writeWhole(files.lifecycle, merged.lifecycle.text);
    return { widenings, widened: true, written: [files.plant, files.lifecycle] };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${out}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new UsageError(`${file} cannot be read: ${whyOf(error)}`);
  }
}

function mkdirp(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`${folder} cannot be made: ${whyOf(error)}`);
  }
}

function plantEvidence({ polls, commands }: Evidence): PlantEvidence {
  const seenTags = new Set<string>([...polls.flatMap(({ tags }) => tags), ...commands.map(({ kind }) => kind.tag)]);
  const clients = new Set([...polls.map(({ source }) => source), ...commands.map(({ kind }) => kind.source)]);
  return {
    ofLink: ({ client }) => (clients.has(client) ? undefined : `never used: ${client} asked for nothing`),
    ofTag: ({ id }) => (seenTags.has(id) ? undefined : "in no message; no rule is drafted for it"),
  };
}
