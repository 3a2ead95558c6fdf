import type { History } from "#specs/decide/history.ts";
import type { Outcome, Position, Verdict } from "#specs/decide/observation.ts";
import { type Permit, type Permitted, permit } from "#specs/decide/permit.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { Epoch, PhaseId, RuleId, StepId } from "#specs/ids.ts";
import { StepTracker } from "#specs/steps.ts";

/** A change that narrows here: where it leads, and the rules that belong to it. */
export interface Window {
  readonly to: PhaseId;
  readonly steps: readonly StepId[];
  readonly rules: readonly RuleId[];
}

/** While a change runs, what stands in the path lets pass what both phases allow; what looks on reports what neither allows. */
export type JudgedBy = "both" | "either";

/** What the coordinator's last word, or its silence, put in force. */
export interface Words {
  readonly epoch: Epoch | undefined;
  readonly window: Window | undefined;
  /** In force by the lease's end in the place of what is held; undefined: the lease holds. */
  readonly isolated: Position | undefined;
}

/**
 * What is in force at one layer from one word of the coordinator to the next. Its possible steps go on by what is seen meanwhile; every
 * other word makes another of these. What is seen late, of the time of one that has ended, holds in its heirs too.
 */
export class HeldPhase {
  readonly words: Words;
  /** Holds nothing while nothing is held, and where what is held is not in these tables. */
  readonly tracker: StepTracker;
  readonly #tables: Tables;
  readonly #judgedBy: JudgedBy;
  /** The same phase under the words that came next, if they said nothing of its steps. */
  #heir: HeldPhase | undefined;
  /** The last permit, and the position that it was made from. */
  #permit: { readonly position: Position | undefined; readonly permit: Permit } | undefined;

  constructor(tables: Tables, judgedBy: JudgedBy, tracker: StepTracker, words: Words) {
    this.#tables = tables;
    this.#judgedBy = judgedBy;
    this.tracker = tracker;
    this.words = words;
  }

  /** This phase goes on under other words, with the steps that it has by then. */
  goOn(words: Partial<Words>, nowMs: number): HeldPhase {
    this.#heir = this.under(words, nowMs);
    return this.#heir;
  }

  /** The same steps under other words. What one of the two sees from now on, the other does not. */
  under(words: Partial<Words>, nowMs: number): HeldPhase {
    const tracker = new StepTracker(this.#tables);
    tracker.goOn(this.tracker, nowMs);
    return new HeldPhase(this.#tables, this.#judgedBy, tracker, { ...this.words, ...words });
  }

  get position(): Position | undefined {
    return this.words.isolated ?? this.tracker.position;
  }

  get permitted(): Permitted {
    const { position } = this;
    const { window, isolated } = this.words;
    if (position === undefined) return { kind: "none" };
    if (window === undefined || isolated !== undefined) return { kind: "phase", position };
    const next = { phase: window.to, steps: window.steps };
    return { kind: "window", old: position, new: next, window: window.rules, judgedBy: this.#judgedBy };
  }

  /** Ready for `decide`. The same object until a step is another. */
  get permit(): Permit {
    const { position } = this;
    if (this.#permit === undefined || this.#permit.position !== position)
      this.#permit = { position, permit: permit(this.#tables, this.permitted) };
    return this.#permit.permit;
  }

  /** Advances the set of possible steps by what was observed here. True: it changed. */
  observe(history: History, nowMs: number): boolean {
    return this.words.isolated === undefined && this.#learn((tracker) => tracker.observe(history, nowMs));
  }

  /** Advances the set of possible steps by what became of a message. True: it changed. */
  happened(verdict: Verdict, outcome: Outcome, nowMs: number): boolean {
    if (this.words.isolated !== undefined || verdict.verdict === "deny") return false;
    if (outcome !== "forwarded" && outcome !== "answered-ok") return false;
    const { rule, also = [] } = verdict;
    let changed = this.#learn((tracker) => tracker.command(rule, outcome, nowMs));
    for (const other of also) if (this.#learn((tracker) => tracker.command(other, outcome, nowMs))) changed = true;
    return changed;
  }

  #learn(take: (tracker: StepTracker) => boolean): boolean {
    let changed = false;
    for (let held: HeldPhase | undefined = this; held !== undefined; held = held.#heir)
      if (take(held.tracker)) changed = true;
    return changed;
  }
}
