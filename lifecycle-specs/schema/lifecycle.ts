import { type TSchema, Type } from "typebox";
import { MAX_FILE, MAX_FUNCTION, MAX_OBJECT, MAX_QUANTITY, MAX_RECORD, OBJECT_CATEGORIES, ROLE_NAME } from "../form.ts";
import { LEVELS, LOCI, OPERATIONS } from "../lifecycle.ts";
import { MODES } from "../load/read-by-id.ts";
import { MAX_CADENCE } from "../load/read-rule-limits.ts";
import { OUTCOMES } from "../load/read-step.ts";
import { ROLES } from "../load/read-transition.ts";
import { templateNames } from "../load/templates.ts";
import {
  any,
  byName,
  byPlainName,
  choose,
  closed,
  DRAFT,
  duration,
  flag,
  ifHas,
  ifType,
  integer,
  name,
  number,
  oneOfKeys,
  pair,
  positive,
  ref,
  some,
  text,
  value,
  words,
} from "./parts.ts";

const optional = Type.Optional;
const says = text("In a sentence, shown to people.");
const phaseName = (what: string) => name(`${what}: the path of a phase, such as \`degraded.local-control\`.`);
const roles = some(words(ROLES, "A role."), "Who may ask for it.");

const comparison = closed(
  {
    tag: name("A tag that an enforcement point can observe."),
    atLeast: optional(number("True from this value up.")),
    atMost: optional(number("True from this value down.")),
    is: optional(value("True at this value, or at the state of this name.")),
    release: optional(number("Hysteresis: once true, it stays true until the tag passes this value.")),
  },
  { ...oneOfKeys("atLeast", "atMost", "is"), not: { required: ["is", "release"] } },
);

const condition = closed(
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

const rule = closed({
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

const stepExit = closed(
  {
    to: name("A step of the same phase."),
    when: optional(ref("condition")),
    command: optional(name("A rule: a message that it allowed.")),
    outcome: optional(words(OUTCOMES, "What became of the message. Default: answered, with success.")),
    after: optional(duration("Time in the step.")),
  },
  { ...oneOfKeys("when", "command", "after"), dependencies: { outcome: ["command"] } },
);

const step = closed({
  says,
  rules: optional(ref("rules")),
  next: optional(any(stepExit, "What leads to another step.")),
  min: optional(duration("Before this, nothing in `next` counts.")),
  max: optional(duration("After this, staying in the step is reported.")),
});

const leads = {
  to: phaseName("Where it leads"),
  with: optional(
    any(phaseName("A phase of another zone"), "Phases of other zones that are entered in the same change."),
  ),
  clean: optional(duration("No new detection for this long.")),
  window: optional(any(name("A rule."), "Rules whose commands belong to the transition itself.")),
  when: optional(ref("condition")),
};
const within = optional(duration("The plant fulfils the condition within this time, by its engineering."));
const request = closed(
  {
    ...leads,
    request: name("What is asked for."),
    roles,
    persons: optional(integer(1, 2, "How many different people must ask. Default: 1.")),
    ttl: optional(duration("How long the request stands while the second person or the condition is awaited.")),
  },
  choose({ properties: { persons: { const: 2 } }, required: ["persons"] }, { required: ["ttl"] }, {}),
);
const after = closed(
  { ...leads, after: duration("Time in the phase."), within },
  { dependencies: { within: ["when"] } },
);
const whenTrue = closed({ ...leads, when: ref("condition"), within });
const transition = ifHas("request", request, ifHas("after", after, whenTrue));

/** @param template it may say nothing of itself where a template does */
function phases(own: string, template: boolean): TSchema {
  const sentence = template ? optional(says) : says;
  const phase = closed(
    {
      says: sentence,
      rules: optional(ref("rules")),
      initial: optional(name("The step in which the phase begins.")),
      steps: optional(byName(ref("step"), "What is observed within the phase.", { minProperties: 1 })),
      on: optional(any(ref("transition"), "Ways out; the first whose event and condition hold wins.")),
      containment: optional(flag("A containment leads here. Default: false.")),
      because: optional(text("Why so much may happen here, where that is above what is usual.")),
    },
    template ? {} : { dependencies: { steps: ["initial"] } },
  );
  const group = closed({ says: sentence, rules: optional(ref("rules")), phases: ref(own) });
  const either = ifHas("phases", group, phase);
  return byPlainName(either, "Phases by name, and groups of phases, which give their rules to each of theirs.");
}

const containment = closed(
  {
    locus: some(words(LOCI, "A place."), "Where the attack sits."),
    from: some(phaseName("A phase, or a group"), "In which phases."),
    tags: optional(some(name("A tag."), "Only where the attack reaches for these.")),
    says,
    to: optional(phaseName("The degraded phase")),
    level: optional(words(LEVELS, "Instead of `to`: the phase that a mask generates.")),
    of: optional(name("Whom it limits: a device or a link.")),
  },
  { ...oneOfKeys("to", "level"), dependencies: { level: ["of"], of: ["level"] } },
);

const mask = closed({
  levels: some(words(LEVELS, "How much is taken."), "One containment for each."),
  of: some(name("A device or a link."), "Whom they limit."),
  from: some(phaseName("A phase, or a group"), "From which phases they are made."),
  back: optional(
    closed(
      {
        to: phaseName("Where it leads"),
        request: name("What is asked for."),
        roles,
        clean: optional(duration("No new detection for this long.")),
      },
      {
        description:
          "How the restriction is undone. Default: request `lift-containment` by an operator, to the origin.",
      },
    ),
  ),
});

const templateName = words(templateNames(), "Which template.");
const template = ifType(
  "string",
  templateName,
  closed({
    name: templateName,
    use: optional(some(phaseName("A phase or group of the template"), "Only these of the template's phases.")),
  }),
  "A state model that supplies phases and their transitions; the file adds to them.",
);

const safe = closed(
  {
    phase: phaseName("The phase in which nothing can go wrong"),
    within: duration("It is reached from everywhere in this time."),
  },
  { description: "The safe state." },
);
const part = {
  initial: phaseName("Where the zone begins"),
  isolated: phaseName("Where a point goes by itself when its lease ends"),
  safe: optional(safe),
  containments: optional(any(ref("containment"), "Where a detection leads; the first fitting entry wins.")),
  masks: optional(any(ref("mask"), "Containments to be generated.")),
};
const withTemplate = { ...part, template, phases: optional(ref("templatePhases")) };
const withoutTemplate = { ...part, phases: ref("phases") };

const head = {
  plant: name("The `id` of plant.yaml."),
  version: integer(0, 4_294_967_295, "Increases with every issue of the file; points refuse an older one."),
  lease: duration("How long a point may go without the coordinator."),
  skew: optional(duration("By how much later the same thing is seen one layer down. Default: 100ms.")),
  change: optional(duration("Every change of phase has ended after this. Default: 5s.")),
  rules: optional(ref("rules")),
};

/** The JSON Schema of `lifecycle.yaml`. What it cannot say (that names are declared, that values fit their range) loading says. */
export function lifecycleSchema(): object {
  const zone = ifHas("template", closed(withTemplate), closed(withoutTemplate));
  const several = closed({ ...head, zones: byName(ref("zone"), "One part for each zone of the plant.") });
  const single = ifHas("template", closed({ ...head, ...withTemplate }), closed({ ...head, ...withoutTemplate }));
  return {
    $schema: DRAFT,
    title: "A lifecycle for Sekisho: phases and steps, and in each the only things that may happen",
    definitions: {
      zone,
      phases: phases("phases", false),
      templatePhases: phases("templatePhases", true),
      rules: byName(ref("rule"), "Rules by name: the only things that may happen."),
      rule,
      condition,
      comparison,
      step,
      transition,
      containment,
      mask,
    },
    ...ifHas("zones", several, single),
  };
}
