import { ModbusImage } from "#point/observe/modbus-image.ts";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { UaNames } from "#point/observe/opcua-names.ts";
import { UaTags } from "#point/observe/opcua-tags.ts";
import type { DeviceId } from "#specs/ids.ts";
import type { Plant } from "#specs/plant.ts";
import type { ModbusServer } from "./modbus-conversation.ts";
import { UaClients } from "./opcua-clients.ts";
import type { UaServer } from "./opcua-conversation.ts";

/** What is known of each server, shared by the conversations with it. Bounded by the devices of the plant. */
export class Servers {
  #plant: Plant;
  readonly #modbus = new Map<DeviceId, ModbusServer>();
  readonly #opcua = new Map<DeviceId, UaServer>();

  constructor(plant: Plant) {
    this.#plant = plant;
  }

  /** From now on the plant is this one. */
  take(plant: Plant): void {
    this.#plant = plant;
    for (const { tags, image } of this.#modbus.values()) {
      tags.take(plant);
      image.take(tags);
    }
    for (const { names } of this.#opcua.values()) names.take(plant);
  }

  modbus(device: DeviceId): ModbusServer {
    const known = this.#modbus.get(device);
    if (known !== undefined) return known;
    const tags = new ModbusTags(this.#plant, device);
    const made = { tags, image: new ModbusImage(tags) };
    this.#modbus.set(device, made);
    return made;
  }

  opcua(device: DeviceId): UaServer {
    const known = this.#opcua.get(device);
    if (known !== undefined) return known;
    const made = { names: new UaNames(new UaTags(this.#plant, device)), clients: new UaClients() };
    this.#opcua.set(device, made);
    return made;
  }
}
