import { Type } from "typebox";
import { MAX_FUNCTION } from "../form.ts";
import { MODBUS_TABLES, MODBUS_TYPES, NODE_ID, ORDERS } from "../load/read-binding.ts";
import { MODES } from "../load/read-by-id.ts";
import { DEVICE_ROLES } from "../load/read-device.ts";
import { PROTOCOLS } from "../load/read-link.ts";
import { TAG_KINDS } from "../load/read-tag.ts";
import { OPCUA_TYPES, UA_WAYS } from "../plant.ts";
import {
  byName,
  choose,
  closed,
  DRAFT,
  flag,
  ifIs,
  ifType,
  integer,
  name,
  number,
  pair,
  positive,
  ref,
  some,
  text,
  value,
  words,
} from "./parts.ts";

const device = closed({
  title: text("What people call it."),
  role: words(DEVICE_ROLES, "What it is in the plant."),
  zone: name("The zone it belongs to. A link belongs to the zone of its server."),
  addresses: some(
    Type.String(),
    "Source addresses by which it is known: `127.10.1.11`, `2001:db8::11`, or `127.0.0.1:21000-21099` with a range of source ports.",
  ),
  guard: Type.Optional(flag("A guard runs in its scan cycle. Default: true for the role plc, else false.")),
});

const link = closed({
  client: name("The device that asks."),
  server: name("The device that answers."),
  protocol: words(PROTOCOLS, "How they speak."),
  mode: words(
    MODES,
    "What follows where no rule is about a message: enforce withholds it, monitor reports it, off does neither.",
  ),
  mirror: Type.Optional(flag("Its commands pass the mirror port, so that the HMI layer sees them. Default: true.")),
  failOpen: Type.Optional(flag("If the filter cannot judge, it forwards: an exemption. Default: false.")),
  tls: Type.Optional(
    flag(
      "Modbus/TCP Security: the switch ends the clients' TLS, and reads their roles from their certificates. Default: false.",
    ),
  ),
  opaque: Type.Optional(flag("Nobody looks into it (encrypted end to end): an exemption. Default: false.")),
  way: Type.Optional(
    words(
      UA_WAYS,
      "OPC UA: how its channels are opened, and no other way: clear, ended at the switch, signed from end to end (a denial can only end the channel: an exemption), or sealed, which is opaque as well. Default: any that the switch can deal with.",
    ),
  ),
});

const modbusKeys = {
  unit: integer(0, 255, "Unit identifier."),
  table: words(MODBUS_TABLES, "Which of the four tables."),
  address: integer(0, 65_535, "Zero-based, as on the wire."),
  wordOrder: Type.Optional(
    words(ORDERS, "Order of the registers of a type that takes several. Default: big, high word first."),
  ),
  byteOrder: Type.Optional(
    words(ORDERS, "Order of the bytes within a register. Default: big, as the standard has it."),
  ),
  scale: Type.Optional(positive("Engineering value = raw value × scale. Default: 1.")),
};
const modbusType = words(
  MODBUS_TYPES,
  "Type of the raw value. Coils and discrete inputs hold bool, registers numbers.",
);
const modbus = ifIs(
  "table",
  ["coil", "discrete-input"],
  closed({ ...modbusKeys, type: Type.Optional(modbusType) }),
  closed({ ...modbusKeys, type: modbusType }),
  { description: "Where the tag lies in a Modbus server." },
);

const nodeId = (what: string) =>
  Type.String({ pattern: NODE_ID.source, description: `${what}, as \`ns=1;s=FIC401.SP\` or \`i=2258\`.` });
const variableNode = closed(
  { nodeId: nodeId("NodeId of the variable"), type: words(OPCUA_TYPES, "Built-in type of its value.") },
  { description: "Where the tag lies in an OPC UA server." },
);
const methodNode = closed(
  {
    nodeId: nodeId("MethodId"),
    objectId: nodeId("The object that it is called on"),
    arguments: Type.Optional(some(name("A tag."), "One tag of kind argument for each input argument, in their order.")),
  },
  { description: "How the method is called." },
);

const states = ifType(
  "string",
  name("The name of a dialect."),
  byName(integer(-1e9, 1e9, "Number of the state."), "Numbers by name.", { minProperties: 1 }),
  "The number stands for a state: a map from names to numbers, or the name of a dialect (packml-tr88). Conditions and rules then use the names.",
);
const common = {
  title: text("What people call it."),
  kind: words(TAG_KINDS, "What it is to the control program."),
  device: name("The device that holds it."),
};
const measured = {
  ...common,
  unit: Type.Optional(text("Engineering unit as shown, for example m³/h.")),
  range: pair(number("A bound."), "Lowest and highest value, in engineering units; of a truth value [0, 1]."),
  states: Type.Optional(states),
};
const variable = closed({
  ...measured,
  modbus: Type.Optional(modbus),
  opcua: Type.Optional(variableNode),
  safe: Type.Optional(value("Outputs: the value taken on power loss, and when the guard withholds an output.")),
});
const method = closed({ ...common, opcua: methodNode });
const argument = closed(measured);
const tag = ifIs("kind", ["method"], method, ifIs("kind", ["argument"], argument, variable));

const bytes = (what: string, most: number) =>
  pair(integer(0, most, "Bytes."), `Fewest and most bytes ${what}, both included.`);
const rawKeys = (most: number) => ({
  says: text("What it does, in a sentence."),
  protocol: words(PROTOCOLS, "Over which protocol."),
  length: bytes("after the function code, or of the service's body", most),
  answer: bytes("of the answer, counted in the same way", most),
  changes: Type.Optional(flag("It may change the plant: judged and reported like a write. Default: true.")),
});
const raw = ifIs(
  "protocol",
  ["opcua"],
  closed({
    ...rawKeys(16_777_216),
    service: integer(1, 4_294_967_295, "Numeric id of the request's binary encoding."),
  }),
  closed(
    {
      ...rawKeys(252),
      function: integer(1, MAX_FUNCTION, "Function code."),
      mei: Type.Optional(integer(0, 255, "Of function 43: its MEI type, the first of the bytes that are counted.")),
    },
    choose(
      { properties: { function: { const: 43 } }, required: ["function"] },
      { required: ["mei"] },
      { not: { required: ["mei"] } },
    ),
  ),
);

/** The JSON Schema of `plant.yaml`. What it cannot say (that names are declared, that values fit their range) loading says. */
export function plantSchema(): object {
  const plant = closed({
    id: name("The name by which the lifecycle speaks of the plant."),
    title: text("What people call it."),
    zones: byName(text("What people call it."), "Parts of the plant, each with a phase of its own.", {
      minProperties: 1,
    }),
    devices: byName(ref("device"), "Everything that speaks on the network."),
    links: byName(ref("link"), "Who speaks to whom over which protocol. What no link carries is refused."),
    tags: byName(ref("tag"), "The process variables, methods and their arguments."),
    essential: Type.Optional(byName(ref("essential"), "What must go on in every degraded phase.")),
    raw: Type.Optional(
      byName(
        ref("raw"),
        "Vendor functions and services that rules may name, though nobody looks into them: exemptions.",
      ),
    ),
  });
  const essential = closed({
    says: text("What must go on, in a sentence."),
    tags: some(name("A tag."), "The tags that carry it."),
  });
  return {
    $schema: DRAFT,
    title: "A plant for Sekisho: zones, devices, links and tags",
    definitions: { device, link, tag, essential, raw },
    ...plant,
  };
}
