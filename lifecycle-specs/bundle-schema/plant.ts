import { MAX_FUNCTION } from "../form.ts";
import {
  type Device,
  type EssentialFunction,
  type Link,
  type ModbusBinding,
  OPCUA_TYPES,
  type OpcUaBinding,
  type Plant,
  type RawFunction,
  type Tag,
  UA_WAYS,
  type Zone,
} from "../plant.ts";
import {
  integer,
  list,
  map,
  number,
  optional,
  pair,
  positive,
  record,
  text,
  truth,
  variants,
  words,
} from "../shape.ts";
import { mode, name, names, says } from "./parts.ts";

const order = words(["big", "little"]);
/** State names may also be words of other languages and dialects. */
const STATE = /^[^\p{Cc}\p{Cs}]{1,64}$/u;

const modbus = map<ModbusBinding>({
  unit: integer(0, 255),
  table: words(["coil", "discrete-input", "holding-register", "input-register"]),
  address: integer(0, 0xffff),
  type: words(["bool", "uint16", "int16", "uint32", "int32", "float32", "float64"]),
  wordOrder: order,
  byteOrder: order,
  scale: positive,
});

const nodeId = text(4200);
const opcua = map<OpcUaBinding>({
  nodeId,
  type: words(OPCUA_TYPES),
  objectId: optional(nodeId),
  arguments: optional(names()),
});

const tag = map<Tag>({
  id: name(),
  title: says,
  kind: words(["command", "set-point", "measurement", "status", "output", "method", "argument"]),
  device: name(),
  unit: text(32),
  range: pair(number),
  modbus: optional(modbus),
  opcua: optional(opcua),
  states: optional(record(STATE, number)),
  safe: optional(number),
});

const device = map<Device>({
  id: name(),
  title: says,
  role: words(["hmi", "engineering", "historian", "plc", "rtu", "opcua-server", "test"]),
  zone: name(),
  addresses: list(text(64)),
  guard: truth,
});

const link = map<Link>({
  id: name(),
  client: name(),
  server: name(),
  protocol: words(["modbus", "opcua"]),
  mode,
  mirror: truth,
  failOpen: truth,
  opaque: truth,
  tls: optional(truth),
  way: optional(words(UA_WAYS)),
});

const bytes = pair(integer(0, 64 * 1024 * 1024));
const rawCommon = { id: name<RawFunction["id"]>(), says, length: bytes, answer: bytes, changes: truth };
const raw = variants<RawFunction, "protocol">("protocol", {
  modbus: map<Extract<RawFunction, { protocol: "modbus" }>>({
    ...rawCommon,
    protocol: words(["modbus"]),
    function: integer(1, MAX_FUNCTION),
    mei: optional(integer(0, 255)),
  }),
  opcua: map<Extract<RawFunction, { protocol: "opcua" }>>({
    ...rawCommon,
    protocol: words(["opcua"]),
    service: integer(1, 0xffff_ffff),
  }),
});

/** A plant as a bundle carries it. */
export const plant = map<Plant>({
  id: name(),
  title: says,
  zones: list(map<Zone>({ id: name(), title: says }), 1),
  devices: list(device),
  links: list(link),
  tags: list(tag),
  essential: list(map<EssentialFunction>({ id: name(), says, tags: names() })),
  raw: list(raw),
});
