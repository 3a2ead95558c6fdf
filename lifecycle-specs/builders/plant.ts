import type { DeviceRole, ModbusTable, ModbusType, Mode, OpcUaType, Protocol, TagKind, UaWay } from "../plant.ts";

/** A plant as `plant.yaml` has it, by the names that are declared in it. */
export interface PlantOf<
  Zone extends string,
  Device extends string,
  Link extends string,
  Tag extends string,
  Raw extends string,
> {
  readonly id: string;
  readonly title: string;
  readonly zones: Readonly<Record<Zone, string>>;
  readonly devices: Readonly<Record<Device, DeviceOf<NoInfer<Zone>>>>;
  readonly links: Readonly<Record<Link, LinkOf<NoInfer<Device>>>>;
  readonly tags: Readonly<Record<Tag, TagOf<NoInfer<Device>, NoInfer<Tag>>>>;
  readonly essential?: Readonly<Record<string, { readonly says: string; readonly tags: readonly NoInfer<Tag>[] }>>;
  readonly raw?: Readonly<Record<Raw, RawOf>>;
}

export type AnyPlant = PlantOf<string, string, string, string, string>;

/** The names that a lifecycle may use. */
export interface Names {
  readonly zone: string;
  readonly device: string;
  readonly link: string;
  readonly tag: string;
  readonly raw: string;
}

export interface NamesOf<Plant extends AnyPlant> extends Names {
  readonly zone: keyof Plant["zones"] & string;
  readonly device: keyof Plant["devices"] & string;
  readonly link: keyof Plant["links"] & string;
  readonly tag: keyof Plant["tags"] & string;
  readonly raw: keyof NonNullable<Plant["raw"]> & string;
}

interface DeviceOf<Zone extends string> {
  readonly title: string;
  readonly role: DeviceRole;
  readonly zone: Zone;
  readonly addresses: readonly string[];
  readonly guard?: boolean;
}

interface LinkOf<Device extends string> {
  readonly client: Device;
  readonly server: Device;
  readonly protocol: Protocol;
  readonly mode: Mode;
  readonly mirror?: boolean;
  readonly failOpen?: boolean;
  readonly opaque?: boolean;
  readonly tls?: boolean;
  readonly way?: UaWay;
}

type TagOf<Device extends string, Tag extends string> = VariableOf<Device> | MethodOf<Device, Tag> | ArgumentOf<Device>;

interface Measured<Device extends string> {
  readonly title: string;
  readonly device: Device;
  readonly unit?: string;
  readonly range: readonly [low: number, high: number];
  /** Numbers by name, or the name of a dialect. */
  readonly states?: string | Readonly<Record<string, number>>;
}

interface VariableOf<Device extends string> extends Measured<Device> {
  readonly kind: Exclude<TagKind, "method" | "argument">;
  readonly modbus?: {
    readonly unit: number;
    readonly table: ModbusTable;
    readonly address: number;
    readonly type?: ModbusType;
    readonly wordOrder?: "big" | "little";
    readonly byteOrder?: "big" | "little";
    readonly scale?: number;
  };
  readonly opcua?: { readonly nodeId: string; readonly type: OpcUaType };
  readonly safe?: number | string;
}

interface MethodOf<Device extends string, Tag extends string> {
  readonly title: string;
  readonly kind: "method";
  readonly device: Device;
  readonly opcua: { readonly nodeId: string; readonly objectId: string; readonly arguments?: readonly Tag[] };
}

interface ArgumentOf<Device extends string> extends Measured<Device> {
  readonly kind: "argument";
}

type RawOf = {
  readonly says: string;
  readonly length: readonly [least: number, most: number];
  readonly answer: readonly [least: number, most: number];
  readonly changes?: boolean;
} & (
  | { readonly protocol: "modbus"; readonly function: number; readonly mei?: number }
  | { readonly protocol: "opcua"; readonly service: number }
);
