import type { ChangeRecordView, Detection, StateView } from "#coordinator/page-messages.ts";
import { phaseWords } from "./words.ts";

// The last ten minutes of the main tags: one row per second of plant time, bounded.

export const TREND_MS = 10 * 60_000;
const SAMPLE_MS = 1000;
const MAX_ROWS = TREND_MS / SAMPLE_MS;

export interface TrendGroup {
  readonly title: string;
  readonly unit: string;
  /** Drawn solid, then dashed, then dotted. */
  readonly lines: readonly { readonly tag: string; readonly label: string }[];
}

export const TREND_GROUPS: readonly TrendGroup[] = [
  {
    title: "Level",
    unit: "m",
    lines: [
      { tag: "LIT101", label: "raw" },
      { tag: "LIT401", label: "clean" },
    ],
  },
  {
    title: "Flow",
    unit: "m³/h",
    lines: [
      { tag: "FIT101", label: "feed" },
      { tag: "FIT401", label: "network" },
    ],
  },
  {
    title: "Chlorine",
    unit: "mg/L",
    lines: [
      { tag: "AIT201", label: "dosed" },
      { tag: "AIT401", label: "clean" },
    ],
  },
];

const TREND_TAGS: readonly string[] = TREND_GROUPS.flatMap((g) => g.lines.map((l) => l.tag));

export interface Trend {
  /** Plant ms, increasing. */
  readonly times: readonly number[];
  /** Per tag, as long as `times`; null where the value was unknown or stale. */
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

export const NO_TREND: Trend = { times: [], values: {} };

/** Adds one row when a second of plant time has passed; time that runs backwards means another run, and starts anew. */
export function addToTrend(trend: Trend, state: Pick<StateView, "atMs" | "tags">, staleAfterMs: number): Trend {
  const last = trend.times.at(-1);
  if (last !== undefined && state.atMs < last) return addToTrend(NO_TREND, state, staleAfterMs);
  if (last !== undefined && state.atMs - last < SAMPLE_MS) return trend;
  const from = firstKept(trend.times, state.atMs);
  const values: Record<string, readonly (number | null)[]> = {};
  for (const tag of TREND_TAGS) {
    const reading = state.tags[tag];
    const value = reading === undefined || state.atMs - reading.atMs > staleAfterMs ? null : reading.value;
    values[tag] = [...(trend.values[tag] ?? []).slice(from), value];
  }
  return { times: [...trend.times.slice(from), state.atMs], values };
}

/** From the readings that came with a snapshot: the last known value at each second. */
export function trendFromReadings(
  readings: Readonly<Record<string, readonly (readonly [number, number])[]>>,
  nowMs: number,
): Trend {
  const rows = TREND_TAGS.map((tag) => ({ tag, list: readings[tag] ?? [] }));
  const starts = rows.flatMap((r) => (r.list[0] === undefined ? [] : [r.list[0][0]]));
  if (starts.length === 0) return NO_TREND;
  const start = Math.max(Math.min(...starts), nowMs - TREND_MS);
  const times: number[] = [];
  for (let t = start; t <= nowMs && times.length < MAX_ROWS; t += SAMPLE_MS) times.push(t);
  const values: Record<string, readonly (number | null)[]> = {};
  for (const { tag, list } of rows) values[tag] = heldAt(list, times);
  return { times, values };
}

function heldAt(list: readonly (readonly [number, number])[], times: readonly number[]): readonly (number | null)[] {
  let i = -1;
  return times.map((t) => {
    while (i + 1 < list.length && (list[i + 1]?.[0] ?? Number.POSITIVE_INFINITY) <= t) i += 1;
    return list[i]?.[1] ?? null;
  });
}

function firstKept(times: readonly number[], nowMs: number): number {
  const byAge = times.findIndex((t) => t > nowMs - TREND_MS);
  const byCount = times.length - (MAX_ROWS - 1);
  return Math.max(byAge < 0 ? times.length : byAge, byCount, 0);
}

export interface TrendMark {
  readonly atMs: number;
  readonly kind: "detection" | "phase";
  readonly label: string;
}

/** Vertical marks, oldest first: detections that matter, and finished phase changes. */
export function trendMarks(
  detections: readonly Detection[],
  history: readonly ChangeRecordView[],
  fromMs: number,
): readonly TrendMark[] {
  const found = detections
    .filter((d) => d.severity !== "notice" && d.atMs >= fromMs)
    .map((d): TrendMark => ({ atMs: d.atMs, kind: "detection", label: d.says }));
  const changes = history
    .filter((r) => r.outcome === "done" && r.atMs >= fromMs)
    .map((r): TrendMark => ({ atMs: r.atMs, kind: "phase", label: phaseWords(r.to) }));
  return [...found, ...changes].toSorted((a, b) => a.atMs - b.atMs);
}
