import type { TagId } from "#specs/ids.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import { PROGRAM_PLC1 } from "./plc/program-plc1.ts";
import { PROGRAM_PLC2 } from "./plc/program-plc2.ts";
import { asRead } from "./plc/register-map.ts";
import { NO_GUARD, scanCycle, tagValues } from "./plc/scan-cycle.ts";
import { type FieldInputs, type FieldOutputs, fieldOutputs, POWER_LOSS } from "./water/field-tags.ts";
import type { PlantRecord } from "./water/harm.ts";
import { STEP_MS } from "./water/model.ts";
import { WaterPlant } from "./water/plant.ts";

const NOTHING: ReadonlyMap<TagId, number> = new Map();

/** Physics and both control programs in one process, without networks and guards: what is written is in the next scan. */
export class TwinPlant {
  readonly #tags: ReadonlyMap<TagId, Tag>;
  readonly #water: WaterPlant;
  #memory1 = PROGRAM_PLC1.initial;
  #memory2 = PROGRAM_PLC2.initial;
  #known: ReadonlyMap<TagId, number>;
  #outputs: FieldOutputs = POWER_LOSS;

  constructor(plant: Plant, seed: number) {
    this.#tags = new Map(plant.tags.map((tag) => [tag.id, tag]));
    this.#water = new WaterPlant(seed);
    this.#known = new Map([...tagValues(this.#memory1.tags), ...tagValues(this.#memory2.tags)]);
  }

  tag(id: TagId): Tag | undefined {
    return this.#tags.get(id);
  }

  /** Every tag of both programs after the last scan. */
  get known(): ReadonlyMap<TagId, number> {
    return this.#known;
  }

  get inputs(): FieldInputs {
    return this.#water.inputs;
  }

  get outputs(): FieldOutputs {
    return this.#outputs;
  }

  /** Every tag that a protocol server shows, as a client reads it. */
  asRead(): ReadonlyMap<TagId, number> {
    const read = new Map<TagId, number>();
    for (const [id, value] of this.#known) {
      const tag = this.#tags.get(id);
      if (tag?.modbus !== undefined) read.set(id, asRead(tag, value));
    }
    return read;
  }

  /** What a value is once it has gone through its register. */
  arriving(id: TagId, value: number): number {
    const tag = this.#tags.get(id);
    return tag?.modbus === undefined ? value : asRead(tag, value);
  }

  /** One scan of both programs, with what was written since the last, and one step of the physics. */
  tick(tick: number, writes: ReadonlyMap<TagId, number>): void {
    const field = tagValues(this.#water.inputs);
    const at = { scan: tick, atMs: tick * STEP_MS, dtMs: STEP_MS, field, forces: NOTHING };
    const plc1 = scanCycle(PROGRAM_PLC1, this.#memory1, { ...at, writes: this.#to("plc-1", writes) }, NO_GUARD);
    const plc2 = scanCycle(PROGRAM_PLC2, this.#memory2, { ...at, writes: this.#to("plc-2", writes) }, NO_GUARD);
    this.#memory1 = plc1.memory;
    this.#memory2 = plc2.memory;
    this.#known = new Map([...plc1.tags, ...plc2.tags]);
    this.#outputs = fieldOutputs(new Map([...plc1.outputs, ...plc2.outputs]));
    this.#water.advance(this.#outputs);
  }

  record(atMs: number): PlantRecord {
    return this.#water.record(atMs);
  }

  #to(device: string, writes: ReadonlyMap<TagId, number>): ReadonlyMap<TagId, number> {
    if (writes.size === 0) return NOTHING;
    return new Map([...writes].filter(([id]) => this.#tags.get(id)?.device === device));
  }
}
