import { observeModbus, type Party } from "#point/observe/modbus.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { linkOf } from "#specs/addresses.ts";
import type { Observation } from "#specs/decide/observation.ts";
import type { DeviceId, TagId } from "#specs/ids.ts";
import type { Plant, Protocol, Tag } from "#specs/plant.ts";
import {
  coilAddress,
  discreteInputAddress,
  holdingRegisterAddress,
  inputRegisterAddress,
  type ModbusRequest,
} from "#wire/modbus/index.ts";
import { toRaw } from "../plc/register-map.ts";
import type { PlantMessage, PolledBlock, TrafficSink } from "./message.ts";

/** What a monitor makes of the traffic: observations and told values, without the bytes between. */
export interface ObservationSink {
  enterPhase(phase: string, atMs: number): void;
  exchange(observation: Observation, outcome: "ok", atMs: number): void;
  told(tag: TagId, value: number, atMs: number): void;
}

/** Turns messages of the plant into the observations that a monitor would make of their bytes, by the same code. */
export class ObservedTraffic implements TrafficSink {
  readonly #plant: Plant;
  readonly #sink: ObservationSink;
  readonly #parties = new Map<string, Party>();
  readonly #tags = new Map<DeviceId, ModbusTags>();
  readonly #nodePolls = new Map<DeviceId, Observation>();

  constructor(plant: Plant, sink: ObservationSink) {
    this.#plant = plant;
    this.#sink = sink;
  }

  enterPhase(phase: string, atMs: number): void {
    this.#sink.enterPhase(phase, atMs);
  }

  message(message: PlantMessage): void {
    for (const observation of this.observe(message)) this.#sink.exchange(observation, "ok", message.atMs);
    if (message.kind === "write") return;
    const tags = message.kind === "poll" ? message.block.tags : message.tags;
    for (let i = 0; i < tags.length; i += 1) {
      const [tag, value] = [tags[i], message.values[i]];
      if (tag !== undefined && value !== undefined) this.#sink.told(tag.id, value, message.atMs);
    }
  }

  observe(message: PlantMessage): readonly Observation[] {
    switch (message.kind) {
      case "poll":
        return this.#modbus(message, message.block.unit, readOf(message.block));
      case "node-poll": {
        const kept = this.#nodePolls.get(message.from);
        if (kept !== undefined) return [kept];
        const items = message.tags.map((tag) => ({ tag: tag.id, address: tag.opcua?.nodeId ?? "", value: undefined }));
        const party = this.party(message.from, message.to, "opcua");
        const made: Observation = {
          ...party,
          operation: "read",
          message: "ReadRequest",
          items,
          quantity: items.length,
        };
        this.#nodePolls.set(message.from, made);
        return [made];
      }
      case "write":
        return message.protocol === "modbus"
          ? this.#modbus(message, message.tag.modbus?.unit ?? 0, writeOf(message.tag, message.value))
          : [this.#nodeWrite(message.from, message.tag, message.value)];
      default: {
        const never: never = message;
        throw new Error(`unreachable: ${String(never)}`);
      }
    }
  }

  party(from: DeviceId, to: DeviceId, protocol: Protocol): Party {
    const key = `${from} ${to} ${protocol}`;
    const known = this.#parties.get(key);
    if (known !== undefined) return known;
    const address = this.#plant.devices.find(({ id }) => id === from)?.addresses[0] ?? "";
    const link = linkOf(this.#plant, from, to, protocol)?.id;
    const made: Party = { source: from, sourceAddress: `${address}:40000`, target: to, link };
    this.#parties.set(key, made);
    return made;
  }

  /** Any Modbus request, as an attacker may send it. */
  modbusRequest(party: Party, unit: number, request: ModbusRequest): readonly Observation[] {
    const tags = this.#tags.get(party.target) ?? new ModbusTags(this.#plant, party.target);
    this.#tags.set(party.target, tags);
    return observeModbus(party, tags, unit, request);
  }

  #modbus({ from, to }: PlantMessage, unit: number, request: ModbusRequest): readonly Observation[] {
    return this.modbusRequest(this.party(from, to, "modbus"), unit, request);
  }

  #nodeWrite(from: DeviceId, tag: Tag, value: number): Observation {
    const items = [{ tag: tag.id, address: tag.opcua?.nodeId ?? "", value }];
    return {
      ...this.party(from, tag.device, "opcua"),
      operation: "write",
      message: "WriteRequest",
      items,
      quantity: 1,
    };
  }
}

export function readOf({ table, start, tags: { length: quantity } }: PolledBlock): ModbusRequest {
  switch (table) {
    case "coil":
      return { kind: "read-coils", functionCode: 1, address: coilAddress(start), quantity };
    case "discrete-input":
      return { kind: "read-discrete-inputs", functionCode: 2, address: discreteInputAddress(start), quantity };
    case "holding-register":
      return { kind: "read-holding-registers", functionCode: 3, address: holdingRegisterAddress(start), quantity };
    case "input-register":
      return { kind: "read-input-registers", functionCode: 4, address: inputRegisterAddress(start), quantity };
    default: {
      const never: never = table;
      throw new Error(`unreachable: ${String(never)}`);
    }
  }
}

export function writeOf(tag: Tag, value: number): ModbusRequest {
  const address = tag.modbus?.address ?? 0;
  if (tag.modbus?.table === "coil")
    return { kind: "write-single-coil", functionCode: 5, address: coilAddress(address), on: value !== 0 };
  return {
    ...{ kind: "write-single-register", functionCode: 6, address: holdingRegisterAddress(address) },
    value: toRaw(tag, value),
  };
}
