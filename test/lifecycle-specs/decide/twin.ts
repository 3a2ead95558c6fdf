import type { Permitted } from "#specs/decide/decide.ts";
import type { Layer, Observation, Outcome, Position, Verdict } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { RuleId, TagId } from "#specs/ids.ts";
import type { Condition, Lifecycle, Rule } from "#specs/lifecycle.ts";
import type { Mode, Plant, Tag } from "#specs/plant.ts";

/**
 * The slow, obvious twin of `decide`: no tables, no rings, no indexes. It keeps everything that ever happened in two lists and
 * reads the lifecycle from top to bottom for each question. Verdicts without their words.
 */
export type TwinVerdict =
  | { readonly verdict: "allow"; readonly rules: readonly RuleId[]; readonly safety: boolean }
  | {
      readonly verdict: "deny";
      readonly reason: ReasonCode;
      readonly rule: RuleId | undefined;
      readonly item: number;
      readonly mode: Mode;
    };

type Denied = Extract<TwinVerdict, { verdict: "deny" }>;
/** What became of one item: a rule passed it, or the nearest miss. */
type ItemResult = { readonly passed: Rule } | { readonly missed: Miss };
interface Miss {
  readonly reason: ReasonCode;
  readonly rule: Rule | undefined;
  readonly stage: number;
  readonly item: number;
}

const STAGES: readonly (readonly ReasonCode[])[] = [
  ["NO_RULE", "TAG_UNKNOWN"],
  ["TYPE_MISMATCH", "VALUE_BELOW", "VALUE_ABOVE", "VALUE_NOT_LISTED"],
  ["STEP_REFERENCE_UNKNOWN", "STEP_TOO_LARGE"],
  ["TOO_OFTEN"],
  ["CAUSE_MISSING", "CAUSE_UNKNOWN"],
];

export class Twin {
  readonly #plant: Plant;
  readonly #lifecycle: Lifecycle;
  readonly #layer: Layer;
  readonly #seen: { readonly tag: TagId; readonly value: number; readonly atMs: number }[] = [];
  readonly #sent: { readonly rule: RuleId; readonly atMs: number }[] = [];

  constructor(plant: Plant, lifecycle: Lifecycle, layer: Layer) {
    this.#plant = plant;
    this.#lifecycle = lifecycle;
    this.#layer = layer;
  }

  see(tag: TagId, value: number, atMs: number): void {
    this.#seen.push({ tag, value, atMs });
  }

  commit(observation: Observation, verdict: Verdict, outcome: Outcome, atMs: number): void {
    if (outcome === "forwarded" && verdict.verdict === "allow") {
      for (const rule of new Set([verdict.rule, ...(verdict.also ?? [])])) this.#sent.push({ rule, atMs });
    }
    if (outcome === "answered-ok" && observation.operation === "write") {
      for (const { tag, value } of observation.items) {
        const kind = this.#plant.tags.find(({ id }) => id === tag)?.kind;
        if (tag !== undefined && value !== undefined && (kind === "command" || kind === "set-point"))
          this.see(tag, value, atMs);
      }
    }
  }

  decide(permitted: Permitted, observation: Observation, nowMs: number): TwinVerdict {
    const link = this.#plant.links.find(({ id }) => id === observation.link);
    const known = link?.client === observation.source && link?.server === observation.target ? link : undefined;
    const deny = (reason: ReasonCode): Denied => ({
      verdict: "deny",
      reason,
      rule: undefined,
      item: -1,
      mode: known?.mode ?? "enforce",
    });
    if (this.#layer !== "plc" && observation.source === undefined) return deny("SOURCE_UNKNOWN");
    if (this.#layer !== "plc" && known === undefined) return deny("LINK_UNKNOWN");
    const judge = (rules: readonly Rule[]) => this.#judge(rules, observation, nowMs, known?.mode ?? "enforce");
    const bySafety = judge(this.#everyRule().filter(({ safety }) => safety));
    const inPosition = (position: Position): TwinVerdict => {
      if (!this.#lifecycle.phases.some(({ id }) => id === position.phase)) {
        return bySafety.verdict === "allow" ? bySafety : deny("PHASE_UNKNOWN");
      }
      return this.#inPosition(position, observation, nowMs, known?.mode ?? "enforce");
    };
    if (permitted.kind === "none") return bySafety.verdict === "allow" ? bySafety : deny("PHASE_UNKNOWN");
    if (permitted.kind === "phase") return inPosition(permitted.position);
    const results = [inPosition(permitted.old), inPosition(permitted.new)];
    const denies = results.filter((result) => result.verdict === "deny");
    const allows = results.filter((result) => result.verdict === "allow");
    if (denies.length === 0) return results[0] ?? deny("INTERNAL");
    if (permitted.judgedBy === "either" && allows[0] !== undefined) return allows[0];
    const byWindow = judge(permitted.window.flatMap((id) => this.#everyRule().find((rule) => rule.id === id) ?? []));
    if (byWindow.verdict === "allow") return byWindow;
    if (denies.length === 2 && denies[0]?.reason === denies[1]?.reason && denies[0] !== undefined) return denies[0];
    const closest = denies.find(({ rule }) => rule !== undefined) ?? denies[0] ?? deny("INTERNAL");
    const mode = denies.some((denied) => denied.mode === "enforce") ? "enforce" : (denies[0]?.mode ?? "enforce");
    return { ...closest, reason: "WINDOW_FORBIDS", mode };
  }

  #everyRule(): readonly Rule[] {
    const { rules, phases } = this.#lifecycle;
    const all = [
      ...rules,
      ...phases.flatMap((phase) => [...phase.rules, ...phase.steps.flatMap((step) => step.rules)]),
    ];
    return all.filter((rule, index) => all.findIndex(({ id }) => id === rule.id) === index);
  }

  #inPosition(position: Position, observation: Observation, nowMs: number, linkMode: Mode): TwinVerdict {
    const phase = this.#lifecycle.phases.find(({ id }) => id === position.phase);
    const possible = position.steps.flatMap((id) => phase?.steps.find((step) => step.id === id) ?? []);
    const worlds = possible.length === 0 ? [[]] : possible.map(({ rules }) => rules);
    const safety = this.#everyRule().filter((rule) => rule.safety);
    const misses: Miss[] = [];
    for (const stepRules of worlds) {
      const here = [...safety, ...this.#lifecycle.rules, ...(phase?.rules ?? []), ...stepRules];
      const result = this.#message(here, observation, nowMs);
      if ("passed" in result) return allowed(result.passed);
      misses.push(result.missed);
    }
    const closest = nearest(misses);
    return this.#denied(
      closest.reason === "NO_RULE" ? { ...closest, reason: this.#whyNot(closest, position, observation) } : closest,
      linkMode,
    );
  }

  #judge(rules: readonly Rule[], observation: Observation, nowMs: number, linkMode: Mode): TwinVerdict {
    const result = this.#message(rules, observation, nowMs);
    return "passed" in result ? allowed(result.passed) : this.#denied(result.missed, linkMode);
  }

  #denied({ reason, rule, item }: Miss, linkMode: Mode): Denied {
    return { verdict: "deny", reason, rule: rule?.id, item, mode: rule?.mode ?? linkMode };
  }

  #message(
    rules: readonly Rule[],
    observation: Observation,
    nowMs: number,
  ): { passed: readonly Rule[] } | { missed: Miss } {
    const mine = rules.filter((rule) => this.#isWhoAndWhat(rule, observation, this.#layer));
    const { operation, items, target } = observation;
    const aboutDevice = !["read", "write", "call", "subscribe", "output"].includes(operation);
    if (items.length === 0 || aboutDevice) {
      const fitting = mine.filter(
        (rule) =>
          rule.targets.includes(target) &&
          (rule.tags.length === 0 || operation === "read" || operation === "subscribe"),
      );
      const result = this.#item(fitting, undefined, undefined, -1, nowMs);
      return "passed" in result ? { passed: [result.passed] } : result;
    }
    const passed: Rule[] = [];
    for (const [index, { tag: id, value }] of items.entries()) {
      const tag = this.#plant.tags.find((candidate) => candidate.id === id && candidate.device === target);
      if (tag === undefined) return { missed: { reason: "TAG_UNKNOWN", rule: undefined, stage: 0, item: index } };
      const result = this.#item(
        mine.filter((rule) => rule.tags.includes(tag.id)),
        tag,
        value,
        index,
        nowMs,
      );
      if ("missed" in result) return result;
      passed.push(result.passed);
    }
    return { passed };
  }

  #isWhoAndWhat(rule: Rule, { operation, source }: Observation, layer: Layer): boolean {
    if (rule.operation !== operation) return false;
    if (layer === "plc" && !["write", "output"].includes(operation)) return false;
    if (layer !== "plc" && operation === "output") return false;
    return (layer === "plc" && operation === "write") || rule.from.some((from) => from === source);
  }

  #item(
    rules: readonly Rule[],
    tag: Tag | undefined,
    value: number | undefined,
    item: number,
    nowMs: number,
  ): ItemResult {
    const misses: Miss[] = [];
    for (const rule of rules) {
      const reason = this.#lacks(rule, tag, value, nowMs);
      if (reason === undefined) return { passed: rule };
      misses.push({ reason, rule, stage: STAGES.findIndex((stage) => stage.includes(reason)), item });
    }
    return { missed: misses.length === 0 ? { reason: "NO_RULE", rule: undefined, stage: 0, item } : nearest(misses) };
  }

  #lacks(rule: Rule, tag: Tag | undefined, value: number | undefined, nowMs: number): ReasonCode | undefined {
    if (tag !== undefined && (rule.operation === "write" || rule.operation === "output")) {
      if (value === undefined || !Number.isFinite(value)) return "TYPE_MISMATCH";
      const near = 1e-9 * (tag.range[1] - tag.range[0]);
      const lows = [tag.range[0], ...(rule.value?.min === undefined ? [] : [rule.value.min])];
      const highs = [tag.range[1], ...(rule.value?.max === undefined ? [] : [rule.value.max])];
      if (lows.some((low) => value < low - near)) return "VALUE_BELOW";
      if (highs.some((high) => value > high + near)) return "VALUE_ABOVE";
      const listed = rule.value?.oneOf;
      if (listed?.every((one) => Math.abs(one - value) > near)) return "VALUE_NOT_LISTED";
      if (rule.value?.maxStep !== undefined) {
        const last = this.#seen.findLast((seen) => seen.tag === tag.id)?.value;
        if (last === undefined || !Number.isFinite(last)) return "STEP_REFERENCE_UNKNOWN";
        if (Math.abs(value - last) > rule.value.maxStep + near) return "STEP_TOO_LARGE";
      }
    }
    if (rule.safety) return undefined;
    const { cadence } = rule;
    if (cadence !== undefined) {
      const recent = this.#sent.filter(({ rule: id, atMs }) => id === rule.id && nowMs - atMs < cadence.perMs);
      if (recent.length >= cadence.most) return "TOO_OFTEN";
    }
    if (rule.causality === undefined) return undefined;
    const truth = this.#truth(rule.causality.after, nowMs);
    return truth === "holds" ? undefined : truth === "fails" ? "CAUSE_MISSING" : "CAUSE_UNKNOWN";
  }

  /** Walks back in time through everything that was seen. */
  #truth(condition: Condition, nowMs: number): "holds" | "fails" | "unknown" {
    const parts = condition.all.map(({ tag, test, value }) => {
      const fits = (reading: number) =>
        test === "at-least"
          ? reading >= value - 1e-9
          : test === "at-most"
            ? reading <= value + 1e-9
            : Math.abs(reading - value) <= 1e-9;
      const history = this.#seen.filter((seen) => seen.tag === tag);
      const last = history.at(-1)?.value;
      if (last === undefined || !Number.isFinite(last)) return "unknown";
      if (!fits(last)) return "fails";
      const broken = history.findLastIndex((seen) => !fits(seen.value));
      return history[broken + 1]?.atMs ?? 0;
    });
    if (parts.includes("fails")) return "fails";
    if (parts.includes("unknown")) return "unknown";
    return parts.every((since) => typeof since === "number" && nowMs - since >= condition.forMs) ? "holds" : "fails";
  }

  #whyNot(miss: Miss, position: Position, observation: Observation): ReasonCode {
    const { operation, target, items } = observation;
    const tag = items[miss.item]?.tag;
    const whole = (rule: Rule) =>
      rule.targets.includes(target) && (rule.tags.length === 0 || operation === "read" || operation === "subscribe");
    const what = (rule: Rule) =>
      rule.operation === operation && (tag === undefined ? whole(rule) : rule.tags.includes(tag));
    const judged = (rule: Rule) =>
      this.#layer === "plc" ? ["write", "output"].includes(rule.operation) : rule.operation !== "output";
    const mine = (rule: Rule) => what(rule) && judged(rule) && this.#isWhoAndWhat(rule, observation, this.#layer);
    const phase = this.#lifecycle.phases.find(({ id }) => id === position.phase);
    if (phase?.steps.some((step) => step.rules.some(mine))) return "STEP_FORBIDS";
    if (this.#everyRule().some(mine)) return "PHASE_FORBIDS";
    return this.#everyRule().some((rule) => what(rule) && judged(rule)) ? "SOURCE_FORBIDS" : "NO_RULE";
  }
}

function allowed(passed: readonly Rule[]): TwinVerdict {
  const rules = passed.map(({ id }) => id);
  return { verdict: "allow", rules: [...new Set(rules)], safety: passed.every(({ safety }) => safety) };
}

function nearest(misses: readonly Miss[]): Miss {
  const [first] = [...misses].sort((a, b) => b.item - a.item || b.stage - a.stage);
  if (first === undefined) throw new Error("unreachable: nothing was missed");
  return first;
}
