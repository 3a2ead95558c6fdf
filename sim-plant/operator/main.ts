import { join } from "node:path";
import { openClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import { DeviceId, type TagId } from "#specs/ids.ts";
import type { Tag } from "#specs/plant.ts";
import type { Endpoint, PortRange } from "../address-plan.ts";
import { JsonLog } from "../json-log.ts";
import { random } from "../random.ts";
import { demandForecast } from "../water/model.ts";
import { Console } from "./console.ts";
import { ModbusStation } from "./modbus-station.ts";
import { OpcUaStation } from "./opcua-station.ts";
import { DEFAULT_RETURN_AFTER_MS, decideCommands, type OperatorPlan } from "./policy.ts";
import type { ScriptName } from "./script.ts";
import { type Command, FIRST_STATE, type OperatorState } from "./view.ts";
import type { WriteResult } from "./write-result.ts";

/** Where a station reaches the PLCs, and from where. */
export interface StationPlace {
  /** Source address. */
  readonly from: string;
  readonly fromPorts?: PortRange | undefined;
  readonly plc1: Endpoint;
  readonly plc2: Endpoint;
}

export interface OperatorOptions {
  readonly bundle: Bundle;
  readonly seed: number;
  readonly script: ScriptName;
  /** See `OperatorPlan`; default 20 s. `"never"`: the way back is left to others. */
  readonly returnAfterMs?: number | "never";
  /** `system`, or `tcp:HOST:PORT`; see `openClock`. He joins as `hmi`. */
  readonly clock: string;
  readonly hmi: StationPlace;
  /** The OPC UA way to PLC 2; absent: its set-point is written over Modbus. */
  readonly opcua?: Endpoint;
  /** The engineering workstation; absent: nothing is done in maintenance. */
  readonly engineering?: StationPlace;
  readonly console: Endpoint;
  /** `operator.jsonl` is written there. */
  readonly runDir: string;
  readonly log: (says: string) => void;
}

/**
 * The scripted operator as a process, with real Modbus and OPC UA clients. Each half second he polls, looks at the console, and acts.
 * `operator.jsonl` is the record of an observer outside the product: one line per write, `{"atMs","from","tag","value","protocol",
 * "phase","result":"ok"|"exception"|"error","code"?,"says"?}`, per request, `{"atMs","request","role","accepted","says"}`, and per report,
 * `{"atMs","report"}`.
 */
export async function runOperator(options: OperatorOptions): Promise<{ close(): Promise<void> }> {
  const operator = new Operator(options);
  await operator.openSessions();
  const clock = await openClock(options.clock, "hmi", ["act"]);
  clock.on("act", (_tick, atMs) => operator.act(atMs));
  return {
    async close() {
      clock.close();
      await operator.close();
    },
  };
}

/** Real ms that the operator tries to open his OPC UA session before he starts work without it. */
const SESSION_MS = 15_000;

class Operator {
  readonly #plan: OperatorPlan;
  readonly #tags: ReadonlyMap<TagId, Tag>;
  readonly #hmi: Readonly<Record<"plc-1" | "plc-2", ModbusStation>>;
  readonly #engineering: Readonly<Record<"plc-1" | "plc-2", ModbusStation>> | undefined;
  readonly #opcua: OpcUaStation | undefined;
  readonly #console: Console;
  readonly #rng;
  readonly #file: JsonLog;
  #state: OperatorState = FIRST_STATE;
  #busy = false;

  constructor(options: OperatorOptions) {
    const { bundle, seed, script, log, runDir, opcua, engineering } = options;
    const returnAfterMs = options.returnAfterMs ?? DEFAULT_RETURN_AFTER_MS;
    this.#plan = {
      script,
      demand: (atMs) => demandForecast(seed, atMs),
      returnAfterMs: returnAfterMs === "never" ? undefined : returnAfterMs,
    };
    this.#tags = new Map(bundle.plant.tags.map((tag) => [tag.id, tag]));
    this.#hmi = stations(options, options.hmi);
    this.#engineering = engineering === undefined ? undefined : stations(options, engineering);
    this.#opcua =
      opcua === undefined
        ? undefined
        : new OpcUaStation({
            to: opcua,
            tags: bundle.plant.tags,
            from: options.hmi.from,
            fromPorts: uaPorts(options.hmi.fromPorts),
            pkiDir: join(runDir, "pki"),
            log,
          });
    this.#console = new Console(options.console);
    this.#rng = random(seed, "operator");
    this.#file = new JsonLog(join(runDir, "operator.jsonl"));
  }

  /** Opened before the first act, since a session takes longer than a round. */
  async openSessions(): Promise<void> {
    await this.#opcua?.open(SESSION_MS);
  }

  /** One round. With a free-running clock a slow round makes the next ones fall out, never overlap. */
  async act(atMs: number): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#round(atMs);
    } finally {
      this.#busy = false;
    }
  }

  async close(): Promise<void> {
    for (const set of [this.#hmi, this.#engineering]) {
      set?.["plc-1"].close();
      set?.["plc-2"].close();
    }
    await this.#opcua?.close();
    this.#file.close();
  }

  async #round(atMs: number): Promise<void> {
    const [plc1, plc2, ua, console] = await Promise.all([
      this.#hmi["plc-1"].poll(),
      this.#hmi["plc-2"].poll(),
      this.#opcua?.poll() ?? [],
      this.#console.look(),
    ]);
    const view = { tags: new Map([...plc1, ...plc2, ...ua]), console };
    const decision = decideCommands(this.#plan, this.#state, view, atMs, this.#rng);
    this.#state = decision.state;
    for (const command of decision.commands) await this.#write(atMs, command, console?.phase ?? "");
    for (const report of decision.reports) this.#file.write(JSON.stringify({ atMs, report }));
    for (const request of decision.requests) {
      const answer = await this.#console.request(request);
      this.#file.write(JSON.stringify({ atMs, ...request, ...answer }));
    }
  }

  async #write(atMs: number, command: Command, phase: string): Promise<void> {
    const tag = this.#tags.get(command.tag);
    if (tag === undefined) return;
    const byOpcUa = command.from === "hmi-1" && tag.opcua !== undefined && this.#opcua !== undefined;
    const result = byOpcUa ? await this.#opcua?.write(tag, command.value) : await this.#writeModbus(command, tag);
    const { from, value } = command;
    this.#file.write(
      JSON.stringify({ atMs, from, tag: tag.id, value, protocol: byOpcUa ? "opcua" : "modbus", phase, ...result }),
    );
  }

  #writeModbus(command: Command, tag: Tag): Promise<WriteResult> {
    const set = command.from === "ews-1" ? this.#engineering : this.#hmi;
    if (set === undefined)
      return Promise.resolve({ result: "error", says: "there is no engineering workstation in this run" });
    return set[tag.device === "plc-1" ? "plc-1" : "plc-2"].write(tag, command.value);
  }
}

/** The upper half of the station's source ports is for OPC UA; see `stations`. */
function uaPorts(ports: PortRange | undefined): PortRange | undefined {
  return ports === undefined ? undefined : { low: Math.ceil((ports.low + ports.high) / 2), high: ports.high };
}

function modbusPorts(ports: PortRange | undefined, part: 0 | 1): PortRange | undefined {
  if (ports === undefined) return undefined;
  const quarter = Math.floor((ports.high - ports.low) / 4);
  return { low: ports.low + part * quarter, high: ports.low + (part + 1) * quarter - 1 };
}

function stations(options: OperatorOptions, place: StationPlace): Readonly<Record<"plc-1" | "plc-2", ModbusStation>> {
  const { bundle, log } = options;
  const common = { plant: bundle.plant, from: place.from, log };
  const ports = (part: 0 | 1) => modbusPorts(place.fromPorts, part);
  return {
    "plc-1": new ModbusStation({ ...common, fromPorts: ports(0), device: DeviceId("plc-1"), to: place.plc1 }),
    "plc-2": new ModbusStation({ ...common, fromPorts: ports(1), device: DeviceId("plc-2"), to: place.plc2 }),
  };
}
