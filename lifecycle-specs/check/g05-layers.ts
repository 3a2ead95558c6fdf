import type { Layer } from "../decide/observation.ts";
import type { Lifecycle, Rule } from "../lifecycle.ts";
import { allRules, effectiveRules } from "../positions.ts";
import { unsayable } from "./carry.ts";
import { looser } from "./limits.ts";
import { pairsByOpcUaOnly, pairsOf } from "./pairs.ts";
import { placesOf } from "./places.ts";
import type { Checked, RawFinding } from "./report.ts";
import { valuesInWords } from "./values.ts";
import { type Book, bookOf, type Entry } from "./whitelist.ts";

const BELOW: readonly Layer[] = ["switch", "plc"];

/**
 * allowed(HMI) ⊆ allowed(switch) ⊆ allowed(PLC), rule by rule. All layers hold the same rules in the same position, and a mask takes
 * a rule from a sender on each layer alike (from a variable, where no sender is left). So what is shown for each rule by itself holds
 * for the whitelist of every position, generated containments included.
 */
export function layersAreNested({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const places = placesOf(lifecycle);
  return allRules(lifecycle).flatMap((rule): readonly RawFinding[] => {
    if (rule.operation === "output") return [];
    for (const entry of book.entriesOf(rule, "hmi")) {
      for (const layer of BELOW) {
        const below = belowOf(book, rule, entry, layer);
        const found = below === undefined ? undefined : problemOf(book, rule, entry, below, layer);
        if (found === undefined) continue;
        const trace = [`in ${placeInWords(places.get(rule)?.[0] ?? "")}`, ...found.trace];
        return [{ at: `rule:${rule.id}`, code: found.code, message: found.message, trace }];
      }
    }
    return [];
  });
}

/** The same command one layer down; undefined: that layer does not judge it, or no link carries it, which is found elsewhere. */
function belowOf(book: Book, rule: Rule, { permission }: Entry, layer: Layer): Entry | undefined {
  const { target, tag, raw, operation } = permission;
  return book
    .entriesOf(rule, layer)
    .find(
      (entry) =>
        (layer === "plc" || entry.permission.source === permission.source) &&
        entry.permission.target === target &&
        entry.permission.operation === operation &&
        entry.permission.tag === tag &&
        entry.permission.raw === raw,
    );
}

type Problem = Pick<RawFinding, "code" | "message"> & { readonly trace: readonly string[] };

function problemOf(book: Book, rule: Rule, above: Entry, below: Entry, layer: Layer): Problem | undefined {
  const { source, operation, tag: id, target } = above.permission;
  const command = `${source} may ${operation} ${id ?? target}`;
  const tighter = looser(above.grant.limits, below.grant.limits);
  if (tighter.length > 0) {
    const message = `rule \`${rule.id}\`: the ${layer} layer is stricter than the HMI layer in \`${tighter.join("`, `")}\`; a skew below zero turns the layers round`;
    return {
      code: "LAYER_STRICTER",
      message,
      trace: [`HMI layer: ${command}`, `${layer} layer: denied for ${tighter.join(", ")}`],
    };
  }
  const tag = id === undefined ? undefined : book.tag(id);
  // Values of safety commands are looked after under G2.
  if (tag === undefined || rule.safety || above.grant.values === undefined || below.grant.values === undefined)
    return undefined;
  const left = unsayable(tag, above.grant.values, below.grant.values);
  if (left.length === 0) return undefined;
  const lost = valuesInWords(tag, left);
  const message = `rule \`${rule.id}\` allows ${lost} for \`${tag.id}\`, and its binding has no number for that; name values that the binding can carry, or correct its type or scale`;
  return {
    code: "VALUE_UNSAYABLE",
    message,
    trace: [`HMI layer: ${command}: ${lost}`, `${layer} layer: ${valuesInWords(tag, below.grant.values)}`],
  };
}

export function placeInWords(place: string): string {
  const [phase, step] = place.split("/");
  if (phase === undefined || phase === "") return "every phase";
  return step === undefined || step === "" ? `phase \`${phase}\`` : `step \`${step}\` of phase \`${phase}\``;
}

/** Whoever speaks OPC UA needs a session first (OPC 10000-4 §5.7): a command without a way to open one has no path. */
export function commandsHaveSessions({ plant, lifecycle }: Checked): readonly RawFinding[] {
  const book = bookOf(plant, lifecycle);
  const sessions = new Map<Rule, readonly string[]>();
  const needs = new Map<Rule, readonly string[]>();
  for (const rule of allRules(lifecycle)) {
    if (rule.operation === "session") sessions.set(rule, pairsOf(book, rule));
    else needs.set(rule, pairsByOpcUaOnly(plant, book, rule));
  }
  const found = new Map<Rule, RawFinding>();
  for (const { rules, at } of positionsOf(lifecycle)) {
    const open = new Set(rules.flatMap((rule) => sessions.get(rule) ?? []));
    for (const rule of rules) {
      const without = found.has(rule) ? undefined : needs.get(rule)?.find((pair) => !open.has(pair));
      if (without === undefined) continue;
      const [client, server] = without.split(" ");
      const message = `rule \`${rule.id}\` needs an OPC UA session from ${client} to ${server}, and in ${at} no rule allows that; add \`may: session\` for them`;
      const trace = [
        `in ${at}`,
        `HMI layer: ${client} may ${rule.operation} at ${server}`,
        `switch layer: no session can be opened`,
      ];
      found.set(rule, { at: `rule:${rule.id}`, code: "PATH_WITHOUT_SESSION", message, trace });
    }
  }
  return [...found.values()];
}

/** Every written position with its rules. */
export function positionsOf(lifecycle: Lifecycle): readonly { readonly at: string; readonly rules: readonly Rule[] }[] {
  return lifecycle.phases
    .filter(({ mask }) => mask === undefined)
    .flatMap((phase) =>
      (phase.steps.length === 0 ? [undefined] : phase.steps).map((step) => ({
        at: placeInWords(`${phase.id}/${step?.id ?? ""}`),
        rules: effectiveRules(lifecycle, phase, step),
      })),
    );
}
