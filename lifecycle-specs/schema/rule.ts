import { Type } from "typebox";
import { MAX_FILE, MAX_FUNCTION, MAX_OBJECT, MAX_QUANTITY, MAX_RECORD, OBJECT_CATEGORIES, ROLE_NAME } from "../form.ts";
import { OPERATIONS } from "../lifecycle.ts";
import { MODES } from "../load/read-by-id.ts";
import { MAX_CADENCE } from "../load/read-rule-limits.ts";
import {
  closed,
  duration,
  flag,
  ifType,
  integer,
  name,
  number,
  oneOfKeys,
  pair,
  positive,
  ref,
  says,
  some,
  value,
  words,
} from "./parts.ts";

const optional = Type.Optional;

export const comparison = closed(
  {
    tag: name("A tag that an enforcement point can observe."),
    atLeast: optional(number("True from this value up.")),
    atMost: optional(number("True from this value down.")),
    is: optional(value("True at this value, or at the state of this name.")),
    release: optional(number("Hysteresis: once true, it stays true until the tag passes this value.")),
  },
  { ...oneOfKeys("atLeast", "atMost", "is"), not: { required: ["is", "release"] } },
);

/** On tags; of rules, steps and transitions. */
export const condition = closed(
  {
    all: some(ref("comparison"), "Every one of them must hold."),
    for: optional(duration("Without a break for this long.")),
    fresh: optional(duration("Largest age of a reading; an older one is unknown.")),
  },
  { description: "A condition on tags." },
);

const tags = ifType(
  "array",
  some(name("A tag."), "Tags by name."),
  closed({ device: name("A device.") }),
  "Tags by name, or `{ device: X }`: every tag of the device that the operation can reach.",
);

const bounds = closed(
  {
    min: optional(number("Least value, in engineering units.")),
    max: optional(number("Largest value.")),
    oneOf: optional(some(value("A value, or the name of a state."), "The values that are allowed.")),
    maxStep: optional(positive("Largest change against the last known value.")),
    ramp: optional(positive("Largest change per second.")),
    stale: optional(duration("Reports only: the longest that a value may stand still.")),
  },
  { description: "What the value may be, in engineering units." },
);

/** One number, or two with all between them. */
const numberOrSpan = (least: number, most: number, description: string) =>
  ifType(
    "array",
    pair(integer(least, most, "A bound."), "Both included."),
    integer(least, most, "One number."),
    description,
  );
const modbusFunction = ifType(
  "string",
  Type.String({ pattern: "^[0-9]{1,3}(/[0-9]{1,5})?$", description: "With sub-function or MEI type: `8/0`, `43/14`." }),
  integer(1, MAX_FUNCTION, "Function code."),
  "A Modbus function code; of 8 and 43 also with what stands behind it.",
);
const fileRange = closed({
  file: numberOrSpan(1, MAX_FILE, "Which file, or files."),
  records: optional(numberOrSpan(0, MAX_RECORD, "Which of its records. Default: all.")),
});
const identificationObject = ifType(
  "string",
  words(Object.keys(OBJECT_CATEGORIES), "A category: objects 0-2, 3-127, 128-255."),
  numberOrSpan(0, MAX_OBJECT, "Object ids."),
  "Objects by category or number.",
);
const form = {
  functions: optional(
    some(modbusFunction, "Only by these Modbus functions, and over no other protocol. Default: any that does it."),
  ),
  quantity: optional(
    integer(1, MAX_QUANTITY, "Most registers, bits or records of one message; over OPC UA most nodes or methods."),
  ),
  files: optional(some(fileRange, "Records of files alone: read them, or as programming write them.")),
  objects: optional(some(identificationObject, "Read Device Identification (43/14) alone, and these objects.")),
};

/** The only things that may happen. */
export const rule = closed({
  says,
  from: some(
    name("A device, or `program`."),
    "Who: devices, or `[program]`, the control program, for outputs. Of a report: the servers.",
  ),
  roles: optional(
    some(
      Type.String({ pattern: ROLE_NAME.source, description: "A role." }),
      "Who asks is known by one of these: the role in a Modbus client's certificate, or the user of an OPC UA session.",
    ),
  ),
  may: words(OPERATIONS, "What."),
  tags: optional(tags),
  to: optional(some(name("A device."), "Target devices, where the rule is not about tags; of a report: the clients.")),
  raw: optional(some(name("A raw function of the plant."), "Which vendor functions, where the rule may `raw`.")),
  ...form,
  value: optional(bounds),
  most: optional(
    closed(
      { count: integer(1, MAX_CADENCE, "Messages."), per: duration("In any such time.") },
      { description: "Rate." },
    ),
  ),
  every: optional(
    closed(
      { period: duration("One message in each period."), jitter: optional(duration("This much earlier or later.")) },
      { description: "Period." },
    ),
  ),
  after: optional(ref("condition")),
  notWhile: optional(ref("condition")),
  follows: optional(
    closed(
      {
        rule: name("A rule."),
        within: duration("At most this long after a message of that rule was answered with success."),
        once: optional(flag("Each of them permits one message only. Default: false.")),
        select: optional(
          flag("That rule selects what this one operates: one command, and once for each. Default: false."),
        ),
      },
      { description: "What must come before." },
    ),
  ),
  apart: optional(
    closed(
      {
        rules: some(name("A rule."), "Rules."),
        within: duration("No message of theirs was forwarded within this time."),
      },
      { description: "What must be kept apart." },
    ),
  ),
  safety: optional(flag("No phase, window or containment may deny it. Default: false.")),
  mode: optional(
    words(MODES, "What follows when value, cadence or causality fail. Default: enforce, of a report monitor."),
  ),
});
