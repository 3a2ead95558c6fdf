import { readFileSync } from "node:fs";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { parse } from "yaml";
import { err, ok, type Result } from "#specs/result.ts";

/**
 * How one host is wired: which device answers with which MAC address at which interface. A plant file says what talks to what;
 * this file says where that is on this machine, and belongs to whoever maintains the machine.
 */

const strict = { additionalProperties: false } as const;
/** Linux: at most 15 bytes; `*` would be a wildcard to nft. */
const Interface = Type.String({ pattern: "^[A-Za-z0-9_.-]{1,15}$" });
const Mac = Type.String({ pattern: "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$" });
const BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const Ipv4 = Type.String({ pattern: `^${BYTE}(\\.${BYTE}){3}$` });
const DeviceName = Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_.-]{0,127}$" });

const Binding = Type.Object(
  {
    mac: Mac,
    interface: Interface,
    /** Where a device has several addresses at several interfaces: which of them is here. Default: all of the plant file. */
    address: Type.Optional(Ipv4),
  },
  strict,
);

const Listener = Type.Object(
  {
    server: DeviceName,
    protocol: Type.Union([Type.Literal("modbus"), Type.Literal("opcua")]),
    /** Where the switch-filter listens on this host for that server: an address of this host, best one of `lo`. */
    address: Ipv4,
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  },
  strict,
);

const Site = Type.Object(
  {
    mode: Type.Union([Type.Literal("bridge"), Type.Literal("routed")]),
    devices: Type.Record(DeviceName, Type.Union([Binding, Type.Array(Binding, { minItems: 1, maxItems: 16 })]), {
      minProperties: 1,
    }),
    /** Further interfaces of the plant at which no device is declared: whatever comes in there is dropped. */
    ports: Type.Optional(Type.Array(Interface, { maxItems: 256 })),
    /** Routed mode, inline: connections to these servers are led to the filter. */
    filter: Type.Optional(
      Type.Object(
        {
          listeners: Type.Array(Listener, { minItems: 1, maxItems: 256 }),
          /** Client → own address that the filter dials from on its behalf, so that the server still sees the client's. */
          aliases: Type.Optional(Type.Record(DeviceName, Ipv4)),
          /** Servers whose connections pass straight through without a listener: nobody here looks into them. An exemption. */
          direct: Type.Optional(Type.Array(DeviceName, { maxItems: 256 })),
        },
        strict,
      ),
    ),
    limits: Type.Optional(
      Type.Object(
        {
          /** Connections of one client at a time over one link. On a bridge, which cannot count them: see `bridge-table.ts`. */
          connections: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
          /** New connections of one client per second over one link, and how many may come at once. */
          newPerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
          newAtOnce: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
        },
        strict,
      ),
    ),
  },
  strict,
);

export type PacketSite = Static<typeof Site>;
export type SiteBinding = Static<typeof Binding>;

const schema = Compile(Site);

/** YAML or JSON; the error is one sentence. */
export function readPacketSite(text: string): Result<PacketSite, string> {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return err(`it is neither YAML nor JSON (${first})`);
  }
  if (schema.Check(value)) return ok(value);
  const [first] = schema.Errors(value);
  const where = first?.instancePath.slice(1).replaceAll("/", ".") ?? "";
  return err(`${where === "" ? "the file" : `\`${where}\``} ${first?.message ?? "is not as it must be"}`);
}

/** @throws Error in one sentence, naming the file */
export function loadPacketSite(file: string): PacketSite {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${file} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  const site = readPacketSite(text);
  if (!site.ok) throw new Error(`${file} is not a packet-filter site file: ${site.error}`);
  return site.value;
}

export interface Limits {
  readonly connections: number;
  readonly newPerSecond: number;
  readonly newAtOnce: number;
}

/** Defaults as in the switch-filter: so many connections of one client per listener. */
export const DEFAULT_LIMITS: Limits = { connections: 32, newPerSecond: 10, newAtOnce: 20 };

export function limitsOf({ limits }: PacketSite): Limits {
  return { ...DEFAULT_LIMITS, ...limits };
}
