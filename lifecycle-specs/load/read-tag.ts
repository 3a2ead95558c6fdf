import { TagId } from "../ids.ts";
import type { Device, ModbusBinding, OpcUaBinding, Tag } from "../plant.ts";
import { registersOf } from "../raw.ts";
import { readById, reference } from "./read-by-id.ts";
import type { Cursor, Fields } from "./source.ts";

const KINDS = ["command", "set-point", "measurement", "status", "output"] as const;
const TABLES = ["coil", "discrete-input", "holding-register", "input-register"] as const;
const TYPES = ["bool", "uint16", "int16", "uint32", "int32", "float32"] as const;
const WORD_ORDERS = ["big", "little"] as const;
const NODE_TYPES = ["Boolean", "Double"] as const;

/** Values of tags stay where a double counts exactly and a float32 still tells neighbours apart. */
const MAX_VALUE = 1e9;
const MAX_WORD = 0xffff;
const MAX_UNIT = 0xff;
/** `ns=1;s=…`, `i=2258` …: OPC 10000-6 §5.3.1.10. */
const NODE_ID = /^(?:ns=(?:0|[1-9]\d{0,4});)?(?:i=\d{1,10}|s=.{1,4000}|g=[0-9a-fA-F-]{36}|b=[A-Za-z0-9+/=]{1,4000})$/;

export function readTags(fields: Fields, devices: readonly Device[]): readonly Tag[] {
  const taken = new Map<string, TagId>();
  return readById(fields.need("tags"), "tags", TagId, (id, value, key) => {
    key.remember(`tag:${id}`);
    return readTag(id, value, devices, taken);
  });
}

function readTag(id: TagId, value: Cursor, devices: readonly Device[], taken: Map<string, TagId>): Tag | undefined {
  const fields = value.fields(`tag \`${id}\``, ["title", "kind", "device", "unit", "range", "modbus", "opcua", "safe"]);
  const title = fields?.need("title")?.text("title");
  const kind = fields?.need("kind")?.word("kind", KINDS);
  const device = reference(fields?.need("device"), "device", devices)?.id;
  const range = readRange(fields?.need("range"));
  const unit = fields?.get("unit")?.text("unit") ?? "";
  const modbus = readModbus(fields?.get("modbus"));
  const opcua = readOpcUa(fields?.get("opcua"));
  if (title === undefined || kind === undefined || device === undefined || range === undefined) return undefined;
  const safe = fields?.get("safe")?.number("safe", range[0], range[1]);
  const cells = modbus === undefined ? [] : cellsOf(modbus);
  const places = [
    ...cells.map((cell) => `${device} ${cell}`),
    ...(opcua === undefined ? [] : [`${device} ${opcua.nodeId}`]),
  ];
  claim(id, places, taken, value);
  return {
    id,
    title,
    kind,
    device,
    unit,
    range,
    ...(modbus === undefined ? {} : { modbus }),
    ...(opcua === undefined ? {} : { opcua }),
    ...(safe === undefined ? {} : { safe }),
  };
}

function readRange(list: Cursor | undefined): readonly [number, number] | undefined {
  const items = list?.items("range");
  if (list === undefined || items === undefined) return undefined;
  const [low, high, ...more] = items.map((item) => item.number("a bound of the range", -MAX_VALUE, MAX_VALUE));
  if (items.length !== 2 || more.length > 0) return list.fail("TYPE_WRONG", "range is not a pair `[low, high]`");
  if (low === undefined || high === undefined) return undefined;
  if (low >= high) return list.fail("RANGE_CROSSED", `range [${low}, ${high}] is empty; put the lower bound first`);
  return [low, high];
}

function readModbus(value: Cursor | undefined): ModbusBinding | undefined {
  const fields = value?.fields("modbus", ["unit", "table", "address", "type", "wordOrder", "scale"]);
  const unit = fields?.need("unit")?.integer("unit", 0, MAX_UNIT);
  const table = fields?.need("table")?.word("table", TABLES);
  const address = fields?.need("address")?.integer("address", 0, MAX_WORD);
  if (fields === undefined || unit === undefined || table === undefined || address === undefined) return undefined;
  const isBit = table === "coil" || table === "discrete-input";
  const written = fields.get("type");
  if (written === undefined && !isBit) {
    fields.need("type");
    return undefined;
  }
  const type = written === undefined ? "bool" : written.word("type", TYPES);
  if (type === undefined) return undefined;
  if ((type === "bool") !== isBit) {
    return written?.fail(
      "BINDING_TYPE",
      `a ${table} does not hold a ${type}; coils and discrete inputs hold bool, registers numbers`,
    );
  }
  const wordOrder = fields.get("wordOrder")?.word("wordOrder", WORD_ORDERS) ?? "big";
  const scale = fields.get("scale")?.number("scale", Number.MIN_VALUE, MAX_VALUE) ?? 1;
  return { unit, table, address, type, wordOrder, scale };
}

function readOpcUa(value: Cursor | undefined): OpcUaBinding | undefined {
  const fields = value?.fields("opcua", ["nodeId", "type"]);
  const at = fields?.need("nodeId");
  const nodeId = at?.text("nodeId");
  const type = fields?.need("type")?.word("type", NODE_TYPES);
  if (at === undefined || nodeId === undefined || type === undefined) return undefined;
  if (!NODE_ID.test(nodeId))
    return at.fail(
      "NAME_INVALID",
      `\`${nodeId.slice(0, 80)}\` is not a NodeId such as \`ns=1;s=FIC401.SP\` or \`i=2258\``,
    );
  return { nodeId, type };
}

function cellsOf(binding: ModbusBinding): readonly string[] {
  const { unit, table, address } = binding;
  return Array.from({ length: registersOf(binding) }, (_, i) => `unit ${unit} ${table} ${address + i}`);
}

function claim(id: TagId, places: readonly string[], taken: Map<string, TagId>, at: Cursor): void {
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
