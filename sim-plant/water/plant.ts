import { type Random, random } from "../random.ts";
import type { FieldInputs, FieldOutputs } from "./field-tags.ts";
import type { PlantRecord } from "./harm.ts";
import { initialState, type PlantState, STEP_MS, step } from "./model.ts";
import { readSensors } from "./sensors.ts";

/** One run of the physics from a seed: what the process and the in-process twin share, so that both draw the same numbers. */
export class WaterPlant {
  readonly #physics: Random;
  readonly #sensors: Random;
  #state: PlantState;
  #inputs: FieldInputs;

  constructor(seed: number) {
    this.#physics = random(seed, "physics");
    this.#sensors = random(seed, "sensors");
    this.#state = initialState(seed);
    this.#inputs = readSensors(this.#state, this.#sensors);
  }

  get state(): PlantState {
    return this.#state;
  }

  /** What the field shows after the last step. */
  get inputs(): FieldInputs {
    return this.#inputs;
  }

  /** One physics step of 100 ms, then new readings. */
  advance(outputs: FieldOutputs): void {
    this.#state = step(this.#state, outputs, STEP_MS, this.#physics);
    this.#inputs = readSensors(this.#state, this.#sensors);
  }

  /** @param atMs plant time to stamp it with */
  record(atMs: number): PlantRecord {
    const s = this.#state;
    return {
      atMs,
      level101: round(s.level101),
      level401: round(s.level401),
      chlorine401: round(s.chlorine401),
      spilled101L: round(s.spilled101L),
      spilled401L: round(s.spilled401L),
      dry101Ms: s.dry101Ms,
      dry401Ms: s.dry401Ms,
      deliveredM3: round(s.deliveredM3),
    };
  }
}

function round(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
