import type { DeviceId, PhaseId, StepId, TagId } from "../ids.ts";
import type { Condition, Lifecycle, Rule } from "../lifecycle.ts";
import type { Link, Plant } from "../plant.ts";
import { allRules } from "../positions.ts";
import { linksFor } from "./carry.ts";
import { linksOfRule, showsRoles, sightOf } from "./observe.ts";
import { isAround, placesOf } from "./places.ts";
import type { Checked, RawFinding } from "./report.ts";
import { type Book, bookOf } from "./whitelist.ts";

/** A tag is observed in the scan of the guarded PLC that holds it, or in messages that some rule allows and some layer sees. */
export function conditionsAreObservable({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const { seesTag } = sightOf(plant, lifecycle);
  return placedConditions(lifecycle).flatMap(({ at, what, condition }): readonly RawFinding[] => {
    const tag = condition.all.find(
      (part) => !(["hmi", "switch", "plc"] as const).some((layer) => seesTag(layer, part.tag)),
    )?.tag;
    if (tag === undefined) return [];
    const message = `${what} depends on \`${tag}\`, which no enforcement point can observe; hold the tag in a PLC with a guard, or let somebody read it over a link that is not opaque`;
    return [{ at, code: "CONDITION_UNOBSERVABLE", message }];
  });
}

/** The PLC layer judges inside the PLC that holds the tag, and sees that PLC's tags only. */
export function causesAreLocal({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const holder = new Map<TagId, DeviceId>(plant.tags.map(({ id, device }) => [id, device]));
  return allRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    if (rule.operation !== "write" && rule.operation !== "output") return [];
    const causes = [...(rule.causality?.after?.all ?? []), ...(rule.causality?.notWhile?.all ?? [])];
    const far = causes.find(({ tag }) => rule.targets.some((target) => target !== holder.get(tag)));
    if (far === undefined) return [];
    const message = `rule \`${rule.id}\` on ${rule.targets.join(", ")} depends on \`${far.tag}\` of ${holder.get(far.tag)}, which the PLC layer there cannot see; name a tag of the same PLC, or split the rule by PLC`;
    return [{ at: `rule:${rule.id}`, code: "CAUSE_OTHER_DEVICE", message }];
  });
}

/** Every rule has a link that carries it; those of safety rules are looked after under G2. */
export function rulesHaveLinks({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  return allRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    if (rule.operation === "output" || rule.safety) return [];
    const missing = missingLink(plant, book, rule);
    if (missing === undefined) return [];
    if (missing.byForm !== undefined) {
      const message = `rule \`${rule.id}\` allows \`${missing.source}\` nothing of \`${missing.byForm}\`: no message over a declared link to \`${missing.target}\` has the form that it asks for; name another function or a larger quantity`;
      return [{ at: `rule:${rule.id}`, code: "FORM_UNUSABLE", message }];
    }
    const message = `rule \`${rule.id}\` allows \`${missing.source}\` what no declared link to \`${missing.target}\` carries; declare the link in plant.yaml or remove the device`;
    return [{ at: `rule:${rule.id}`, code: "RULE_WITHOUT_LINK", message }];
  });
}

interface Missing {
  readonly source: string;
  readonly target: string;
  /** What could be reached, were it not for the form that the rule asks for. */
  readonly byForm: string | undefined;
}

function missingLink(plant: Plant, book: Book, rule: Rule): Missing | undefined {
  for (const { permission, sender } of book.entriesOf(rule, "hmi")) {
    const { target, operation, tag: id, raw } = permission;
    const [client, server] = operation === "report" ? [target, sender] : [sender, target];
    const tag = id === undefined ? undefined : book.tag(id);
    const subject = { ...(tag === undefined ? {} : { tag }), ...(raw === undefined ? {} : { raw }) };
    const links = book.linksBetween(client, server);
    if (linksFor(plant, links, operation, subject, rule.form).length > 0) continue;
    const byForm = linksFor(plant, links, operation, subject).length > 0 ? (id ?? server) : undefined;
    return { source: sender, target, byForm };
  }
  return undefined;
}

/** A role that nobody sees is none: the rule would deny whoever asks, and look as if it allowed somebody. */
export function rolesAreSeen({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  return allRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    if (rule.roles === undefined) return [];
    const blind = linksOfRule(plant, book, rule).find((link) => !showsRoles(link));
    if (blind === undefined) return [];
    const message = `rule \`${rule.id}\` asks for a role, and over link \`${blind.id}\` no layer can see one; ${howToSee(blind)}`;
    return [{ at: `rule:${rule.id}`, code: "ROLE_UNSEEN", message }];
  });
}

function howToSee({ protocol, opaque, mode }: Link): string {
  if (opaque || mode === "off") return "use a link that is looked into, or leave `roles` out";
  return protocol === "modbus"
    ? "mark it `tls: true` where clients come with certificates, or leave `roles` out"
    : "leave `roles` out";
}

/** A signed channel has one denial, its end: the client is not told why, and everything else that it asked for ends with it. */
export function denialsCanBeAnswered({ plant: { links } }: Checked): readonly RawFinding[] {
  return links.flatMap(({ id, way }): readonly RawFinding[] => {
    if (way !== "signed") return [];
    const message = `link \`${id}\` is signed from end to end: what is denied there can only end the channel, and nothing can be answered, put in or left out; declare \`way: ended\` where denials must be answered`;
    return [{ at: `link:${id}`, code: "DENIAL_ENDS_CHANNEL", message }];
  });
}

/** A call is judged item by item: the method, then each of its arguments. One without a rule, and no call ever passes. */
export function callsAreComplete({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const places = placesOf(lifecycle);
  const callable = [...places.keys()].filter(({ operation }) => operation === "call");
  return callable.flatMap((rule): readonly RawFinding[] => {
    const beside = callable.filter(
      (other) => isAround(places.get(other) ?? [], places.get(rule) ?? []) && (other.safety || !rule.safety),
    );
    const allowed = new Set(beside.flatMap((other) => book.entriesOf(other, "hmi").map(({ key }) => key)));
    for (const { permission, sender } of book.entriesOf(rule, "hmi")) {
      const method = permission.tag === undefined ? undefined : book.tag(permission.tag);
      const missing = method?.opcua?.arguments?.find(
        (argument) => !allowed.has(`${sender} call ${argument} ${permission.target}`),
      );
      if (method === undefined || missing === undefined) continue;
      const message = `rule \`${rule.id}\` lets ${sender} call \`${method.id}\`, and no ${rule.safety ? "safety " : ""}rule that holds with it allows its argument \`${missing}\`, so every call is denied; add \`${missing}\` to the tags of a rule`;
      return [{ at: `rule:${rule.id}`, code: rule.safety ? "SAFETY_LOST" : "CALL_INCOMPLETE", message }];
    }
    return [];
  });
}

/** Each zone's phase decides about messages to its own servers, so a rule on another zone's is never asked. */
export function rulesStayInTheirZone({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const found = new Map<Rule, RawFinding>();
  for (const { id, zone, rules, steps } of written) {
    for (const rule of [...rules, ...steps.flatMap((step) => step.rules)]) {
      const servers = rule.operation === "report" ? rule.from : rule.targets;
      const far = servers.find((server) => server !== "program" && book.zoneOf(server) !== zone);
      if (far === undefined || far === "program" || found.has(rule)) continue;
      const message = `rule \`${rule.id}\` stands in phase \`${id}\` of zone \`${zone}\` and is about \`${far}\` of zone \`${book.zoneOf(far) ?? "none"}\`, whose own phase decides; move it to a phase of that zone`;
      found.set(rule, { at: `rule:${rule.id}`, code: "RULE_OTHER_ZONE", message });
    }
  }
  return [...found.values()];
}

interface PlacedCondition {
  readonly at: string;
  readonly what: string;
  readonly condition: Condition;
}

/** Every condition of the lifecycle, with where it is written. Those of generated containments are their origins'. */
function placedConditions(lifecycle: Lifecycle): readonly PlacedCondition[] {
  const causes = allRules(lifecycle).flatMap(({ id, causality }) =>
    [causality?.after, causality?.notWhile].flatMap((condition) =>
      condition === undefined ? [] : { at: `rule:${id}`, what: `rule \`${id}\``, condition },
    ),
  );
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const steps = written.flatMap((phase) =>
    phase.steps.flatMap(({ id, next }) =>
      next.flatMap((way) =>
        way.event === "condition" ? { at: stepKey(phase.id, id), what: `step \`${id}\``, condition: way.when } : [],
      ),
    ),
  );
  const exits = written.flatMap(({ id, transitions }) =>
    transitions.flatMap(({ when }, index) =>
      when === undefined ? [] : { at: `exit:${id}/${index}`, what: `a transition of phase \`${id}\``, condition: when },
    ),
  );
  return [...causes, ...steps, ...exits];
}

function stepKey(phase: PhaseId, step: StepId): string {
  return `step:${phase}/${step}`;
}
