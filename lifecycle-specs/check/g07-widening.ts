import type { Layer } from "../decide/observation.ts";
import type { Lifecycle, Phase, Rule } from "../lifecycle.ts";
import { originsOf } from "./origins.ts";
import { type PhaseLists, phaseKey, phaseLists } from "./phase-lists.ts";
import type { Checked, RawFact, RawFinding, Said } from "./report.ts";
import { valuesInWords } from "./values.ts";
import { bookOf, type Excess, excessOf, type Permission } from "./whitelist.ts";

const LAYERS: readonly Layer[] = ["hmi", "plc"];

/**
 * A hand-written containment allows nothing that a phase which leads to it does not, but what it names. A rule that it has from a group
 * which also holds ordinary phases was not written for it, and must not widen it; what it names itself is listed.
 */
export function containmentsAgainstOrigins(spec: Checked): readonly Said[] {
  return widenings(spec).flatMap((widening) => [...widens(widening), ...names(widening)]);
}

function widens({ phase, origin, shared }: Widening): readonly RawFinding[] {
  const [first] = shared;
  if (first === undefined) return [];
  const message = `containment \`${phase.id}\` allows what \`${origin.id}\`, from where it is entered, does not: ${first.says}, by rule \`${first.rule.id}\` of its group; move the containment out of the group, or name the rule in it`;
  const trace = [
    `\`${origin.id}\` is in force, and denies it: ${first.says}`,
    `a detection leads to \`${phase.id}\``,
    ...shared.map(({ says, rule }) => `allowed by \`${rule.id}\`: ${says}`),
  ];
  return [{ at: `phase:${phase.id}`, code: "CONTAINMENT_WIDENS", message, trace }];
}

/** Commands listed of one containment and one origin. */
const NAMED = 8;

function names({ phase, origin, own }: Widening): readonly RawFact[] {
  if (own.length === 0) return [];
  const commands = own.map(({ says, rule }) => `${says} (${rule.id})`);
  const listed = commands.slice(0, NAMED);
  const more = commands.length > NAMED ? `; and ${commands.length - NAMED} more` : "";
  return [
    {
      at: `phase:${phase.id}`,
      guarantee: "G7",
      fact: `containment \`${phase.id}\` names what \`${origin.id}\` does not allow: ${listed.join("; ")}${more}`,
      detail: { containment: phase.id, origin: origin.id, commands: listed, count: commands.length },
    },
  ];
}

/** A generated containment is its origin under a mask, and no mask adds a rule. */
export function masksAddNothing({ lifecycle }: Checked): readonly RawFinding[] {
  const phases = new Map(lifecycle.phases.map((phase) => [phase.id, phase]));
  return lifecycle.phases.flatMap((phase): readonly RawFinding[] => {
    const origin = phase.mask === undefined ? undefined : phases.get(phase.mask.origin);
    if (origin === undefined) return [];
    const allowed = new Set(rulesOf(origin).map(({ id }) => id));
    const added = rulesOf(phase).find(({ id }) => !allowed.has(id));
    if (added === undefined) return [];
    const message = `generated containment \`${phase.id}\` has rule \`${added.id}\`, which its origin \`${origin.id}\` has not; give it the rules of its origin`;
    return [{ at: phaseKey(phase), code: "CONTAINMENT_WIDENS", message, trace: [`\`${added.id}\`: ${added.says}`] }];
  });
}

function rulesOf(phase: Phase): readonly Rule[] {
  return [...phase.rules, ...phase.steps.flatMap((step) => step.rules)];
}

interface Widening {
  readonly phase: Phase;
  readonly origin: Phase;
  readonly own: readonly Beyond[];
  readonly shared: readonly Beyond[];
}

interface Beyond {
  readonly rule: Rule;
  readonly says: string;
}

function widenings(spec: Checked): readonly Widening[] {
  const { plant, lifecycle } = spec;
  const lists = phaseLists(plant, lifecycle);
  const origins = originsOf(lifecycle);
  const written = lifecycle.phases.filter(({ containment, mask }) => containment && mask === undefined);
  return written.flatMap((phase) =>
    origins(phase).map((origin) => {
      const beyond = LAYERS.flatMap((layer) => beyondOrigin(spec, lists, phase, origin, layer));
      return {
        phase,
        origin,
        own: beyond.filter(({ rule }) => !isInherited(lifecycle, phase, rule)),
        shared: beyond.filter(({ rule }) => isInherited(lifecycle, phase, rule)),
      };
    }),
  );
}

/** Every phase of a group has the group's rules; one around containments alone is written for them. */
function isInherited({ phases }: Lifecycle, { id }: Phase, rule: Rule): boolean {
  const path = id.split(".");
  return path.slice(0, -1).some((_, depth) => {
    const prefix = `${path.slice(0, depth + 1).join(".")}.`;
    const group = phases.filter((phase) => phase.mask === undefined && phase.id.startsWith(prefix));
    return group.some(({ containment }) => !containment) && group.every(({ rules }) => rules.includes(rule));
  });
}

/** Commands as the HMI layer judges them; of the PLC layer what the control program puts out. */
function beyondOrigin(spec: Checked, lists: PhaseLists, phase: Phase, origin: Phase, layer: Layer): readonly Beyond[] {
  const { plant, lifecycle } = spec;
  const before = lists.of(origin, layer);
  return [...lists.of(phase, layer).values()]
    .filter(({ operation }) => layer === "hmi" || operation === "output")
    .flatMap((permission) =>
      excessOf(plant, lifecycle, permission, before.get(permission.key)).flatMap((excess) =>
        inWords(spec, permission, excess),
      ),
    );
}

function inWords({ plant, lifecycle }: Checked, permission: Permission, excess: Excess): readonly Beyond[] {
  const { source, operation, tag: id, raw, target } = permission;
  const who = source === "program" ? "the control program" : source;
  const what = `${who} may ${operation} ${id ?? raw ?? target}`;
  const tag = id === undefined ? undefined : bookOf(plant, lifecycle).tag(id);
  if (excess.kind === "absent") return permission.grants.map(({ rule }) => ({ rule, says: what }));
  const { rule } = excess.grant;
  if (excess.kind === "limits") return [{ rule, says: `${what} with less asked for (${excess.limits.join(", ")})` }];
  return [{ rule, says: tag === undefined ? what : `${what}: ${valuesInWords(tag, excess.values)}` }];
}
