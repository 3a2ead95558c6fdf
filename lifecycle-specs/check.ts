import type { Diagnostic, DiagnosticCode, Locate } from "./diagnostic.ts";
import { MAX_DIAGNOSTICS } from "./diagnostic.ts";
import type { PhaseId, StepId, TagId } from "./ids.ts";
import { type Condition, type Lifecycle, LOCI, type Phase, type Rule } from "./lifecycle.ts";
import type { Plant, Tag } from "./plant.ts";
import { allRules, findPhase } from "./positions.ts";

/** What is to be checked; `locate` comes with a loaded plant, and without it every position is line 1. */
export interface Checked {
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly locate?: Locate;
}

/** A finding before it has a position. */
interface Finding {
  readonly at: string;
  readonly code: DiagnosticCode;
  readonly message: string;
}

const CHECKS: readonly ((spec: Checked) => readonly Finding[])[] = [
  phasesAreReachable,
  phasesCanBeLeft,
  stepsAreReachable,
  stepsCanBeLeft,
  requestsAreUnambiguous,
  containmentsLeadToContainment,
  containmentsCoverAllLoci,
  containmentsAreNotShadowed,
  safetyHoldsEverywhere,
  conditionsAreObservable,
  causesAreLocal,
  rulesHaveLinks,
];

/** What a lifecycle means, beyond every name being declared. In the order of the files; at most `MAX_DIAGNOSTICS`. */
export function checkSpec(spec: Checked): readonly Diagnostic[] {
  const locate: Locate = spec.locate ?? (() => ({ file: "lifecycle.yaml", line: 1, column: 1 }));
  return CHECKS.flatMap((check) => check(spec))
    .map(({ at, code, message }) => ({ ...locate(at), code, message }))
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .slice(0, MAX_DIAGNOSTICS);
}

function phasesAreReachable({ lifecycle }: Checked): readonly Finding[] {
  const reached = closure<PhaseId>([lifecycle.initial, lifecycle.isolated], (id) => [
    ...(findPhase(lifecycle, id)?.transitions ?? []).map(({ to }) => to),
    ...lifecycle.containments.filter(({ from }) => from.includes(id)).map(({ to }) => to),
  ]);
  return lifecycle.phases
    .filter(({ id }) => !reached.has(id))
    .map(({ id }) =>
      finding(
        `phase:${id}`,
        "PHASE_UNREACHABLE",
        `nothing leads to phase \`${id}\`; add a transition or a containment to it, or remove it`,
      ),
    );
}

function phasesCanBeLeft({ lifecycle }: Checked): readonly Finding[] {
  return lifecycle.phases
    .filter(({ id, transitions }) => transitions.every(({ to }) => to === id))
    .map(({ id }) =>
      finding(
        `phase:${id}`,
        "PHASE_STUCK",
        `no transition leads out of phase \`${id}\`; add one, or the plant stays there for good`,
      ),
    );
}

function stepsAreReachable({ lifecycle }: Checked): readonly Finding[] {
  return lifecycle.phases.flatMap((phase) => {
    const begin = phase.initial === undefined ? [] : [phase.initial];
    const reached = closure<StepId>(
      begin,
      (id) => phase.steps.find((step) => step.id === id)?.next.map(({ to }) => to) ?? [],
    );
    return phase.steps
      .filter(({ id }) => !reached.has(id))
      .map(({ id }) =>
        finding(
          stepKey(phase, id),
          "STEP_UNREACHABLE",
          `no step leads to \`${id}\` of phase \`${phase.id}\`; name it in a \`next\`, or remove it`,
        ),
      );
  });
}

function stepsCanBeLeft({ lifecycle }: Checked): readonly Finding[] {
  return lifecycle.phases.flatMap((phase) =>
    phase.steps
      .filter(({ id, next, maxMs }) => maxMs === undefined && next.every(({ to }) => to === id))
      .map(({ id }) =>
        finding(
          stepKey(phase, id),
          "STEP_STUCK",
          `nothing leads out of step \`${id}\` and staying in it is never reported; give it a \`next\` or a \`max\``,
        ),
      ),
  );
}

function requestsAreUnambiguous({ lifecycle }: Checked): readonly Finding[] {
  return lifecycle.phases.flatMap((phase) => {
    const seen = new Set<string>();
    return phase.transitions.flatMap((exit, index) => {
      if (exit.event !== "operator") return [];
      const known = seen.has(exit.request);
      seen.add(exit.request);
      if (!known) return [];
      return finding(
        `exit:${phase.id}/${index}`,
        "TRANSITION_AMBIGUOUS",
        `phase \`${phase.id}\` answers request \`${exit.request}\` twice; rename one of the two`,
      );
    });
  });
}

function containmentsLeadToContainment({ lifecycle }: Checked): readonly Finding[] {
  const isContainment = (id: PhaseId) => findPhase(lifecycle, id)?.containment === true;
  const isolated = isContainment(lifecycle.isolated)
    ? []
    : [
        finding(
          "isolated",
          "ISOLATED_NOT_CONTAINMENT",
          `the isolated phase \`${lifecycle.isolated}\` is not marked; add \`containment: true\` to it, or name another`,
        ),
      ];
  const entries = lifecycle.containments.flatMap(({ to }, index) =>
    isContainment(to)
      ? []
      : finding(
          `containment:${index}`,
          "CONTAINMENT_TARGET",
          `the containment leads to \`${to}\`, which is not marked; add \`containment: true\` to that phase, or name another`,
        ),
  );
  return [...isolated, ...entries];
}

/** Where some locus has a containment, a detection with another locus must not find the plant without one. */
function containmentsCoverAllLoci({ lifecycle }: Checked): readonly Finding[] {
  return lifecycle.phases.flatMap(({ id }) => {
    const entries = lifecycle.containments.filter(({ from }) => from.includes(id));
    const covered = new Set(entries.filter(({ tags }) => tags === undefined).flatMap(({ locus }) => locus));
    const missing = LOCI.filter((locus) => !covered.has(locus));
    if (entries.length === 0 || missing.length === 0) return [];
    return finding(
      `phase:${id}`,
      "CONTAINMENT_GAP",
      `phase \`${id}\` has containments, but none for every attack at ${missing.join(", ")}; add \`${id}\` to the \`from\` of an entry for these`,
    );
  });
}

function containmentsAreNotShadowed({ lifecycle }: Checked): readonly Finding[] {
  return lifecycle.containments.flatMap((entry, index) => {
    const earlier = lifecycle.containments.slice(0, index).filter(({ tags }) => tags === undefined);
    const free = entry.from.some(
      (phase) =>
        !earlier.some(({ from, locus }) => from.includes(phase) && entry.locus.every((word) => locus.includes(word))),
    );
    if (free) return [];
    return finding(
      `containment:${index}`,
      "CONTAINMENT_SHADOWED",
      "earlier entries fit wherever this one does; move it up or remove it",
    );
  });
}

/** A safety command holds in every position of the decision tables; a file that shows it in one phase only misleads its reader. */
function safetyHoldsEverywhere({ lifecycle }: Checked): readonly Finding[] {
  const everywhere = new Set(lifecycle.rules.map(({ id }) => id));
  return allRules(lifecycle)
    .filter(({ id, safety }) => safety && !everywhere.has(id))
    .map(({ id }) =>
      finding(
        `rule:${id}`,
        "SAFETY_NOT_EVERYWHERE",
        `safety rule \`${id}\` holds in every phase but is declared in one; move it to the rules at the top`,
      ),
    );
}

/** A tag is observed in the scan of the PLC that holds it, or in messages to a server it is bound to. */
function conditionsAreObservable({ plant, lifecycle }: Checked): readonly Finding[] {
  const isSeen = (tag: Tag) => tag.modbus !== undefined || tag.opcua !== undefined || roleOf(plant, tag) === "plc";
  const unseen = new Set(plant.tags.filter((tag) => !isSeen(tag)).map(({ id }) => id));
  return placedConditions(lifecycle).flatMap(({ at, what, condition }) => {
    const tag = condition.all.find((comparison) => unseen.has(comparison.tag))?.tag;
    if (tag === undefined) return [];
    return finding(
      at,
      "CONDITION_UNOBSERVABLE",
      `${what} depends on \`${tag}\`, which no enforcement point can observe; bind the tag to a protocol or hold it in a PLC`,
    );
  });
}

/** The PLC layer judges inside the PLC that holds the tag, and sees that PLC's tags only. */
function causesAreLocal({ plant, lifecycle }: Checked): readonly Finding[] {
  const deviceOf = (id: TagId) => plant.tags.find((tag) => tag.id === id)?.device;
  return allRules(lifecycle).flatMap((rule) => {
    if (rule.operation !== "write" && rule.operation !== "output") return [];
    const far = rule.causality?.after.all.find(({ tag }) => rule.targets.some((target) => target !== deviceOf(tag)));
    if (far === undefined) return [];
    const says = `rule \`${rule.id}\` on ${rule.targets.join(", ")} depends on \`${far.tag}\` of ${deviceOf(far.tag)}, which the PLC layer there cannot see; name a tag of the same PLC, or split the rule by PLC`;
    return finding(`rule:${rule.id}`, "CAUSE_OTHER_DEVICE", says);
  });
}

function rulesHaveLinks({ plant, lifecycle }: Checked): readonly Finding[] {
  return allRules(lifecycle).flatMap((rule) => {
    const missing = missingLink(plant, rule);
    if (missing === undefined) return [];
    return finding(
      `rule:${rule.id}`,
      "RULE_WITHOUT_LINK",
      `rule \`${rule.id}\` allows \`${missing.source}\` what no declared link to \`${missing.target}\` carries; declare the link in plant.yaml or remove the device`,
    );
  });
}

function missingLink(plant: Plant, rule: Rule): { source: string; target: string } | undefined {
  for (const source of rule.from) {
    if (source === "program") continue;
    for (const target of rule.targets) {
      const links = plant.links.filter((link) => link.client === source && link.server === target);
      const tags = plant.tags.filter((tag) => tag.device === target && rule.tags.includes(tag.id));
      const carried = tags.every((tag) => links.some(({ protocol }) => tag[protocol] !== undefined));
      if (links.length === 0 || !carried) return { source, target };
    }
  }
  return undefined;
}

interface PlacedCondition {
  readonly at: string;
  readonly what: string;
  readonly condition: Condition;
}

function placedConditions(lifecycle: Lifecycle): readonly PlacedCondition[] {
  const causes = allRules(lifecycle).flatMap(({ id, causality }) =>
    causality === undefined ? [] : { at: `rule:${id}`, what: `rule \`${id}\``, condition: causality.after },
  );
  const steps = lifecycle.phases.flatMap((phase) =>
    phase.steps.flatMap(({ id, next }) =>
      next.map(({ when }) => ({ at: stepKey(phase, id), what: `step \`${id}\``, condition: when })),
    ),
  );
  const exits = lifecycle.phases.flatMap(({ id, transitions }) =>
    transitions.flatMap(({ when }, index) =>
      when === undefined ? [] : { at: `exit:${id}/${index}`, what: `a transition of phase \`${id}\``, condition: when },
    ),
  );
  return [...causes, ...steps, ...exits];
}

function roleOf(plant: Plant, tag: Tag) {
  return plant.devices.find(({ id }) => id === tag.device)?.role;
}

function stepKey(phase: Phase, step: StepId): string {
  return `step:${phase.id}/${step}`;
}

function finding(at: string, code: DiagnosticCode, message: string): Finding {
  return { at, code, message };
}

/** Everything that can be reached from `start`. */
function closure<T>(start: readonly T[], next: (from: T) => readonly T[]): ReadonlySet<T> {
  const found = new Set(start);
  for (const item of found) for (const reached of next(item)) found.add(reached);
  return found;
}
