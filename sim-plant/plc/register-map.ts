import type { DeviceId } from "#specs/ids.ts";
import type { ModbusTable, Plant, Tag } from "#specs/plant.ts";

/** Exception codes. @see MODBUS AP V1.1b3 §7 */
export const ILLEGAL_DATA_ADDRESS = 2;
export const ILLEGAL_DATA_VALUE = 3;

/** A refusal that becomes a Modbus exception response. */
export class ModbusRefusal extends Error {
  /** Read by modbus-serial. */
  readonly modbusErrorCode: number;

  constructor(code: number, says: string) {
    super(says);
    this.modbusErrorCode = code;
  }
}

/** Where the tags of one PLC lie in its Modbus server. Addresses that no tag is bound to do not exist. */
export class RegisterMap {
  readonly #tags = new Map<string, Tag>();

  /** @throws Error for a binding this simulated server cannot hold: it has one-register tags only */
  constructor(plant: Plant, device: DeviceId) {
    for (const tag of plant.tags) {
      const binding = tag.modbus;
      if (tag.device !== device || binding === undefined) continue;
      if (binding.type !== "bool" && binding.type !== "uint16" && binding.type !== "int16") {
        throw new Error(
          `tag \`${tag.id}\` is of type ${binding.type}; the simulated PLC holds bool, uint16 and int16 only`,
        );
      }
      this.#tags.set(key(binding.table, binding.unit, binding.address), tag);
    }
  }

  /** @throws ModbusRefusal with exception 02 where there is no tag */
  find(table: ModbusTable, unit: number, address: number): Tag {
    const tag = this.#tags.get(key(table, unit, address));
    if (tag === undefined) throw new ModbusRefusal(ILLEGAL_DATA_ADDRESS, `no tag at unit ${unit} ${table} ${address}`);
    return tag;
  }
}

const key = (table: ModbusTable, unit: number, address: number): string => `${table} ${unit} ${address}`;

/** The register content for an engineering value, 0..65535. */
export function toRaw(tag: Tag, value: number): number {
  const raw = Math.round(value / (tag.modbus?.scale ?? 1));
  return tag.modbus?.type === "int16" ? raw & 0xffff : Math.max(0, Math.min(0xffff, raw));
}

/** The engineering value of a register: raw × scale. */
export function fromRaw(tag: Tag, raw: number): number {
  const signed = tag.modbus?.type === "int16" && raw > 0x7fff ? raw - 0x1_0000 : raw;
  return signed * (tag.modbus?.scale ?? 1);
}

/** @throws ModbusRefusal with exception 03 outside the device's own range */
export function checkRange(tag: Tag, value: number): number {
  const [low, high] = tag.range;
  if (!(value >= low - 1e-9 && value <= high + 1e-9)) {
    throw new ModbusRefusal(ILLEGAL_DATA_VALUE, `${tag.id} ${value} is outside ${low}..${high}`);
  }
  return value;
}

/** A value as a client of the Modbus server reads it. */
export function asRead(tag: Tag, value: number): number {
  return fromRaw(tag, toRaw(tag, value));
}
