import { commit, decide, resolve } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Observation, Position } from "#specs/decide/observation.ts";
import { type Permit, permit } from "#specs/decide/permit.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import { PhaseId, type RuleId, type StepId, type TagId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { StepTracker } from "#specs/steps.ts";
import type { ObservationSink } from "./observed-traffic.ts";

/** Different denials kept in words. */
const MAX_DENIALS = 100;

/** Judges traffic at the switch by a lifecycle, as if every link were enforced. */
export class DraftJudge implements ObservationSink {
  readonly tables: Tables;
  readonly history: History;
  readonly denials = new Map<string, number>();
  readonly phases = new Set<string>();
  judged = 0;
  denied = 0;
  writes = 0;
  nowMs = 0;
  permit: Permit;
  phase = "";
  readonly #steps: StepTracker;

  constructor(plant: Plant, lifecycle: Lifecycle) {
    this.tables = compile({ id: "draft", plant, lifecycle }, "switch");
    this.history = createHistory(this.tables);
    this.permit = permit(this.tables, { kind: "none" });
    this.#steps = new StepTracker(this.tables);
  }

  enterPhase(phase: string, atMs: number): void {
    this.nowMs = atMs;
    this.phase = phase;
    this.phases.add(phase);
    this.#steps.enter(PhaseId(phase), undefined, atMs);
    this.#hold();
  }

  /** Where the plant stands: its phase, and the one step of it. */
  get position(): Position {
    return this.#steps.position ?? { phase: PhaseId(this.phase), steps: [] };
  }

  #hold(): void {
    this.permit = permit(this.tables, { kind: "phase", position: this.position });
  }

  #follow(rule: RuleId, atMs: number): void {
    const { steps } = this.position;
    if (this.#steps.command(rule, "answered-ok", atMs)) this.#settle(steps, atMs);
  }

  /** The strictest way to follow steps: the coordinator's word that the one before has ended comes at once. */
  #settle(before: readonly StepId[], atMs: number): void {
    const begun = this.position.steps.filter((step) => !before.includes(step));
    if (begun.length > 0) this.#steps.record(begun.slice(-1), atMs);
    this.#hold();
  }

  exchange(observation: Observation, _outcome: "ok", atMs: number): void {
    this.nowMs = atMs;
    this.judged += 1;
    if (observation.operation === "write") this.writes += 1;
    const { steps } = this.position;
    if (steps.length > 0 && this.#steps.observe(this.history, atMs)) this.#settle(steps, atMs);
    const rule = allowedBy(this.tables, this.permit, this.history, observation, atMs, (says) => this.#deny(says));
    if (rule === undefined) this.denied += 1;
    else if (steps.length > 0) this.#follow(rule, atMs);
  }

  told(tag: TagId, value: number, atMs: number): void {
    observeTag(this.history, tag, value, atMs);
  }

  #deny(says: string): void {
    const text = `${this.phase}: ${says}`;
    if (this.denials.has(text) || this.denials.size < MAX_DENIALS)
      this.denials.set(text, (this.denials.get(text) ?? 0) + 1);
  }
}

/** Judges, and where it is allowed, records that it was carried out. @returns the rule that allows it */
export function allowedBy(
  tables: Tables,
  by: Permit,
  history: History,
  observation: Observation,
  atMs: number,
  onDeny: (says: string) => void = () => undefined,
): RuleId | undefined {
  const id = decide(tables, by, observation, history, atMs);
  const verdict = resolve(tables, by, observation, history, atMs, id);
  if (verdict.verdict === "deny") {
    onDeny(verdict.says);
    return undefined;
  }
  commit(history, observation, verdict, "forwarded", atMs);
  commit(history, observation, verdict, "answered-ok", atMs);
  return verdict.rule;
}

/** A copy to try something on. */
export function forked(history: History): History {
  return {
    ...history,
    values: history.values.slice(),
    valueSince: history.valueSince.slice(),
    seenAt: history.seenAt.slice(),
    rampSpent: history.rampSpent.slice(),
    trueSince: history.trueSince.slice(),
    forwardedAt: history.forwardedAt.slice(),
    rateTimes: history.rateTimes.slice(),
    rateNext: history.rateNext.slice(),
    answeredAt: history.answeredAt.slice(),
    answers: history.answers.slice(),
    answerTimes: history.answerTimes.slice(),
    used: history.used.slice(),
  };
}
