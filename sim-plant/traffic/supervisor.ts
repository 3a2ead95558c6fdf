import { MAINTENANCE_LIST } from "../operator/procedures.ts";
import { between, type Random } from "../random.ts";
import type { Habits } from "./shift.ts";

const MINUTE_MS = 60_000;
const DRILLS = ["local-control", "hold-dosing", "quarantine-hmi"] as const;
/** Asked again after this long where nothing came of it, ms. */
const AGAIN_MS = 5000;

/** What the supervisor sees before he asks for a phase. */
export interface Outlook {
  readonly phase: string;
  readonly step: string | undefined;
  readonly atMs: number;
  readonly maintenanceDone: number;
  read(tag: string): number;
}

/**
 * Who decides in which phase the plant is: drills, stops for maintenance, and starts, at times drawn from a seed. In a week every phase
 * is seen some twenty times.
 */
export class Supervisor {
  readonly #habits: Habits;
  readonly #rng: Random;
  #phase = "";
  #dueMs = 0;
  #wanted: string | undefined;
  #maintained = false;

  constructor(habits: Habits, rng: Random) {
    this.#habits = habits;
    this.#rng = rng;
  }

  /** The request that he makes now, where he makes one. */
  ask(outlook: Outlook): string | undefined {
    const { phase, atMs } = outlook;
    if (phase !== this.#phase) this.#enter(phase, atMs);
    if (this.#wanted === undefined || atMs < this.#dueMs || !ready(outlook)) return undefined;
    this.#dueMs = atMs + AGAIN_MS;
    return this.#wanted;
  }

  #enter(phase: string, atMs: number): void {
    this.#phase = phase;
    const after = (low: number, high: number, wanted: string): void => {
      this.#dueMs = atMs + between(this.#rng, low, high);
      this.#wanted = wanted;
    };
    switch (phase) {
      case "stopped": {
        const maintain = !this.#maintained && this.#rng() < this.#habits.maintainShare;
        this.#maintained = maintain;
        after(8000, 5 * MINUTE_MS, maintain ? "maintain" : "start");
        return;
      }
      case "startup":
        if (this.#rng() < this.#habits.holdShare) after(10_000, 60_000, "hold-start");
        else this.#wanted = undefined;
        return;
      case "maintenance":
        after(5000, 60_000, "end-maintenance");
        return;
      case "normal": {
        const drill = DRILLS[Math.floor(this.#rng() * DRILLS.length)] ?? "local-control";
        const [least, most] = this.#habits.normalMinutes;
        after(least * MINUTE_MS, most * MINUTE_MS, this.#rng() < this.#habits.stopShare ? "stop" : drill);
        return;
      }
      default:
        this.#wanted = undefined;
    }
  }
}

/** Nothing is under way that a change of phase would cut in half. */
function ready({ phase, step, maintenanceDone, read }: Outlook): boolean {
  if (phase === "maintenance") return maintenanceDone >= MAINTENANCE_LIST.length && read("MV101.POS") <= 1;
  if (phase !== "normal") return true;
  return step === "produce" && read("V301.OPEN") === 0 && read("BW301.CMD") === 0 && read("PDT301") <= 19;
}
