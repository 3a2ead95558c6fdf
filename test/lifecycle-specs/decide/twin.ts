import type { Layer, Observation, Outcome, Position, Verdict } from "#specs/decide/observation.ts";
import type { Permitted } from "#specs/decide/permit.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { PhaseId, RuleId, TagId } from "#specs/ids.ts";
import type { Condition, Lifecycle, Mask, Operation, Rule } from "#specs/lifecycle.ts";
import type { Link, Mode, Plant, Tag } from "#specs/plant.ts";
import { type Truth, TwinLog } from "./twin-log.ts";
import { type Passage, passageThrough } from "./twin-mask.ts";
import { type Place, TwinPlaces } from "./twin-places.ts";
import { exceedsRate, lacking } from "./twin-rule.ts";

/**
 * The slow, obvious twin of `decide`: no tables, no bit sets, no rings. It asks xstate which rules are active, keeps everything
 * that ever happened in lists, and reads rules and lists from end to end for each question. Verdicts without their words.
 */
export type TwinVerdict =
  | { readonly verdict: "allow"; readonly rules: readonly RuleId[]; readonly safety: boolean; readonly excess: boolean }
  | {
      readonly verdict: "deny";
      readonly reason: ReasonCode;
      readonly rule: RuleId | undefined;
      readonly item: number;
      readonly mode: Mode;
    };

/** Rules of which the next message has not come in time; by tag its last value; and whether some conditions hold. */
export interface Remembered {
  readonly overdue: readonly RuleId[];
  readonly last: readonly ({ readonly value: number; readonly sinceMs: number } | undefined)[];
  readonly truths: readonly Truth[];
}

type Denied = Extract<TwinVerdict, { verdict: "deny" }>;
/** What became of one item or message: rules that passed it, or the nearest miss. */
type Result = { readonly passed: readonly Passed[] } | { readonly missed: Miss };
interface Passed {
  readonly rule: Rule;
  readonly excess: boolean;
}
interface Miss {
  readonly reason: ReasonCode;
  readonly rule: Rule | undefined;
  readonly item: number;
}

/** The order in which a rule is judged: the further one came, the closer it was. At the first stage no rule was for who and what. */
const STAGES: readonly (readonly ReasonCode[])[] = [
  ["NO_RULE", "TAG_UNKNOWN", "TAG_PARTIAL", "FUNCTION_FORBIDDEN"],
  ["ROLE_MISSING", "ROLE_NOT_ALLOWED"],
  ["FUNCTION_NOT_ALLOWED"],
  ["QUANTITY_ABOVE"],
  ["FILE_NOT_ALLOWED", "OBJECT_NOT_ALLOWED"],
  ["TYPE_MISMATCH", "VALUE_BELOW", "VALUE_ABOVE", "VALUE_NOT_LISTED", "LENGTH_FORBIDDEN"],
  ["STEP_REFERENCE_UNKNOWN", "STEP_TOO_LARGE"],
  ["RAMP_TOO_FAST"],
  ["STALE"],
  ["TOO_OFTEN"],
  ["TOO_EARLY"],
  ["RATE_LIMITED"],
  ["CAUSE_MISSING", "CAUSE_UNKNOWN"],
  ["CAUSE_AGAINST", "CAUSE_AGAINST_UNKNOWN"],
  ["ORDER_MISSING", "ORDER_USED"],
  ["TOO_CLOSE"],
];

const WHOLE: readonly Operation[] = ["browse", "session", "program", "diagnose", "raw"];
/** A read or a subscription may name no item: it then asks for the device as a whole. */
const LOOKING: readonly Operation[] = ["read", "subscribe"];

export class Twin {
  readonly #plant: Plant;
  readonly #layer: Layer;
  readonly #places: TwinPlaces;
  readonly #log: TwinLog;

  constructor(plant: Plant, lifecycle: Lifecycle, layer: Layer, places = new TwinPlaces(lifecycle)) {
    this.#plant = plant;
    this.#layer = layer;
    this.#places = places;
    this.#log = new TwinLog(plant, lifecycle, layer);
  }

  see(tag: TagId, value: number, atMs: number): void {
    this.#log.see(tag, value, atMs);
  }

  commit(observation: Observation, verdict: Verdict, outcome: Outcome, atMs: number): void {
    this.#log.commit(observation, verdict, outcome, atMs);
  }

  /** What else is asked of the memory. */
  remembered(conditions: readonly Condition[], nowMs: number): Remembered {
    const late = this.#places.everyRule.filter((rule) => {
      const { id, cadence } = rule;
      const last = this.#log.forwardedOf(id).at(-1);
      if (cadence?.period === undefined || last === undefined) return false;
      return nowMs - last > cadence.period.everyMs + cadence.period.jitterMs + this.#log.slackFor(rule);
    });
    return {
      overdue: late.map(({ id }) => id).sort(),
      last: this.#plant.tags.map(({ id }) => this.#log.lastOf(id)),
      truths: conditions.map((condition) => this.#log.truth(condition, nowMs)),
    };
  }

  decide(permitted: Permitted, observation: Observation, nowMs: number): TwinVerdict {
    const asked = new Question(this.#plant, this.#layer, this.#places, this.#log, observation, nowMs);
    return asked.answer(permitted);
  }
}

class Question {
  readonly #plant: Plant;
  readonly #layer: Layer;
  readonly #places: TwinPlaces;
  readonly #log: TwinLog;
  readonly #observation: Observation;
  readonly #nowMs: number;

  constructor(plant: Plant, layer: Layer, places: TwinPlaces, log: TwinLog, observation: Observation, nowMs: number) {
    this.#plant = plant;
    this.#layer = layer;
    this.#places = places;
    this.#log = log;
    this.#observation = observation;
    this.#nowMs = nowMs;
  }

  answer(permitted: Permitted): TwinVerdict {
    if (this.#layer !== "plc") {
      if (this.#observation.source === undefined) return this.#deny("SOURCE_UNKNOWN");
      if (this.#link() === undefined) return this.#deny("LINK_UNKNOWN");
    }
    switch (permitted.kind) {
      case "none":
        return this.#bySafety() ?? this.#deny("PHASE_UNKNOWN");
      case "phase":
        return this.#byPosition(permitted.position);
      case "window":
        return this.#byWindow(permitted);
    }
  }

  /** The declared link, where it joins the two devices of this message. A report goes from its server to its client. Inside a PLC there is none. */
  #link(): Link | undefined {
    if (this.#layer === "plc") return undefined;
    const { source, target, operation } = this.#observation;
    const [client, server] = operation === "report" ? [target, source] : [source, target];
    const declared = this.#plant.links.find(({ id }) => id === this.#observation.link);
    return declared?.client === client && declared?.server === server ? declared : undefined;
  }

  #byWindow(permitted: Extract<Permitted, { kind: "window" }>): TwinVerdict {
    const both = [this.#byPosition(permitted.old), this.#byPosition(permitted.new)];
    const [old] = both;
    const allows = both.filter((verdict) => verdict.verdict === "allow");
    const denies = both.filter((verdict) => verdict.verdict === "deny");
    const [first, second] = denies;
    if (first === undefined) return old ?? this.#deny("INTERNAL");
    if (permitted.judgedBy === "either" && allows[0] !== undefined) return allows[0];
    const listed = this.#places.everyRule.filter(({ id }) => permitted.window.includes(id));
    const byList = this.#message({ rules: inOrder(listed), mask: undefined });
    if ("passed" in byList) return this.#allow(byList.passed);
    if (second?.reason === first.reason) return first;
    const closest = denies.find(({ rule }) => rule !== undefined) ?? first;
    const mode = denies.some((deny) => deny.mode === "enforce") ? "enforce" : first.mode;
    return { ...closest, reason: "WINDOW_FORBIDS", mode };
  }

  #byPosition({ phase, steps }: Position): TwinVerdict {
    const known = steps.filter((step) => this.#places.stepsOf(phase).includes(step));
    const here = (known.length === 0 ? [undefined] : known).flatMap((step) => this.#places.at(phase, step) ?? []);
    if (here.length === 0) return this.#bySafety() ?? this.#deny("PHASE_UNKNOWN");
    const misses: Miss[] = [];
    for (const place of here) {
      const active = this.#places.everyRule.filter((rule) => rule.safety || place.rules.includes(rule));
      const result = this.#message({ rules: inOrder(active), mask: place.mask });
      if ("passed" in result) return this.#allow(result.passed);
      misses.push(result.missed);
    }
    const closest = nearest(misses);
    if (closest.reason !== "NO_RULE") return this.#denied(closest);
    return this.#denied({ ...closest, reason: this.#whyNot(closest, phase, here) });
  }

  #bySafety(): TwinVerdict | undefined {
    const result = this.#message({ rules: this.#places.everyRule.filter(({ safety }) => safety), mask: undefined });
    return "passed" in result ? this.#allow(result.passed) : undefined;
  }

  /** Every item must be allowed; the first that is not gives the reason. */
  #message(place: Place): Result {
    const { operation, items, target, source, files } = this.#observation;
    if (operation === "raw" && !this.#plant.raw.some(({ id }) => id === this.#observation.raw)) {
      return { missed: { reason: "FUNCTION_FORBIDDEN", rule: undefined, item: -1 } };
    }
    if (WHOLE.includes(operation) || items.length === 0 || files !== undefined) return this.#item(place, undefined, -1);
    // Inside a PLC everything is about the PLC's own variables.
    const holder = operation === "report" && this.#layer !== "plc" ? source : target;
    const passed: Passed[] = [];
    for (const [index, { tag: id, partOf }] of items.entries()) {
      const tag = this.#plant.tags.find((candidate) => candidate.id === id && candidate.device === holder);
      const reason = partOf === undefined ? "TAG_UNKNOWN" : "TAG_PARTIAL";
      if (tag === undefined) return { missed: { reason, rule: undefined, item: index } };
      const result = this.#item(place, tag, index);
      if ("missed" in result) return result;
      passed.push(...result.passed);
    }
    return { passed };
  }

  /** The first rule that passes wholly; or what the closest lacks. */
  #item({ rules, mask }: Place, tag: Tag | undefined, item: number): Result {
    const misses: Miss[] = [];
    for (const rule of rules.filter((candidate) => this.#isAbout(candidate, tag) && this.#isFrom(candidate))) {
      const passage = this.#passage(mask, rule);
      if (passage === "masked") continue;
      const question = {
        rule,
        tag,
        item: this.#observation.items[item],
        observation: this.#observation,
        limited: passage === "limited",
        layer: this.#layer,
        nowMs: this.#nowMs,
      };
      const reason = lacking(question, this.#plant, this.#log);
      if (reason === undefined) return { passed: [{ rule, excess: exceedsRate(question, this.#log) }] };
      misses.push({ reason, rule, item });
    }
    return { missed: misses.length === 0 ? { reason: "NO_RULE", rule: undefined, item } : nearest(misses) };
  }

  /** Inside a PLC nobody knows who wrote: what any source may still cause may happen. */
  #passage(mask: Mask | undefined, rule: Rule): Passage {
    const { source, target } = this.#observation;
    const sources = this.#layer === "plc" ? rule.from : [source ?? ""];
    const each = sources.map((from) => passageThrough(this.#plant, mask, rule, from, target));
    return each.includes("passes") ? "passes" : each.includes("limited") ? "limited" : "masked";
  }

  /** Who asks may, or in a report: who is told may be told. */
  #isFrom({ from, operation, targets }: Rule): boolean {
    if (this.#layer === "plc" && operation === "write") return true;
    if (operation === "report") return targets.includes(this.#observation.target);
    return from.some((device) => device === this.#observation.source);
  }

  /** What the rule is about, whoever asks or is told. */
  #isAbout(rule: Rule, tag: Tag | undefined): boolean {
    const { operation, source, target, raw } = this.#observation;
    const judgedHere = this.#layer === "plc" ? ["write", "output"].includes(operation) : operation !== "output";
    if (!judgedHere || rule.operation !== operation) return false;
    if (operation === "raw" && !rule.raw.some((id) => id === raw)) return false;
    if (operation === "report" && !rule.from.some((device) => device === source)) return false;
    if (tag !== undefined) return rule.tags.includes(tag.id);
    return rule.targets.includes(target) && this.#isAboutPart(rule);
  }

  /** Files and identification objects are parts of a device: a rule that names some is about nothing else of it. */
  #isAboutPart({ operation, tags, form }: Rule): boolean {
    const { files, objects } = this.#observation;
    if (files !== undefined) return operation === "program" || (operation === "read" && form?.files !== undefined);
    if (objects !== undefined) return operation === "diagnose";
    if (form?.files !== undefined || form?.objects !== undefined) return false;
    return tags.length === 0 || LOOKING.includes(operation);
  }

  /** No rule here is for who and what: is one withheld here, or in another step, in another phase, or for another device? */
  #whyNot({ item }: Miss, phase: PhaseId, here: readonly Place[]): ReasonCode {
    const id = this.#observation.items[item]?.tag;
    const tag = item < 0 ? undefined : this.#plant.tags.find((candidate) => candidate.id === id);
    const about = (rule: Rule) => this.#isAbout(rule, tag);
    const mine = (rule: Rule) => about(rule) && this.#isFrom(rule);
    const masked = (rule: Rule) => this.#passage(here[0]?.mask, rule) === "masked";
    if (here.some(({ rules }) => rules.some((rule) => mine(rule) && masked(rule)))) return "CONTAINED";
    const inSteps = this.#places.stepsOf(phase).flatMap((step) => this.#places.at(phase, step)?.rules ?? []);
    if (inSteps.some((rule) => mine(rule) && !masked(rule))) return "STEP_FORBIDS";
    if (this.#places.everyRule.some(mine)) return "PHASE_FORBIDS";
    return this.#places.everyRule.some(about) ? "SOURCE_FORBIDS" : "NO_RULE";
  }

  #deny(reason: ReasonCode): Denied {
    return this.#denied({ reason, rule: undefined, item: -1 });
  }

  #denied({ reason, rule, item }: Miss): Denied {
    return { verdict: "deny", reason, rule: rule?.id, item, mode: rule?.mode ?? this.#link()?.mode ?? "enforce" };
  }

  #allow(passed: readonly Passed[]): TwinVerdict {
    const rules = [...new Set(passed.map(({ rule }) => rule.id))];
    const safety = passed.every(({ rule }) => rule.safety);
    return { verdict: "allow", rules, safety, excess: passed.some(({ excess }) => excess) };
  }
}

/** Safety rules are asked first, else the order of the file decides. */
function inOrder(rules: readonly Rule[]): readonly Rule[] {
  return [...rules.filter(({ safety }) => safety), ...rules.filter(({ safety }) => !safety)];
}

/** Further along the items, then further in the judgement, then the earlier one. */
function nearest(misses: readonly Miss[]): Miss {
  const stage = ({ reason }: Miss) => STAGES.findIndex((reasons) => reasons.includes(reason));
  const [first] = [...misses].sort((a, b) => b.item - a.item || stage(b) - stage(a));
  if (first === undefined) throw new Error("unreachable: nothing was missed");
  return first;
}
