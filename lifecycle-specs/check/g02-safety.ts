import type { Layer } from "../decide/observation.ts";
import type { Lifecycle, Phase, Rule } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { allRules } from "../positions.ts";
import { unsayable } from "./carry.ts";
import { pairsByOpcUaOnly, pairsOf } from "./pairs.ts";
import type { Checked, RawFact, RawFinding } from "./report.ts";
import { valuesInWords, valuesOf } from "./values.ts";
import { type Book, bookOf, type Entry, permissionsOfRules } from "./whitelist.ts";

/** A safety command holds in every position of the decision tables; a file that shows it in one phase only misleads its reader. */
export function safetyHoldsEverywhere({ lifecycle }: Checked): readonly RawFinding[] {
  const everywhere = new Set(lifecycle.rules.map(({ id }) => id));
  return safetyRules(lifecycle)
    .filter(({ id }) => !everywhere.has(id))
    .map(({ id }) => ({
      at: `rule:${id}`,
      code: "SAFETY_NOT_EVERYWHERE",
      message: `safety rule \`${id}\` holds in every phase but is declared in one; move it to the rules at the top`,
    }));
}

/** A condition on a safety command either denies it or is not judged; both are wrong in a file that people rely on. */
export function safetyIsUnconditional({ lifecycle }: Checked): readonly RawFinding[] {
  return safetyRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    const conditions = conditionsOf(rule);
    if (conditions.length === 0) return [];
    const message = `safety rule \`${rule.id}\` asks for \`${conditions.join("`, `")}\`, and a safety command has no conditions but its values and its rate; remove that, or \`safety\``;
    return [{ at: `rule:${rule.id}`, code: "SAFETY_CONDITIONAL", message }];
  });
}

function conditionsOf({ causality, value, roles }: Rule): readonly string[] {
  const { after, notWhile, follows, apart } = causality ?? {};
  const { maxStep, rampPerS, staleMs } = value ?? {};
  const parts = { roles, after, notWhile, follows, apart, maxStep, ramp: rampPerS, stale: staleMs };
  return Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [] : [name]));
}

/** What a safety rule promises must be there on each layer: a link that carries it, and every value that it names. */
export function safetySurvivesProjection({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  return safetyRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    const lost = [...promised(book, rule)].flatMap(([key, entry]) => missingBelow(book, rule, key, entry));
    const [first] = lost;
    if (first === undefined) return [];
    const message = `safety rule \`${rule.id}\` cannot be carried out: ${first}; change the link, the binding or the rule`;
    return [{ at: `rule:${rule.id}`, code: "SAFETY_LOST", message, trace: lost }];
  });
}

/** Commands of the rule as they are promised, by key. */
function promised(book: Book, rule: Rule): ReadonlyMap<string, Entry> {
  return new Map(book.entriesOf(rule, rule.operation === "output" ? "plc" : "hmi").map((entry) => [entry.key, entry]));
}

function missingBelow(book: Book, rule: Rule, key: string, { permission, sender }: Entry): readonly string[] {
  if (rule.operation === "output") return [];
  const { target, operation, tag: id, raw } = permission;
  const what = `${sender} may ${operation} ${id ?? raw ?? target}`;
  const crossing = book.entriesOf(rule, "switch").find((entry) => entry.key === key);
  if (crossing === undefined) return [`${what}, and no link from ${sender} to ${target} carries it`];
  const tag = id === undefined ? undefined : book.tag(id);
  if (tag === undefined || crossing.grant.values === undefined) return [];
  const left = unsayable(tag, valuesOf(tag, rule.value), crossing.grant.values);
  if (left.length === 0 && crossing.grant.values.length > 0) return [];
  return [`${what}, and its binding has no number for ${valuesInWords(tag, left)}`];
}

/** Over OPC UA a command needs a session (OPC 10000-4 §5.7), and one that a containment can close is no way for a safety command. */
export function safetyHasSessions({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const sessions = new Set(
    book.safety.filter(({ operation }) => operation === "session").flatMap((rule) => pairsOf(book, rule)),
  );
  return safetyRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    const without = pairsByOpcUaOnly(plant, book, rule).filter((pair) => !sessions.has(pair));
    const [first] = without;
    if (first === undefined) return [];
    const message = `safety rule \`${rule.id}\` needs an OPC UA session from ${first.replace(" ", " to ")}, and no safety rule allows that; mark the rule for the session \`safety: true\`, or bind the tag to Modbus as well`;
    const trace = [
      "no phase is held, or a containment of level `cut` is in force: only safety rules hold",
      `${first.replace(" ", " opens a session with ")}: denied`,
      `\`${rule.id}\` cannot be sent`,
    ];
    return [{ at: `rule:${rule.id}`, code: "SAFETY_WITHOUT_SESSION", message, trace }];
  });
}

/**
 * How often safety commands were found in the whitelists: every safety rule, in every step of every phase of its zone, generated
 * containments included, on every layer that judges it, and where no phase is held. Window lists are joined with these rules.
 */
export function safetyIsEverywhere({ plant, lifecycle }: Checked): readonly RawFact[] {
  const book = bookOf(plant, lifecycle);
  return book.safety.map((rule) => {
    const phases = lifecycle.phases.filter((phase) =>
      LAYERS.every((layer) => isHeld(plant, lifecycle, book, phase, rule, layer)),
    );
    const excess = rule.cadence === undefined ? "" : "; beyond its rate it is reported and passes";
    return {
      at: `rule:${rule.id}`,
      guarantee: "G2",
      fact: `\`${rule.id}\` passes in ${phases.length} of ${lifecycle.phases.length} phases, in every window, and where no phase is held${excess}`,
      detail: { rule: rule.id, phases: phases.length, of: lifecycle.phases.length },
    };
  });
}

const LAYERS: readonly Layer[] = ["hmi", "switch", "plc"];

function isHeld(plant: Plant, lifecycle: Lifecycle, book: Book, phase: Phase, rule: Rule, layer: Layer): boolean {
  const held = permissionsOfRules(plant, lifecycle, phase, [], layer);
  return book
    .entriesOf(rule, layer)
    .filter(({ zone }) => zone === phase.zone)
    .every(({ key }) => held.get(key)?.grants.some((grant) => grant.rule === rule && grant.limits.rates.length === 0));
}

function safetyRules(lifecycle: Lifecycle): readonly Rule[] {
  return allRules(lifecycle).filter(({ safety }) => safety);
}
