import type { Layer, Observation, Verdict } from "#specs/decide/observation.ts";
import type { ReasonCode } from "#specs/decide/reasons.ts";
import type { Tables } from "#specs/decide/tables.ts";
import type { PhaseId, RuleId } from "#specs/ids.ts";
import { changesState } from "#specs/mask.ts";
import { brief } from "./brief.ts";
import type { Moment, Possible } from "./phase-course.ts";

/** Kinds of denies that are told apart, in all; what comes beyond is counted together. */
export const MAX_DENIALS = 10_000;
/** Sets of possible phases that are told apart. */
export const MAX_SITUATIONS = 1000;

/** Denies of one kind: same phases, reason, rule, ends and thing. */
export interface Denial {
  readonly phases: readonly PhaseId[];
  readonly reason: ReasonCode;
  /** The rule that came closest; undefined: none is about this here. */
  readonly rule: RuleId | undefined;
  readonly source: string;
  readonly target: string;
  readonly operation: string;
  readonly message: string;
  /** Tag, or address where no tag is bound; empty for a message that is not about tags. */
  readonly about: string;
  /** Whether the link and the rule would have it blocked, where this layer stands inline and enforces. */
  readonly wouldBlock: boolean;
  /** Of the first. */
  readonly says: string;
  count: number;
  readonly first: Moment;
  last: Moment;
}

/** All that was judged while exactly these phases were possible. */
export interface Situation {
  readonly phases: readonly PhaseId[];
  allowed: number;
  denied: number;
  first: Moment;
  last: Moment;
}

export interface Judgements {
  /** allowed by a rule */
  allowed: number;
  denied: number;
  /** seen before the first phase was given */
  unjudged: number;
  /** that a live monitor would have sent: one for each state-changing command and each deny of a request */
  receipts: number;
  /** safety commands beyond their rate: reported, not blocked */
  excess: number;
  /** denies beyond `MAX_DENIALS` kinds, whose kind is not kept */
  beyond: number;
  /** judged while several phases were possible */
  ambiguous: number;
}

/** How often a rule allowed something, in one phase. */
export type Uses = ReadonlyMap<PhaseId, Float64Array>;

/** Counts what was judged. Bounded by the plant and the two limits above, not by the capture. */
export class Tally {
  readonly layer: Layer;
  readonly #tables: Tables;
  readonly #denials = new Map<string, Denial>();
  readonly #situations = new Map<string, Situation>();
  readonly #uses = new Map<PhaseId, Float64Array>();
  readonly #counts: Judgements = {
    allowed: 0,
    denied: 0,
    unjudged: 0,
    receipts: 0,
    excess: 0,
    beyond: 0,
    ambiguous: 0,
  };
  #present: readonly Possible[] = [];
  #situation: Situation | undefined;

  constructor(tables: Tables) {
    this.#tables = tables;
    this.layer = tables.layer;
  }

  get counts(): Readonly<Judgements> {
    return this.#counts;
  }

  /** Judged while no phase was given yet: its verdict says nothing. */
  withoutPhase(): void {
    this.#counts.unjudged += 1;
  }

  /**
   * @param possible where the plant may stand
   * @param by of these, the one that allowed it
   */
  judged(
    observation: Observation,
    verdict: Verdict,
    possible: readonly Possible[],
    by: Possible | undefined,
    at: Moment,
  ): void {
    const situation = this.#situationAt(possible, at);
    situation.last = at;
    if (possible.length > 1) this.#counts.ambiguous += 1;
    if (verdict.verdict === "allow") {
      this.#counts.allowed += 1;
      situation.allowed += 1;
      if (verdict.excess === true) this.#counts.excess += 1;
      if (changesState(observation.operation)) this.#counts.receipts += 1;
      if (by === undefined) return;
      this.#use(by.phase, verdict.rule);
      if (verdict.also !== undefined) for (const rule of verdict.also) this.#use(by.phase, rule);
      return;
    }
    this.#counts.denied += 1;
    // A suspect reading is a notice, and has no receipt.
    if (observation.operation !== "report") this.#counts.receipts += 1;
    situation.denied += 1;
    this.#deny(observation, verdict, situation, at);
  }

  get denials(): readonly Denial[] {
    return [...this.#denials.values()].sort((a, b) => a.first.frame - b.first.frame);
  }

  get situations(): readonly Situation[] {
    return [...this.#situations.values()];
  }

  get uses(): Uses {
    return this.#uses;
  }

  #use(phase: PhaseId, rule: RuleId): void {
    let uses = this.#uses.get(phase);
    if (uses === undefined) {
      uses = new Float64Array(this.#tables.rules.length);
      this.#uses.set(phase, uses);
    }
    const index = this.#tables.ruleIndex.get(rule);
    if (index !== undefined) uses[index] = (uses[index] ?? 0) + 1;
  }

  #situationAt(possible: readonly Possible[], at: Moment): Situation {
    if (this.#situation !== undefined && possible === this.#present) return this.#situation;
    const phases = [...new Set(possible.map(({ phase }) => phase))];
    const names = phases.join(" ");
    const key = this.#situations.has(names) || this.#situations.size < MAX_SITUATIONS ? names : "";
    const known = this.#situations.get(key);
    const situation = known ?? { phases: key === "" ? [] : phases, allowed: 0, denied: 0, first: at, last: at };
    if (known === undefined) this.#situations.set(key, situation);
    this.#present = possible;
    this.#situation = situation;
    return situation;
  }

  #deny(observation: Observation, verdict: Deny, { phases }: Situation, at: Moment): void {
    const { source, sourceAddress, target, link, operation, message, items } = observation;
    const { reason, rule, item, mode, says } = verdict;
    const one = items[item];
    const about = brief(one?.tag ?? one?.address ?? "");
    // Strangers are told apart by their address, not by the port of each of their connections.
    const from = source ?? sourceAddress.slice(0, sourceAddress.lastIndexOf(":"));
    const key = `${phases.join(" ")}\n${reason}\n${rule ?? ""}\n${from}\n${target}\n${message}\n${about}`;
    const known = this.#denials.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.last = at;
      return;
    }
    if (this.#denials.size >= MAX_DENIALS) {
      this.#counts.beyond += 1;
      return;
    }
    const linkMode = link === undefined ? "enforce" : (this.#tables.links.get(link)?.mode ?? "enforce");
    const wouldBlock = mode === "enforce" && linkMode === "enforce";
    this.#denials.set(key, {
      ...{ phases, reason, rule, source: from, target, operation, message, about, wouldBlock },
      says: brief(says),
      ...{ count: 1, first: at, last: at },
    });
  }
}

type Deny = Extract<Verdict, { readonly verdict: "deny" }>;
