import { between, type Random, random } from "../random.ts";
import type { AttackId } from "./catalogue.ts";

/** What an attacker knows of the plant: where a tag lies on the wire. Addresses are zero-based; value = raw × scale. */
export const TARGETS = {
  AUTO101: { unit: 1, address: 4, scale: 1, max: 1 },
  "MV101.CMD": { unit: 1, address: 0, scale: 1, max: 1 },
  "FIC101.SP": { unit: 1, address: 0, scale: 0.1, max: 60 },
  "DOS201.SP": { unit: 1, address: 1, scale: 0.01, max: 10 },
  "V301.CMD": { unit: 2, address: 2, scale: 1, max: 1 },
  "FIC401.SP": { unit: 2, address: 0, scale: 0.1, max: 60 },
} as const satisfies Readonly<Record<string, { unit: number; address: number; scale: number; max: number }>>;
export type TargetTag = keyof typeof TARGETS;

/** One write: coils by function code 5, one register by 6, several neighbouring ones by 16; over OPC UA by `Write`. */
export interface PlannedWrite {
  readonly by: 5 | 6 | 16 | "Write";
  readonly items: readonly { readonly tag: TargetTag; readonly value: number }[];
}

/** What one run of an attack does, drawn from a seed: the same seed gives the same run. */
export interface Draw {
  /** Plant ms after the start of the process. */
  readonly startAfterMs: number;
  /** Plant ms between two rounds. */
  readonly periodMs: number;
  /** The writes of each round, in order. */
  readonly writes: readonly PlannedWrite[];
  /** A man in the middle: the set-point it changes, and the factor. */
  readonly tamper?: { readonly tag: "FIC101.SP" | "DOS201.SP"; readonly factor: number };
}

const PERIOD_MS = 1000;
const MAX_START_MS = 1000;

export function draw(id: AttackId, seed: number): Draw {
  const rng = random(seed, `attack ${id}`);
  const timing = { startAfterMs: Math.floor(between(rng, 0, MAX_START_MS)), periodMs: PERIOD_MS };
  switch (id) {
    case "hmi-wrong-order":
      return { ...timing, writes: [write(5, "V301.CMD", 1)] };
    case "hmi-overdose":
      return { ...timing, writes: [write(6, "DOS201.SP", value(rng, "DOS201.SP", 6, 9.5))] };
    case "rogue-master":
      return { ...timing, writes: takeOver(rng) };
    case "mitm-setpoint":
      return { ...timing, writes: [], tamper: tampering(rng) };
    case "rogue-opcua-write":
      return { ...timing, writes: [write("Write", "FIC401.SP", 0)] };
    default: {
      const never: never = id;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

/** Engineering value as the wire carries it, within the device's range. */
export function toRaw(tag: TargetTag, engineering: number): number {
  const { scale, max } = TARGETS[tag];
  return Math.round(Math.min(max, Math.max(0, engineering)) / scale);
}

export function fromRaw(tag: TargetTag, raw: number): number {
  const { scale } = TARGETS[tag];
  return Math.round(raw * scale * 1000) / 1000;
}

function takeOver(rng: Random): readonly PlannedWrite[] {
  const flow = value(rng, "FIC101.SP", 50, 60);
  const dose = value(rng, "DOS201.SP", 6, 9.5);
  return [
    write(5, "AUTO101", 0),
    write(5, "MV101.CMD", 0),
    write(6, "FIC101.SP", flow),
    {
      by: 16,
      items: [
        { tag: "FIC101.SP", value: flow },
        { tag: "DOS201.SP", value: dose },
      ],
    },
  ];
}

function tampering(rng: Random): NonNullable<Draw["tamper"]> {
  const flow = rng() < 0.5;
  return flow
    ? { tag: "FIC101.SP", factor: between(rng, 1.7, 1.95) }
    : { tag: "DOS201.SP", factor: between(rng, 3, 4.5) };
}

function write(by: PlannedWrite["by"], tag: TargetTag, engineering: number): PlannedWrite {
  return { by, items: [{ tag, value: engineering }] };
}

/** Drawn to what the wire can carry, so that the log shows what was really sent. */
function value(rng: Random, tag: TargetTag, low: number, high: number): number {
  return fromRaw(tag, toRaw(tag, between(rng, low, high)));
}
