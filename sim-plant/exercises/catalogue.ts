import type { AttackId } from "../attacks/catalogue.ts";

/** An exercise: what the operator's script does and which attacks are run one after the other. */
export interface Exercise {
  readonly name: string;
  readonly title: string;
  readonly script: "produce" | "quiet-day";
  readonly attacks: readonly AttackId[];
  /** Plant ms a quiet exercise lasts; attack exercises end when the last attack has been dealt with. */
  readonly lengthMs: number;
}

export const EXERCISES: readonly Exercise[] = [
  {
    name: "first-run",
    title:
      "five attacks on the running plant: set-point out of the phase, rogue master, man in the middle, wrong step, rogue OPC UA client",
    script: "produce",
    attacks: ["mitm-setpoint", "hmi-overdose", "rogue-master", "hmi-wrong-order", "rogue-opcua-write"],
    lengthMs: 0,
  },
  {
    name: "quiet-day",
    title: "30 minutes of plant time through every phase, without an attack",
    script: "quiet-day",
    attacks: [],
    lengthMs: 30 * 60_000,
  },
];
