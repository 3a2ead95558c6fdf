import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasManyLoopbackAddresses } from "#sim/site/site.ts";
import { runTwin } from "#sim/twin.ts";
import { waterTreatment } from "../support/plant.ts";
import { freeInstanceFrom, Site, until } from "../support/site.ts";

const SEED = 1;
/** Real ms from the operator's start on: filling, the feed pump's start, and dosing. */
const WATCHED_MS = 46_000;

/**
 * Free-running, nobody waits for anybody. What the two runs may differ by in time: the operator looks each 500 ms of his own; a
 * condition that must hold for a while begins when noise first lets it; the step that follows is seen at his next look; and a
 * process may be held up by others on the machine. Each is below a second, and two of them add up along the start-up.
 */
const SKEW_MS = 2000;

/** What a reading may be off the twin's range within the skew. Sensor noise of the two runs is drawn at different ticks. */
const TOLERANCE = {
  /** m; noise of about 0.01 m. The level rises 0.03 m/s, which is the skew's part: in sum within ±0.1 m of the same moment. */
  LIT101: 0.04,
  /** m³/h; noise below 1 m³/h. The pump runs up to 10 m³/h within the skew, so that the same moment may differ by as much. */
  FIT101: 1.5,
  /** %; no noise, resolution of 0.1 %. The valve travels for some seconds. */
  "MV101.POS": 1,
  /** m; noise of about 0.01 m, and the level hardly moves. */
  LIT401: 0.04,
} as const;

type Tag = keyof typeof TOLERANCE;
const TAGS: readonly Tag[] = ["LIT101", "FIT101", "MV101.POS", "LIT401"];

interface Sample {
  /** Plant ms since the operator's start was accepted. */
  readonly sinceMs: number;
  readonly inputs: Readonly<Record<Tag, number>>;
}

describe.skipIf(!(await hasManyLoopbackAddresses()))("free-running", () => {
  let site: Site;
  beforeAll(async () => {
    site = new Site({ instance: await freeInstanceFrom(34), args: ["--seed", String(SEED)] });
    await site.ready(60_000);
  });
  afterAll(() => site?.discard());

  test("the plant keeps to the lockstep twin of the same seed", async () => {
    await until(
      () => startedMs(site) !== undefined,
      20_000,
      () => "the operator does not start the plant",
    );
    await pause(WATCHED_MS);
    const began = startedMs(site) ?? 0;
    const seen = samples(site.lines("plant.jsonl"), began).filter(({ sinceMs }) => sinceMs >= 0);
    const twin = twinSamples();
    // Two records a second, and none left out.
    expect(seen.length).toBeGreaterThan((WATCHED_MS / 500) * 0.95);

    const off = new Map<Tag, number>();
    for (const { sinceMs, inputs } of seen) {
      const near = twin.filter((sample) => Math.abs(sample.sinceMs - sinceMs) <= SKEW_MS);
      for (const tag of TAGS) {
        const values = near.map((sample) => sample.inputs[tag]);
        const [low, high] = [Math.min(...values), Math.max(...values)];
        const by = Math.max(low - inputs[tag], inputs[tag] - high, 0);
        off.set(tag, Math.max(off.get(tag) ?? 0, by));
        expect(by, `${tag} is ${inputs[tag]} after ${sinceMs} ms, the twin's is ${low} to ${high}`).toBeLessThanOrEqual(
          TOLERANCE[tag],
        );
      }
    }
    console.info(`largest differences beyond the skew: ${JSON.stringify(Object.fromEntries(off))}`);
    // It was no standstill that was compared: the tank was filled and the feed pump started in both.
    for (const run of [seen, twin.filter(({ sinceMs }) => sinceMs <= WATCHED_MS)]) {
      expect(Math.max(...run.map(({ inputs }) => inputs.LIT101))).toBeGreaterThan(1.4);
      expect(Math.max(...run.map(({ inputs }) => inputs.FIT101))).toBeGreaterThan(8);
    }
    const state = await site.state();
    expect(state?.counts.denied).toBe(0);
    expect(state?.detections).toEqual([]);
  });
});

/** Plant time at which the operator's `start` was accepted. */
function startedMs(site: Site): number | undefined {
  const start = site.lines("operator.jsonl").find(({ request, accepted }) => request === "start" && accepted === true);
  return start === undefined ? undefined : Number(start["atMs"]);
}

function twinSamples(): readonly Sample[] {
  const { plant, lifecycle } = waterTreatment();
  const twin = runTwin({ plant, lifecycle, seed: SEED, untilMs: WATCHED_MS + 30_000, script: "produce" });
  const began = twin.positions.find(({ position }) => position.phase === "startup")?.atMs ?? 0;
  return samples(
    twin.log.map((line) => JSON.parse(line)),
    began,
  );
}

function samples(lines: readonly Readonly<Record<string, unknown>>[], began: number): readonly Sample[] {
  return lines.flatMap(({ record, inputs }) => {
    if (!isRecord(record) || !isRecord(inputs)) return [];
    const reading = (tag: Tag) => Number(inputs[tag]);
    const all = {
      LIT101: reading("LIT101"),
      FIT101: reading("FIT101"),
      "MV101.POS": reading("MV101.POS"),
      LIT401: reading("LIT401"),
    };
    return [{ sinceMs: Number(record["atMs"]) - began, inputs: all }];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
