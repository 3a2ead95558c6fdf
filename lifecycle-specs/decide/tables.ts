import type { Bundle } from "../bundle.ts";
import type { DeviceId, LinkId, RawId, RuleId, TagId } from "../ids.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { Link, Plant, RawFunction } from "../plant.ts";
import { type Candidates, directoryOf, groupOf, tagRow } from "./candidates.ts";
import { compileCandidates } from "./compile-candidates.ts";
import { type CompiledPhases, compilePhases } from "./compile-phases.ts";
import { type CompiledRule, compileRules, inOrder, rulesOf } from "./compile-rules.ts";
import { type Comparisons, type CompiledTag, compileTagBounds, compileTags, type TagBounds } from "./compile-tags.ts";
import { type AllEnds, compileEnds } from "./ends.ts";
import type { Layer, Verdict } from "./observation.ts";
import { operationIndex } from "./operations.ts";
import { compileBounds, type RuleBounds } from "./rule-bounds.ts";
import { NONE } from "./verdict-id.ts";

/** One layer's view of a bundle, the phases of all zones resident. Nothing in it changes once it is made. */
export interface Tables extends CompiledPhases, RuleBounds {
  /** Id of the bundle it was compiled from. */
  readonly bundle: string;
  readonly layer: Layer;
  readonly plant: Plant;
  readonly lifecycle: Lifecycle;
  readonly tags: ReadonlyMap<TagId, CompiledTag>;
  readonly tagBounds: TagBounds;
  readonly links: ReadonlyMap<LinkId, Link>;
  readonly ends: AllEnds;
  readonly raws: ReadonlyMap<RawId, RawFunction>;
  /** Every rule that this layer judges, once, in the order of judgement: safety rules, then the order of the file. */
  readonly rules: readonly CompiledRule[];
  readonly ruleIndex: ReadonlyMap<RuleId, number>;
  readonly comparisons: Comparisons;
  readonly candidates: Candidates;
  /** Some rule is about what servers tell clients. */
  readonly judgesReports: boolean;
  /** The verdicts of rules that allow alone, by id. */
  readonly allows: readonly Verdict[];
}

/**
 * Compiles a bundle for one layer. HMI and switch judge what devices ask for and are told; the PLC judges changes of its
 * variables, whoever caused them, and what the control program wants to put out.
 */
export function compile({ id, plant, lifecycle }: Pick<Bundle, "id" | "plant" | "lifecycle">, layer: Layer): Tables {
  const written = rulesOf(lifecycle);
  const directory = directoryOf(layer, plant);
  const { tags, comparisons } = compileTags(plant, lifecycle, written, directory.parties, layer);
  const ordered = inOrder(layer, written);
  const ruleIndex = new Map(ordered.map((rule, index) => [rule.id, index]));
  const rules = compileRules(layer, lifecycle.skewMs, ordered, ruleIndex, comparisons);
  const candidates = compileCandidates(directory, rules, tags);
  return {
    ...compilePhases(plant, lifecycle, rules, ruleIndex, candidates, comparisons),
    ...compileBounds(layer, lifecycle.skewMs, ordered),
    ...{ bundle: id, layer, plant, lifecycle, tags, rules, ruleIndex, comparisons, candidates },
    tagBounds: compileTagBounds(plant.tags),
    links: new Map(plant.links.map((link) => [link.id, link])),
    ends: compileEnds(directory, plant),
    raws: new Map(plant.raw.map((raw) => [raw.id, raw])),
    judgesReports: ordered.some(({ operation }) => operation === "report"),
    allows: compileAllows(rules),
  };
}

/** Whether any rule is about this server telling this client this tag. Where none is, reports are not judged. */
export function hasReports({ candidates, tags }: Tables, source: DeviceId, target: DeviceId, tag: TagId): boolean {
  const known = tags.get(tag);
  if (known === undefined || known.tag.device !== source) return false;
  const row = tagRow(candidates, operationIndex("report"), known.index);
  return groupOf(candidates, row, candidates.parties.get(target) ?? NONE) !== NONE;
}

/** Only a safety rule passes in excess of its rate. */
function compileAllows(rules: readonly CompiledRule[]): readonly Verdict[] {
  const plain = rules.map(({ rule, safety }): Verdict => Object.freeze({ verdict: "allow", rule: rule.id, safety }));
  const excess = rules
    .filter(({ safety }) => safety)
    .map(({ rule }): Verdict => Object.freeze({ verdict: "allow", rule: rule.id, safety: true, excess: true }));
  return [...plain, ...excess];
}
