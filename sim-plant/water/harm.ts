/** One line of the plant's own log, each half second of plant time: what is physically so, not what sensors or PLCs say. */
export interface PlantRecord {
  readonly atMs: number;
  readonly level101: number;
  readonly level401: number;
  readonly chlorine401: number;
  readonly spilled101L: number;
  readonly spilled401L: number;
  readonly dry101Ms: number;
  readonly dry401Ms: number;
  readonly deliveredM3: number;
}

export type HarmKind = "overflow" | "dry-running" | "over-dosing";

export interface Harm {
  readonly kind: HarmKind;
  /** The tag by which people know the place. */
  readonly tag: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  /** Plant time at which the limit was passed. */
  readonly atMs: number;
}

/** More than this over a tank's rim is harm. */
export const SPILL_LIMIT_L = 10;
/** Mechanical seals are water-lubricated; makers allow seconds. More than this without water is harm. */
export const DRY_LIMIT_MS = 3000;
/** Operating limit, mg/L, below the guideline value of 5 mg/L. @see WHO, Guidelines for drinking-water quality, 4th ed., Table 8.15 */
export const CHLORINE_LIMIT_MGL = 4;

interface Check {
  readonly kind: HarmKind;
  readonly tag: string;
  readonly limit: number;
  readonly unit: string;
  readonly of: (record: PlantRecord) => number;
}

const CHECKS: readonly Check[] = [
  { kind: "overflow", tag: "LIT101", limit: SPILL_LIMIT_L, unit: "L", of: (r) => r.spilled101L },
  { kind: "overflow", tag: "LIT401", limit: SPILL_LIMIT_L, unit: "L", of: (r) => r.spilled401L },
  { kind: "dry-running", tag: "P101.RUN", limit: DRY_LIMIT_MS / 1000, unit: "s", of: (r) => r.dry101Ms / 1000 },
  { kind: "dry-running", tag: "P401.RUN", limit: DRY_LIMIT_MS / 1000, unit: "s", of: (r) => r.dry401Ms / 1000 },
  { kind: "over-dosing", tag: "AIT401", limit: CHLORINE_LIMIT_MGL, unit: "mg/L", of: (r) => r.chlorine401 },
];

/** Each harm once, with the time its limit was passed and the worst value reached, in order of time. */
export function judgeHarm(log: readonly PlantRecord[]): readonly Harm[] {
  const harms: Harm[] = [];
  for (const check of CHECKS) {
    const first = log.find((record) => check.of(record) > check.limit);
    if (first === undefined) continue;
    const worst = log.reduce((most, record) => Math.max(most, check.of(record)), 0);
    harms.push({
      kind: check.kind,
      tag: check.tag,
      value: round(worst),
      limit: check.limit,
      unit: check.unit,
      atMs: first.atMs,
    });
  }
  return harms.sort((a, b) => a.atMs - b.atMs);
}

/** The limits that a record passes and the one before did not: for a log that writes each harm as it happens. */
export function newHarm(before: PlantRecord | undefined, record: PlantRecord): readonly Harm[] {
  return CHECKS.filter(
    (check) => check.of(record) > check.limit && (before === undefined || check.of(before) <= check.limit),
  ).map((check) => ({
    kind: check.kind,
    tag: check.tag,
    value: round(check.of(record)),
    limit: check.limit,
    unit: check.unit,
    atMs: record.atMs,
  }));
}

/** Delivered water against an undisturbed run of the same seed over the same plant time, 0..1. */
export function productionKept(
  log: readonly PlantRecord[],
  undisturbed: readonly PlantRecord[],
  fromMs: number,
  toMs: number,
): number {
  const wanted = delivered(undisturbed, fromMs, toMs);
  if (wanted <= 0) return 1;
  return Math.max(0, Math.min(1, delivered(log, fromMs, toMs) / wanted));
}

/** m³ delivered between two plant times. */
export function delivered(log: readonly PlantRecord[], fromMs: number, toMs: number): number {
  const within = log.filter((record) => record.atMs >= fromMs && record.atMs <= toMs);
  const first = within.at(0);
  const last = within.at(-1);
  return first === undefined || last === undefined ? 0 : last.deliveredM3 - first.deliveredM3;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
