import type { AttackId } from "../attacks/catalogue.ts";

/** An exercise: what the operator's script does and which attacks are run one after the other. */
export interface Exercise {
  readonly name: string;
  readonly title: string;
  readonly script: "produce" | "quiet-day";
  readonly attacks: readonly AttackId[];
  /** Where the plant must stand, and for how many plant ms, before the first attack. */
  readonly begins: { readonly phase: "startup" | "normal"; readonly afterMs: number };
  /** Plant ms that containment and recovery of one attack together may take before the exercise goes on without them. */
  readonly giveUpMs: number;
  /** The least share of an undisturbed run's water; 0 where the plant does not produce yet. */
  readonly productionAtLeast: number;
  /** Plant ms a quiet exercise lasts; attack exercises end when the last attack has been dealt with. */
  readonly lengthMs: number;
}

const WHILE_PRODUCING = {
  begins: { phase: "normal", afterMs: 20_000 },
  giveUpMs: 120_000,
  productionAtLeast: 0.5,
} as const;

export const EXERCISES: readonly Exercise[] = [
  {
    name: "first-run",
    title:
      "five attacks on the running plant: set-point out of the phase, rogue master, man in the middle, wrong step, rogue OPC UA client",
    script: "produce",
    attacks: ["mitm-setpoint", "hmi-overdose", "rogue-master", "hmi-wrong-order", "rogue-opcua-write"],
    ...WHILE_PRODUCING,
    lengthMs: 0,
  },
  {
    name: "attacked-start",
    title:
      "an attack while the plant is being started: the start is broken off, and made again when the attack is over",
    script: "produce",
    attacks: ["hmi-overdose"],
    begins: { phase: "startup", afterMs: 35_000 },
    giveUpMs: 300_000,
    productionAtLeast: 0,
    lengthMs: 0,
  },
  {
    name: "quiet-day",
    title: "30 minutes of plant time through every phase, without an attack",
    script: "quiet-day",
    attacks: [],
    ...WHILE_PRODUCING,
    lengthMs: 30 * 60_000,
  },
];
