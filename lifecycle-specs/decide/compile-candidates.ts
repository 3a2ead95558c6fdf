import type { TagId } from "../ids.ts";
import { OPERATIONS, type Rule } from "../lifecycle.ts";
import {
  type Candidates,
  type Crossing,
  type Directory,
  deviceRow,
  PARTS,
  type Part,
  partRow,
  rawRow,
  rowCount,
  tagRow,
} from "./candidates.ts";
import type { CompiledRule } from "./compile-rules.ts";
import type { CompiledTag } from "./compile-tags.ts";
import { isAboutTags, mayNameNothing, operationIndex } from "./operations.ts";
import { NONE } from "./verdict-id.ts";

interface Group {
  readonly row: number;
  readonly party: number;
  readonly rules: number[];
  readonly crossings: number[];
}

/** Rules must come in the order of judgement. */
export function compileCandidates(
  directory: Directory,
  rules: readonly CompiledRule[],
  tags: ReadonlyMap<TagId, CompiledTag>,
): Candidates {
  const collector = new Collector(directory);
  for (const compiled of rules) collector.add(compiled, tags);
  return { ...directory, ...lineUp(collector.groups, rowCount(directory)), crossings: collector.crossings };
}

/** Whether a rule is about parts of devices and nothing else. */
function isAboutParts({ form }: Rule): boolean {
  return form?.files !== undefined || form?.objects !== undefined;
}

/** Of files that are read a rule must say so; programming and diagnosing are about every part where the rule names none. */
function partsOf({ operation, form }: Rule): readonly Part[] {
  if (operation === "read") return form?.files === undefined ? [] : ["files read"];
  if (operation === "program") return ["files written"];
  return operation === "diagnose" ? ["identification"] : [];
}

/** Lays the groups side by side, in the order of their rows. */
function lineUp(unordered: readonly Group[], rows: number) {
  const groups = [...unordered].sort((a, b) => a.row - b.row || a.party - b.party);
  const total = groups.reduce((sum, { rules }) => sum + rules.length, 0);
  const firstGroup = new Int32Array(rows + 1);
  const firstCandidate = new Int32Array(groups.length + 1);
  const rule = new Int32Array(total);
  const crossing = new Int32Array(total);
  let at = 0;
  for (const [index, group] of groups.entries()) {
    firstGroup[group.row + 1] = index + 1;
    firstCandidate[index] = at;
    rule.set(group.rules, at);
    crossing.set(group.crossings, at);
    at += group.rules.length;
  }
  firstCandidate[groups.length] = at;
  // A row without groups ends where the row before it ends.
  for (let row = 1; row <= rows; row += 1) firstGroup[row] = Math.max(firstGroup[row] ?? 0, firstGroup[row - 1] ?? 0);
  return { firstGroup, party: Int32Array.from(groups, ({ party }) => party), firstCandidate, rule, crossing };
}

/** Goes through every rule, each of its rows and each of its parties; with ten thousand rules that is the most of compiling. */
class Collector {
  readonly #directory: Directory;
  readonly #names: readonly string[];
  readonly #groups = new Map<number, Group>();
  readonly #crossings: Crossing[] = [];
  readonly #known = new Map<number, number>();
  /** Sets of sources, of which nobody knows which it was. */
  readonly #sets = new Map<string, number>();

  constructor(directory: Directory) {
    this.#directory = directory;
    this.#names = [...directory.parties.keys()];
  }

  get groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  get crossings(): readonly Crossing[] {
    return this.#crossings;
  }

  add(compiled: CompiledRule, tags: ReadonlyMap<TagId, CompiledTag>): void {
    const { rule } = compiled;
    const operation = operationIndex(rule.operation);
    const parties = this.#partiesOf(rule);
    for (const id of isAboutTags(rule.operation) ? rule.tags : []) {
      const tag = tags.get(id);
      if (tag === undefined || tag.holder === NONE) continue;
      if (rule.operation === "report" && !rule.from.includes(tag.tag.device)) continue;
      this.#put(compiled, operation, tagRow(this.#directory, operation, tag.index), parties, tag.holder);
    }
    for (const target of rule.targets) {
      const holder = this.#directory.parties.get(target);
      if (holder === undefined) continue;
      for (const row of this.#wholeRows(rule, operation, holder)) {
        this.#put(compiled, operation, row, parties, holder);
      }
    }
  }

  /** Who asks; in a `report` who is told; inside a PLC whoever wrote. */
  #partiesOf({ operation, from, targets }: Rule): readonly number[] {
    const { layer, parties } = this.#directory;
    if (layer === "plc" && operation === "write") return [parties.size];
    const named: readonly string[] = operation === "report" ? targets : from;
    return named.flatMap((name) => parties.get(name) ?? []);
  }

  /** A rule on tags is about a device as a whole where the operation may name no tag. */
  #wholeRows(rule: Rule, operation: number, holder: number): readonly number[] {
    const { raws } = this.#directory;
    if (rule.operation === "raw")
      return rule.raw.flatMap((id) => raws.get(id) ?? []).map((raw) => rawRow(this.#directory, raw, holder));
    const isWhole = rule.operation !== "report" && (rule.tags.length === 0 || mayNameNothing(rule.operation));
    const parts = partsOf(rule).map((part) => partRow(this.#directory, PARTS.indexOf(part), holder));
    return isWhole && !isAboutParts(rule) ? [deviceRow(this.#directory, operation, holder), ...parts] : parts;
  }

  #put(
    { index, rule, safety }: CompiledRule,
    operation: number,
    row: number,
    parties: readonly number[],
    holder: number,
  ): void {
    for (const party of parties) {
      const group = this.#groupAt(row, party);
      group.rules.push(index);
      // Safety rules pass every mask: theirs is never looked at.
      group.crossings.push(safety ? NONE : this.#crossingOf(rule, operation, party, holder));
    }
  }

  #groupAt(row: number, party: number): Group {
    const key = row * (this.#directory.parties.size + 1) + party;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = { row, party, rules: [], crossings: [] };
    this.#groups.set(key, group);
    return group;
  }

  #crossingOf(rule: Rule, operation: number, party: number, holder: number): number {
    const count = this.#names.length;
    const who = party === count ? count + this.#setOf(rule.from) : party;
    const key = (who * count + holder) * OPERATIONS.length + operation;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.#crossings.length);
    return this.#crossings.push(this.#crossing(rule, party, holder)) - 1;
  }

  #crossing(example: Rule, party: number, holder: number): Crossing {
    const held = this.#names[holder] ?? "";
    const who = this.#names[party] ?? "";
    if (example.operation === "report") return { example, sources: [held], target: who };
    return { example, sources: party === this.#names.length ? example.from : [who], target: held };
  }

  #setOf(sources: readonly string[]): number {
    const key = sources.join(" ");
    const known = this.#sets.get(key) ?? this.#sets.size;
    this.#sets.set(key, known);
    return known;
  }
}
