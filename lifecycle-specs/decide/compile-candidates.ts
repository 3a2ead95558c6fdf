import type { DeviceId, TagId } from "../ids.ts";
import { OPERATIONS } from "../lifecycle.ts";
import { type Candidates, type Crossing, type Directory, deviceRow, rawRow, rowCount, tagRow } from "./candidates.ts";
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

/** One source and one target of a rule. */
interface Pair {
  readonly party: number;
  readonly sources: readonly string[];
  readonly target: DeviceId;
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

class Collector {
  readonly #directory: Directory;
  readonly #groups = new Map<number, Group>();
  readonly #crossings: Crossing[] = [];
  readonly #known = new Map<number, number>();
  /** Sets of sources, of which nobody knows which it was. */
  readonly #sets = new Map<string, number>();

  constructor(directory: Directory) {
    this.#directory = directory;
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
    for (const id of isAboutTags(rule.operation) ? rule.tags : []) {
      const tag = tags.get(id);
      if (tag === undefined || tag.holder === NONE) continue;
      const row = tagRow(this.#directory, operation, tag.index);
      for (const pair of this.#pairs(compiled, tag.tag.device)) this.#put(compiled, row, pair, tag.holder);
    }
    for (const target of rule.targets) {
      const device = this.#directory.parties.get(target);
      if (device === undefined) continue;
      for (const row of this.#wholeRows(compiled, operation, device)) {
        for (const pair of this.#pairs(compiled, target)) this.#put(compiled, row, pair, device);
      }
    }
  }

  /** A rule on tags is about a device as a whole where the operation may name no tag. */
  #wholeRows({ rule }: CompiledRule, operation: number, device: number): readonly number[] {
    const { raws } = this.#directory;
    if (rule.operation === "raw")
      return rule.raw.flatMap((id) => raws.get(id) ?? []).map((raw) => rawRow(this.#directory, raw, device));
    const isWhole = rule.operation !== "report" && (rule.tags.length === 0 || mayNameNothing(rule.operation));
    return isWhole ? [deviceRow(this.#directory, operation, device)] : [];
  }

  /** @param device the device that holds the tag, or that the rule is about */
  #pairs({ rule }: CompiledRule, device: DeviceId): readonly Pair[] {
    const { layer, parties } = this.#directory;
    const indexOf = (name: string) => parties.get(name) ?? NONE;
    if (rule.operation === "report") {
      if (!rule.from.includes(device)) return [];
      return rule.targets.map((target) => ({ party: indexOf(target), sources: [device], target }));
    }
    if (layer === "plc" && rule.operation === "write")
      return [{ party: parties.size, sources: rule.from, target: device }];
    return rule.from.map((source) => ({ party: indexOf(source), sources: [source], target: device }));
  }

  #put(compiled: CompiledRule, row: number, pair: Pair, holder: number): void {
    if (pair.party === NONE) return;
    const key = row * (this.#directory.parties.size + 1) + pair.party;
    const group = this.#groups.get(key) ?? { row, party: pair.party, rules: [], crossings: [] };
    this.#groups.set(key, group);
    group.rules.push(compiled.index);
    group.crossings.push(this.#crossingOf(compiled, pair, holder));
  }

  /** Safety rules pass every mask: theirs is never looked at. */
  #crossingOf({ rule, safety }: CompiledRule, { party, sources, target }: Pair, holder: number): number {
    if (safety) return NONE;
    const { parties } = this.#directory;
    const who = party === parties.size ? parties.size + this.#setOf(sources) : party;
    const key = (who * parties.size + holder) * OPERATIONS.length + operationIndex(rule.operation);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.#crossings.length);
    return this.#crossings.push({ example: rule, sources, target }) - 1;
  }

  #setOf(sources: readonly string[]): number {
    const key = sources.join(" ");
    const known = this.#sets.get(key) ?? this.#sets.size;
    this.#sets.set(key, known);
    return known;
  }
}
