import { join } from "node:path";
import type { Endpoint } from "../address-plan.ts";
import { JsonLog } from "../json-log.ts";
import { newHarm, type PlantRecord } from "../water/harm.ts";
import { STEP_MS } from "../water/model.ts";
import { WaterPlant } from "../water/plant.ts";
import { ClockServer } from "./clock-server.ts";
import { FieldServer } from "./field-server.ts";
import { harmLine, RECORD_TICKS, recordLine } from "./plant-log.ts";

export interface PlantOptions {
  readonly seed: number;
  readonly field: Endpoint;
  readonly clock: Endpoint;
  /**
   * `lockstep`: plant time starts at 0 and each tick waits for its participants. `system`: plant time is the system clock's, a step comes
   * each 100 ms, and nobody is waited for.
   */
  readonly time: "lockstep" | "system";
  /** Lockstep: plant ms per real ms at most, 1 for real time; absent: as fast as the participants go. */
  readonly pace?: number;
  /** Lockstep: PLCs and participants of the clock that must have joined before the first tick. */
  readonly expect: readonly string[];
  /** Ends the run after this much plant time since its start. */
  readonly untilMs?: number;
  /** `plant.jsonl` is written there. */
  readonly runDir: string;
  readonly log: (says: string) => void;
}

export interface RunningPlant {
  /** Resolved when `untilMs` is reached, or on `close`. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/** Real ms that a participant of a tick may take. */
const PATIENCE_MS = 5000;

/** The plant as a process: physics, the field wiring and the plant clock. */
export async function runPlant(options: PlantOptions): Promise<RunningPlant> {
  const { log } = options;
  const file = new JsonLog(join(options.runDir, "plant.jsonl"));
  const dropped = (name: string, tick: number) => {
    log(`${name} did not finish tick ${tick} within ${PATIENCE_MS / 1000} s and was dropped`);
    file.write(JSON.stringify({ dropped: name, tick }));
  };
  const field = new FieldServer({ at: options.field, patienceMs: PATIENCE_MS, onDropped: dropped, log });
  const clock = new ClockServer({ at: options.clock, patienceMs: PATIENCE_MS, onDropped: dropped, log });
  await Promise.all([field.listen(), clock.listen()]);

  const run = new Run(options, field, clock, file);
  const done = run.go();
  return {
    done,
    async close() {
      run.stop();
      await Promise.all([field.close(), clock.close()]);
      await done;
      file.close();
    },
  };
}

class Run {
  readonly #options: PlantOptions;
  readonly #field: FieldServer;
  readonly #clock: ClockServer;
  readonly #file: JsonLog;
  readonly #plant: WaterPlant;
  #before: PlantRecord | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(options: PlantOptions, field: FieldServer, clock: ClockServer, file: JsonLog) {
    this.#options = options;
    this.#field = field;
    this.#clock = clock;
    this.#file = file;
    this.#plant = new WaterPlant(options.seed);
  }

  async go(): Promise<void> {
    const lockstep = this.#options.time === "lockstep";
    if (lockstep) await this.#everybodyJoined();
    const startMs = performance.now();
    const realMsPerTick = lockstep ? (this.#options.pace === undefined ? 0 : STEP_MS / this.#options.pace) : STEP_MS;
    for (let tick = 1; !this.#stopped; tick += 1) {
      await this.#sleepUntil(startMs + tick * realMsPerTick);
      if (this.#stopped) return;
      if (lockstep) await this.#lockstepTick(tick, tick * STEP_MS);
      else await this.#freeTick(tick, Date.now());
      if (tick * STEP_MS >= (this.#options.untilMs ?? Number.POSITIVE_INFINITY)) break;
    }
    this.#file.flush();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  async #lockstepTick(tick: number, atMs: number): Promise<void> {
    const round = tick % RECORD_TICKS === 0;
    await this.#clock.stage(tick, atMs, "open");
    if (round) await this.#clock.stage(tick, atMs, "act");
    await this.#field.scan(tick, atMs, STEP_MS, this.#plant.inputs, true);
    // Closing cuts the field wiring; that is not the PLCs losing their power.
    if (this.#stopped) return;
    this.#plant.advance(this.#field.outputs());
    if (!round) return;
    this.#record(atMs);
    await this.#clock.stage(tick, atMs, "close");
  }

  async #freeTick(tick: number, atMs: number): Promise<void> {
    // The PLCs answer on their own; their last output image counts, as at real terminals.
    await this.#field.scan(tick, atMs, STEP_MS, this.#plant.inputs, false);
    this.#plant.advance(this.#field.outputs());
    if (tick % RECORD_TICKS === 0) this.#record(atMs);
  }

  #record(atMs: number): void {
    const record = this.#plant.record(atMs);
    this.#file.write(recordLine({ record, inputs: this.#plant.inputs, outputs: this.#field.outputs() }));
    for (const harm of newHarm(this.#before, record)) this.#file.write(harmLine(harm));
    this.#before = record;
  }

  async #everybodyJoined(): Promise<void> {
    const missing = () => this.#options.expect.filter((name) => !this.#field.has(name) && !this.#clock.has(name));
    while (!this.#stopped && missing().length > 0) {
      this.#options.log(`waiting for ${missing().join(", ")}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#field.onJoin(resolve);
        this.#clock.onJoin(resolve);
      });
    }
  }

  async #sleepUntil(realMs: number): Promise<void> {
    const ms = realMs - performance.now();
    if (ms <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
