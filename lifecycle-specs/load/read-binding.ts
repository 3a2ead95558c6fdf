import type { TagId } from "../ids.ts";
import { type ModbusBinding, OPCUA_TYPES, type OpcUaBinding, type Tag } from "../plant.ts";
import { registersOf } from "../raw.ts";
import { type Cursor, quote } from "./cursor.ts";
import { MAX_VALUE } from "./read-tag-value.ts";

export const MODBUS_TABLES = ["coil", "discrete-input", "holding-register", "input-register"] as const;
export const MODBUS_TYPES = ["bool", "uint16", "int16", "uint32", "int32", "float32", "float64"] as const;
export const ORDERS = ["big", "little"] as const;

const MODBUS_KEYS = ["unit", "table", "address", "type", "wordOrder", "byteOrder", "scale"];
const MAX_WORD = 0xffff;
const MAX_UNIT = 0xff;
/** `ns=1;s=…`, `i=2258` …: OPC 10000-6 §5.3.1.10. */
export const NODE_ID =
  /^(?:ns=(?:0|[1-9]\d{0,4});)?(?:i=\d{1,10}|s=.{1,4000}|g=[0-9a-fA-F-]{36}|b=[A-Za-z0-9+/=]{1,4000})$/;

/** `{ unit, table, address, type, wordOrder?, byteOrder?, scale? }` */
export function readModbus(value: Cursor | undefined): ModbusBinding | undefined {
  const fields = value?.fields("modbus", MODBUS_KEYS);
  const unit = fields?.need("unit")?.integer("unit", 0, MAX_UNIT);
  const table = fields?.need("table")?.word("table", MODBUS_TABLES);
  const address = fields?.need("address")?.integer("address", 0, MAX_WORD);
  const wordOrder = fields?.get("wordOrder")?.word("wordOrder", ORDERS) ?? "big";
  const byteOrder = fields?.get("byteOrder")?.word("byteOrder", ORDERS) ?? "big";
  const scale = fields?.get("scale")?.number("scale", Number.MIN_VALUE, MAX_VALUE) ?? 1;
  if (fields === undefined || unit === undefined || table === undefined || address === undefined) return undefined;
  const isBit = table === "coil" || table === "discrete-input";
  const written = isBit ? fields.get("type") : fields.need("type");
  const type = written === undefined && isBit ? "bool" : written?.word("type", MODBUS_TYPES);
  if (type === undefined) return undefined;
  if ((type === "bool") !== isBit) {
    return written?.fail(
      "BINDING_TYPE",
      `a ${table} does not hold a ${type}; coils and discrete inputs hold bool, registers numbers`,
    );
  }
  const binding: ModbusBinding = { unit, table, address, type, wordOrder, byteOrder, scale };
  const last = address + registersOf(binding) - 1;
  if (last <= MAX_WORD) return binding;
  return value?.fail(
    "NUMBER_INVALID",
    `a ${type} at address ${address} ends at ${last}, beyond ${MAX_WORD}; correct it`,
  );
}

/** `{ nodeId, type }` */
export function readVariableNode(value: Cursor | undefined): OpcUaBinding | undefined {
  const fields = value?.fields("opcua", ["nodeId", "type"]);
  const nodeId = readNodeId(fields?.need("nodeId"), "nodeId");
  const type = fields?.need("type")?.word("type", OPCUA_TYPES);
  return nodeId === undefined || type === undefined ? undefined : { nodeId, type };
}

/** `{ nodeId, objectId, arguments? }`; the arguments are tags, to be looked up once all are read. */
export function readMethodNode(
  value: Cursor | undefined,
): { readonly binding: OpcUaBinding; readonly arguments?: Cursor } | undefined {
  const fields = value?.fields("opcua of a method", ["nodeId", "objectId", "arguments"]);
  const nodeId = readNodeId(fields?.need("nodeId"), "nodeId");
  const objectId = readNodeId(fields?.need("objectId"), "objectId");
  const list = fields?.get("arguments");
  if (nodeId === undefined || objectId === undefined) return undefined;
  return { binding: { nodeId, type: "Boolean", objectId }, ...(list === undefined ? {} : { arguments: list }) };
}

function readNodeId(at: Cursor | undefined, what: string): string | undefined {
  const nodeId = at?.text(what);
  if (at === undefined || nodeId === undefined || NODE_ID.test(nodeId)) return nodeId;
  return at.fail(
    "NAME_INVALID",
    `\`${quote(nodeId)}\` is not a NodeId; write one such as \`ns=1;s=FIC401.SP\` or \`i=2258\``,
  );
}

/** Everything that a tag occupies on its device: coils, inputs, registers, a node. */
export function placesOf({ device, modbus, opcua }: Tag): readonly string[] {
  const cells = modbus === undefined ? [] : cellsOf(modbus).map((cell) => `${device} ${cell}`);
  return opcua === undefined ? cells : [...cells, `${device} ${opcua.nodeId}`];
}

function cellsOf(binding: ModbusBinding): readonly string[] {
  const { unit, table, address } = binding;
  return Array.from({ length: registersOf(binding) }, (_, i) => `unit ${unit} ${table} ${address + i}`);
}

/** Takes places for a tag; a place that another has is reported. */
export function claim(id: TagId, places: readonly string[], taken: Map<string, TagId>, at: Cursor): void {
  for (const place of places) {
    const other = taken.get(place);
    if (other === undefined) taken.set(place, id);
    else
      at.fail(
        "BINDING_TAKEN",
        `tag \`${id}\` lies on ${place}, where \`${other}\` lies already; correct one of the two`,
      );
  }
}
