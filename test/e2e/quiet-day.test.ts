import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ExerciseResult } from "#sim/exercises/result.ts";
import { runTwin } from "#sim/twin.ts";
import { sekisho } from "../support/cli.ts";
import { waterTreatment } from "../support/plant.ts";

/** Half an hour of plant time through every phase, in lockstep over real sockets. */
const LIMIT_MS = 280_000;

test("a quiet day gives no denial and no detection, and is byte-identical to the run in one process from the seed alone", {
  timeout: LIMIT_MS + 5000,
}, async () => {
  const evidence = mkdtempSync(join(tmpdir(), "sekisho-quiet-"));
  try {
    const seed = 5;
    const { code, stdout, stderr } = await sekisho(
      ["exercise", "run", "quiet-day", "--seed", String(seed), "--json", "--evidence", evidence],
      LIMIT_MS,
    );
    expect(stdout, stderr).not.toBe("");
    const result: ExerciseResult = JSON.parse(stdout);
    expect(result.failures).toEqual([]);
    expect(result).toMatchObject({ denials: 0, detections: 0, falseBlocks: 0, plant: { harm: [] } });
    expect(code).toBe(0);

    const file = join(evidence, `quiet-day-enforce-${seed}`, "plant.jsonl");
    expect(existsSync(file)).toBe(true);
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    const { plant, lifecycle } = waterTreatment();
    const twin = runTwin({ plant, lifecycle, seed, untilMs: lines.length * 500 + 1000, script: "quiet-day" });
    expect(lines.length).toBeGreaterThan(3500);
    const firstDifference = lines.findIndex((line, i) => line !== twin.log[i]);
    expect(firstDifference === -1 ? "" : `${lines[firstDifference]}\n${twin.log[firstDifference] ?? ""}`).toBe("");
    const phases = new Set(twin.positions.map(({ position }) => position.phase));
    expect(
      lifecycle.phases
        .filter(({ mask }) => mask === undefined)
        .map((p) => p.id)
        .filter((p) => !phases.has(p)),
    ).toEqual([]);
  } finally {
    rmSync(evidence, { recursive: true, force: true });
  }
});
