import type { Bundle } from "../bundle.ts";
import type { DeviceId, LinkId, PhaseId, RuleId, StepId, TagId } from "../ids.ts";
import type { Comparison, Condition, Lifecycle, Operation, Phase, Rule } from "../lifecycle.ts";
import type { Link, Plant, Tag } from "../plant.ts";
import { allRules, effectiveRules } from "../positions.ts";
import type { Layer } from "./observation.ts";

/** One layer's view of a bundle, all phases resident: looking up a rule is looking up a map. */
export interface Tables {
  /** Id of the bundle it was compiled from. */
  readonly bundle: string;
  readonly layer: Layer;
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly phases: ReadonlyMap<PhaseId, PhaseTable>;
  /** Safety rules only: what is allowed while no phase is held. */
  readonly safety: PositionTable;
  readonly tags: ReadonlyMap<TagId, CompiledTag>;
  readonly links: ReadonlyMap<LinkId, Link>;
  /** Every rule that this layer judges, once. */
  readonly rules: ReadonlyMap<RuleId, CompiledRule>;
  /** Every comparison of the lifecycle (causes, steps, transitions), once, under its key. */
  readonly comparisons: ReadonlyMap<string, CompiledComparison>;
  /** Where else a rule stands, for the words of a deny. */
  readonly places: Places;
}

export interface PhaseTable {
  readonly phase: Phase;
  /** The phase without any step's rules. */
  readonly base: PositionTable;
  readonly steps: ReadonlyMap<StepId, PositionTable>;
}

export interface PositionTable {
  readonly byTag: ByKey<TagId, CompiledRule>;
  /** Rules without tags; for `read` and `subscribe` also those with tags, by the tags' device: a message that names no item. */
  readonly byTarget: ByKey<DeviceId, CompiledRule>;
}

type ByKey<K, V> = ReadonlyMap<Operation, ReadonlyMap<K, readonly V[]>>;

export interface CompiledRule {
  /** Index into the history's rings. */
  readonly index: number;
  readonly rule: Rule;
  readonly sources: ReadonlySet<DeviceId | "program">;
  readonly cause: CompiledCondition | undefined;
}

export interface CompiledCondition {
  readonly condition: Condition;
  readonly parts: readonly CompiledComparison[];
}

export interface CompiledComparison {
  /** Index into the history's truths. */
  readonly index: number;
  readonly comparison: Comparison;
  readonly tag: CompiledTag;
}

export interface CompiledTag {
  /** Index into the history's values. */
  readonly index: number;
  readonly tag: Tag;
  /** Difference that is rounding and no difference, in engineering units: a billionth of the range. */
  readonly tolerance: number;
  /** Comparisons on this tag. */
  readonly comparisons: readonly CompiledComparison[];
}

export interface Place {
  readonly rule: CompiledRule;
  /** undefined: in every phase. */
  readonly phase: PhaseId | undefined;
  /** undefined: in the whole phase. */
  readonly step: StepId | undefined;
}

interface Places {
  readonly byTag: ByKey<TagId, Place>;
  readonly byTarget: ByKey<DeviceId, Place>;
}

/** Part of the range below which a difference is taken for rounding of raw × scale. */
const ROUNDING = 1e-9;
const SILENT_OPERATIONS: ReadonlySet<Operation> = new Set<Operation>(["read", "subscribe"]);

function comparisonKey(comparison: Comparison): string {
  return `${comparison.tag} ${comparison.test} ${comparison.value}`;
}

/**
 * Compiles a bundle for one layer. HMI and switch judge what devices ask for; the PLC judges changes of its variables, whoever
 * caused them, and what the control program wants to put out.
 */
export function compile(bundle: Bundle, layer: Layer): Tables {
  const { plant, lifecycle } = bundle;
  const { tags, comparisons } = compileTags(plant, lifecycle);
  const rules = new Map<RuleId, CompiledRule>();
  for (const rule of allRules(lifecycle)) {
    if (isJudgedBy(layer, rule)) rules.set(rule.id, compileRule(rule, rules.size, comparisons));
  }
  const safety = [...rules.values()].filter(({ rule }) => rule.safety);
  const table = (wanted: readonly Rule[]) => positionTable(new Set([...safety, ...pick(rules, wanted)]));
  const phases = new Map<PhaseId, PhaseTable>();
  for (const phase of lifecycle.phases) {
    const steps = new Map(phase.steps.map((step) => [step.id, table(effectiveRules(lifecycle, phase, step))]));
    phases.set(phase.id, { phase, base: table(effectiveRules(lifecycle, phase, undefined)), steps });
  }
  return {
    bundle: bundle.id,
    layer,
    plant,
    lifecycle,
    phases,
    safety: positionTable(safety),
    tags,
    links: new Map(plant.links.map((link) => [link.id, link])),
    rules,
    comparisons,
    places: compilePlaces(lifecycle, rules),
  };
}

/** Compiles a condition of this lifecycle. Parts that the lifecycle does not have, or on unknown tags, are left undefined. */
export function compileCondition(
  condition: Condition,
  comparisons: ReadonlyMap<string, CompiledComparison>,
): CompiledCondition | undefined {
  const parts: CompiledComparison[] = [];
  for (const comparison of condition.all) {
    const part = comparisons.get(comparisonKey(comparison));
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return { condition, parts };
}

function isJudgedBy(layer: Layer, rule: Rule): boolean {
  if (layer === "plc") return rule.operation === "write" || rule.operation === "output";
  return rule.operation !== "output";
}

function compileRule(rule: Rule, index: number, comparisons: ReadonlyMap<string, CompiledComparison>): CompiledRule {
  const after = rule.causality?.after;
  const cause = after === undefined ? undefined : compileCondition(after, comparisons);
  if (after !== undefined && cause === undefined) {
    throw new Error(`unreachable: the cause of rule \`${rule.id}\` names a tag that the plant does not have`);
  }
  return { index, rule, sources: new Set(rule.from), cause };
}

function compileTags(
  plant: Plant,
  lifecycle: Lifecycle,
): { tags: Map<TagId, CompiledTag>; comparisons: Map<string, CompiledComparison> } {
  const tags = new Map<TagId, CompiledTag & { comparisons: CompiledComparison[] }>();
  for (const tag of plant.tags) {
    const tolerance = (tag.range[1] - tag.range[0]) * ROUNDING;
    tags.set(tag.id, { index: tags.size, tag, tolerance, comparisons: [] });
  }
  const comparisons = new Map<string, CompiledComparison>();
  for (const comparison of allConditions(lifecycle).flatMap((condition) => condition.all)) {
    const key = comparisonKey(comparison);
    const tag = tags.get(comparison.tag);
    if (tag === undefined || comparisons.has(key)) continue;
    const compiled = { index: comparisons.size, comparison, tag };
    comparisons.set(key, compiled);
    tag.comparisons.push(compiled);
  }
  return { tags, comparisons };
}

function allConditions(lifecycle: Lifecycle): readonly Condition[] {
  const causes = allRules(lifecycle).flatMap((rule) => rule.causality?.after ?? []);
  const steps = lifecycle.phases.flatMap((phase) => phase.steps.flatMap((step) => step.next.map((next) => next.when)));
  const exits = lifecycle.phases.flatMap((phase) => phase.transitions.flatMap((transition) => transition.when ?? []));
  return [...causes, ...steps, ...exits];
}

function pick(rules: ReadonlyMap<RuleId, CompiledRule>, wanted: readonly Rule[]): readonly CompiledRule[] {
  return wanted.flatMap((rule) => rules.get(rule.id) ?? []);
}

/** A table of some rules alone, in their order. */
export function positionTable(rules: Iterable<CompiledRule>): PositionTable {
  const byTag = new Map<Operation, Map<TagId, CompiledRule[]>>();
  const byTarget = new Map<Operation, Map<DeviceId, CompiledRule[]>>();
  for (const compiled of rules) {
    const { operation } = compiled.rule;
    for (const tag of compiled.rule.tags) add(byTag, operation, tag, compiled);
    for (const target of wholeTargets(compiled.rule)) add(byTarget, operation, target, compiled);
  }
  return { byTag, byTarget };
}

function wholeTargets(rule: Rule): readonly DeviceId[] {
  return rule.tags.length === 0 || SILENT_OPERATIONS.has(rule.operation) ? rule.targets : [];
}

function compilePlaces(lifecycle: Lifecycle, rules: ReadonlyMap<RuleId, CompiledRule>): Places {
  const byTag = new Map<Operation, Map<TagId, Place[]>>();
  const byTarget = new Map<Operation, Map<DeviceId, Place[]>>();
  const put = (found: readonly Rule[], phase: PhaseId | undefined, step: StepId | undefined) => {
    for (const rule of pick(rules, found)) {
      const place = { rule, phase, step };
      for (const tag of rule.rule.tags) add(byTag, rule.rule.operation, tag, place);
      for (const target of wholeTargets(rule.rule)) add(byTarget, rule.rule.operation, target, place);
    }
  };
  put(lifecycle.rules, undefined, undefined);
  for (const phase of lifecycle.phases) {
    put(phase.rules, phase.id, undefined);
    for (const step of phase.steps) put(step.rules, phase.id, step.id);
  }
  return { byTag, byTarget };
}

function add<K, V>(maps: Map<Operation, Map<K, V[]>>, operation: Operation, key: K, value: V): void {
  const map = maps.get(operation) ?? new Map<K, V[]>();
  maps.set(operation, map);
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else if (!list.includes(value)) list.push(value);
}
