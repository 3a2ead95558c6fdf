import { decide, judge, type Permit, permit, resolve } from "#specs/decide/decide.ts";
import {
  commit,
  conditionTruth,
  createHistory,
  type History,
  lastSeen,
  observeTag,
  overdue,
} from "#specs/decide/history.ts";
import type { Layer, Observation, Verdict } from "#specs/decide/observation.ts";
import type { Permitted } from "#specs/decide/permit.ts";
import type { Tables } from "#specs/decide/tables.ts";
import { readDeny, type VerdictId } from "#specs/decide/verdict-id.ts";
import type { RuleId, TagId } from "#specs/ids.ts";
import type { Condition, Lifecycle } from "#specs/lifecycle.ts";
import type { Situation, Timed } from "../../support/random-plant-questions.ts";
import { type Remembered, Twin, type TwinVerdict } from "./twin.ts";
import type { World } from "./twin-world.ts";

/** Times that a question may lie near to; older ones are forgotten. */
const EVENTS_KEPT = 6;
/** Messages that wait for their answer; older ones are never answered. */
const WAITING_KEPT = 8;
/** Every so many questions the one call that shells use is held against the three that it stands for. */
const JUDGED_WHOLE_EVERY = 64;

/** Every so many readings what else can be asked of the memory is held equal. */
const REMEMBERED_EVERY = 4;

export interface Disagreement {
  readonly core: unknown;
  readonly twin: unknown;
  readonly permitted: Permitted;
  /** undefined: they parted over what they remember. */
  readonly observation: Observation | undefined;
  readonly nowMs: number;
  readonly says: string;
}

/** The compiled decision and its twin side by side at one layer: both are shown the same and asked the same. */
export class Pair {
  readonly #tables: Tables;
  readonly #history: History;
  readonly #twin: Twin;
  readonly #waiting: { readonly observation: Observation; readonly verdict: Verdict }[] = [];
  readonly #events: number[] = [];
  readonly #last = new Map<TagId, { readonly value: number; readonly sinceMs: number }>();
  /** Conditions that lead on: of steps and of transitions. */
  readonly #conditions: readonly Condition[];
  #permitted: Permitted;
  #permit: Permit;
  #nowMs = 0;
  #asked = 0;
  #seen = 0;
  /** The latest verdict. */
  verdict: Verdict | undefined;

  constructor(world: World, layer: Layer, permitted: Permitted) {
    this.#tables = world.tables[layer];
    this.#history = createHistory(this.#tables);
    this.#twin = new Twin(world.plant, world.lifecycle, layer, world.places);
    this.#conditions = leadingOn(world.lifecycle);
    this.#permitted = permitted;
    this.#permit = permit(this.#tables, permitted);
  }

  get situation(): Situation {
    return { nowMs: this.#nowMs, permitted: this.#permitted, events: this.#events, last: this.#last };
  }

  /** Lets the event happen to both. @returns where they part, if they do */
  apply({ pauseMs, event }: Timed): Disagreement | undefined {
    this.#nowMs += pauseMs;
    this.verdict = undefined;
    switch (event.act) {
      case "see":
        observeTag(this.#history, event.tag, event.value, this.#nowMs);
        this.#twin.see(event.tag, event.value, this.#nowMs);
        this.#last.set(event.tag, { value: event.value, sinceMs: this.#nowMs });
        this.#happened();
        return this.#remembered();
      case "stand":
        this.#permitted = event.permitted;
        this.#permit = permit(this.#tables, event.permitted);
        return undefined;
      case "ask":
        return this.#ask(event.observation, event.outcome);
      case "answer": {
        const answered = this.#waiting.pop();
        if (answered !== undefined) this.#commit(answered.observation, answered.verdict, event.outcome);
        return undefined;
      }
      default:
        return event satisfies never;
    }
  }

  #ask(observation: Observation, outcome: "forwarded" | "denied"): Disagreement | undefined {
    const id = decide(this.#tables, this.#permit, observation, this.#history, this.#nowMs);
    const verdict = resolve(this.#tables, this.#permit, observation, this.#history, this.#nowMs, id);
    const twin = this.#twin.decide(this.#permitted, observation, this.#nowMs);
    const core = plain(verdict);
    this.#asked += 1;
    const parted = !same(core, twin) || !this.#isIdOf(id, twin) || !this.#wholeIs(observation, verdict);
    if (parted) {
      const says = verdict.verdict === "deny" ? verdict.says : "";
      return { core, twin, permitted: this.#permitted, observation, nowMs: this.#nowMs, says };
    }
    this.verdict = verdict;
    this.#commit(observation, verdict, outcome);
    if (outcome === "forwarded") this.#waiting.push({ observation, verdict });
    if (this.#waiting.length > WAITING_KEPT) this.#waiting.shift();
    return undefined;
  }

  #remembered(): Disagreement | undefined {
    this.#seen += 1;
    if (this.#seen % REMEMBERED_EVERY !== 0) return undefined;
    const core: Remembered = {
      overdue: [...overdue(this.#history, this.#nowMs)].sort(),
      last: this.#tables.plant.tags.map(({ id }) => lastSeen(this.#history, id)),
      truths: this.#conditions.map((condition) => conditionTruth(this.#history, condition, this.#nowMs)),
    };
    const twin = this.#twin.remembered(this.#conditions, this.#nowMs);
    if (JSON.stringify(core) === JSON.stringify(twin)) return undefined;
    return { core, twin, permitted: this.#permitted, observation: undefined, nowMs: this.#nowMs, says: "" };
  }

  /** The number alone says as much as its words: see the table of `VerdictId`. */
  #isIdOf(id: VerdictId, twin: TwinVerdict): boolean {
    const { ruleIndex, rules } = this.#tables;
    const indexOf = (rule: RuleId | undefined) => (rule === undefined ? -1 : (ruleIndex.get(rule) ?? Number.NaN));
    if (twin.verdict === "allow") {
      const excess = twin.excess ? 1 : 0;
      const [only, ...others] = twin.rules;
      return id === (others.length > 0 ? 2 * rules.length + excess : indexOf(only) + excess * rules.length);
    }
    const { reason, rule, item } = readDeny(rules.length, id);
    return id < 0 && reason === twin.reason && rule === indexOf(twin.rule) && item === twin.item;
  }

  #wholeIs(observation: Observation, verdict: Verdict): boolean {
    if (this.#asked % JUDGED_WHOLE_EVERY !== 0) return true;
    const whole = judge(this.#tables, this.#permitted, observation, this.#history, this.#nowMs);
    return JSON.stringify(whole) === JSON.stringify(verdict);
  }

  #commit(
    observation: Observation,
    verdict: Verdict,
    outcome: "forwarded" | "denied" | "answered-ok" | "answered-error",
  ) {
    commit(this.#history, observation, verdict, outcome, this.#nowMs);
    this.#twin.commit(observation, verdict, outcome, this.#nowMs);
    if (outcome === "answered-ok" && observation.operation === "write") {
      for (const { tag, value } of observation.items) {
        if (tag !== undefined && value !== undefined) this.#last.set(tag, { value, sinceMs: this.#nowMs });
      }
    }
    if (outcome !== "denied") this.#happened();
  }

  #happened(): void {
    if (this.#events.at(-1) === this.#nowMs) return;
    this.#events.push(this.#nowMs);
    if (this.#events.length > EVENTS_KEPT) this.#events.shift();
  }
}

function leadingOn({ phases }: Lifecycle): readonly Condition[] {
  return phases.flatMap(({ steps, transitions }) => [
    ...steps.flatMap(({ next }) => next.flatMap((way) => (way.event === "condition" ? way.when : []))),
    ...transitions.flatMap(({ when }) => when ?? []),
  ]);
}

function plain(verdict: Verdict): TwinVerdict {
  if (verdict.verdict === "allow") {
    const { rule, also, safety, excess } = verdict;
    return { verdict: "allow", rules: [rule, ...(also ?? [])], safety, excess: excess === true };
  }
  const { reason, rule, item, mode } = verdict;
  return { verdict: "deny", reason, rule, item, mode };
}

function same(a: TwinVerdict, b: TwinVerdict): boolean {
  if (a.verdict === "allow") {
    if (b.verdict !== "allow" || a.safety !== b.safety || a.excess !== b.excess) return false;
    return a.rules.length === b.rules.length && a.rules.every((rule, index) => rule === b.rules[index]);
  }
  return b.verdict === "deny" && a.reason === b.reason && a.rule === b.rule && a.item === b.item && a.mode === b.mode;
}
