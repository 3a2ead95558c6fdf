import { commit, decide, resolve } from "#specs/decide/decide.ts";
import { createHistory, type History, observeTag } from "#specs/decide/history.ts";
import type { Observation } from "#specs/decide/observation.ts";
import { type Permit, permit } from "#specs/decide/permit.ts";
import { compile, type Tables } from "#specs/decide/tables.ts";
import { PhaseId, type TagId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
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

  constructor(plant: Plant, lifecycle: Lifecycle) {
    this.tables = compile({ id: "draft", plant, lifecycle }, "switch");
    this.history = createHistory(this.tables);
    this.permit = permit(this.tables, { kind: "none" });
  }

  enterPhase(phase: string, atMs: number): void {
    this.nowMs = atMs;
    this.phase = phase;
    this.phases.add(phase);
    this.permit = permit(this.tables, { kind: "phase", position: { phase: PhaseId(phase), steps: [] } });
  }

  exchange(observation: Observation, _outcome: "ok", atMs: number): void {
    this.nowMs = atMs;
    this.judged += 1;
    if (observation.operation === "write") this.writes += 1;
    if (isAllowed(this.tables, this.permit, this.history, observation, atMs, (says) => this.#deny(says))) return;
    this.denied += 1;
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

/** Judges, and where it is allowed, records that it was carried out. */
export function isAllowed(
  tables: Tables,
  by: Permit,
  history: History,
  observation: Observation,
  atMs: number,
  onDeny: (says: string) => void = () => undefined,
): boolean {
  const id = decide(tables, by, observation, history, atMs);
  const verdict = resolve(tables, by, observation, history, atMs, id);
  if (verdict.verdict === "deny") {
    onDeny(verdict.says);
    return false;
  }
  commit(history, observation, verdict, "forwarded", atMs);
  commit(history, observation, verdict, "answered-ok", atMs);
  return true;
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
