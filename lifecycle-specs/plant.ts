import type { DeviceId, LinkId, PlantId, RawId, TagId, ZoneId } from "./ids.ts";

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
  /** Vendor function codes and services that rules may name, though nobody looks into them. */
  readonly raw: readonly RawFunction[];
}

export interface Zone {
  readonly id: ZoneId;
  readonly title: string;
}

export type DeviceRole = "hmi" | "engineering" | "historian" | "plc" | "rtu" | "opcua-server" | "test";

export interface Device {
  readonly id: DeviceId;
  readonly title: string;
  readonly role: DeviceRole;
  readonly zone: ZoneId;
  /**
   * Source addresses by which the device is known: an IPv4 or IPv6 address, or, where a platform has only one loopback
   * address, `address:low-high` or `[address]:low-high` with a range of source ports.
   */
  readonly addresses: readonly string[];
  /** A guard runs in the scan cycle: the PLC layer stands here. Default: for the role `plc` only. */
  readonly guard: boolean;
}

export type Protocol = "modbus" | "opcua";
export type Mode = "off" | "monitor" | "enforce";

/**
 * How the secure channels of an OPC UA link go through the switch layer, best first for whoever denies.
 * `clear`: without security, read and answered in the stream. `ended`: secured, and ended at the filter with certificates of its own.
 * `signed`: mode Sign from end to end; it is read, and a denial can only end the channel. `sealed`: encrypted from end to end.
 */
export const UA_WAYS = ["clear", "ended", "signed", "sealed"] as const;
export type UaWay = (typeof UA_WAYS)[number];

/** One client device to one server device over one protocol. The link belongs to the zone of its server. */
export interface Link {
  readonly id: LinkId;
  readonly client: DeviceId;
  readonly server: DeviceId;
  readonly protocol: Protocol;
  readonly mode: Mode;
  /** Commands on this link pass the mirror port: the HMI layer sees them. Default true. */
  readonly mirror: boolean;
  /** If the filter cannot judge, it forwards. An exemption; default false. */
  readonly failOpen: boolean;
  /** Nobody looks into this link (encrypted end to end). An exemption; default false. */
  readonly opaque: boolean;
  /** Modbus/TCP Security: TLS up to the switch, which reads the client's role from its certificate; the mirror port sees nothing of it. */
  readonly tls?: boolean;
  /** OPC UA: the one way in which its channels are opened. Absent: any that the filter can deal with. `sealed` is opaque as well. */
  readonly way?: UaWay;
}

/**
 * Whether the HMI layer is taken to see what passes a link: what it has not seen there is missing. Of secured channels it reads those in
 * mode Sign where it can, and that is not sure.
 */
export function isSeenAtMirror({ mirror, opaque, tls, way = "clear" }: Link): boolean {
  return mirror && !opaque && tls !== true && way === "clear";
}

export type ModbusTable = "coil" | "discrete-input" | "holding-register" | "input-register";
export type ModbusType = "bool" | "uint16" | "int16" | "uint32" | "int32" | "float32" | "float64";

/** Where a tag lies in a Modbus server. Addresses are zero-based, as on the wire. */
export interface ModbusBinding {
  readonly unit: number;
  readonly table: ModbusTable;
  readonly address: number;
  readonly type: ModbusType;
  /** Order of the registers of a type that takes several; `big`: high word first (the default). */
  readonly wordOrder: "big" | "little";
  /** Order of the two bytes within each register; `big`, as the standard has it, is the default (MODBUS AP V1.1b3 §4.2). */
  readonly byteOrder: "big" | "little";
  /** Engineering value = raw value × scale. */
  readonly scale: number;
}

/** Built-in types of OPC 10000-6 §5.1.2 that carry one number. */
export const OPCUA_TYPES = [
  "Boolean",
  "SByte",
  "Byte",
  "Int16",
  "UInt16",
  "Int32",
  "UInt32",
  "Float",
  "Double",
] as const;
export type OpcUaType = (typeof OPCUA_TYPES)[number];

export interface OpcUaBinding {
  /** Canonical text form, OPC 10000-6 §5.3.1.10, for example `ns=1;s=FIC401.SP`. Of a method: its MethodId. */
  readonly nodeId: string;
  /** Of a method: `Boolean`, and without meaning. */
  readonly type: OpcUaType;
  /** Methods only: the object it is called on, in the same form. */
  readonly objectId?: string;
  /** Methods only: one tag of kind `argument` for each input argument, in their order. */
  readonly arguments?: readonly TagId[];
}

/**
 * A vendor's function code or an OPC UA service that this product does not look into, with the length it may have. Whoever may
 * use it may put anything into it: an exemption.
 */
export type RawFunction = {
  readonly id: RawId;
  readonly says: string;
  /** Bytes after the function code (Modbus PDU) or of the service's body (OPC UA), both ends included. */
  readonly length: readonly [least: number, most: number];
  /** Bytes of the answer, counted in the same way. */
  readonly answer: readonly [least: number, most: number];
  /** It may change the plant: judged and reported like a write. Default true. */
  readonly changes: boolean;
} & (
  | {
      readonly protocol: "modbus";
      readonly function: number;
      /** Of function 43: the MEI type, which is the first of the bytes that are counted (MODBUS AP V1.1b3 §6.19). */
      readonly mei?: number;
    }
  | {
      readonly protocol: "opcua" /** Numeric id of the request's binary encoding, namespace 0. */;
      readonly service: number;
    }
);

/** What a tag is to the control program. */
export type TagKind = "command" | "set-point" | "measurement" | "status" | "output" | "method" | "argument";

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
  /** The tag is a number that stands for a state: its names, as the template's dialect has them (`execute: 6`). */
  readonly states?: Readonly<Record<string, number>>;
  /** Outputs: the value taken on power loss, and when the guard withholds an output. */
  readonly safe?: number;
}

export interface EssentialFunction {
  readonly id: string;
  readonly says: string;
  readonly tags: readonly TagId[];
}
