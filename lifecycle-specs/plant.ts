import type { DeviceId, LinkId, PlantId, TagId, ZoneId } from "./ids.ts";

/** The inventory: what there is, where it is, and how a tag is found on the wire. */
export interface Plant {
  readonly id: PlantId;
  readonly title: string;
  readonly zones: readonly Zone[];
  readonly devices: readonly Device[];
  readonly links: readonly Link[];
  readonly tags: readonly Tag[];
  /** What must go on in every degraded phase; each is a sentence and the tags that carry it. */
  readonly essential: readonly EssentialFunction[];
}

export interface Zone {
  readonly id: ZoneId;
  readonly title: string;
}

export type DeviceRole = "hmi" | "engineering" | "historian" | "plc" | "test";

export interface Device {
  readonly id: DeviceId;
  readonly title: string;
  readonly role: DeviceRole;
  readonly zone: ZoneId;
  /**
   * Source addresses by which the device is known: an IPv4 address, or, where a platform has only one loopback address,
   * `address:low-high` with a range of source ports.
   */
  readonly addresses: readonly string[];
}

export type Protocol = "modbus" | "opcua";
export type Mode = "off" | "monitor" | "enforce";

/** One client device to one server device over one protocol. The link belongs to the zone of its server. */
export interface Link {
  readonly id: LinkId;
  readonly client: DeviceId;
  readonly server: DeviceId;
  readonly protocol: Protocol;
  readonly mode: Mode;
}

export type ModbusTable = "coil" | "discrete-input" | "holding-register" | "input-register";
export type ModbusType = "bool" | "uint16" | "int16" | "uint32" | "int32" | "float32";

/** Where a tag lies in a Modbus server. Addresses are zero-based, as on the wire. */
export interface ModbusBinding {
  readonly unit: number;
  readonly table: ModbusTable;
  readonly address: number;
  readonly type: ModbusType;
  /** Order of the two registers of a 32-bit type; `big`: high word first (the default). */
  readonly wordOrder: "big" | "little";
  /** Engineering value = raw value × scale. */
  readonly scale: number;
}

export interface OpcUaBinding {
  /** Canonical text form, OPC 10000-6 §5.3.1.10, for example `ns=1;s=FIC401.SP`. */
  readonly nodeId: string;
  readonly type: "Boolean" | "Double";
}

/** What a tag is to the control program. */
export type TagKind = "command" | "set-point" | "measurement" | "status" | "output";

export interface Tag {
  readonly id: TagId;
  readonly title: string;
  readonly kind: TagKind;
  /** The server that holds it. */
  readonly device: DeviceId;
  /** Engineering unit as shown, for example `m³/h`; empty for booleans. */
  readonly unit: string;
  /** The device's own range in engineering units; booleans are 0..1. */
  readonly range: readonly [low: number, high: number];
  readonly modbus?: ModbusBinding;
  readonly opcua?: OpcUaBinding;
  /** Outputs: the value taken on power loss, and when the guard withholds an output. */
  readonly safe?: number;
}

export interface EssentialFunction {
  readonly id: string;
  readonly says: string;
  readonly tags: readonly TagId[];
}
