import { DeviceId, TagId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant, Tag } from "#specs/plant.ts";
import { decideCommands } from "../operator/policy.ts";
import { type Command, FIRST_STATE } from "../operator/view.ts";
import { asRead } from "../plc/register-map.ts";
import { between, random } from "../random.ts";
import { TwinCoordinator } from "../twin-coordinator.ts";
import { TwinPlant } from "../twin-plant.ts";
import { type Harm, judgeHarm, type PlantRecord } from "../water/harm.ts";
import { demandForecast, STEP_MS } from "../water/model.ts";
import { blocksOf, type PolledBlock, type TrafficSink } from "./message.ts";
import { DAY_CREW, demandAt, type Habits, type Shift, shiftAt } from "./shift.ts";
import { Supervisor } from "./supervisor.ts";

export interface TrafficOptions {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly seed: number;
  /** Plant time of the end, ms. */
  readonly untilMs: number;
  readonly sink: TrafficSink;
  /** Default: `DAY_CREW`. */
  readonly habits?: Habits;
  /** Called once per hour of plant time. */
  readonly progress?: (atMs: number) => void;
}

const HOUR_MS = 3_600_000;
/** The operator station polls once a second, the engineering workstation, where it works, each five. */
const POLL_TICKS = 10;
const ENGINEERING_POLL_TICKS = 50;
/** One poll in so many comes late, and one in so many begins an outage. */
const LATE_ONE_IN = 2000;
const OUTAGE_ONE_IN = 30_000;
const OUTAGE_TICKS = 80;
/** The operator does nothing while his station shows old values, and looks around before he goes on. */
const STALE_TICKS = 20;
const LOOK_AROUND_TICKS = 30;
/** Plant ms before the scan at which polls and writes are under way; what is written is in the scan. */
const POLL_BEFORE_MS = 90;
const WRITE_BEFORE_MS = 35;

const HMI = DeviceId("hmi-1");
const EWS = DeviceId("ews-1");
const PLC_1 = DeviceId("plc-1");
const PLC_2 = DeviceId("plc-2");
const NOTHING: ReadonlyMap<TagId, number> = new Map();

/**
 * A quiet run of the plant as its network sees it: the polls and writes of both stations over Modbus and OPC UA, straight to the sink,
 * at about three thousand times real time. Nothing is kept; the length of a run costs time only.
 *
 * @returns what harm was done, by the last hour's records; in a quiet run none
 */
export function runPlant(options: TrafficOptions): readonly Harm[] {
  const run = new PlantRun(options);
  for (let tick = 1; tick * STEP_MS <= options.untilMs; tick += 1) {
    run.tick(tick);
    if ((tick * STEP_MS) % HOUR_MS === 0) options.progress?.(tick * STEP_MS);
  }
  return run.harm;
}

class PlantRun {
  readonly #options: TrafficOptions;
  readonly #habits: Habits;
  readonly #blocks: readonly { readonly to: DeviceId; readonly block: PolledBlock }[];
  readonly #nodes: readonly Tag[];
  readonly #plant: TwinPlant;
  readonly #coordinator: TwinCoordinator;
  readonly #supervisor: Supervisor;
  readonly #hands;
  readonly #network;
  #operator = FIRST_STATE;
  #shift: Shift;
  #pollTick = POLL_TICKS;
  #polledTick = 0;
  #readyTick = 0;
  /** What the operator station shows: the values of its last poll. */
  #shown: ReadonlyMap<TagId, number> = NOTHING;
  #lookTick = POLL_TICKS;
  #phase = "";
  #records: PlantRecord[] = [];
  readonly #harm: Harm[] = [];

  constructor(options: TrafficOptions) {
    const { plant, lifecycle, seed, habits = DAY_CREW } = options;
    this.#habits = habits;
    this.#options = options;
    this.#blocks = [PLC_1, PLC_2].flatMap((to) => blocksOf(plant, to).map((block) => ({ to, block })));
    this.#nodes = plant.tags.filter((tag) => tag.opcua !== undefined);
    this.#plant = new TwinPlant(plant, seed);
    this.#coordinator = new TwinCoordinator(plant, lifecycle);
    this.#supervisor = new Supervisor(habits, random(seed, "supervisor"));
    this.#hands = random(seed, "operator");
    this.#network = random(seed, "network");
    this.#shift = shiftAt(habits, seed, 0);
    this.#note(0);
  }

  get harm(): readonly Harm[] {
    return [...this.#harm, ...judgeHarm(this.#records)];
  }

  tick(tick: number): void {
    const atMs = tick * STEP_MS;
    if (tick >= this.#pollTick) this.#poll(tick, atMs);
    if (tick % ENGINEERING_POLL_TICKS === 0 && this.#phase === "maintenance") this.#pollFrom(EWS, atMs);
    const isStale = tick - this.#polledTick >= STALE_TICKS;
    const round = tick >= this.#lookTick && tick >= this.#readyTick && !isStale;
    const writes = round ? this.#act(atMs) : NOTHING;
    if (round) {
      this.#shift = shiftAt(this.#habits, this.#options.seed, atMs);
      this.#lookTick = tick + this.#shift.lookTicks;
    }
    this.#plant.tick(tick, writes);
    if (tick % 5 === 0) this.#close(atMs);
  }

  #poll(tick: number, atMs: number): void {
    this.#pollFrom(HMI, atMs);
    this.#shown = this.#plant.asRead();
    if (tick - this.#polledTick >= STALE_TICKS) this.#readyTick = tick + LOOK_AROUND_TICKS;
    this.#polledTick = tick;
    const late = this.#network() < 1 / LATE_ONE_IN ? 1 + Math.floor(3 * this.#network()) : 0;
    const outage = this.#network() < 1 / OUTAGE_ONE_IN ? OUTAGE_TICKS : 0;
    // Late by some ticks, then on the beat again.
    const beat = POLL_TICKS * (Math.floor(tick / POLL_TICKS) + 1);
    this.#pollTick = beat + late + outage;
  }

  #pollFrom(from: DeviceId, atMs: number): void {
    const { sink } = this.#options;
    let sentMs = atMs - POLL_BEFORE_MS + between(this.#network, 0, 30);
    for (const { to, block } of this.#blocks) {
      sink.message({ kind: "poll", from, to, atMs: sentMs, block, values: block.tags.map((tag) => this.#read(tag)) });
      sentMs += 2;
    }
    if (from !== HMI) return;
    const tags = this.#nodes;
    sink.message({
      kind: "node-poll",
      from,
      to: PLC_2,
      atMs: sentMs,
      tags,
      values: tags.map((tag) => this.#read(tag)),
    });
  }

  #read(tag: Tag): number {
    return decimal(asRead(tag, this.#plant.known.get(tag.id) ?? 0));
  }

  #act(atMs: number): ReadonlyMap<TagId, number> {
    const { position, epoch } = this.#coordinator;
    const { seed } = this.#options;
    const { bias, returnAfterMs, doseOffset } = this.#shift;
    const demand = (at: number) => demandForecast(seed, at) + demandAt(this.#habits, seed, at) + bias;
    const view = { tags: this.#shown, console: { phase: position.phase, steps: position.steps, epoch } };
    const plan = { script: "none", demand, returnAfterMs } as const;
    const decision = decideCommands(plan, this.#operator, view, atMs, this.#hands);
    this.#operator = decision.state;
    const commands = decision.commands.map((command) => adjusted(command, position.phase, doseOffset));
    for (const command of commands) this.#send(command, atMs);
    if (commands.length === 0) this.#ask(decision.requests[0]?.request, atMs);
    return new Map(commands.map(({ tag, value }) => [tag, this.#plant.arriving(tag, value)]));
  }

  #ask(asked: string | undefined, atMs: number): void {
    const { phase, steps } = this.#coordinator.position;
    const read = (tag: string) => this.#plant.known.get(TagId(tag)) ?? 0;
    const { maintenanceDone } = this.#operator;
    const request = asked ?? this.#supervisor.ask({ phase, step: steps[0], atMs, maintenanceDone, read });
    if (request !== undefined) this.#coordinator.request(request, atMs);
    this.#note(atMs);
  }

  #send({ from, tag: id, value }: Command, atMs: number): void {
    const tag = this.#plant.tag(id);
    if (tag === undefined) return;
    const protocol = from === "hmi-1" && tag.opcua !== undefined ? "opcua" : "modbus";
    const sentMs = atMs - WRITE_BEFORE_MS + between(this.#network, 0, 30);
    const device = { from: DeviceId(from), to: tag.device, atMs: sentMs };
    this.#options.sink.message({
      ...device,
      kind: "write",
      protocol,
      tag,
      value: decimal(this.#plant.arriving(id, value)),
    });
  }

  #close(atMs: number): void {
    this.#coordinator.close(atMs, this.#plant.known);
    this.#note(atMs);
    this.#records.push(this.#plant.record(atMs));
    if (atMs % HOUR_MS !== 0) return;
    this.#harm.push(...judgeHarm(this.#records));
    this.#records = [];
  }

  #note(atMs: number): void {
    const { phase } = this.#coordinator.position;
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#options.sink.enterPhase(phase, atMs);
  }
}

/** Decimal scales are not exact in binary; a monitor reads 0.1 × 285 as 28.5. */
function decimal(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}

/** The operator's own hand: what the script rounds, he rounds otherwise. */
function adjusted(command: Command, phase: string, doseOffset: number): Command {
  if (phase !== "normal" || command.tag !== "DOS201.SP") return command;
  return { ...command, value: Math.round((command.value + doseOffset) * 100) / 100 };
}
