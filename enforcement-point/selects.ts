import type { Outcome } from "#specs/decide/observation.ts";
import type { RuleId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import { allRules } from "#specs/positions.ts";
import { durationInWords } from "#specs/words.ts";
import type { Judged, SelectRef } from "./receipt.ts";

/** Selects that wait at once, of all rules together. */
export const MAX_SELECTS = 256;

interface Waiting {
  readonly ref: SelectRef;
  readonly rule: RuleId;
  readonly judged: Judged;
  untilMs: number;
}

/**
 * Select and operate are one command in two messages: a rule with `follows: { …, select: true }` operates what the other selects. Each keeps
 * its receipt, as the coordinator matches receipts one to one; that of the operate names the select's. Pure: times go in.
 */
export class Selects {
  /** By operating rule: what it needs. */
  readonly #selectOf = new Map<RuleId, RuleId>();
  /** By selecting rule: for how long it holds, plant ms. */
  readonly #holdsMs = new Map<RuleId, number>();
  #waiting: Waiting[] = [];

  constructor(lifecycle: Lifecycle) {
    for (const { id, causality } of allRules(lifecycle)) {
      const { follows } = causality ?? {};
      if (follows?.select !== true) continue;
      this.#selectOf.set(id, follows.rule);
      // As the layers below see the two up to a skew further apart, so far the select is not given up for lost.
      const holdsMs = follows.withinMs + 2 * lifecycle.skewMs;
      this.#holdsMs.set(follows.rule, Math.max(this.#holdsMs.get(follows.rule) ?? 0, holdsMs));
    }
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** The select that this operates. It is used up, unless this is denied, or withheld with what is: then another may operate it. */
  operatedBy({ verdict, action, atMs }: Judged): SelectRef | undefined {
    const rule = verdict.rule === undefined ? undefined : this.#selectOf.get(verdict.rule);
    if (rule === undefined) return undefined;
    const at = this.#waiting.findIndex((one) => one.rule === rule && atMs <= one.untilMs);
    const found = this.#waiting[at];
    if (found !== undefined && verdict.verdict === "allow" && action === "forwarded") this.#waiting.splice(at, 1);
    return found?.ref;
  }

  /**
   * A message was reported under this number: if it selects, it waits for its operate.
   *
   * @param passedMs when it, or its answer if that is known, passed
   */
  reported(judged: Judged, outcome: Outcome, seq: number, passedMs = judged.atMs): void {
    const { verdict, atMs } = judged;
    if (verdict.verdict === "deny" || outcome === "answered-error" || outcome === "denied") return;
    const holdsMs = this.#holdsMs.get(verdict.rule);
    if (holdsMs === undefined) return;
    if (this.#waiting.length >= MAX_SELECTS) this.#waiting.shift();
    this.#waiting.push({ ref: { seq, atMs }, rule: verdict.rule, judged, untilMs: passedMs + holdsMs });
  }

  /** The server answered: the select holds from now on, or not at all. */
  answered(judged: Judged, outcome: Outcome, nowMs: number): void {
    const waiting = this.#waiting.find((one) => one.judged === judged);
    if (waiting === undefined) return;
    if (outcome === "answered-ok") waiting.untilMs = nowMs + (this.#holdsMs.get(waiting.rule) ?? 0);
    else this.#waiting = this.#waiting.filter((one) => one !== waiting);
  }

  /** Those whose time is over and that nobody has operated; each is told once. */
  expired(nowMs: number): readonly { readonly judged: Judged; readonly says: string }[] {
    if (this.#waiting.length === 0) return [];
    const over = this.#waiting.filter(({ untilMs }) => untilMs < nowMs);
    if (over.length > 0) this.#waiting = this.#waiting.filter(({ untilMs }) => untilMs >= nowMs);
    return over.map(({ judged, rule, ref }) => {
      const tags = judged.observation.items.map(({ tag, address }) => tag ?? address).join(", ");
      const holds = durationInWords(this.#holdsMs.get(rule) ?? 0);
      return { judged, says: `${tags} was selected (receipt ${ref.seq}), and not operated within ${holds}` };
    });
  }
}
