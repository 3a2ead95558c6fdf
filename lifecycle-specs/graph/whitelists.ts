import type { PhaseId } from "../ids.ts";
import type { Lifecycle, Phase, Rule } from "../lifecycle.ts";
import { throughMask } from "../mask.ts";
import type { Plant } from "../plant.ts";
import { ruleInWords, type TagOf, tagsOf } from "../words.ts";
import { maskInWords } from "./boxes.ts";
import type { PictureOptions } from "./picture.ts";

/** What may happen in one state besides what may happen in the states around it. */
export interface Whitelist {
  /** `in every phase`, `normal`, `normal / produce`. */
  readonly title: string;
  readonly says: string;
  readonly entries: readonly WhitelistEntry[];
}

export interface WhitelistEntry {
  /** The sentence of the file. */
  readonly says: string;
  /** The same, exactly: `hmi-1 may write FIC101.SP: 20-40 m³/h`. */
  readonly words: string;
  /** The rule's id. */
  readonly rule: string;
}

/**
 * The whitelist of every state, from the widest to the narrowest: every phase, each group, each phase, each step. A rule stands
 * once, where it holds as a whole. Generated containments are told as what their mask withholds.
 */
export function whitelistsOf(plant: Plant, lifecycle: Lifecycle, options: PictureOptions = {}): readonly Whitelist[] {
  const tagOf = tagsOf(plant);
  const tell = (rules: readonly Rule[]): readonly WhitelistEntry[] =>
    rules.map((rule) => ({ says: rule.says, words: ruleInWords(rule, plant, tagOf), rule: rule.id }));
  const written = lifecycle.phases.filter(({ mask }) => mask === undefined);
  const groups = groupsOf(written);
  const wanted = (phase: Phase): boolean => options.phase === undefined || phase.id === options.phase;
  const told = new Set<string>();
  const lists: Whitelist[] = [{ title: "in every phase", says: "", entries: tell(lifecycle.rules) }];
  for (const phase of lifecycle.phases.filter(wanted)) {
    if (phase.mask !== undefined) {
      if (options.all === true || options.phase !== undefined) lists.push(masked(plant, lifecycle, phase, tagOf));
      continue;
    }
    const around = groups.filter(({ name }) => phase.id.startsWith(`${name}.`));
    for (const group of around.filter(({ name, rules }) => rules.length > 0 && !told.has(name))) {
      told.add(group.name);
      lists.push({ title: `${group.name} (all its phases)`, says: "", entries: tell(group.rules) });
    }
    const shared = new Set(around.flatMap(({ rules }) => rules));
    const own = phase.rules.filter((rule) => !shared.has(rule));
    lists.push({ title: phase.id, says: phase.says, entries: tell(own) });
    for (const { id, says, rules } of phase.steps)
      lists.push({ title: `${phase.id} / ${id}`, says, entries: tell(rules) });
  }
  return lists.filter(({ title, entries }) => entries.length > 0 || title !== "in every phase");
}

interface Group {
  readonly name: string;
  /** Of every phase in the group, and not of every phase of a group around it. */
  readonly rules: readonly Rule[];
}

/** Groups of at least two phases: what all of them allow is told once. */
function groupsOf(phases: readonly Phase[]): readonly Group[] {
  const names = new Set(phases.flatMap(({ id }) => prefixesOf(id)));
  const told = new Map<string, readonly Rule[]>();
  for (const name of names) {
    const inside = phases.filter(({ id }) => id.startsWith(`${name}.`));
    const [first, ...others] = inside;
    if (first === undefined || others.length === 0) continue;
    const outer = new Set([...told].flatMap(([around, rules]) => (name.startsWith(`${around}.`) ? rules : [])));
    const rules = first.rules.filter((rule) => !outer.has(rule) && others.every((phase) => phase.rules.includes(rule)));
    told.set(name, rules);
  }
  return [...told].map(([name, rules]) => ({ name, rules }));
}

/** `a` and `a.b` of `a.b.c`. */
function prefixesOf(id: PhaseId): readonly string[] {
  const path = id.split(".");
  return path.slice(1).map((_, index) => path.slice(0, index + 1).join("."));
}

/** A generated containment: its origin's whitelist, and what the mask makes of it. */
function masked(plant: Plant, lifecycle: Lifecycle, phase: Phase, tagOf: TagOf): Whitelist {
  const { mask } = phase;
  if (mask === undefined) throw new Error("unreachable: a generated containment has a mask");
  const rules = new Set([...lifecycle.rules, ...phase.rules, ...phase.steps.flatMap((step) => step.rules)]);
  const entries = [...rules].flatMap((rule): readonly WhitelistEntry[] => {
    const sources = (fate: "limited" | "masked"): readonly Rule["from"][number][] =>
      rule.from.filter((source) =>
        rule.targets.some((target) => throughMask(plant, mask, rule, source, target) === fate),
      );
    return (["masked", "limited"] as const).flatMap((fate) => {
      const from = sources(fate);
      if (from.length === 0) return [];
      const words = ruleInWords({ ...rule, from }, plant, tagOf);
      return [{ says: rule.says, words: `${fate === "masked" ? "withheld" : "limited"}: ${words}`, rule: rule.id }];
    });
  });
  return { title: phase.id, says: `As in ${mask.origin}, but ${maskInWords(mask)}.`, entries };
}
