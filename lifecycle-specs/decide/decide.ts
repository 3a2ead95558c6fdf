import type { RuleId } from "../ids.ts";
import type { Link, Mode } from "../plant.ts";
import type { History } from "./history.ts";
import { closer, type Failure, judgeRule, RANK } from "./judge-rule.ts";
import type { Observation, ObservedItem, Position, Verdict } from "./observation.ts";
import { isAboutTags } from "./operations.ts";
import type { ReasonCode } from "./reasons.ts";
import { failureInWords } from "./says.ts";
import { type CompiledRule, type Place, type PositionTable, positionTable, type Tables } from "./tables.ts";

export { commit } from "./history.ts";

/** What a layer may go by at this moment. */
export type Permitted =
  | { readonly kind: "phase"; readonly position: Position }
  /** A phase change is under way: what old and new both allow, safety, and the rules of the window list. */
  | {
      readonly kind: "window";
      readonly old: Position;
      readonly new: Position;
      readonly window: readonly RuleId[];
      /** `either` is for a layer that gates nothing and only reports what neither old, new nor window allows. Default `both`. */
      readonly judgedBy?: "both" | "either";
    }
  /** No phase is held: safety only. */
  | { readonly kind: "none" };

type Deny = Extract<Verdict, { verdict: "deny" }>;
/** The rules that allow a message, one per item without repeats; or why not. */
type Judgement = { readonly rules: readonly CompiledRule[] } | { readonly failure: Failure };

/**
 * Judges one observation. Reads only; `commit` records what became of it. Never throws: if it fails itself, that is a deny too.
 *
 * @param nowMs plant time
 */
export function decide(
  tables: Tables,
  permitted: Permitted,
  observation: Observation,
  history: History,
  nowMs: number,
): Verdict {
  try {
    return new Judge(tables, observation, history, nowMs).judge(permitted);
  } catch (error) {
    const says = `the decision itself failed: ${error instanceof Error ? error.message : "unknown error"}`;
    return { verdict: "deny", reason: "INTERNAL", rule: undefined, item: -1, mode: "enforce", says };
  }
}

class Judge {
  readonly #tables: Tables;
  readonly #observation: Observation;
  readonly #history: History;
  readonly #nowMs: number;

  constructor(tables: Tables, observation: Observation, history: History, nowMs: number) {
    this.#tables = tables;
    this.#observation = observation;
    this.#history = history;
    this.#nowMs = nowMs;
  }

  judge(permitted: Permitted): Verdict {
    const stranger = this.#stranger();
    if (stranger !== undefined) return this.#deny(whole(stranger), []);
    switch (permitted.kind) {
      case "none":
        return this.#byTable(this.#tables.safety) ?? this.#deny(whole("PHASE_UNKNOWN"), []);
      case "phase":
        return this.#byPosition(permitted.position);
      case "window":
        return this.#byWindow(permitted);
      default:
        return unreachable(permitted);
    }
  }

  /** source, then link. Inside a PLC a changed variable does not tell who wrote it. */
  #stranger(): ReasonCode | undefined {
    if (this.#tables.layer === "plc") return undefined;
    if (this.#observation.source === undefined) return "SOURCE_UNKNOWN";
    return this.#link() === undefined ? "LINK_UNKNOWN" : undefined;
  }

  /** The declared link, where it really joins the source and the target of this message. */
  #link(): Link | undefined {
    const { source, link: id, target } = this.#observation;
    const link = id === undefined ? undefined : this.#tables.links.get(id);
    return link !== undefined && link.client === source && link.server === target ? link : undefined;
  }

  #byPosition(position: Position): Verdict {
    const phase = this.#tables.phases.get(position.phase);
    if (phase === undefined) return this.#byTable(this.#tables.safety) ?? this.#deny(whole("PHASE_UNKNOWN"), []);
    const tables = position.steps.flatMap((step) => phase.steps.get(step) ?? []);
    let failure: Failure | undefined;
    for (const table of tables.length > 0 ? tables : [phase.base]) {
      const judgement = this.#judgeMessage(table);
      if ("rules" in judgement) return allow(judgement.rules);
      failure = closer(failure, judgement.failure);
    }
    const known = failure ?? whole("NO_RULE");
    if (known.reason !== "NO_RULE") return this.#deny(known, []);
    const { reason, places } = this.#whyNoRule(known, position);
    return this.#deny({ ...known, reason }, places);
  }

  #byWindow(permitted: Extract<Permitted, { kind: "window" }>): Verdict {
    const before = this.#byPosition(permitted.old);
    const after = this.#byPosition(permitted.new);
    const denied = [before, after].filter(isDeny);
    const [first, second] = denied;
    if (first === undefined) return before;
    if (permitted.judgedBy === "either" && second === undefined) return before.verdict === "allow" ? before : after;
    const listed = permitted.window.flatMap((id) => this.#tables.rules.get(id) ?? []);
    const byList = this.#byTable(positionTable(listed));
    if (byList !== undefined) return byList;
    if (second?.reason === first.reason) return first;
    const closest = denied.find(({ rule }) => rule !== undefined) ?? first;
    const mode: Mode = denied.some((deny) => deny.mode === "enforce") ? "enforce" : first.mode;
    const because = denied.map(({ says }) => says).join("; ");
    const says = `during the change from ${permitted.old.phase} to ${permitted.new.phase}: ${because}`;
    return { ...closest, reason: "WINDOW_FORBIDS", mode, says };
  }

  #byTable(table: PositionTable): Verdict | undefined {
    const judgement = this.#judgeMessage(table);
    return "rules" in judgement ? allow(judgement.rules) : undefined;
  }

  /** All items must be allowed; the first that is not gives the reason. */
  #judgeMessage(table: PositionTable): Judgement {
    const { operation, target, items } = this.#observation;
    if (items.length === 0 || !isAboutTags(operation)) {
      const judged = this.#judgeItem(table.byTarget.get(operation)?.get(target) ?? [], undefined, -1);
      return "reason" in judged ? { failure: judged } : { rules: [judged] };
    }
    const rules = new Set<CompiledRule>();
    for (const [index, item] of items.entries()) {
      const judged = this.#judgeTagItem(table, item, index);
      if ("reason" in judged) return { failure: judged };
      rules.add(judged);
    }
    return { rules: [...rules] };
  }

  #judgeTagItem(table: PositionTable, item: ObservedItem, index: number): CompiledRule | Failure {
    const { operation, target } = this.#observation;
    const tag = item.tag === undefined ? undefined : this.#tables.tags.get(item.tag);
    if (tag === undefined || tag.tag.device !== target) {
      return { reason: "TAG_UNKNOWN", rule: undefined, item: index, rank: RANK.NOT_MATCHED };
    }
    return this.#judgeItem(table.byTag.get(operation)?.get(tag.tag.id) ?? [], item, index);
  }

  /** Several rules may fit: allowed if any passes wholly, else denied for what the closest lacks. */
  #judgeItem(
    candidates: readonly CompiledRule[],
    item: ObservedItem | undefined,
    index: number,
  ): CompiledRule | Failure {
    const tag = item?.tag === undefined ? undefined : this.#tables.tags.get(item.tag);
    let failure: Failure | undefined;
    for (const rule of candidates) {
      if (!this.#isFor(rule)) continue;
      const failed = judgeRule(rule, tag, item, index, this.#history, this.#nowMs);
      if (failed === undefined) return rule;
      failure = closer(failure, failed);
    }
    return failure ?? { reason: "NO_RULE", rule: undefined, item: index, rank: RANK.NOT_MATCHED };
  }

  #isFor(rule: CompiledRule): boolean {
    const { source, operation } = this.#observation;
    if (this.#tables.layer === "plc" && operation === "write") return true;
    return source !== undefined && rule.sources.has(source);
  }

  /** No rule matched who and what here: does one in another step, another phase, or for another device? */
  #whyNoRule(failure: Failure, position: Position): { reason: ReasonCode; places: readonly Place[] } {
    const { operation, target, items } = this.#observation;
    const tag = items[failure.item]?.tag;
    const { byTag, byTarget } = this.#tables.places;
    const places = (tag === undefined ? byTarget.get(operation)?.get(target) : byTag.get(operation)?.get(tag)) ?? [];
    const own = places.filter(({ rule }) => this.#isFor(rule));
    const inOtherSteps = own.filter(({ phase, step }) => phase === position.phase && step !== undefined);
    if (inOtherSteps.length > 0) return { reason: "STEP_FORBIDS", places: inOtherSteps };
    if (own.length > 0) return { reason: "PHASE_FORBIDS", places: own };
    return places.length > 0 ? { reason: "SOURCE_FORBIDS", places } : { reason: "NO_RULE", places };
  }

  #deny(failure: Failure, places: readonly Place[]): Deny {
    const { reason, rule, item } = failure;
    const says = failureInWords(this.#tables, this.#observation, failure, places);
    return {
      verdict: "deny",
      reason,
      rule: rule?.rule.id,
      item,
      mode: rule?.rule.mode ?? this.#link()?.mode ?? "enforce",
      says,
    };
  }
}

function allow(rules: readonly CompiledRule[]): Verdict {
  const [first, ...others] = rules;
  if (first === undefined) throw new Error("unreachable: allowed by no rule");
  const safety = rules.every(({ rule }) => rule.safety);
  const allowed = { verdict: "allow", rule: first.rule.id, safety } as const;
  return others.length === 0 ? allowed : { ...allowed, also: others.map(({ rule }) => rule.id) };
}

function whole(reason: ReasonCode): Failure {
  return { reason, rule: undefined, item: -1, rank: RANK.NOT_MATCHED };
}

function isDeny(verdict: Verdict): verdict is Deny {
  return verdict.verdict === "deny";
}

function unreachable(value: never): never {
  throw new Error(`unreachable: permitted \`${JSON.stringify(value)}\``);
}
