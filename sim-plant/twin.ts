import type { Position } from "#specs/decide/observation.ts";
import type { TagId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { DEFAULT_RETURN_AFTER_MS, decideCommands } from "./operator/policy.ts";
import type { ScriptName } from "./operator/script.ts";
import { type Command, FIRST_STATE, type OperatorView } from "./operator/view.ts";
import { RECORD_TICKS, recordLine } from "./plant/plant-log.ts";
import { random } from "./random.ts";
import { TwinCoordinator } from "./twin-coordinator.ts";
import { TwinPlant } from "./twin-plant.ts";
import { type Harm, judgeHarm, type PlantRecord } from "./water/harm.ts";
import { demandForecast, STEP_MS } from "./water/model.ts";

export interface TwinOptions {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly seed: number;
  readonly untilMs: number;
  readonly script: ScriptName;
  /** Default 20 s; see `OperatorPlan`. */
  readonly returnAfterMs?: number | undefined;
  /** Called each half second with what the operator sees, before he acts. */
  readonly watch?: (atMs: number, view: OperatorView) => void;
  /**
   * What becomes of the operator's writes on their way, once per tick (empty in most), for trials of what an attack does to an
   * unprotected plant. Default: they arrive as they are.
   */
  readonly path?: (atMs: number, writes: ReadonlyMap<TagId, number>, position: Position) => ReadonlyMap<TagId, number>;
}

export interface TwinRun {
  /** Lines of the plant log that a distributed run in lockstep writes for the same seed and script. */
  readonly log: readonly string[];
  readonly records: readonly PlantRecord[];
  readonly harm: readonly Harm[];
  /** Every change of phase or step, the first at 0 ms. */
  readonly positions: readonly { readonly atMs: number; readonly position: Position }[];
  readonly commands: readonly TwinCommand[];
  readonly reports: readonly { readonly atMs: number; readonly says: string }[];
}

export interface TwinCommand extends Command {
  readonly atMs: number;
  readonly position: Position;
}

/**
 * A quiet run in one process: physics, both control programs, the operator, and a coordinator that never fails. It is the attack-free
 * baseline of an exercise. The order within a tick is that of the plant clock: act → scan → physics → close.
 */
export function runTwin(options: TwinOptions): TwinRun {
  const twin = new Twin(options);
  for (let tick = 1; tick * STEP_MS <= options.untilMs; tick += 1) twin.tick(tick);
  return twin.result();
}

class Twin {
  readonly #options: TwinOptions;
  readonly #plant: TwinPlant;
  readonly #coordinator: TwinCoordinator;
  readonly #operatorRng;
  #operator = FIRST_STATE;
  readonly #log: string[] = [];
  readonly #records: PlantRecord[] = [];
  readonly #positions: { readonly atMs: number; readonly position: Position }[];
  readonly #commands: TwinCommand[] = [];
  readonly #reports: { readonly atMs: number; readonly says: string }[] = [];

  constructor(options: TwinOptions) {
    this.#options = options;
    this.#plant = new TwinPlant(options.plant, options.seed);
    this.#coordinator = new TwinCoordinator(options.plant, options.lifecycle);
    this.#operatorRng = random(options.seed, "operator");
    this.#positions = [{ atMs: 0, position: this.#coordinator.position }];
  }

  tick(tick: number): void {
    const atMs = tick * STEP_MS;
    const round = tick % RECORD_TICKS === 0;
    const written = round ? this.#act(atMs) : NOTHING;
    this.#plant.tick(tick, this.#options.path?.(atMs, written, this.#coordinator.position) ?? written);
    if (round) this.#close(atMs);
  }

  result(): TwinRun {
    return {
      log: this.#log,
      records: this.#records,
      harm: judgeHarm(this.#records),
      positions: this.#positions,
      commands: this.#commands,
      reports: this.#reports,
    };
  }

  #act(atMs: number): ReadonlyMap<TagId, number> {
    const { position, epoch } = this.#coordinator;
    const view: OperatorView = {
      tags: this.#plant.asRead(),
      console: { phase: position.phase, steps: position.steps, epoch },
    };
    this.#options.watch?.(atMs, view);
    const { seed, script } = this.#options;
    const returnAfterMs = "returnAfterMs" in this.#options ? this.#options.returnAfterMs : DEFAULT_RETURN_AFTER_MS;
    const plan = { script, demand: (t: number) => demandForecast(seed, t), returnAfterMs };
    const decision = decideCommands(plan, this.#operator, view, atMs, this.#operatorRng);
    this.#operator = decision.state;
    for (const { request } of decision.requests) this.#coordinator.request(request, atMs);
    this.#notePosition(atMs);
    for (const says of decision.reports) this.#reports.push({ atMs, says });
    for (const command of decision.commands) this.#commands.push({ ...command, atMs, position });
    return new Map(decision.commands.map(({ tag, value }) => [tag, this.#plant.arriving(tag, value)]));
  }

  #close(atMs: number): void {
    const record = this.#plant.record(atMs);
    this.#records.push(record);
    this.#log.push(recordLine({ record, inputs: this.#plant.inputs, outputs: this.#plant.outputs }));
    this.#coordinator.close(atMs, this.#plant.known);
    this.#notePosition(atMs);
  }

  #notePosition(atMs: number): void {
    const { position } = this.#coordinator;
    if (position !== this.#positions.at(-1)?.position) this.#positions.push({ atMs, position });
  }
}

const NOTHING: ReadonlyMap<TagId, number> = new Map();
