import { type TSchema, Type } from "typebox";
import { LEVELS, LOCI } from "../lifecycle.ts";
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
  oneOfKeys,
  ref,
  says,
  some,
  text,
  words,
} from "./parts.ts";
import { comparison, condition, rule } from "./rule.ts";

const optional = Type.Optional;
const phaseName = (what: string) => name(`${what}: the path of a phase, such as \`degraded.local-control\`.`);
const roles = some(words(ROLES, "A role."), "Who may ask for it.");

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
  mirrorDelay: optional(
    duration("By how much later than it was captured a frame of the mirror port is judged at most. Default: 1500ms."),
  ),
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
